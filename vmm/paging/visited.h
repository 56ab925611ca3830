/* SPDX-License-Identifier: MIT */
/*
 * visited.h: the tables that a scan has visited, by GPA, level and rights. For walk_range.c, ranges*.c,
 * inspect/frames_reach.c and history/stop.c only.
 */
#ifndef VMM_PAGING_VISITED_H
#define VMM_PAGING_VISITED_H

#include "paging/walk.h"

/* Open addressing. Zero is the empty set. */
struct visited {
	struct visited_slot {
		uint64_t key;   /* 0: empty */
		uint64_t value; /* that of the caller, or how often the table was counted */
	} * slots;
	size_t mask, count;
};

enum visited_result { VISITED_FIRST, VISITED_BEFORE, VISITED_NO_MEMORY };

/* Adds a table with a value. VISITED_BEFORE: it is in the set, and *value_out is its value. */
enum visited_result visited_add(struct visited *visited, const struct walk_table *table, uint64_t value,
				uint64_t *value_out);
/* In a set without values of its caller: how often the table was counted, this time included. 0: memory is out. */
uint64_t visited_count(struct visited *visited, const struct walk_table *table);
void visited_destroy(struct visited *visited);

#endif
