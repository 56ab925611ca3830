/* SPDX-License-Identifier: MIT */
/*
 * dump.h: the report of `dump`.
 */
#ifndef VMM_REPORT_DUMP_H
#define VMM_REPORT_DUMP_H

#include "report/report.h"
#include "view/view.h"

#include <stddef.h>

/* The file is written. Borrowed. */
struct report_dump {
	const char *file;
	const char *program; /* that the guest runs; NULL: unknown */
	const struct view *view;
	bool physical;   /* without virtual addresses */
	size_t mappings; /* pieces of virtual addresses */
	uint64_t stored; /* bytes that the file takes on its disk */
};

void report_dump(struct report *report, const struct report_dump *dump);

#endif
