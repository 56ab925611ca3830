/* SPDX-License-Identifier: MIT */
/*
 * proc.h: the guest's counters as the files of Linux's /proc, byte for byte in its formats. JSON: one object
 * a row. A label of meminfo that Linux does not have begins with "Kvmap".
 */
#ifndef VMM_REPORT_PROC_H
#define VMM_REPORT_PROC_H

#include "claims/claims.h"
#include "paging/ranges.h"
#include "program/symbols.h"
#include "report/report.h"

/* Borrowed. */
struct report_proc {
	const struct claims *claims;
	const struct ranges *direct_map; /* as walked: all of the direct map */
	struct symbols *symbols;         /* may be NULL */
};

void report_meminfo(struct report *report, const struct report_proc *proc);
void report_vmallocinfo(struct report *report, const struct report_proc *proc);
void report_buddyinfo(struct report *report, const struct report_proc *proc);
void report_slabinfo(struct report *report, const struct report_proc *proc);

#endif
