/* SPDX-License-Identifier: MIT */
/*
 * diff_sums.h: what differs below one pair of page tables, counted. For diff_tables.c.
 */
#ifndef VMM_INSPECT_DIFF_SUMS_H
#define VMM_INSPECT_DIFF_SUMS_H

#include "inspect/diff.h"

struct diff_sums {
	uint64_t base; /* the first address that the pair translates where it was counted */
	uint64_t range_count, pages;
	uint64_t by_change[DIFF_CHANGES], by_level[6]; /* as in struct diff_tables */
	struct diff_range first, last;                 /* of range_count: the same if that is 1 */
};

/* Whether `next` continues `last`: neighbours with the same changes. */
bool diff_range_continues(const struct diff_range *last, const struct diff_range *next);

/* The range where the pair of tables is mapped `distance` bytes higher. */
struct diff_range diff_range_moved(const struct diff_range *range, uint64_t distance);

/* Adds a range above all others. */
void diff_sums_add_range(struct diff_sums *sums, const struct diff_range *range);

/* Adds what was counted below a pair, mapped at the address `gva`, above all other ranges. */
void diff_sums_add(struct diff_sums *sums, const struct diff_sums *below, uint64_t gva);

uint64_t diff_sums_entries(const struct diff_sums *sums);

#endif
