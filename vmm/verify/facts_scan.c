/* SPDX-License-Identifier: MIT */
/*
 * facts_scan.c: one walk over the whole address space.
 */
#include "base/array.h"
#include "verify/facts.h"

#include <stdlib.h>

/* Entries that lead nowhere are kept up to here; one is enough for the verdict. */
#define DAMAGES_KEPT 4096

struct scan {
	struct facts *facts;
	size_t leaves_max;
	bool no_memory;
};

/* Ends the walk. */
static int scan_stop(struct scan *scan, bool no_memory)
{
	scan->no_memory = no_memory;
	return 1;
}

static int take_run(void *context, const struct walk_run *run)
{
	struct scan *scan = context;

	if (scan->facts->leaves.count > scan->leaves_max)
		return scan_stop(scan, false);
	for (unsigned int i = 0; i < run->count; i++) {
		struct leaf leaf = {
			.gva = run->gva + i * run->size,
			.gpa = walk_leaf_gpa(run->entries[i], run->size),
			.level = (uint8_t)run->level,
			.rights = (uint8_t)run->rights,
			.pat_index = (uint8_t)run->pat_index,
			.bits = LEAF_BITS(run->entries[i]),
		};

		if (array_push(&scan->facts->leaves, leaf) < 0)
			return scan_stop(scan, true);
	}
	return 0;
}

/* The number of the table that points to a table of this level which translates gva, apart from those of other levels. */
static uint32_t parent_of(unsigned int level, uint64_t gva)
{
	uint64_t span = level < 4 ? page_level_size(level + 2) : 1ull << 57;

	return (uint32_t)level << 28 | (uint32_t)(gva / span & 0xfffffff);
}

static int take_table(void *context, uint64_t gpa, unsigned int level, uint64_t gva)
{
	struct scan *scan = context;
	struct keyed table = { .key = gpa, .size = level, .tag = parent_of(level, gva) };

	return array_push(&scan->facts->tables, table) < 0 ? scan_stop(scan, true) : 0;
}

static int take_damage(void *context, const struct walk_leaf *entry, enum walk_stop stop)
{
	struct scan *scan = context;
	struct fact_damage damage = { *entry, stop };

	if (scan->facts->damages.count == DAMAGES_KEPT)
		return 0;
	return array_push(&scan->facts->damages, damage) < 0 ? scan_stop(scan, true) : 0;
}

/* A sound guest maps a frame at most three times (direct map, image or area, and a window at boot), with
 * tables of which it has touched each. */
static size_t leaves_max(const struct view *view)
{
	uint64_t by_memory = view_size(view) / KVMAP_PAGE_SIZE * 4 + 65536;
	uint64_t by_tables = view_data_size(view) / sizeof(uint64_t);

	return by_memory < by_tables ? by_memory : by_tables;
}

int facts_scan(struct facts *facts)
{
	struct scan scan = { .facts = facts, .leaves_max = leaves_max(facts->view) };
	const struct walk_visitor visitor = {
		.context = &scan,
		.run = take_run,
		.table = take_table,
		.damage = take_damage,
		/* A table that is reached twice is a finding (V6); more often it shows nothing else. */
		.visits = 2,
	};
	int stop = walk_range(facts->view, facts->input->mode, 0, ~0ull, 0, &visitor);

	facts->cut_short = stop != 0;
	if (scan.no_memory || stop == WALK_NO_MEMORY)
		return -1;
	return keyed_sort(&facts->tables);
}
