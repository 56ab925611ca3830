/* SPDX-License-Identifier: MIT */
/*
 * verdict.h: the report of `verify`.
 */
#ifndef VMM_REPORT_VERDICT_H
#define VMM_REPORT_VERDICT_H

#include "report/report.h"
#include "verify/verify.h"

void report_verdict(struct report *report, const struct verdict *verdict);

#endif
