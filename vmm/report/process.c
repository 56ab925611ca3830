/* SPDX-License-Identifier: MIT */
/*
 * process.c: what should be known beside what a VM of another program shows.
 */
#include "report/json.h"
#include "report/text.h"

#include <inttypes.h>

static void show(struct report *report, const struct report_foreign *look)
{
	char count[40], stood[40];

	if (look->stopped)
		text_line(report, PAINT_FAINT, 0, 2, "process %" PRIu32 " was stopped for %s", look->pid,
			  text_duration(look->stood_ns, stood, sizeof(stood)));
	else
		text_line(
			report, PAINT_FAINT, 0, 2,
			"process %" PRIu32
			" ran on while it was looked at: what stands here may be of several moments (--stop)",
			look->pid);
	if (look->old_cr3)
		text_line(report, PAINT_BAD, 0, 2,
			  "CR3 of %s is of before: VT-x keeps it, and KVM has not asked for it since",
			  text_number_of(look->old_cr3, "vCPU", count, sizeof(count)));
	if (look->lost)
		text_line(report, PAINT_BAD, 0, 2,
			  "%s could not be read from the process, and count as zeros",
			  text_number_of(look->lost, "page", count, sizeof(count)));
}

void report_foreign(struct report *report, const struct report_foreign *look)
{
	struct json_object *line;

	if (report->format == REPORT_TEXT) {
		show(report, look);
		return;
	}
	line = json_start(report, "pause");
	json_add_number(line, "pid", look->pid);
	json_add_bool(line, "stopped", look->stopped);
	json_add_number(line, "paused_ns", look->stood_ns);
	json_add_number(line, "old_cr3", look->old_cr3);
	json_add_number(line, "lost_pages", look->lost);
	json_finish(report, line);
}
