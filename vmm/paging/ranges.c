/* SPDX-License-Identifier: MIT */
/*
 * ranges.c: merges runs of leaves into ranges.
 */
#include "paging/ranges.h"

#include "base/array.h"
#include "base/page.h"
#include "paging/entries.h"
#include "paging/pte.h"
#include "paging/visited.h"

#include <errno.h>
#include <stdlib.h>

#define COUNTED_BIT(name, bit) | (bit)
#define COUNTED_BITS           (0 RANGE_COUNTED_BITS(COUNTED_BIT))

enum collect_stop { COLLECT_NO_MEMORY = 1, COLLECT_FULL = 2 };

/* The ranges of a table that is mapped several times, as seen at the GVA of `table`. */
struct shared {
	struct walk_table table;
	struct ranges ranges;
};

/* The shared tables of one collection. */
struct memo {
	struct visited visited; /* by all scans: each table is read twice at most */
	struct visited places;  /* in `items` */
	size_t ranges;          /* of all collectors, bounded by RANGES_MAX */
	ARRAY_OF(struct shared *);
};

struct collector {
	const struct view *view;
	const struct walk_mode *mode;
	struct memo *memo;
	const struct ranges_sink *sink;
	const struct entries_loops *loops;
	struct ranges ranges;  /* totals */
	struct range last;     /* not yet passed to the sink; of no leaves before the first */
	const uint8_t *breaks; /* the breaks not yet passed, a uint64_t every break_stride bytes */
	size_t break_stride, break_count;
	uint64_t next_break; /* the first of them */
};

/* Leaves of the run that have the bit; differ: the bits that are not the same in all of them, as they mostly are. */
static inline uint64_t count_bit(const struct walk_run *run, uint64_t differ, uint64_t bit)
{
	uint64_t sum = 0;

	if (!(differ & bit))
		return run->entries[0] & bit ? run->count : 0;
	for (unsigned int i = 0; i < run->count; i++)
		sum += (run->entries[i] & bit) != 0;
	return sum;
}

/* Passes the last range on. 0 or enum collect_stop. */
static int collect_flush(struct collector *collector)
{
	int stop;

	if (!collector->last.leaves)
		return 0;
	stop = collector->sink->range(collector->sink->context, &collector->last) < 0 ? COLLECT_NO_MEMORY : 0;
	collector->last.leaves = 0;
	return stop;
}

/* Passes the last range on, for the caller to begin a new one. 0 or enum collect_stop. */
static int collect_next(struct collector *collector)
{
	int stop = collect_flush(collector);

	if (!stop && collector->memo->ranges++ == RANGES_MAX)
		stop = COLLECT_FULL;
	if (!stop)
		collector->ranges.count++;
	return stop;
}

/*
 * Adds a run to the last range, or begins a new range. The run contains no break; `apart`: there is a break
 * at its start. 0 or enum collect_stop.
 */
static inline __attribute__((always_inline)) int collect_part(struct collector *collector,
							      const struct walk_run *run, bool apart)
{
	struct range *last = &collector->last;
	uint64_t first_gpa = walk_leaf_gpa(run->entries[0], run->size);
	struct entries_tally tally =
		collector->loops->tally(run->entries, run->count, run->size, COUNTED_BITS);

	if (last->leaves && !apart && last->gva + last->size == run->gva && last->page_size == run->size &&
	    last->rights == run->rights && last->pat_index == run->pat_index && last->key == run->key) {
		last->size += run->count * run->size;
		last->leaves += run->count;
		last->runs += tally.jumps + (last->last_gpa + run->size != first_gpa);
#define ADD(name, bit) last->name += count_bit(run, tally.differ, bit);
		RANGE_COUNTED_BITS(ADD)
	} else {
		int stop = collect_next(collector);

		if (stop)
			return stop;
		last->gva = run->gva;
		last->size = run->count * run->size;
		last->gpa = first_gpa;
		last->page_size = run->size;
		last->rights = run->rights;
		last->pat_index = run->pat_index;
		last->key = run->key;
		last->leaves = run->count;
		last->runs = tally.jumps + 1;
#define SET(name, bit) last->name = count_bit(run, tally.differ, bit);
		RANGE_COUNTED_BITS(SET)
	}
	last->last_gpa = walk_leaf_gpa(run->entries[run->count - 1], run->size);
	collector->ranges.leaves += run->count;
	return 0;
}

static void break_next(struct collector *collector)
{
	__builtin_prefetch(collector->breaks + 32 * collector->break_stride);
	collector->breaks += collector->break_stride;
	if (--collector->break_count)
		collector->next_break = *(const uint64_t *)(const void *)collector->breaks;
}

/* Passes the breaks up to gva. Returns whether there were any. */
static bool breaks_pass(struct collector *collector, uint64_t gva)
{
	bool passed = false;

	while (collector->break_count && collector->next_break <= gva) {
		break_next(collector);
		passed = true;
	}
	return passed;
}

/* A run with breaks after its first leaf. */
static __attribute__((noinline)) int collect_parts(struct collector *collector, const struct walk_run *run,
						   bool apart)
{
	struct walk_run part = *run;
	unsigned int left = run->count;
	int stop = 0;

	while (left && !stop) {
		part.count = left;
		if (collector->break_count) {
			/* The number of leaves that begin below the next break, at least 1. */
			uint64_t below = (collector->next_break - part.gva - 1) / part.size + 1;

			if (below < left)
				part.count = (unsigned int)below;
		}
		stop = collect_part(collector, &part, apart);
		part.entries += part.count;
		part.gva += part.count * part.size;
		left -= part.count;
		apart = left && breaks_pass(collector, part.gva);
	}
	return stop;
}

static int collect_run(void *context, const struct walk_run *run)
{
	struct collector *collector = context;
	bool apart = breaks_pass(collector, run->gva);

	if (!collector->break_count || collector->next_break - run->gva >= run->count * run->size)
		return collect_part(collector, run, apart);
	return collect_parts(collector, run, apart);
}

static int collect_table(void *context, uint64_t table_gpa, unsigned int level, uint64_t gva)
{
	struct collector *collector = context;

	(void)table_gpa, (void)level, (void)gva;
	collector->ranges.tables++;
	return 0;
}

static int collect_damage(void *context, const struct walk_leaf *entry, enum walk_stop stop)
{
	struct collector *collector = context;

	(void)entry, (void)stop;
	collector->ranges.damaged++;
	return 0;
}

/* ---- shared tables ---- */

static int collect_again(void *context, const struct walk_table *table);

static int collect(struct collector *collector, const struct walk_table *table, uint64_t start, uint64_t end)
{
	const struct walk_visitor visitor = {
		.context = collector,
		.run = collect_run,
		.table = collect_table,
		.again = collect_again,
		.visited = &collector->memo->visited,
		.damage = collect_damage,
	};
	int stop;

	if (table)
		stop = walk_subtree(collector->view, collector->mode, table, 0, &visitor);
	else
		stop = walk_range(collector->view, collector->mode, start, end, 0, &visitor);
	return stop == WALK_NO_MEMORY ? COLLECT_NO_MEMORY : stop;
}

static int range_push(void *context, const struct range *range)
{
	struct ranges *ranges = context;

	return array_push(ranges, *range);
}

/* The totals of a collector, with the ranges that range_push() took. */
static void ranges_take_totals(struct ranges *ranges, const struct ranges *totals, bool cut_short)
{
	ranges->leaves = totals->leaves;
	ranges->tables = totals->tables;
	ranges->damaged = totals->damaged;
	ranges->cut_short = cut_short;
}

/* Visits the table once more, for what it contributes alone. NULL: out of memory. */
static struct shared *shared_new(struct collector *collector, const struct walk_table *table)
{
	struct shared *shared = calloc(1, sizeof(*shared));
	struct ranges_sink sink = { range_push, shared ? &shared->ranges : NULL };
	struct collector own = {
		.view = collector->view,
		.mode = collector->mode,
		.memo = collector->memo,
		.sink = &sink,
		.loops = collector->loops,
	};
	int stop;

	if (!shared || array_push(collector->memo, shared) < 0) {
		free(shared);
		return NULL;
	}
	stop = collect(&own, table, 0, 0);
	if (stop != COLLECT_NO_MEMORY && collect_flush(&own))
		stop = COLLECT_NO_MEMORY;
	shared->table = *table;
	ranges_take_totals(&shared->ranges, &own.ranges, stop != 0);
	return stop == COLLECT_NO_MEMORY ? NULL : shared;
}

/* Adds a range of a shared table at its GVA here. */
static int add_range(struct collector *collector, const struct range *range)
{
	struct range *last = &collector->last;

	if (last->leaves && last->gva + last->size == range->gva && last->page_size == range->page_size &&
	    last->rights == range->rights && last->pat_index == range->pat_index && last->key == range->key) {
		last->size += range->size;
		last->leaves += range->leaves;
		last->runs += range->runs - (last->last_gpa + range->page_size == range->gpa);
#define ADD_RANGE(name, bit) last->name += range->name;
		RANGE_COUNTED_BITS(ADD_RANGE)
		last->last_gpa = range->last_gpa;
	} else {
		int stop = collect_next(collector);

		if (stop)
			return stop;
		*last = *range;
	}
	return 0;
}

static int add_shared(struct collector *collector, const struct shared *shared, uint64_t gva)
{
	const struct ranges *ranges = &shared->ranges;

	for (size_t i = 0; i < ranges->count; i++) {
		struct range range = ranges->items[i];
		int stop;

		range.gva += gva - shared->table.gva;
		stop = add_range(collector, &range);
		if (stop)
			return stop;
	}
	collector->ranges.leaves += ranges->leaves;
	collector->ranges.damaged += ranges->damaged;
	return ranges->cut_short ? COLLECT_FULL : 0;
}

/* A break inside what the table translates would end a range there: it is then visited in full. */
static bool has_break(struct collector *collector, const struct walk_table *table)
{
	uint64_t last = table->gva + (((uint64_t)PAGE_TABLE_ENTRIES << page_level_shift(table->level)) - 1);

	return collector->break_count && collector->next_break <= last;
}

static int collect_again(void *context, const struct walk_table *table)
{
	struct collector *collector = context;
	struct memo *memo = collector->memo;
	struct shared *shared;
	uint64_t place;

	if (has_break(collector, table))
		return WALK_ENTER;
	switch (visited_add(&memo->places, table, memo->count, &place)) {
	case VISITED_NO_MEMORY: return COLLECT_NO_MEMORY;
	case VISITED_BEFORE: shared = memo->items[place]; break;
	default: shared = shared_new(collector, table);
	}
	return shared ? add_shared(collector, shared, table->gva) : COLLECT_NO_MEMORY;
}

static void memo_destroy(struct memo *memo)
{
	for (size_t i = 0; i < memo->count; i++) {
		ranges_destroy(&memo->items[i]->ranges);
		free(memo->items[i]);
	}
	free(memo->items);
	visited_destroy(&memo->places);
	visited_destroy(&memo->visited);
}

int ranges_visit(const struct view *view, const struct walk_mode *mode, uint64_t start, uint64_t end,
		 const struct ranges_breaks *breaks, const struct ranges_sink *sink,
		 struct ranges *totals_out, struct error *error)
{
	struct memo memo = { 0 };
	struct collector collector = {
		.view = view, .mode = mode, .memo = &memo, .sink = sink, .loops = entries_loops()
	};
	int stop;

	if (breaks && breaks->count) {
		collector.breaks = (const uint8_t *)breaks->first;
		collector.break_stride = breaks->stride;
		collector.break_count = breaks->count;
		collector.next_break = *breaks->first;
	}
	stop = collect(&collector, NULL, start, end);
	memo_destroy(&memo);
	if (stop != COLLECT_NO_MEMORY && collect_flush(&collector))
		stop = COLLECT_NO_MEMORY;
	if (stop == COLLECT_NO_MEMORY)
		return error_set(error, ERROR_HOST, ENOMEM, 0, "the memory map of the guest");
	collector.ranges.cut_short = stop != 0;
	*totals_out = collector.ranges;
	return 0;
}

int ranges_collect(const struct view *view, const struct walk_mode *mode, uint64_t start, uint64_t end,
		   const uint64_t *breaks, size_t break_count, struct ranges *out, struct error *error)
{
	const struct ranges_breaks all = { breaks, sizeof(*breaks), break_count };
	struct ranges ranges = { 0 }, totals;
	const struct ranges_sink sink = { range_push, &ranges };

	if (ranges_visit(view, mode, start, end, &all, &sink, &totals, error) < 0) {
		ranges_destroy(&ranges);
		return -1;
	}
	ranges_take_totals(&ranges, &totals, totals.cut_short);
	*out = ranges;
	return 0;
}

void ranges_destroy(struct ranges *ranges)
{
	free(ranges->items);
	*ranges = (struct ranges){ 0 };
}
