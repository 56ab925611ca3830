/* SPDX-License-Identifier: MIT */
/*
 * ranges.c: merges runs of leaves into ranges.
 */
#include "paging/ranges.h"

#include "base/array.h"
#include "base/page.h"
#include "paging/pte.h"
#include "paging/visited.h"

#include <errno.h>
#include <stdlib.h>

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
	struct ranges ranges;
	const uint64_t *breaks; /* the breaks not yet passed */
	size_t break_count;
	uint64_t last_gpa; /* of the last leaf of the last range */
};

/* Counts over the leaves of a run. */
struct tally {
	uint64_t jumps; /* leaves that are not physically contiguous with the leaf before them */
	RANGE_COUNTED_BITS(RANGE_COUNTER)
};

/* Leaves of the run that have the bit. */
static uint64_t count_bit(const uint64_t *entries, unsigned int count, uint64_t bit)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < count; i++)
		sum += (entries[i] & bit) != 0;
	return sum;
}

/* The loop has no branch. A bit that is the same in all entries, as it mostly is, needs no loop of its own. */
static struct tally tally(const uint64_t *entries, unsigned int count, uint64_t size)
{
	uint64_t address = PTE_ADDRESS & ~(size - 1), some = entries[0], all = entries[0];
	struct tally sums = { 0 };

	for (unsigned int i = 1; i < count; i++) {
		/* The mask drops a carry out of the address bits. */
		sums.jumps += ((entries[i] ^ (entries[i - 1] + size)) & address) != 0;
		some |= entries[i];
		all &= entries[i];
	}
#define COUNT_OF(name, bit)                                                                                  \
	sums.name = (some ^ all) & (bit) ? count_bit(entries, count, bit) : all & (bit) ? count : 0;
	RANGE_COUNTED_BITS(COUNT_OF)
	return sums;
}

/*
 * Adds a run to the last range, or begins a new range. The run contains no break; `apart`: there is a break
 * at its start. 0 or enum collect_stop.
 */
static int collect_part(struct collector *collector, const struct walk_run *run, bool apart)
{
	struct ranges *ranges = &collector->ranges;
	struct range *last = ranges->count ? &ranges->items[ranges->count - 1] : NULL;
	uint64_t first_gpa = walk_leaf_gpa(run->entries[0], run->size);
	struct tally counts = tally(run->entries, run->count, run->size);

	if (last && !apart && last->gva + last->size == run->gva && last->page_size == run->size &&
	    last->rights == run->rights && last->pat_index == run->pat_index && last->key == run->key) {
		last->size += run->count * run->size;
		last->leaves += run->count;
		last->runs += counts.jumps + (collector->last_gpa + run->size != first_gpa);
#define ADD(name, bit) last->name += counts.name;
		RANGE_COUNTED_BITS(ADD)
	} else {
		struct range range = {
			.gva = run->gva,
			.size = run->count * run->size,
			.gpa = first_gpa,
			.page_size = run->size,
			.rights = run->rights,
			.pat_index = run->pat_index,
			.key = run->key,
			.leaves = run->count,
			.runs = counts.jumps + 1,
		};

#define SET(name, bit) range.name = counts.name;
		RANGE_COUNTED_BITS(SET)
		if (collector->memo->ranges++ == RANGES_MAX)
			return COLLECT_FULL;
		if (array_push(ranges, range) < 0)
			return COLLECT_NO_MEMORY;
	}
	collector->last_gpa = walk_leaf_gpa(run->entries[run->count - 1], run->size);
	ranges->items[ranges->count - 1].last_gpa = collector->last_gpa;
	ranges->leaves += run->count;
	return 0;
}

static int collect_run(void *context, const struct walk_run *run)
{
	struct collector *collector = context;
	struct walk_run part = *run;
	unsigned int left = run->count;
	int stop = 0;

	while (left && !stop) {
		bool apart = false;

		part.count = left;
		while (collector->break_count && *collector->breaks <= part.gva) {
			collector->breaks++;
			collector->break_count--;
			apart = true;
		}
		if (collector->break_count) {
			/* The number of leaves that begin below the next break, at least 1. */
			uint64_t below = (*collector->breaks - part.gva - 1) / part.size + 1;

			if (below < left)
				part.count = below;
		}
		stop = collect_part(collector, &part, apart);
		part.entries += part.count;
		part.gva += part.count * part.size;
		left -= part.count;
	}
	return stop;
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

/* Visits the table once more, for what it contributes alone. NULL: out of memory. */
static struct shared *shared_new(struct collector *collector, const struct walk_table *table)
{
	struct collector own = { .view = collector->view, .mode = collector->mode, .memo = collector->memo };
	struct shared *shared = calloc(1, sizeof(*shared));
	int stop;

	if (!shared || array_push(collector->memo, shared) < 0) {
		free(shared);
		return NULL;
	}
	stop = collect(&own, table, 0, 0);
	shared->table = *table;
	shared->ranges = own.ranges;
	shared->ranges.cut_short = stop != 0;
	return stop == COLLECT_NO_MEMORY ? NULL : shared;
}

/* Adds a range of a shared table at its GVA here. */
static int add_range(struct collector *collector, const struct range *range)
{
	struct ranges *ranges = &collector->ranges;
	struct range *last = ranges->count ? &ranges->items[ranges->count - 1] : NULL;

	if (last && last->gva + last->size == range->gva && last->page_size == range->page_size &&
	    last->rights == range->rights && last->pat_index == range->pat_index && last->key == range->key) {
		last->size += range->size;
		last->leaves += range->leaves;
		last->runs += range->runs - (collector->last_gpa + range->page_size == range->gpa);
#define ADD_RANGE(name, bit) last->name += range->name;
		RANGE_COUNTED_BITS(ADD_RANGE)
	} else {
		if (collector->memo->ranges++ == RANGES_MAX)
			return COLLECT_FULL;
		if (array_push(ranges, *range) < 0)
			return COLLECT_NO_MEMORY;
	}
	last = &ranges->items[ranges->count - 1];
	last->last_gpa = collector->last_gpa = range->last_gpa;
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

	return collector->break_count && *collector->breaks <= last;
}

static int collect_again(void *context, const struct walk_table *table)
{
	struct collector *collector = context;
	struct memo *memo = collector->memo;
	struct shared *shared;
	uint64_t place;

	if (has_break(collector, table))
		return WALK_ENTER;
	switch (visited_add_value(&memo->places, table, memo->count, &place)) {
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

int ranges_collect(const struct view *view, const struct walk_mode *mode, uint64_t start, uint64_t end,
		   const uint64_t *breaks, size_t break_count, struct ranges *out, struct error *error)
{
	struct memo memo = { 0 };
	struct collector collector = {
		.view = view, .mode = mode, .memo = &memo, .breaks = breaks, .break_count = break_count
	};
	int stop = collect(&collector, NULL, start, end);

	memo_destroy(&memo);
	if (stop == COLLECT_NO_MEMORY) {
		ranges_destroy(&collector.ranges);
		return error_set(error, ERROR_HOST, ENOMEM, 0, "the memory map of the guest");
	}
	collector.ranges.cut_short = stop != 0;
	*out = collector.ranges;
	return 0;
}

void ranges_destroy(struct ranges *ranges)
{
	free(ranges->items);
	*ranges = (struct ranges){ 0 };
}
