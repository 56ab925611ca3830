/* SPDX-License-Identifier: MIT */
/*
 * map_fold.h: a map in few lines: what repeats is said once.
 *
 * First repetitions: the same 1 to MAP_PERIOD_MAX ranges, alike in size, rights, page size, memory type, kind
 * and caller, again and again at one distance. Then, in each 512 GiB of address space that still takes more
 * than MAP_SLOT_LINES lines, all that is alike but for its size is one line.
 */
#ifndef VMM_INSPECT_MAP_FOLD_H
#define VMM_INSPECT_MAP_FOLD_H

#include "base/array.h"
#include "inspect/map.h"

#define MAP_PERIOD_MAX 8
#define MAP_SLOT_LINES 12

struct map_line {
	size_t first; /* index into map.items: the range itself, or the first of the repeated or alike ones */
	unsigned int period; /* so many items, as they are ... */
	uint64_t times;      /* ... so often, `stride` bytes apart; 1: once */
	uint64_t stride;
	uint64_t alike; /* not 0: so many items of this slot, alike but for size and place; times is 1 */
	uint64_t end;   /* last byte of all that the line stands for */
	uint64_t smallest, largest; /* of the alike ones, bytes */
	struct range sum; /* of the alike ones: size, leaves, runs, accessed, dirty added up; the rest of the
			     first */
};

struct map_lines {
	ARRAY_OF(struct map_line);
};

/* fold false: a line for each item. 0, or -1 when memory is out. */
int map_fold(const struct memory_map *map, bool fold, struct map_lines *out, struct error *error);
void map_lines_destroy(struct map_lines *lines);

#endif
