/* SPDX-License-Identifier: MIT */
/*
 * timeline.c: the operations by line of the script; a line that was run several times is one row.
 */
#include "base/number.h"
#include "report/json.h"
#include "report/run_parts.h"
#include "report/text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define ROWS_SHOWN 60
#define BAD_SHOWN  20
#define LINE_SHOWN 30 /* columns of a script line */

struct row {
	uint32_t line;
	size_t count, refused, failed;
	const struct report_step *last; /* the last bad one if there is any */
};

struct rows {
	struct row *items;
	size_t count;
};

static void row_add(struct row *row, const struct report_run *run, const struct report_step *step)
{
	bool bad = step_is_bad(run, step);

	row->count++;
	row->failed += bad && KVMAP_STATUS_IS_FAILED(step->result.status);
	row->refused += bad && KVMAP_STATUS_IS_REFUSED(step->result.status);
	if (bad || !(row->failed + row->refused))
		row->last = step;
}

/* Rows in the order of the first run of their lines. -1 when memory is out. */
static int collect_rows(const struct report_run *run, struct rows *rows)
{
	const struct kvmap_operation *operations = run->script->operations.items;
	uint32_t lines = 0;
	size_t *row_of; /* by line; 0 = none yet, else index + 1 */

	for (size_t i = 0; i < run->script->operations.count; i++)
		if (operations[i].line > lines)
			lines = operations[i].line;
	row_of = calloc((size_t)lines + 1, sizeof(*row_of));
	rows->items = calloc((size_t)lines + 1, sizeof(*rows->items));
	rows->count = 0;
	for (size_t i = 0; row_of && rows->items && i < run->step_count; i++) {
		const struct kvmap_operation *operation = step_operation(run, &run->steps[i]);

		if (!operation)
			continue;
		if (!row_of[operation->line]) {
			rows->items[rows->count].line = operation->line;
			row_of[operation->line] = ++rows->count;
		}
		row_add(&rows->items[row_of[operation->line] - 1], run, &run->steps[i]);
	}
	if (!row_of || !rows->items) {
		free(row_of);
		free(rows->items);
		return -1;
	}
	free(row_of);
	return 0;
}

static void show_row(struct report *report, const struct report_run *run, const struct row *row)
{
	char line[LINE_SHOWN + 2], outcome[400], times[80] = "";

	script_line(run->script, row->line, line, sizeof(line));
	if (strlen(line) > LINE_SHOWN)
		memcpy(line + LINE_SHOWN - 3, "...", 4);
	if (row->count > 1 && row->failed + row->refused)
		snprintf(times, sizeof(times), "%zu times, %zu refused, %zu failed; last: ", row->count,
			 row->refused, row->failed);
	else if (row->count > 1)
		snprintf(times, sizeof(times), "%zu times; last: ", row->count);
	text_line(report, row->failed + row->refused ? PAINT_BAD : PAINT_PLAIN, 2, 11 + LINE_SHOWN,
		  "%5" PRIu32 "  %-*s  %s%s", row->line, LINE_SHOWN, line, times,
		  step_outcome(run, row->last, outcome, sizeof(outcome)));
}

void part_rows(struct report *report, const struct report_run *run)
{
	struct rows rows;

	if (collect_rows(run, &rows) < 0) {
		text_line(report, PAINT_BAD, 2, 2, "No memory to list the operations.");
		return;
	}
	for (size_t i = 0; i < rows.count && i < ROWS_SHOWN; i++) {
		show_row(report, run, &rows.items[i]);
		part_shown(report, rows.items[i].last);
	}
	if (rows.count > ROWS_SHOWN)
		text_line(report, PAINT_FAINT, 2, 2, "... and %zu lines more", rows.count - ROWS_SHOWN);
	free(rows.items);
}

/* The area of an unexpected fault, as the guest reports it, and its caller. */
static void show_fault_area(struct report *report, const struct report_run *run,
			    const struct kvmap_record *fault)
{
	char bytes[40], caller[256] = "";

	if (run->symbols)
		symbols_describe(run->symbols, fault->value[5], caller, sizeof(caller));
	text_line(report, PAINT_PLAIN, 6, 6, "the area of %s at 0x%" PRIx64 "%s%s",
		  number_bytes(fault->value[2], bytes, sizeof(bytes)), fault->value[1],
		  *caller ? ", allocated by " : "", caller);
}

static void show_bad_step(struct report *report, const struct report_run *run, const struct report_step *step)
{
	const struct kvmap_operation *operation = step_operation(run, step);
	char line[120], outcome[400], where[24] = "";

	if (operation)
		snprintf(where, sizeof(where), ":%" PRIu32, operation->line);
	text_line(report, PAINT_BAD, 2, 6, "%s%s: %s%s%s", run->script->path, where,
		  operation ? script_line(run->script, operation->line, line, sizeof(line)) : "",
		  operation ? ": " : "", step_outcome(run, step, outcome, sizeof(outcome)));
	if (step->fault.type && step->fault.value[1])
		show_fault_area(report, run, &step->fault);
}

/* Steps that are not as the script expects, each with FILE:LINE. */
static void show_bad(struct report *report, const struct report_run *run)
{
	size_t bad = 0;

	for (size_t i = 0; i < run->step_count; i++) {
		if (!step_is_bad(run, &run->steps[i]) || ++bad > BAD_SHOWN)
			continue;
		if (bad == 1)
			text_heading(report, "Not as the script expects");
		show_bad_step(report, run, &run->steps[i]);
	}
	if (bad > BAD_SHOWN)
		text_line(report, PAINT_BAD, 2, 2, "... and %zu more", bad - BAD_SHOWN);
}

static void show_text(struct report *report, const struct report_run *run)
{
	char operations[40];

	text_heading(report, "Operations");
	if (!run->step_count && !run->script->operations.count)
		text_line(report, PAINT_PLAIN, 2, 2, "The script has no operation.");
	part_rows(report, run);
	if (run->step_count < run->script->operations.count)
		text_line(report, PAINT_BAD, 2, 2, "Of %s, %zu ended.",
			  text_number_of(run->script->operations.count, "operation", operations,
					 sizeof(operations)),
			  run->step_count);
	if (run->dropped_records)
		text_line(report, PAINT_BAD, 2, 2,
			  "The guest sent %" PRIu64 " invalid records, which were dropped.",
			  run->dropped_records);
	show_bad(report, run);
}

static void emit_operation(struct report *report, const struct report_run *run,
			   const struct report_step *step)
{
	static const char *const expectations[] = { "done", "refused", "fault" };
	const struct kvmap_operation *operation = step_operation(run, step);
	struct json_object *line = json_start(report, "operation");
	char text[200], outcome[400];

	json_add_number(line, "operation", step->result.operation);
	if (operation) {
		json_add_number(line, "line", operation->line);
		json_add_string(line, "text", script_line(run->script, operation->line, text, sizeof(text)));
		json_add_string(line, "name", operation_name(operation->opcode));
		json_add_string(line, "expected",
				operation->expect <= 2 ? expectations[operation->expect] : "?");
	}
	json_add_string(line, "status",
			KVMAP_STATUS_IS_FAILED(step->result.status)    ? "failed"
			: KVMAP_STATUS_IS_REFUSED(step->result.status) ? "refused"
								       : "done");
	json_add_bool(line, "as_expected", !step_is_bad(run, step));
	json_add_string(line, "outcome", step_outcome(run, step, outcome, sizeof(outcome)));
	json_add_hex(line, "result", step->result.value[0]);
	json_add_hex(line, "address", step->result.value[1]);
	json_add_number(line, "size", step->result.value[2]);
	json_add_number(line, "ticks", step->result.value[3]);
	json_finish(report, line);
}

static void emit_fault(struct report *report, const struct report_step *step)
{
	struct json_object *line = json_start(report, "fault");

	json_add_number(line, "operation", step->result.operation);
	json_add_string(line, "kind", fault_kind_name((uint16_t)step->fault.detail));
	json_add_hex(line, "address", step->fault.value[0]);
	json_add_hex(line, "area", step->fault.value[1]);
	json_add_number(line, "area_size", step->fault.value[2]);
	json_add_hex(line, "rip", step->fault.value[3]);
	json_add_hex(line, "error_code", step->fault.value[4]);
	json_add_hex(line, "caller", step->fault.value[5]);
	if (step->fault_checked) {
		json_add_string(line, "walk", walk_stop_text(step->fault_walk.stop));
		json_add_bool(line, "walk_agrees", step_walk_agrees(step));
	}
	json_finish(report, line);
}

void part_timeline(struct report *report, const struct report_run *run)
{
	if (report->format == REPORT_TEXT) {
		show_text(report, run);
		return;
	}
	for (size_t i = 0; i < run->step_count; i++) {
		if (run->steps[i].fault.type)
			emit_fault(report, &run->steps[i]);
		emit_operation(report, run, &run->steps[i]);
		part_shown(report, &run->steps[i]);
	}
}
