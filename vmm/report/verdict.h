/* SPDX-License-Identifier: MIT */
/*
 * verdict.h: the report of `verify`.
 */
#ifndef VMM_REPORT_VERDICT_H
#define VMM_REPORT_VERDICT_H

#include "report/report.h"
#include "verify/verify.h"

/* The run, or the guests of a shell, that a verdict is of. All 0: one verification, without a run. */
struct verdict_run {
	unsigned int verifications; /* 0: not shown */
	uint64_t refused;           /* operations that were refused without `expect refused` */
	const char *interrupted;    /* the signal that ended the run, or NULL */
	uint64_t unverified;        /* operations after the last verification of their guest */
	uint64_t earlier_findings;  /* of guests of the same shell, before `restart` */
};

void report_verdict(struct report *report, const struct verdict *verdict, const struct verdict_run *run);

#endif
