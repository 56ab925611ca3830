/* SPDX-License-Identifier: MIT */
/*
 * map_callers.h: the functions that allocated the areas of a map. Each address is resolved once and cached,
 * because a lookup in the line table costs a thousand times more than a range. For map.c only.
 */
#ifndef VMM_INSPECT_MAP_CALLERS_H
#define VMM_INSPECT_MAP_CALLERS_H

#include "inspect/map.h"

struct callers {
	uint32_t *slots; /* open addressing: index into map.callers, 0 = empty */
	uint32_t last;   /* the index that was found last; 0: none */
};

/* Adds the empty caller at index 0. 0, or -1 if memory is out. */
int callers_init(struct callers *callers, struct memory_map *map);

/* Sets *out to the index of `address` in map->callers. symbols may be NULL. 0, or -1 if memory is out. */
int callers_find(struct callers *callers, struct memory_map *map, struct symbols *symbols, uint64_t address,
		 uint32_t *out);
void callers_destroy(struct callers *callers);

#endif
