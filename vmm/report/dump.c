/* SPDX-License-Identifier: MIT */
/*
 * dump.c: `dump SOURCE FILE`: what was written.
 */
#include "base/number.h"
#include "report/dump.h"
#include "report/json.h"
#include "report/text.h"

#include <inttypes.h>
#include <limits.h>

static void emit_dump(struct report *report, const struct report_dump *dump)
{
	struct json_object *line = json_start(report, "dump");

	json_add_string(line, "file", dump->file);
	json_add_string(line, "addresses", dump->physical || dump->no_tables ? "physical" : "virtual");
	if (dump->no_tables)
		json_add_string(line, "no_tables", dump->no_tables);
	if (dump->program)
		json_add_string(line, "program", dump->program);
	if (dump->program)
		json_add_hex(line, "offset", dump->offset);
	json_add_number(line, "cpus", dump->view->cpu_count);
	json_add_number(line, "memory", view_size(dump->view));
	json_add_number(line, "mappings", dump->mappings);
	json_add_number(line, "left_out", dump->left_out);
	json_add_bool(line, "cut_short", dump->cut_short);
	json_add_not_known(line, "not_known", dump->not_known);
	json_add_number(line, "stored", dump->stored);
	json_finish(report, line);
}

void report_dump(struct report *report, const struct report_dump *dump)
{
	char memory[40], stored[40], cpus[40], mappings[40];
	struct report unwrapped = *report; /* for a command to type */

	unwrapped.columns = UINT_MAX;
	if (report->format == REPORT_JSON) {
		emit_dump(report, dump);
		return;
	}
	text_line(report, PAINT_PLAIN, 0, 2, "%s: %s, %s of memory, of which %s are stored", dump->file,
		  text_number_of(dump->view->cpu_count, "CPU", cpus, sizeof(cpus)),
		  number_bytes(view_size(dump->view), memory, sizeof(memory)),
		  number_bytes(dump->stored, stored, sizeof(stored)));
	text_line(report, PAINT_PLAIN, 2, 4, "%s of virtual addresses%s",
		  text_number_of(dump->mappings, "piece", mappings, sizeof(mappings)),
		  dump->physical    ? ", those of the kernel's image"
		  : dump->no_tables ? ", which are the physical ones: the guest's page tables were not read"
				    : "");
	/* Without an executable file gdb shows no bytes but those of the core. */
	if (dump->program && dump->offset)
		text_line(&unwrapped, PAINT_PLAIN, 2, 4, "gdb -ex 'symbol-file -o 0x%" PRIx64 " %s' -c %s",
			  dump->offset, dump->program, dump->file);
	else if (dump->program)
		text_line(&unwrapped, PAINT_PLAIN, 2, 4, "gdb %s %s", dump->program, dump->file);
}
