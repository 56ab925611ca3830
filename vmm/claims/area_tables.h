/* SPDX-License-Identifier: MIT */
/*
 * area_tables.h: an area's range in the page tables. No claim but its bounds is used.
 */
#ifndef VMM_CLAIMS_AREA_TABLES_H
#define VMM_CLAIMS_AREA_TABLES_H

#include "claims/claims.h"

struct area_tables {
	uint64_t pages;           /* mapped, in 4 KiB, without the guard */
	uint64_t large;           /* of these, mapped by larger leaves */
	uint64_t runs;            /* number of physically contiguous runs */
	uint64_t gpa;             /* of the first run */
	unsigned int rights;      /* of every page */
	unsigned int rights_some; /* of at least one page */
	bool guard_mapped;
	bool cut_short; /* *budget ran out */
};

/*
 * Walks the range of the area. *budget: limit on the page tables entered by all walks of a guest's areas;
 * area_tables_budget() is enough for any undamaged guest.
 */
void area_tables(const struct view *view, const struct walk_mode *mode, const struct claim_area *area,
		 uint64_t *budget, struct area_tables *out);
uint64_t area_tables_budget(const struct view *view, const struct claims *claims);

#endif
