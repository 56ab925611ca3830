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
#include "base/page.h"
#include "inspect/map.h"

#include <assert.h>

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

/* Step 2: adds an item. range: NULL for a guard. */
static inline void map_line_add(struct map_line *line, uint64_t start, uint64_t size,
				const struct range *range)
{
	line->alike++;
	line->end = start + (size - 1);
	line->sum.size += size;
	line->smallest = size < line->smallest ? size : line->smallest;
	line->largest = size > line->largest ? size : line->largest;
	if (range) {
		line->sum.leaves += range->leaves;
		line->sum.runs += range->runs;
#define ADD(name, bit) line->sum.name += range->name;
		RANGE_COUNTED_BITS(ADD)
#undef ADD
	}
}

/* Packs kind, rights, page size, memory type and protection key. A guard has only a kind. */
static inline uint32_t map_alike(enum address_kind kind, const struct range *range)
{
	static_assert(ADDRESS_KIND_COUNT <= 16, "a kind has four bits");
	if (!range)
		return kind;
	return kind | (range->rights & 15) << 4 | (range->pat_index & 7) << 8 | (range->key & 15) << 11 |
	       (range->page_size > PAGE_2M ? 2u : range->page_size > PAGE_4K) << 15;
}

/* If fold is false, each item is a line. 0, or -1 if memory is out. */
int map_fold(const struct memory_map *map, bool fold, struct map_lines *out, struct error *error);

/* A guest whose direct map is known beforehand. symbols may be NULL. */
struct map_source {
	const struct view *view;
	const struct walk_mode *mode;
	struct map_direct direct;
	const struct claims *claims;
	struct symbols *symbols;
};

/*
 * Reads the tables and folds the map as map_build() and map_fold() do, with the same lines, but keeps only the items that
 * the lines name: they are all that *map lists. *totals_out has no items. Map and lines are to be destroyed; -1 if
 * memory is out.
 */
int map_read_folded(const struct map_source *source, const struct map_filter *filter, struct memory_map *map,
		    struct map_lines *lines, struct ranges *totals_out, struct error *error);
void map_lines_destroy(struct map_lines *lines);

#endif
