/* SPDX-License-Identifier: MIT */
/*
 * map_fold.c: finds repetitions in address order, and folds items by key in slots that are still too long.
 */
#include "inspect/map_fold.h"

#include "base/array.h"
#include "base/lower_bound.h"
#include "base/page.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The number of values of map_alike() is their product. A guest has few: pieces are made as they occur. */
#define ALIKE_PIECES 256
#define ALIKE_PIECE  512

/* By map_alike(): the sum of that key; valid if `turn` is the folder's. */
struct alike {
	uint32_t turn, sum;
};

/*
 * Items that are kept while the line that begins with folder.first is sought. Once no period goes on, at most three
 * groups of the longest period follow the end of the line.
 */
#define WINDOW (4 * MAP_PERIOD_MAX)

struct kept {
	struct map_item item; /* range: not to be followed */
	struct range range;   /* of the item, if it has one */
};

/* The items of one key in the current slot, for step 2. */
struct sum {
	struct map_line line;
	struct kept first;
};

/* Takes items in order. */
struct folder {
	struct map_lines lines;
	struct memory_map *keep; /* takes the items that lines name; NULL: lines name items by their number */
	size_t count;            /* items taken, without those that folder_sum() is enough for */
	uint64_t slot;           /* number of the current slot */
	bool summed;             /* it has too many lines: only sums are continued */
	size_t shown;            /* lines of text of the current slot */
	/* At its start: */
	size_t slot_lines, slot_items, slot_ranges;
	/* Step 1: */
	size_t first, next;                  /* the item that begins the next line; the next to be compared */
	unsigned int going_on;               /* bit p: the items from `first` recur with period p */
	uint64_t stride[MAP_PERIOD_MAX + 1]; /* by period: of the second group */
	uint64_t recurred[MAP_PERIOD_MAX + 1]; /* by period: items after the first group that do */
	struct kept head[MAP_PERIOD_MAX];      /* the items from `first` on */
	struct kept window[WINDOW];            /* the last items */
	/* Step 2: */
	ARRAY_OF(struct sum) sums;
	struct alike *alike[ALIKE_PIECES];
	uint32_t turn; /* number of slots until now */
};

static bool items_alike(const struct map_item *a, const struct map_item *b)
{
	return a->alike == b->alike && a->caller == b->caller && a->size == b->size;
}

static uint64_t last_of(const struct map_item *item)
{
	return item->start + (item->size - 1);
}

static void keep(struct kept *kept, const struct map_item *item)
{
	kept->item = *item;
	if (item->range)
		kept->range = *item->range;
}

static struct map_item *item_at(struct folder *folder, size_t index)
{
	return &folder->window[index % WINDOW].item;
}

/* ---- step 1 ---- */

/* Number of lines of text; a repetition has a line for the count. */
static size_t lines_shown(const struct map_line *line)
{
	return line->times > 1 ? line->period + 1 : 1;
}

static void line_start(struct folder *folder, size_t first)
{
	folder->first = folder->next = first;
	folder->going_on = ((1u << MAP_PERIOD_MAX) - 1) << 1;
	memset(folder->recurred, 0, sizeof(folder->recurred));
}

/* Compares the next item with those before it, for each period with which they recur until then. */
static void compare_next(struct folder *folder)
{
	size_t index = folder->next++, place = index - folder->first;
	const struct map_item *item = item_at(folder, index);

	if (place < MAP_PERIOD_MAX)
		folder->head[place] = folder->window[index % WINDOW];
	for (unsigned int left = folder->going_on; left; left &= left - 1) {
		unsigned int period = (unsigned int)__builtin_ctz(left);
		const struct map_item *before;
		uint64_t stride;

		if (place < period)
			break;
		before = item_at(folder, index - period);
		stride = item->start - before->start;
		if (place == period)
			folder->stride[period] = stride;
		if (stride == folder->stride[period] && items_alike(item, before))
			folder->recurred[period]++;
		else
			folder->going_on &= ~(1u << period);
	}
}

/* Adds the items that a line names. Returns the number of the first, or SIZE_MAX if memory is out. */
static size_t keep_items(struct folder *folder, const struct kept *kept, unsigned int count, size_t number)
{
	struct memory_map *map = folder->keep;

	if (!map)
		return number;
	number = map->items.count;
	for (unsigned int i = 0; i < count; i++)
		if (array_push(&map->items, kept[i].item) < 0 ||
		    (kept[i].item.range && array_push(&map->ranges, kept[i].range) < 0))
			return SIZE_MAX;
	return number;
}

/* Adds the line that begins at `first`: the repetition that saves the most lines, or the single item. */
static int add_line(struct folder *folder)
{
	struct map_line line = { .period = 1, .times = 1 };
	uint64_t saved = 0;

	for (unsigned int period = 1; period <= MAP_PERIOD_MAX; period++) {
		uint64_t times = 1 + folder->recurred[period] / period;

		/* At least three repetitions. The line with the count is not saved. */
		if (times < 3 || period * (times - 1) - 1 <= saved)
			continue;
		saved = period * (times - 1) - 1;
		line.period = period;
		line.times = times;
		line.stride = folder->stride[period];
	}
	line.end = last_of(item_at(folder, folder->first + line.period * line.times - 1));
	line.first = keep_items(folder, folder->head, line.period, folder->first);
	if (line.first == SIZE_MAX || array_push(&folder->lines, line) < 0)
		return -1;
	folder->shown += lines_shown(&line);
	folder->summed = folder->shown > MAP_SLOT_LINES;
	line_start(folder, folder->first + line.period * line.times);
	return 0;
}

/* Adds the lines that end before the last item; `all`: those of all items. */
static int add_lines(struct folder *folder, bool all)
{
	while (folder->first < folder->count && !folder->summed) {
		while (folder->next < folder->count && folder->going_on)
			compare_next(folder);
		if (folder->going_on && !all)
			return 0;
		if (add_line(folder) < 0)
			return -1;
	}
	return 0;
}

/* ---- step 2 ---- */

static struct map_line sum_begin(const struct map_item *item, size_t number)
{
	struct map_line line = { .first = number, .period = 1, .times = 1, .smallest = UINT64_MAX };

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

/* The sum of a key, by map_alike(), in the current slot, or NULL. */
static struct sum *sum_of(const struct folder *folder, uint32_t key)
{
	const struct alike *piece = folder->alike[key / ALIKE_PIECE];
	const struct alike *alike = piece ? &piece[key % ALIKE_PIECE] : NULL;

	return alike && alike->turn == folder->turn ? &folder->sums.items[alike->sum] : NULL;
}

static struct sum *sum_new(struct folder *folder, const struct map_item *item)
{
	struct alike **piece = &folder->alike[item->alike / ALIKE_PIECE];
	struct sum sum = { .line = sum_begin(item, folder->count) };

	if (!*piece)
		*piece = calloc(ALIKE_PIECE, sizeof(**piece));
	keep(&sum.first, item);
	if (!*piece || array_push(&folder->sums, sum) < 0)
		return NULL;
	(*piece)[item->alike % ALIKE_PIECE] =
		(struct alike){ folder->turn, (uint32_t)folder->sums.count - 1 };
	return &folder->sums.items[folder->sums.count - 1];
}

/* Replaces the lines of the slot by its sums. */
static int sum_up(struct folder *folder)
{
	folder->lines.count = folder->slot_lines;
	if (folder->keep) {
		folder->keep->items.count = folder->slot_items;
		folder->keep->ranges.count = folder->slot_ranges;
	}
	for (size_t i = 0; i < folder->sums.count; i++) {
		struct sum *sum = &folder->sums.items[i];

		sum->line.first = keep_items(folder, &sum->first, 1, sum->line.first);
		if (sum->line.first == SIZE_MAX || array_push(&folder->lines, sum->line) < 0)
			return -1;
	}
	return 0;
}

/* ---- slots ---- */

static uint64_t slot_of(uint64_t start)
{
	return start / page_level_size(4);
}

static void slot_start(struct folder *folder, uint64_t slot)
{
	folder->slot = slot;
	folder->turn++;
	folder->summed = false;
	folder->shown = 0;
	folder->sums.count = 0;
	folder->slot_lines = folder->lines.count;
	if (folder->keep) {
		folder->slot_items = folder->keep->items.count;
		folder->slot_ranges = folder->keep->ranges.count;
	}
	line_start(folder, folder->count);
}

static int slot_finish(struct folder *folder)
{
	if (add_lines(folder, true) < 0)
		return -1;
	return folder->summed ? sum_up(folder) : 0;
}

/* builder: to name callers; NULL: items have theirs. */
static int folder_add(void *context, struct map_builder *builder, struct map_item *item)
{
	struct folder *folder = context;
	struct sum *sum;

	if (slot_of(item->start) != folder->slot) {
		if (slot_finish(folder) < 0)
			return -1;
		slot_start(folder, slot_of(item->start));
	}
	sum = sum_of(folder, item->alike);
	/* Step 1 compares callers, and a sum shows that of its only item. */
	if (builder && (!sum || !folder->summed) && map_name_caller(builder, item) < 0)
		return -1;
	if (!sum)
		sum = sum_new(folder, item);
	if (!sum)
		return -1;
	map_line_add(&sum->line, item->start, item->size, item->range);
	if (folder->summed) {
		folder->count++;
		return 0;
	}
	keep(&folder->window[folder->count++ % WINDOW], item);
	return add_lines(folder, false);
}

/* Once the slot is only summed up, its lines need no other items than the first of each key. */
static struct map_line *folder_sum(void *context, uint32_t alike, uint64_t start, uint64_t *last_out)
{
	struct folder *folder = context;
	struct sum *sum = folder->summed && slot_of(start) == folder->slot ? sum_of(folder, alike) : NULL;

	*last_out = start | (page_level_size(4) - 1);
	return sum ? &sum->line : NULL;
}

static struct folder *folder_open(struct memory_map *keep)
{
	struct folder *folder = calloc(1, sizeof(*folder));

	if (!folder)
		return NULL;
	folder->keep = keep;
	slot_start(folder, 0);
	return folder;
}

/* *out is to be destroyed in any case. */
static int folder_close(struct folder *folder, struct map_lines *out)
{
	int result = slot_finish(folder);

	*out = folder->lines;
	free(folder->sums.items);
	for (size_t i = 0; i < ALIKE_PIECES; i++)
		free(folder->alike[i]);
	free(folder);
	return result;
}

static int fold_all(const struct memory_map *map, struct map_lines *out)
{
	struct folder *folder = folder_open(NULL);
	int result = 0;

	if (!folder)
		return -1;
	for (size_t i = 0; i < map->items.count && !result; i++)
		result = folder_add(folder, NULL, &map->items.items[i]);
	return folder_close(folder, out) < 0 ? -1 : result;
}

static int list_all(const struct memory_map *map, struct map_lines *lines)
{
	for (size_t i = 0; i < map->items.count; i++) {
		struct map_line line = {
			.first = i, .period = 1, .times = 1, .end = last_of(&map->items.items[i])
		};

		if (array_push(lines, line) < 0)
			return -1;
	}
	return 0;
}

static int no_memory(struct map_lines *lines, struct error *error)
{
	map_lines_destroy(lines);
	return error_set(error, ERROR_HOST, ENOMEM, 0, "the lines of the memory map");
}

int map_fold(const struct memory_map *map, bool fold, struct map_lines *out, struct error *error)
{
	struct map_lines lines = { 0 };

	if ((fold ? fold_all(map, &lines) : list_all(map, &lines)) < 0)
		return no_memory(&lines, error);
	*out = lines;
	return 0;
}

void map_lines_destroy(struct map_lines *lines)
{
	free(lines->items);
	*lines = (struct map_lines){ 0 };
}

/* ---- all in one pass ---- */

/* Items point to their ranges, and areas have their variables. */
static void complete(struct memory_map *map, const struct claims *claims)
{
	const struct range *range = map->ranges.items;

	for (size_t i = 0; i < map->items.count; i++) {
		struct map_item *item = &map->items.items[i];

		if (item->range)
			item->range = range++;
		if (item->area)
			item->variable = claims_area_variable(claims, item->area);
	}
}

/* Live areas come first in the claims. */
static struct ranges_breaks breaks_of(const struct claims *claims)
{
	const struct claim_place *places = claims ? claims->places.items : NULL;

	return (struct ranges_breaks){
		.first = places ? &places->va_start : NULL,
		.stride = sizeof(*places),
		.count = places ? lower_bound(claims->places.count, i, places[i].live) : 0,
	};
}

/* 0, -1 or MAP_DISORDERED. */
static int read_folded(const struct map_source *source, const struct map_filter *filter, bool in_order,
		       struct memory_map *map, struct map_lines *lines, struct ranges *totals_out,
		       struct error *error)
{
	struct folder *folder = folder_open(map);
	const struct map_sink items = { folder_add, folder_sum, folder };
	const struct ranges_breaks breaks = breaks_of(source->claims);
	struct ranges_sink ranges = { .range = map_add };
	int result = -1;

	if (!folder)
		return -1;
	ranges.context = map_open(map, source->claims, source->symbols, filter, &items, in_order);
	if (ranges.context) {
		int visited = ranges_visit(source->view, source->mode, filter->start, filter->end, &breaks,
					   &ranges, totals_out, error);

		result = map_close(ranges.context);
		if (visited < 0)
			result = -1;
	}
	return folder_close(folder, lines) < 0 ? -1 : result;
}

int map_read_folded(const struct map_source *source, const struct map_filter *filter, struct memory_map *map,
		    struct map_lines *lines, struct ranges *totals_out, struct error *error)
{
	int result = MAP_DISORDERED;

	*map = (struct memory_map){ 0 };
	*lines = (struct map_lines){ 0 };
	for (int again = 0; again < 2 && result == MAP_DISORDERED; again++) {
		map_destroy(map);
		map_lines_destroy(lines);
		map->direct = source->direct;
		result = read_folded(source, filter, !again, map, lines, totals_out, error);
	}
	if (result < 0) {
		map_destroy(map);
		return no_memory(lines, error);
	}
	complete(map, source->claims);
	return 0;
}
