/* SPDX-License-Identifier: MIT */
/*
 * diff.h: the report of `diff`.
 */
#ifndef VMM_REPORT_DIFF_H
#define VMM_REPORT_DIFF_H

#include "inspect/diff.h"
#include "program/symbols.h"
#include "report/report.h"

/* Borrowed; areas, symbols and contents may be NULL. */
struct report_diff {
	const struct diff_side *before, *after;
	const struct diff_tables *tables;
	const struct diff_frames *frames;
	bool frames_from_claims;
	const struct diff_areas *areas;       /* NULL: one of the sources makes no claims */
	struct symbols *symbols;              /* of the second source */
	const struct diff_contents *contents; /* NULL: without --contents, or without claims */
	bool entries;                         /* list them */
	bool all;                             /* in text: list everything, runs of frames too */
};

void report_diff(struct report *report, const struct report_diff *diff);

/* The names of the changes of an area (bits by enum diff_area_change), "resized, other flags". Returns out. */
const char *report_area_changes(unsigned int changes, char *out, size_t size);

#endif
