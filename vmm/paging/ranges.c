/* SPDX-License-Identifier: MIT */
/*
 * ranges.c: merges runs of leaves into ranges.
 */
#include "paging/ranges.h"

#include "base/array.h"

#include <errno.h>
#include <stdlib.h>

enum collect_stop { COLLECT_NO_MEMORY = 1, COLLECT_FULL = 2 };

struct collector {
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

/*
 * Adds up the masked entries and divides by the mask at the end. A bit up to 54 cannot overflow in the sum of
 * 512 entries. The loop has no branch, so that compilers vectorise it.
 */
static struct tally tally(const uint64_t *entries, unsigned int count, uint64_t size)
{
	uint64_t address = PTE_ADDRESS & ~(size - 1);
	struct tally sums = { 0 };

#define SUM_FIRST(name, bit) sums.name = entries[0] & (bit);
#define SUM(name, bit)       sums.name += entries[i] & (bit);
#define COUNT_OF(name, bit)  sums.name /= (bit);
	RANGE_COUNTED_BITS(SUM_FIRST)
	for (unsigned int i = 1; i < count; i++) {
		/* The mask drops a carry out of the address bits. */
		sums.jumps += ((entries[i] ^ (entries[i - 1] + size)) & address) != 0;
		RANGE_COUNTED_BITS(SUM)
	}
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
		if (ranges->count == RANGES_MAX)
			return COLLECT_FULL;
		if (array_push(ranges, range) < 0)
			return COLLECT_NO_MEMORY;
	}
	collector->last_gpa = walk_leaf_gpa(run->entries[run->count - 1], run->size);
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

int ranges_collect(const struct view *view, const struct walk_mode *mode, uint64_t start, uint64_t end,
		   const uint64_t *breaks, size_t break_count, struct ranges *out, struct error *error)
{
	struct collector collector = { .breaks = breaks, .break_count = break_count };
	const struct walk_visitor visitor = {
		.context = &collector,
		.run = collect_run,
		.table = collect_table,
		.damage = collect_damage,
	};
	int stop = walk_range(view, mode, start, end, 0, &visitor);

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
