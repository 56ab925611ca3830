/* SPDX-License-Identifier: MIT */
/*
 * scan.h: what a scan of a range reported.
 */
#ifndef TESTS_UNIT_PAGING_SCAN_H
#define TESTS_UNIT_PAGING_SCAN_H

#include "tables.h"

#define KEPT 4096

/* The reports of a scan. */
struct seen {
	struct walk_leaf leaves[KEPT];
	struct walk_leaf damage[KEPT];
	enum walk_stop stops[KEPT];
	uint64_t leaf_count, run_leaves, damage_count, table_count;
	uint64_t tables_by_level[6];
	struct {
		uint64_t gpa, gva;
		unsigned int level;
	} tables[KEPT];
	int end_after; /* leaves; 0: never */
};

extern struct tables t;
extern struct seen seen;

/* Tables of four levels. */
void scan_start(void);
void scan_end(void);

/* Fill `seen`. The result of walk_range(); limit: of tables. */
int scan_limited(uint64_t start, uint64_t end, uint64_t limit);
int scan(uint64_t start, uint64_t end);

/* Callbacks of these scans; context: struct seen. */
int see_leaf(void *context, const struct walk_leaf *leaf);
int see_table(void *context, uint64_t gpa, unsigned int level, uint64_t gva);

void expect_entry(const struct walk_leaf *found, struct walk_leaf wanted);

/* Each leaf and each damaged entry of `seen`, the single walk finds as well. */
void compare_with_single_walks(void);

#endif
