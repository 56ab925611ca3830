/* SPDX-License-Identifier: MIT */
/*
 * backtrace.h: a backtrace as a part of a report. Private to vmm/report.
 */
#ifndef VMM_REPORT_BACKTRACE_H
#define VMM_REPORT_BACKTRACE_H

#include "report/json.h"

/* One line a frame, and why it ends where that is not the outermost one. symbols may be NULL. */
void backtrace_show(struct report *report, const struct backtrace *backtrace, struct symbols *symbols);

/* Adds "frames" and "end". */
void backtrace_emit(struct json_object *line, const struct backtrace *backtrace, struct symbols *symbols);

#endif
