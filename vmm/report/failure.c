/* SPDX-License-Identifier: MIT */
/*
 * failure.c: the allocation that --fail-allocation made fail: its operation, and whether that was refused.
 */
#include "report/json.h"
#include "report/run_parts.h"
#include "report/text.h"

#include <inttypes.h>

static const struct report_step *step_made_to_fail(const struct report_run *run)
{
	for (size_t i = 0; i < run->step_count; i++)
		if (run->steps[i].result.detail & KVMAP_RESULT_MADE_TO_FAIL)
			return &run->steps[i];
	return NULL;
}

static const char *effect(const struct report_run *run, const struct report_step *step)
{
	return step_is_excused(run->fail_allocation, step) ? "was refused" : "was done without it";
}

static void show_failure(struct report *report, const struct report_run *run, const struct report_step *step)
{
	const struct kvmap_operation *operation = step ? step_operation(run, step) : NULL;
	char text[120];

	if (operation)
		text_line(report, PAINT_PLAIN, 2, 14,
			  "failure     allocation %" PRIu32 " was made to fail: %s:%" PRIu32 ": %s %s",
			  run->fail_allocation, run->script->path, operation->line,
			  script_line(run->script, operation->line, text, sizeof(text)), effect(run, step));
	else if (run->bye.type && run->bye.value[2] < run->fail_allocation)
		text_line(report, PAINT_PLAIN, 2, 14,
			  "failure     none: the script makes %" PRIu64 " allocations, and number %" PRIu32
			  " was to fail",
			  run->fail_allocation - run->bye.value[2], run->fail_allocation);
	else
		text_line(report, PAINT_PLAIN, 2, 14, "failure     of allocation %" PRIu32 ": not seen",
			  run->fail_allocation);
}

static void emit_failure(struct report *report, const struct report_run *run, const struct report_step *step)
{
	const struct kvmap_operation *operation = step ? step_operation(run, step) : NULL;
	struct json_object *line = json_start(report, "fail_allocation");

	json_add_number(line, "asked", run->fail_allocation);
	json_add_bool(line, "happened", step);
	if (operation) {
		json_add_number(line, "operation", step->result.operation);
		json_add_number(line, "line", operation->line);
		json_add_bool(line, "refused", step_is_excused(run->fail_allocation, step));
	}
	json_finish(report, line);
}

void part_failure(struct report *report, const struct report_run *run)
{
	const struct report_step *step = step_made_to_fail(run);

	if (!run->fail_allocation)
		return;
	if (report->format == REPORT_JSON)
		emit_failure(report, run, step);
	else
		show_failure(report, run, step);
}
