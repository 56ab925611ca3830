/* SPDX-License-Identifier: MIT */
/*
 * backtrace.h: the report of `backtrace`, and a backtrace as a part of another report.
 */
#ifndef VMM_REPORT_BACKTRACE_H
#define VMM_REPORT_BACKTRACE_H

#include "program/backtrace.h"
#include "program/symbols.h"
#include "report/report.h"

/* One CPU. NULL backtrace: `why_not` says why there is none. symbols may be NULL. */
void report_backtrace(struct report *report, unsigned int cpu, const struct view_cpu *registers,
		      const struct backtrace *backtrace, const char *why_not, struct symbols *symbols);

/* One line for each frame, and the reason why it ends if that is not the outermost frame. symbols may be
 * NULL. */
void backtrace_show(struct report *report, const struct backtrace *backtrace, struct symbols *symbols);

struct json_object;

/* Adds the members "frames" and "end". */
void backtrace_emit(struct json_object *line, const struct backtrace *backtrace, struct symbols *symbols);

#endif
