/* SPDX-License-Identifier: MIT */
/*
 * pair_map.h: numbers by pairs of page tables, one of each of two guests. For diff_tables.c.
 */
#ifndef VMM_INSPECT_PAIR_MAP_H
#define VMM_INSPECT_PAIR_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Each half of the pair in one number. Not both are 0. */
struct pair {
	uint64_t one, other;
};

/* Open addressing. Zero is the empty map. */
struct pair_map {
	struct pair_slot {
		struct pair pair; /* both 0: empty */
		size_t value;
	} * slots;
	size_t mask, count;
};

/* False: the pair is not in the map. */
bool pair_map_find(const struct pair_map *map, struct pair pair, size_t *value_out);

/* Adds a pair that is not in the map. -1: out of memory. */
int pair_map_add(struct pair_map *map, struct pair pair, size_t value);

void pair_map_destroy(struct pair_map *map);

#endif
