/* SPDX-License-Identifier: MIT */
/*
 * warnings.c: the calls that the guest's memory manager refused: reason, caller, area.
 */
#include "base/number.h"
#include "kvmap/layout.h"
#include "report/json.h"
#include "report/run_parts.h"
#include "report/text.h"

#include <inttypes.h>
#include <string.h>

#define WARNINGS_SHOWN 20

/* "vmalloc+0x12 (vmalloc.c:34)" for an address of the guest's text; "" if unknown. Returns out. */
static const char *location_text(const struct report_run *run, uint64_t address, char *out, size_t size)
{
	out[0] = '\0';
	if (run->symbols && address)
		symbols_describe(run->symbols, address, out, size);
	return out;
}

/* "; in the 64 KiB area at 0x..., allocated by ..." or "". Returns out. */
static const char *area_of(const struct report_run *run, const struct kvmap_record *warning, char *out,
			   size_t size)
{
	uint64_t area = warning->value[1];
	bool is_area = area >= KVMAP_VMALLOC_START && area < KVMAP_VMALLOC_END;
	char bytes[40], caller[256];

	out[0] = '\0';
	if (!area)
		return out;
	location_text(run, warning->value[4], caller, sizeof(caller));
	snprintf(out, size, "; in the %s %s at 0x%" PRIx64 "%s%s",
		 number_bytes(warning->value[2], bytes, sizeof(bytes)), is_area ? "area" : "object", area,
		 *caller ? ", allocated by " : "", caller);
	return out;
}

/* ", while NAME, taken at PLACE, was held" and the reverse order, or this lock's other use. Returns out. */
static const char *other_lock(const struct report_run *run, const struct kvmap_record *warning, char *out,
			      size_t size)
{
	char held[200], held_at[256], at[256], while_at[256];

	out[0] = '\0';
	location_text(run, warning->value[4], held_at, sizeof(held_at));
	if (warning->status == KVMAP_FAILED_LOCK_INTERRUPT)
		snprintf(out, size, "; its other use is at %s", held_at);
	if (!warning->value[1])
		return out;
	location_text(run, warning->value[1], held, sizeof(held));
	snprintf(out, size, ", while %s, taken at %s, was held", held, held_at);
	if (warning->value[2])
		snprintf(out + strlen(out), size - strlen(out),
			 "; the other way round at %s, while the lock of %s was held",
			 location_text(run, warning->value[2], at, sizeof(at)),
			 location_text(run, warning->value[5], while_at, sizeof(while_at)));
	return out;
}

static void show_lock(struct report *report, const struct report_run *run, const struct report_step *step)
{
	const struct kvmap_operation *operation = step_operation(run, step);
	const struct kvmap_record *warning = &step->warning;
	char line[120], lock[256], place[256], other[1200];

	text_line(report, PAINT_PLAIN, 2, 6, "%s:%" PRIu32 ": %s: %s: %s, at %s%s", run->script->path,
		  operation ? operation->line : 0,
		  operation ? script_line(run->script, operation->line, line, sizeof(line)) : "?",
		  status_text(warning->status), location_text(run, warning->value[0], lock, sizeof(lock)),
		  location_text(run, warning->value[3], place, sizeof(place)),
		  other_lock(run, warning, other, sizeof(other)));
}

static void show_warning(struct report *report, const struct report_run *run, const struct report_step *step)
{
	const struct kvmap_operation *operation = step_operation(run, step);
	const struct kvmap_record *warning = &step->warning;
	char line[120], caller[256], area[400], limits[400], address[32] = "";

	if (warning->value[0])
		snprintf(address, sizeof(address), ", of 0x%" PRIx64, warning->value[0]);
	location_text(run, warning->value[3], caller, sizeof(caller));
	text_line(report, PAINT_PLAIN, 2, 6, "%s:%" PRIu32 ": %s: %s%s%s, called by %s%s%s",
		  run->script->path, operation ? operation->line : 0,
		  operation ? script_line(run->script, operation->line, line, sizeof(line)) : "?",
		  status_text(warning->status), limits_text(&step->limits, limits, sizeof(limits)), address,
		  *caller ? caller : "an unknown function",
		  warning->detail & KVMAP_WARNING_IN_INTERRUPT ? ", in an interrupt" : "",
		  area_of(run, warning, area, sizeof(area)));
	part_free_blocks(report, run, step->result.operation);
}

static void show(struct report *report, const struct report_run *run)
{
	size_t count = 0;

	for (size_t i = 0; i < run->step_count; i++) {
		if (!run->steps[i].warning.type || ++count > WARNINGS_SHOWN)
			continue;
		if (count == 1)
			text_heading(report, "Warnings");
		if (KVMAP_STATUS_IS_LOCK(run->steps[i].warning.status))
			show_lock(report, run, &run->steps[i]);
		else
			show_warning(report, run, &run->steps[i]);
	}
	if (count > WARNINGS_SHOWN)
		text_line(report, PAINT_FAINT, 2, 2, "... and %zu more (--json has all)",
			  count - WARNINGS_SHOWN);
}

static void add_place(struct json_object *line, const struct report_run *run, const char *name,
		      uint64_t address)
{
	char location[256];

	if (*location_text(run, address, location, sizeof(location)))
		json_add_string(line, name, location);
}

static void emit_lock(struct report *report, const struct report_run *run, const struct report_step *step)
{
	const struct kvmap_operation *operation = step_operation(run, step);
	const uint64_t *value = step->warning.value;
	struct json_object *line = json_start(report, "lock");

	json_add_number(line, "operation", step->result.operation);
	if (operation)
		json_add_number(line, "line", operation->line);
	json_add_string(line, "why", status_text(step->warning.status));
	json_add_hex(line, "address", value[0]);
	add_place(line, run, "lock", value[0]);
	add_place(line, run, "place", value[3]);
	add_place(line, run, "held", value[1]);
	add_place(line, run, "held_place", value[4]);
	add_place(line, run, "reverse_place", value[2]);
	add_place(line, run, "reverse_held_place", value[5]);
	json_finish(report, line);
}

static void emit(struct report *report, const struct report_run *run, const struct report_step *step)
{
	const struct kvmap_operation *operation = step_operation(run, step);
	const struct kvmap_record *warning = &step->warning;
	struct json_object *line = json_start(report, "warning");
	char location[256];

	json_add_number(line, "operation", step->result.operation);
	if (operation)
		json_add_number(line, "line", operation->line);
	json_add_string(line, "why", status_text(warning->status));
	json_add_bool(line, "in_interrupt", warning->detail & KVMAP_WARNING_IN_INTERRUPT);
	json_add_hex(line, "caller", warning->value[3]);
	json_add_string(line, "caller_place",
			location_text(run, warning->value[3], location, sizeof(location)));
	json_add_hex(line, "address", warning->value[0]);
	json_add_hex(line, "area", warning->value[1]);
	json_add_number(line, "area_size", warning->value[2]);
	json_add_hex(line, "area_caller", warning->value[4]);
	json_add_string(line, "area_caller_place",
			location_text(run, warning->value[4], location, sizeof(location)));
	limits_add(line, &step->limits);
	json_finish(report, line);
	part_free_blocks(report, run, step->result.operation);
}

void part_warnings(struct report *report, const struct report_run *run)
{
	if (report->format == REPORT_TEXT) {
		show(report, run);
		return;
	}
	for (size_t i = 0; i < run->step_count; i++) {
		if (!run->steps[i].warning.type)
			continue;
		if (KVMAP_STATUS_IS_LOCK(run->steps[i].warning.status))
			emit_lock(report, run, &run->steps[i]);
		else
			emit(report, run, &run->steps[i]);
	}
}
