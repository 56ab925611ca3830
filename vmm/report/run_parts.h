/* SPDX-License-Identifier: MIT */
/*
 * run_parts.h: the parts of the report of `run`, in its order. Each writes text or JSON lines, as
 * report->format says. Private to vmm/report.
 */
#ifndef VMM_REPORT_RUN_PARTS_H
#define VMM_REPORT_RUN_PARTS_H

#include "report/run.h"

void part_machine(struct report *report, const struct report_run *run);
void part_timeline(struct report *report, const struct report_run *run);
/* What the guest's memory manager refused: who called, and which area it was about. */
void part_warnings(struct report *report, const struct report_run *run);
void part_totals(struct report *report, const struct report_run *run);
/* Only where an allocation was to fail. */
void part_failure(struct report *report, const struct report_run *run);
void part_areas(struct report *report, const struct report_run *run);
void part_death(struct report *report, const struct report_run *run);
void part_time(struct report *report, const struct report_run *run);
/*
 * `refused`: operations that were refused and should not have been; `verifications`: 0 = not to be mentioned.
 */
void part_verdict(struct report *report, const struct verdict *verdict, unsigned int verifications,
		  uint64_t refused);

/* The operation of a step, or NULL where the guest named one that does not exist. */
const struct kvmap_operation *step_operation(const struct report_run *run, const struct report_step *step);
/* Refused or failed, and the script did not expect it. */
bool step_is_bad(const struct report_run *run, const struct report_step *step);
/* What became of it: "0xffffc90000000000, 64 KiB", "refused: double free". Returns out. */
const char *step_outcome(const struct report_run *run, const struct report_step *step, char *out,
			 size_t size);

#endif
