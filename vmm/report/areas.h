/* SPDX-License-Identifier: MIT */
/*
 * areas.h: the report of `areas`: each claim beside what the tables say, and the verdict on it.
 */
#ifndef VMM_REPORT_AREAS_H
#define VMM_REPORT_AREAS_H

#include "claims/claims.h"
#include "paging/walk.h"
#include "program/symbols.h"
#include "report/report.h"
#include "verify/verify.h"

/* Borrowed; symbols may be NULL. */
struct report_areas {
	const struct claims *claims;
	const struct view *view;
	const struct walk_mode *mode;
	struct symbols *symbols;
	const struct verdict *verdict;
	const uint32_t *findings; /* by area, as in struct verify_input */
};

void report_areas(struct report *report, const struct report_areas *areas);
/* One of them, of the claims. */
void report_area(struct report *report, const struct report_areas *areas, const struct claim_area *area);

#endif
