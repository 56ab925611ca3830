/* SPDX-License-Identifier: MIT */
/*
 * area_tables.h: what the page tables make of an area's range. No claim but its bounds is used.
 */
#ifndef VMM_CLAIMS_AREA_TABLES_H
#define VMM_CLAIMS_AREA_TABLES_H

#include "claims/claims.h"

struct area_tables {
	uint64_t pages;           /* mapped, of 4 KiB, the guard page left out */
	uint64_t large;           /* those of them that larger leaves map */
	uint64_t runs;            /* physically contiguous */
	uint64_t gpa;             /* of the first of them */
	unsigned int rights;      /* that every page has */
	unsigned int rights_some; /* that one page has, or more */
	bool guard_mapped;
	bool cut_short; /* *budget was spent */
};

/*
 * Walks the range of the area. *budget: how many page tables all walks of a guest's areas may still enter;
 * area_tables_budget() is what any sound guest needs.
 */
void area_tables(const struct view *view, const struct walk_mode *mode, const struct claim_area *area,
		 uint64_t *budget, struct area_tables *out);
uint64_t area_tables_budget(const struct view *view, const struct claims *claims);

#endif
