/* SPDX-License-Identifier: MIT */
/*
 * process.c: how the VM of another program was read.
 */
#include "report/json.h"
#include "report/pause.h"
#include "report/text.h"

#include <inttypes.h>

static void show(struct report *report, const struct report_process *process)
{
	char count[40], stopped[40];

	if (process->stopped)
		text_line(report, PAINT_FAINT, 0, 2, "stopped PID %" PRIu32 " for %s", process->pid,
			  text_duration(process->stopped_ns, stopped, sizeof(stopped)));
	else
		text_line(report, PAINT_FAINT, 0, 2,
			  "PID %" PRIu32 " was not stopped: what is shown may mix several moments (--stop)",
			  process->pid);
	if (process->old_cr3)
		text_line(
			report, PAINT_BAD, 0, 2,
			"CR3 of %s may be stale: VT-x keeps it, and KVM has not read it since the last exit",
			text_number_of(process->old_cr3, "vCPU", count, sizeof(count)));
	if (process->lost)
		text_line(report, PAINT_BAD, 0, 2, "%s could not be read from the process: shown as zeros",
			  text_number_of(process->lost, "page", count, sizeof(count)));
}

void report_process(struct report *report, const struct report_process *process)
{
	struct json_object *line;

	if (report->format == REPORT_TEXT) {
		show(report, process);
		return;
	}
	line = json_start(report, "pause");
	json_add_number(line, "pid", process->pid);
	json_add_bool(line, "stopped", process->stopped);
	json_add_number(line, "paused_ns", process->stopped_ns);
	json_add_number(line, "old_cr3", process->old_cr3);
	json_add_number(line, "lost_pages", process->lost);
	json_finish(report, line);
}
