/* SPDX-License-Identifier: MIT */
/*
 * spelling.h: which word may be meant by a mistyped one.
 */
#ifndef VMM_BASE_SPELLING_H
#define VMM_BASE_SPELLING_H

#include <stddef.h>

/*
 * How many letters must change, come, go or swap with their neighbour to make `name` of `word`; large for
 * words that cannot be meant. Upper and lower case do not differ.
 */
size_t spelling_distance(const char *word, size_t length, const char *name);

/* The largest distance at which a word may be meant: a third of it. */
size_t spelling_tolerance(size_t length);

#endif
