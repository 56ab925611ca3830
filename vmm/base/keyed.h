/* SPDX-License-Identifier: MIT */
/*
 * keyed.h: sorted arrays of small facts about an address or a frame.
 */
#ifndef VMM_BASE_KEYED_H
#define VMM_BASE_KEYED_H

#include "base/array.h"

#include <stddef.h>
#include <stdint.h>

struct keyed {
	uint64_t key;
	uint32_t size;
	uint32_t tag;
};

struct keyed_array {
	ARRAY_OF(struct keyed);
};

/* Sorts by key; equal keys stay in order. 0, or -1 when memory is out. */
int keyed_sort(struct keyed_array *array);

/* Index of the first item with a key of at least `key`; count if there is none. */
size_t keyed_find(const struct keyed_array *array, uint64_t key);

#endif
