/* SPDX-License-Identifier: MIT */
/*
 * map_fold.h: shortens the listing of a map, in two steps for each slot, a 512 GiB part of the address space.
 *
 * 1. Repetitions: a group of 1 to MAP_PERIOD_MAX items that recurs at a constant stride, with the same size,
 *    rights, page size, memory type, kind and caller, becomes one line.
 * 2. A slot that still has more than MAP_SLOT_LINES lines gets one line for all items that differ only in
 *    size and address.
 */
#ifndef VMM_INSPECT_MAP_FOLD_H
#define VMM_INSPECT_MAP_FOLD_H

#include "base/array.h"
#include "inspect/map.h"

#define MAP_PERIOD_MAX 8
#define MAP_SLOT_LINES 12

struct map_line {
	size_t first;        /* index into map.items of the first item of the line */
	unsigned int period; /* number of items in the repeated group */
	uint64_t times;      /* number of repetitions; 1: not repeated */
	uint64_t stride;     /* bytes between repetitions */
	uint64_t alike;      /* step 2: number of items of the slot in this line, times is 1; step 1: 0 */
	uint64_t end;        /* last byte of the last item */
	uint64_t smallest, largest; /* step 2: sizes in bytes */
	struct range sum; /* step 2: sums of size, leaves, runs, counted bits; the rest of the first item */
};

struct map_lines {
	ARRAY_OF(struct map_line);
};

/* Packs kind, rights, page size, memory type and protection key. A guard has only a kind. */
uint32_t map_alike(const struct map_item *item);

/* If fold is false, each item is a line. 0, or -1 if memory is out. */
int map_fold(const struct memory_map *map, bool fold, struct map_lines *out, struct error *error);
void map_lines_destroy(struct map_lines *lines);

#endif
