/* SPDX-License-Identifier: MIT */
/*
 * backtrace.c: the frames of a stack, innermost first. In JSON: {"pc", "sp", "is"} each.
 */
#include "report/backtrace.h"
#include "report/json.h"

#include "report/text.h"

#include <inttypes.h>

static const char *frame_text(const struct backtrace_frame *frame, struct symbols *symbols, char *out,
			      size_t size)
{
	out[0] = '\0';
	if (!symbols)
		return out;
	return symbols_describe_frame(symbols, frame->pc, frame->exact, out, size);
}

void backtrace_show(struct report *report, const struct backtrace *backtrace, struct symbols *symbols)
{
	char what[512];

	for (size_t i = 0; i < backtrace->count; i++) {
		const struct backtrace_frame *frame = &backtrace->frames[i];

		frame_text(frame, symbols, what, sizeof(what));
		text_line(report, PAINT_PLAIN, 6, 30, "#%-2zu  0x%016" PRIx64 "  %s", i, frame->pc, what);
	}
	if (backtrace->end != BACKTRACE_OUTERMOST)
		text_line(report, PAINT_FAINT, 6, 11, "...  %s", backtrace_end_text(backtrace->end));
}

void backtrace_emit(struct json_object *line, const struct backtrace *backtrace, struct symbols *symbols)
{
	struct json_object *frames = json_object_new_array();
	char what[512];

	for (size_t i = 0; i < backtrace->count; i++) {
		const struct backtrace_frame *frame = &backtrace->frames[i];
		struct json_object *item = json_object_new_object();

		json_add_hex(item, "pc", frame->pc);
		json_add_hex(item, "sp", frame->sp);
		json_add_string(item, "is", frame_text(frame, symbols, what, sizeof(what)));
		json_object_array_add(frames, item);
	}
	json_object_object_add(line, "frames", frames);
	json_add_string(line, "end", backtrace_end_text(backtrace->end));
}

void report_backtrace(struct report *report, unsigned int cpu, const struct view_cpu *registers,
		      const struct backtrace *backtrace, const char *why_not, struct symbols *symbols)
{
	struct json_object *line;

	if (report->format == REPORT_TEXT) {
		if (backtrace)
			text_line(report, PAINT_BOLD, 0, 2, "CPU %u: RIP 0x%016" PRIx64 ", RSP 0x%016" PRIx64,
				  cpu, registers->rip, registers->rsp);
		else
			text_line(report, PAINT_BOLD, 0, 2, "CPU %u: no backtrace: %s", cpu, why_not);
		if (backtrace)
			backtrace_show(report, backtrace, symbols);
		return;
	}
	line = json_start(report, "backtrace");
	json_add_number(line, "cpu", cpu);
	if (backtrace)
		backtrace_emit(line, backtrace, symbols);
	else
		json_add_string(line, "not_seen", why_not);
	json_finish(report, line);
}
