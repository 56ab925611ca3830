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
#include "paging/entries.h"
#include "paging/visited.h"
#include "paging/walk.h"

#include <stdalign.h>

struct table {
	uint64_t gpa;
	uint64_t linear; /* first address that it translates */
	unsigned int rights;
	unsigned int next, end; /* indices of the entries not yet visited */
	unsigned int run;       /* starts[run] <= next < starts[run + 1] */
	uint16_t starts[PAGE_TABLE_ENTRIES +
			ENTRIES_SPARE]; /* first entries of the runs, in order; then `end` */
	/* The copy, with what entries_loops.tally may read after it. */
	alignas(64) uint64_t entries[PAGE_TABLE_ENTRIES + ENTRIES_SPARE];
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
	/* The last run, of this visit of its table (level 0: none), and an entry of it: neighbours mostly equal it. */
	struct walk_run run;
	uint64_t flags;
	const uint8_t *ahead; /* the table that is probably entered next; NULL: not known */
	const struct entries_loops *loops;
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

/* ---- runs of entries ---- */

/* Copies the table and finds the runs of the entries [next, end). */
static void table_copy(const struct scan *scan, struct table *table, const uint8_t *from, uint64_t alike)
{
	uint16_t *starts = &table->starts[1];
	unsigned int changes = 0, count;

	table->run = 0;
	table->starts[0] = (uint16_t)table->next;
	if (table->end > table->next)
		changes = scan->loops->take(table->entries, (const uint64_t *)(const void *)from,
					    scan->ahead ? scan->ahead : from, alike, starts);
	count = changes;
	if (table->end - table->next < PAGE_TABLE_ENTRIES) {
		count = 0;
		for (unsigned int i = 0; i < changes; i++)
			if (starts[i] > table->next && starts[i] < table->end)
				starts[count++] = starts[i];
	}
	starts[count] = (uint16_t)table->end;
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
	scan->run.level = 0;
	table->gpa = gpa;
	table->linear = linear;
	table->rights = rights;
	table->next = first;
	if (level == 1 && scan->tables_only)
		table->end = first;
	else
		table->end = scan->end < last ? ((scan->end - linear) >> shift) + 1 : PAGE_TABLE_ENTRIES;
	table_copy(scan, table, bytes, scan->alike[level]);
	return scan->visitor->table ? scan->visitor->table(scan->visitor->context, gpa, level,
							   linear_extend(scan->mode, linear))
				    : 0;
}

static int report_leaves(const struct walk_visitor *visitor, const struct walk_run *run)
{
	struct walk_leaf leaf = walk_run_before(run);
	int stop = 0;

	for (unsigned int i = 0; i < run->count && !stop; i++) {
		walk_run_step(run, i, &leaf);
		stop = visitor->leaf(visitor->context, &leaf);
	}
	return stop;
}

/* Decodes the flag bits of the leaf at table->next. */
static void run_begin(struct scan *scan, unsigned int level, const struct table *table)
{
	uint64_t entry = table->entries[table->next];

	scan->run = (struct walk_run){
		.size = page_level_size(level),
		.rights = entry_rights(entry, table->rights),
		.level = level,
		.pat_index = entry_pat_index(level, entry),
		.key = scan->mode->keys ? entry_key(entry) : 0,
		.table = table->gpa,
	};
	scan->flags = entry;
}

/* Visits the run of leaves that begins with the valid leaf at table->next and that scan->run describes. */
static inline int scan_run(struct scan *scan, unsigned int level)
{
	struct table *table = &scan->tables[level];
	const uint64_t *entries = &table->entries[table->next];
	const struct walk_visitor *visitor = scan->visitor;
	uint64_t linear = table->linear + ((uint64_t)table->next << page_level_shift(level));
	unsigned int end = table->starts[table->run + 1];
	int stop = 0;

	scan->run.gva = linear_extend(scan->mode, linear);
	scan->run.count = end - table->next;
	scan->run.entries = entries;
	table->next = end;
	table->run++;
	if (visitor->run)
		stop = visitor->run(visitor->context, &scan->run);
	if (!stop && visitor->leaf)
		stop = report_leaves(visitor, &scan->run);
	return stop;
}

/* 0 if the table was visited before and is not to be visited again, WALK_ENTER, or what ends the scan. */
static int scan_again(struct scan *scan, const struct walk_table *table, uint64_t linear)
{
	uint64_t last = linear + ((uint64_t)PAGE_TABLE_ENTRIES << page_level_shift(table->level)) - 1;
	struct visited *visited = scan->visitor->visited ? scan->visitor->visited : &scan->visited;
	uint64_t visits;

	if (linear < scan->start || last > scan->end)
		return WALK_ENTER;
	visits = visited_count(visited, table);
	if (!visits)
		return WALK_NO_MEMORY;
	if (visits == 1 || visits <= scan->visitor->visits)
		return WALK_ENTER;
	return scan->visitor->again ? scan->visitor->again(scan->visitor->context, table) : 0;
}

/* The table that the next entry points to, or NULL. Only to be prefetched: it is not marked as accessed. */
static const uint8_t *table_ahead(const struct scan *scan, const struct table *table)
{
	uint64_t gpa = table->entries[table->next] & PTE_ADDRESS;
	const struct view_region *region;

	if (table->next == table->end || !(table->entries[table->next] & PTE_P))
		return NULL;
	region = view_region(scan->view, gpa, PAGE_4K);
	return region ? region->bytes + (gpa - region->gpa) : NULL;
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
	scan->ahead = *level == 2 ? table_ahead(scan, table) : NULL;
	--*level;
	return table_enter(scan, bytes, *level, gpa, linear, below.rights);
}

/* Index of the entry, which is passed alone. */
static unsigned int table_next(struct table *table)
{
	unsigned int index = table->next++;

	table->run += table->next == table->starts[table->run + 1];
	return index;
}

/*
 * Visits the leaves of the current table up to the next one that points to a table, and enters that; without one,
 * goes up one level.
 */
static int scan_step(struct scan *scan, unsigned int *level)
{
	struct table *table = &scan->tables[*level];
	int stop = 0;

	while (!stop && table->next < table->end) {
		uint64_t entry = table->entries[table->next];
		bool is_page;

		if (!(entry & PTE_P)) {
			table->next = table->starts[++table->run];
			continue;
		}
		if (scan->run.level == *level && !((entry ^ scan->flags) & scan->alike[*level])) {
			stop = scan_run(scan, *level);
			continue;
		}
		is_page = entry_is_page(scan->mode, *level, entry);
		if (entry & (is_page ? scan->page_reserved : scan->table_reserved)[*level]) {
			stop = report_damage(scan, *level, table_next(table), WALK_RESERVED_BIT);
		} else if (is_page) {
			run_begin(scan, *level, table);
			stop = scan_run(scan, *level);
		} else {
			return scan_descend(scan, level, table_next(table));
		}
	}
	if (!stop)
		++*level;
	return stop;
}

static void scan_open(struct scan *scan, const struct view *view, const struct walk_mode *mode,
		      uint64_t limit, const struct walk_visitor *visitor)
{
	scan->view = view;
	scan->mode = mode;
	scan->visitor = visitor;
	scan->loops = entries_loops();
	scan->ahead = NULL;
	scan->visited = (struct visited){ 0 };
	scan->tables_only = !visitor->leaf && !visitor->run && !visitor->damage;
	scan->run = (struct walk_run){ 0 };
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
