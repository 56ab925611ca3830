/* SPDX-License-Identifier: MIT */
/*
 * walk.h: the report of `walk`.
 */
#ifndef VMM_REPORT_WALK_H
#define VMM_REPORT_WALK_H

#include "claims/claims.h"
#include "paging/access.h"
#include "paging/walk.h"
#include "program/symbols.h"
#include "report/report.h"
#include "stage2/stage2.h"

/* Borrowed; claims and symbols may be NULL. */
struct report_walk {
	const struct walk *walk;
	const struct walk_mode *mode;
	const struct view *view;
	unsigned int cpu;                 /* of the view: whose registers mode and rules come from */
	const struct access_rules *rules; /* of that CPU */
	const struct claims *claims;
	struct symbols *symbols;
	const struct stage2 *stage2; /* NULL: not read, and no_stage2 says why */
	const char *no_stage2;
};

/* Every level, the access that each mode has, and the way of the GPA to host memory. */
void report_walk(struct report *report, const struct report_walk *input);

#endif
