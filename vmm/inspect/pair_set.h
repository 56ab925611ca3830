/* SPDX-License-Identifier: MIT */
/*
 * pair_set.h: a set of pairs of page tables, one of each of two guests. For diff_tables.c.
 */
#ifndef VMM_INSPECT_PAIR_SET_H
#define VMM_INSPECT_PAIR_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* GPA, level and rights of each table, in one number; 0: no table. */
struct pair {
	uint64_t one, other;
};

/* Open addressing. Zero is the empty set. */
struct pair_set {
	struct pair *slots; /* both 0: empty */
	size_t mask, count;
};

bool pair_set_has(const struct pair_set *set, struct pair pair);

/* -1: out of memory. A pair of zeros is not added. */
int pair_set_add(struct pair_set *set, struct pair pair);

void pair_set_destroy(struct pair_set *set);

#endif
