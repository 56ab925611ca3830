/* SPDX-License-Identifier: MIT */
/*
 * run_parts.h: the parts of the report of `run`, in its order. Each writes text or JSON lines, as
 * report->format says. Private to vmm/report.
 */
#ifndef VMM_REPORT_RUN_PARTS_H
#define VMM_REPORT_RUN_PARTS_H

#include "report/run.h"
#include "report/verdict.h"

void part_timeline(struct report *report, const struct report_run *run);
/* Only the rows of its table, in text. */
void part_rows(struct report *report, const struct report_run *run);
/* Calls that the guest's memory manager refused: reason, caller, area. */
void part_warnings(struct report *report, const struct report_run *run);
/* The free blocks after an operation that was refused for want of page frames; nothing for any other. */
void part_free_blocks(struct report *report, const struct report_run *run, uint32_t operation);
/* "; 5 MiB wanted, ...": the numbers of a LIMITS record; "" if it was not received (type 0). Returns out. */
const char *limits_text(const struct kvmap_record *record, char *out, size_t size);
struct json_object;
/* The same as members of a JSON line. */
void limits_add(struct json_object *line, const struct kvmap_record *record);
void part_totals(struct report *report, const struct report_run *run);
/* Nothing without an event log. */
void part_event_log(struct report *report, const struct report_run *run);
/* Nothing without --fail-allocation. */
void part_failure(struct report *report, const struct report_run *run);
void part_areas(struct report *report, const struct report_run *run);
void part_death(struct report *report, const struct report_run *run);
/* The output of the step, if it was a `show`. */
void part_shown(struct report *report, const struct report_step *step);

/* Finding i of the verdict, with its further claims; i + 1 is its number in the report. */
void part_finding(struct report *report, const struct verdict *verdict, size_t i);

/* The operation of a step. NULL: the script has none with the number that the guest sent. */
const struct kvmap_operation *step_operation(const struct report_run *run, const struct report_step *step);
/* Whether the step was refused or failed, and the script does not expect that. */
bool step_is_bad(const struct report_run *run, const struct report_step *step);
/* "0xffffc90000000000, 64 KiB", "refused: double free". Returns out. */
const char *step_outcome(const struct report_run *run, const struct report_step *step, char *out,
			 size_t size);

#endif
