/* SPDX-License-Identifier: MIT */
/*
 * stage2.h: the reports of `stage2`.
 */
#ifndef VMM_REPORT_STAGE2_H
#define VMM_REPORT_STAGE2_H

#include "paging/translated.h"
#include "report/report.h"
#include "stage2/stage2.h"
#include "stage2/stats.h"

#include <sys/types.h>

/* Borrowed. */
struct report_stage2 {
	const struct stage2 *stage2;
	pid_t pid;                                /* that has the VM */
	const struct stage2_effective *effective; /* NULL: the guest's own tables are not known */
	const char *no_effective;                 /* then: why */
};

/* Checks every leaf and fills *verdict. */
void report_stage2(struct report *report, const struct report_stage2 *what, struct stage2_verdict *verdict);

/* The facts that KVM shows to every user, for when the second stage cannot be read. Borrowed. */
struct report_not_seen {
	pid_t pid;
	const struct stage2_stats *stats;    /* KVM's own count of pages; NULL: not readable */
	const struct view *view;             /* whose regions are the slots; NULL: not known */
	bool own;                            /* the slots are in this process, so that their HVAs are known */
	const struct translated *translated; /* NULL: no KVM to translate, or no tables */
};

void report_stage2_not_seen(struct report *report, const struct report_not_seen *what);

#endif
