/* SPDX-License-Identifier: MIT */
/*
 * map_fold.c: finds repetitions in address order, and folds items by key in slots that are still too long.
 */
#include "inspect/map_fold.h"

#include "base/array.h"
#include "base/page.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

/* Number of values of map_alike(). */
#define ALIKE_KEYS (1u << 17)

struct folder {
	const struct memory_map *map;
	struct map_lines lines;
	/* By map_alike(): the line of that key; valid if `slot` is the number of the current slot. */
	struct {
		uint32_t slot, line;
	} * alike;
	uint32_t slot; /* number of the current slot, from 1 */
};

static uint64_t start_of(const struct memory_map *map, size_t index)
{
	return map->items.items[index].start;
}

static uint64_t last_of(const struct memory_map *map, size_t index)
{
	return start_of(map, index) + (map->items.items[index].size - 1);
}

uint32_t map_alike(const struct map_item *item)
{
	const struct range *range = item->range;

	static_assert(ADDRESS_KIND_COUNT <= 16, "a kind has four bits");
	if (!range)
		return item->kind;
	return item->kind | (range->rights & 15) << 4 | (range->pat_index & 7) << 8 |
	       (range->key & 15) << 11 | (range->page_size > PAGE_2M ? 2u : range->page_size > PAGE_4K) << 15;
}

static bool items_alike(const struct map_item *a, const struct map_item *b)
{
	return a->alike == b->alike && a->caller == b->caller && a->size == b->size;
}

/*
 * Number of consecutive repetitions, at a constant stride, of the `period` items at `first`; stops at `end`.
 */
static uint64_t repetitions(const struct memory_map *map, size_t first, size_t end, unsigned int period)
{
	const struct map_item *items = map->items.items;
	uint64_t stride, alike = period;

	if (end - first <= period)
		return 1;
	stride = start_of(map, first + period) - start_of(map, first);
	while (first + alike < end &&
	       start_of(map, first + alike) - start_of(map, first + alike - period) == stride &&
	       items_alike(&items[first + alike], &items[first + alike - period]))
		alike++;
	return alike / period;
}

/* The line that begins at `first`: the repetition that saves the most lines, or the single item. */
static struct map_line line_at(const struct memory_map *map, size_t first, size_t end)
{
	struct map_line line = { .first = first, .period = 1, .times = 1 };
	uint64_t saved = 0;

	for (unsigned int period = 1; period <= MAP_PERIOD_MAX; period++) {
		uint64_t times;

		/* All items that are left would save no more. */
		if (end - first <= saved + period + 1)
			break;
		times = repetitions(map, first, end, period);
		/* At least three repetitions. The line with the count is not saved. */
		if (times < 3 || period * (times - 1) - 1 <= saved)
			continue;
		saved = period * (times - 1) - 1;
		line.period = period;
		line.times = times;
		line.stride = start_of(map, first + period) - start_of(map, first);
	}
	line.end = last_of(map, first + line.period * line.times - 1);
	return line;
}

/* Number of lines of text; a repetition has a line for the count. */
static size_t lines_shown(const struct map_line *line)
{
	return line->times > 1 ? line->period + 1 : 1;
}

static void sum_add(struct map_line *line, const struct map_item *item)
{
	uint64_t size = item->size;

	line->alike++;
	line->sum.size += size;
	line->smallest = size < line->smallest ? size : line->smallest;
	line->largest = size > line->largest ? size : line->largest;
	if (item->range) {
		line->sum.leaves += item->range->leaves;
		line->sum.runs += item->range->runs;
#define ADD(name, bit) line->sum.name += item->range->name;
		RANGE_COUNTED_BITS(ADD)
	}
}

static struct map_line sum_begin(const struct memory_map *map, size_t first)
{
	const struct map_item *item = &map->items.items[first];
	struct map_line line = { .first = first, .period = 1, .times = 1, .smallest = UINT64_MAX };

	if (item->range)
		line.sum = (struct range){
			.gva = item->range->gva,
			.gpa = item->range->gpa,
			.page_size = item->range->page_size,
			.rights = item->range->rights,
			.pat_index = item->range->pat_index,
			.key = item->range->key,
		};
	return line;
}

/* Replaces the lines of the items [first, end), which begin at index `kept`, by one line per map_alike(). */
static int fold_slot(struct folder *folder, size_t first, size_t end, size_t kept)
{
	struct map_lines *lines = &folder->lines;

	if (!folder->alike)
		folder->alike = calloc(ALIKE_KEYS, sizeof(*folder->alike));
	if (!folder->alike)
		return -1;
	folder->slot++;
	lines->count = kept;
	for (size_t i = first; i < end; i++) {
		const struct map_item *item = &folder->map->items.items[i];
		uint32_t key = item->alike;

		if (folder->alike[key].slot != folder->slot) {
			folder->alike[key].slot = folder->slot;
			folder->alike[key].line = (uint32_t)lines->count;
			if (array_push(lines, sum_begin(folder->map, i)) < 0)
				return -1;
		}
		sum_add(&lines->items[folder->alike[key].line], item);
		lines->items[folder->alike[key].line].end = last_of(folder->map, i);
	}
	return 0;
}

/* Adds the items [first, end) of one slot; folds them by key if they take more than MAP_SLOT_LINES lines. */
static int add_slot(struct folder *folder, size_t first, size_t end)
{
	size_t kept = folder->lines.count, shown = 0;

	/* Stops once there are too many lines: fold_slot() replaces them all. */
	for (size_t next = first; next < end && shown <= MAP_SLOT_LINES;) {
		struct map_line line = line_at(folder->map, next, end);

		if (array_push(&folder->lines, line) < 0)
			return -1;
		shown += lines_shown(&line);
		next += line.period * line.times;
	}
	return shown > MAP_SLOT_LINES ? fold_slot(folder, first, end, kept) : 0;
}

/* The first item after `first` that begins in another slot. */
static size_t slot_end(const struct memory_map *map, size_t first)
{
	uint64_t slot = start_of(map, first) / page_level_size(4);
	size_t end = first + 1;

	while (end < map->items.count && start_of(map, end) / page_level_size(4) == slot)
		end++;
	return end;
}

static int fold_all(struct folder *folder)
{
	size_t end;

	for (size_t first = 0; first < folder->map->items.count; first = end) {
		end = slot_end(folder->map, first);
		if (add_slot(folder, first, end) < 0)
			return -1;
	}
	return 0;
}

static int list_all(const struct memory_map *map, struct map_lines *lines)
{
	for (size_t i = 0; i < map->items.count; i++) {
		struct map_line line = { .first = i, .period = 1, .times = 1, .end = last_of(map, i) };

		if (array_push(lines, line) < 0)
			return -1;
	}
	return 0;
}

int map_fold(const struct memory_map *map, bool fold, struct map_lines *out, struct error *error)
{
	struct folder folder = { .map = map };
	int result = fold ? fold_all(&folder) : list_all(map, &folder.lines);

	free(folder.alike);
	if (result < 0) {
		map_lines_destroy(&folder.lines);
		return error_set(error, ERROR_HOST, ENOMEM, 0, "the lines of the memory map");
	}
	*out = folder.lines;
	return 0;
}

void map_lines_destroy(struct map_lines *lines)
{
	free(lines->items);
	*lines = (struct map_lines){ 0 };
}
