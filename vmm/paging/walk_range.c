/* SPDX-License-Identifier: MIT */
/*
 * walk_range.c: visits every leaf of a range of addresses.
 *
 * A table is copied when it is entered, and the scan uses only the copy, because the guest may change the
 * table meanwhile. Addresses are kept without the sign extension, as 48 or 57 bits ("linear"), and extended
 * for the visitor: linear addresses do not wrap and have no non-canonical hole.
 */
#include "paging/pte.h"
#include "base/page.h"
#include "paging/visited.h"
#include "paging/walk.h"

#include <string.h>

struct table {
	uint64_t gpa;
	uint64_t linear; /* first address that it translates */
	unsigned int rights;
	unsigned int next, end; /* indices of the entries not yet visited */
	uint64_t entries[PAGE_TABLE_ENTRIES];
};

struct scan {
	const struct view *view;
	const struct walk_mode *mode;
	const struct walk_visitor *visitor;
	uint64_t start, end; /* linear, inclusive */
	uint64_t tables_left;
	struct visited visited; /* if the visitor has `again` or `visits` and no set of its own */
	bool tables_only;       /* the visitor has only `table`: entries of level 1 are not read */
	/* By level: reserved bits, and the bits that are equal in all entries of a run. */
	uint64_t table_reserved[6], page_reserved[6], alike[6];
	struct table tables[6]; /* by level: the path from the top table to the current one */
};

uint64_t walk_tables_limit(const struct view *view)
{
	uint64_t limit = view_data_size(view) / PAGE_4K * 2;

	if (limit < WALK_TABLES_MIN)
		return WALK_TABLES_MIN;
	return limit < WALK_TABLES_MAX ? limit : WALK_TABLES_MAX;
}

static void scan_prepare(struct scan *scan)
{
	for (unsigned int level = 1; level <= scan->mode->levels; level++) {
		scan->table_reserved[level] = entry_reserved(scan->mode, level, false);
		scan->page_reserved[level] = entry_reserved(scan->mode, level, true);
		scan->alike[level] = PTE_P | PTE_W | PTE_U | PTE_NX | PTE_PS | entry_memory_bits(level) |
				     scan->page_reserved[level] | (scan->mode->keys ? PTE_KEY : 0);
	}
}

static int report_damage(struct scan *scan, unsigned int level, unsigned int index, enum walk_stop stop)
{
	const struct table *table = &scan->tables[level];
	struct walk_leaf entry = {
		.gva = linear_extend(scan->mode,
				     table->linear + ((uint64_t)index << page_level_shift(level))),
		.gpa = table->entries[index] & PTE_ADDRESS,
		.size = page_level_size(level),
		.rights = table->rights,
		.level = level,
		.entry = table->entries[index],
		.table = table->gpa,
	};

	return scan->visitor->damage ? scan->visitor->damage(scan->visitor->context, &entry, stop) : 0;
}

static int report_root_outside(const struct scan *scan)
{
	struct walk_leaf entry = {
		.gpa = scan->mode->root,
		.size = 1ull << linear_bits(scan->mode),
		.rights = RIGHTS_ALL,
		.level = scan->mode->levels,
		.table = scan->mode->root,
	};

	return scan->visitor->damage
		       ? scan->visitor->damage(scan->visitor->context, &entry, WALK_TABLE_OUTSIDE)
		       : 0;
}

/*
 * Makes the table at `bytes` the current one of its level; skips entries outside the range. -1 at the limit
 * of tables.
 */
static int table_enter(struct scan *scan, const uint8_t *bytes, unsigned int level, uint64_t gpa,
		       uint64_t linear, unsigned int rights)
{
	struct table *table = &scan->tables[level];
	unsigned int shift = page_level_shift(level);
	uint64_t last = linear + ((uint64_t)PAGE_TABLE_ENTRIES << shift) - 1;
	unsigned int first = scan->start > linear ? (scan->start - linear) >> shift : 0;

	if (!scan->tables_left)
		return -1;
	scan->tables_left--;
	table->gpa = gpa;
	table->linear = linear;
	table->rights = rights;
	table->next = first;
	if (level == 1 && scan->tables_only)
		table->end = first;
	else
		table->end = scan->end < last ? ((scan->end - linear) >> shift) + 1 : PAGE_TABLE_ENTRIES;
	memcpy(&table->entries[first], bytes + first * sizeof(uint64_t),
	       (table->end - first) * sizeof(uint64_t));
	return scan->visitor->table ? scan->visitor->table(scan->visitor->context, gpa, level,
							   linear_extend(scan->mode, linear))
				    : 0;
}

/* Number of entries, from `entries` on and at most `most`, that equal the first in the bits of `alike`. */
static unsigned int run_length(const uint64_t *entries, unsigned int most, uint64_t alike)
{
	uint64_t first = entries[0];
	unsigned int count = 1;

	/* Eight entries per iteration, because a branch per entry would dominate the cost of a scan. */
	while (most - count >= 8) {
		const uint64_t *e = &entries[count];
		uint64_t differ = (e[0] ^ first) | (e[1] ^ first) | (e[2] ^ first) | (e[3] ^ first) |
				  (e[4] ^ first) | (e[5] ^ first) | (e[6] ^ first) | (e[7] ^ first);

		if (differ & alike)
			break;
		count += 8;
	}
	while (count < most && !((entries[count] ^ first) & alike))
		count++;
	return count;
}

static int report_leaves(const struct walk_visitor *visitor, const struct walk_run *run)
{
	for (unsigned int i = 0; i < run->count; i++) {
		const struct walk_leaf leaf = walk_run_leaf(run, i);
		int stop = visitor->leaf(visitor->context, &leaf);

		if (stop)
			return stop;
	}
	return 0;
}

/* Visits the run of leaves that begins with the valid leaf at table->next. */
static int scan_run(struct scan *scan, unsigned int level)
{
	struct table *table = &scan->tables[level];
	const uint64_t *entries = &table->entries[table->next];
	const struct walk_visitor *visitor = scan->visitor;
	uint64_t linear = table->linear + ((uint64_t)table->next << page_level_shift(level));
	struct walk_run run = {
		.gva = linear_extend(scan->mode, linear),
		.size = page_level_size(level),
		.count = run_length(entries, table->end - table->next, scan->alike[level]),
		.rights = entry_rights(entries[0], table->rights),
		.level = level,
		.pat_index = entry_pat_index(level, entries[0]),
		.key = scan->mode->keys ? entry_key(entries[0]) : 0,
		.table = table->gpa,
		.entries = entries,
	};
	int stop = 0;

	table->next += run.count;
	if (visitor->run)
		stop = visitor->run(visitor->context, &run);
	if (!stop && visitor->leaf)
		stop = report_leaves(visitor, &run);
	return stop;
}

/* 0 if the table was visited before and is not to be visited again, WALK_ENTER, or what ends the scan. */
static int scan_again(struct scan *scan, const struct walk_table *table, uint64_t linear)
{
	uint64_t last = linear + ((uint64_t)PAGE_TABLE_ENTRIES << page_level_shift(table->level)) - 1;
	struct visited *visited = scan->visitor->visited ? scan->visitor->visited : &scan->visited;
	uint64_t ignored;

	if (linear < scan->start || last > scan->end)
		return WALK_ENTER;
	switch (visited_add(visited, table, &ignored)) {
	case VISITED_BEFORE: break;
	case VISITED_NO_MEMORY: return WALK_NO_MEMORY;
	default: return WALK_ENTER;
	}
	if (visited_times(visited, table) <= scan->visitor->visits)
		return WALK_ENTER;
	return scan->visitor->again ? scan->visitor->again(scan->visitor->context, table) : 0;
}

/*
 * Enters the table that the entry at `index` points to and decrements *level, or reports the entry as
 * damaged.
 */
static int scan_descend(struct scan *scan, unsigned int *level, unsigned int index)
{
	struct table *table = &scan->tables[*level];
	uint64_t entry = table->entries[index];
	uint64_t gpa = entry & PTE_ADDRESS, linear;
	struct walk_table below;
	const uint8_t *bytes;

	bytes = view_bytes(scan->view, gpa, PAGE_4K);
	if (!bytes)
		return report_damage(scan, *level, index, WALK_TABLE_OUTSIDE);
	below.gpa = gpa;
	below.level = *level - 1;
	below.rights = entry_rights(entry, table->rights);
	linear = table->linear + ((uint64_t)index << page_level_shift(*level));
	below.gva = linear_extend(scan->mode, linear);
	if (scan->visitor->again || scan->visitor->visits) {
		int result = scan_again(scan, &below, linear);

		if (result != WALK_ENTER)
			return result;
	}
	--*level;
	return table_enter(scan, bytes, *level, gpa, linear, below.rights);
}

/* Visits the next present entry of the current table; without one, goes up one level. */
static int scan_step(struct scan *scan, unsigned int *level)
{
	struct table *table = &scan->tables[*level];
	uint64_t entry;
	bool is_page;

	while (table->next < table->end && !(table->entries[table->next] & PTE_P))
		table->next++;
	if (table->next == table->end) {
		++*level;
		return 0;
	}
	entry = table->entries[table->next];
	is_page = entry_is_page(scan->mode, *level, entry);
	if (entry & (is_page ? scan->page_reserved : scan->table_reserved)[*level])
		return report_damage(scan, *level, table->next++, WALK_RESERVED_BIT);
	return is_page ? scan_run(scan, *level) : scan_descend(scan, level, table->next++);
}

static void scan_open(struct scan *scan, const struct view *view, const struct walk_mode *mode,
		      uint64_t limit, const struct walk_visitor *visitor)
{
	scan->view = view;
	scan->mode = mode;
	scan->visitor = visitor;
	scan->visited = (struct visited){ 0 };
	scan->tables_only = !visitor->leaf && !visitor->run && !visitor->damage;
	scan->tables_left = limit ? limit : walk_tables_limit(view);
	scan_prepare(scan);
}

int walk_range(const struct view *view, const struct walk_mode *mode, uint64_t start, uint64_t end,
	       uint64_t limit, const struct walk_visitor *visitor)
{
	struct scan scan;
	unsigned int level = mode->levels;
	uint64_t half = 1ull << (linear_bits(mode) - 1);
	uint64_t mask = 2 * half - 1;
	const uint8_t *bytes;
	int stop;

	/* A bound in the non-canonical hole moves to the nearest canonical address of the range. */
	scan.start = linear_extend(mode, start) == start ? start & mask : half;
	scan.end = linear_extend(mode, end) == end ? end & mask : half - 1;
	if (start > end || scan.start > scan.end)
		return 0;
	scan_open(&scan, view, mode, limit, visitor);

	bytes = view_bytes(view, mode->root, PAGE_4K);
	if (!bytes)
		return report_root_outside(&scan);
	stop = table_enter(&scan, bytes, level, mode->root, 0, RIGHTS_ALL);
	while (!stop && level <= mode->levels)
		stop = scan_step(&scan, &level);
	visited_destroy(&scan.visited);
	return stop;
}

int walk_subtree(const struct view *view, const struct walk_mode *mode, const struct walk_table *table,
		 uint64_t limit, const struct walk_visitor *visitor)
{
	const uint8_t *bytes = view_bytes(view, table->gpa, PAGE_4K);
	unsigned int level = table->level;
	struct scan scan;
	int stop;

	if (!bytes)
		return 0;
	scan_open(&scan, view, mode, limit, visitor);
	scan.start = table->gva & ((1ull << linear_bits(mode)) - 1);
	scan.end = scan.start + ((uint64_t)PAGE_TABLE_ENTRIES << page_level_shift(level)) - 1;
	stop = table_enter(&scan, bytes, level, table->gpa, scan.start, table->rights);
	while (!stop && level <= table->level)
		stop = scan_step(&scan, &level);
	visited_destroy(&scan.visited);
	return stop;
}
