/* SPDX-License-Identifier: MIT */
/*
 * bench_verify.c: `bench verify`: the time of a verification.
 */
#include "report/bench.h"
#include "report/json.h"
#include "report/text.h"

static double ratio(const struct report_bench_verify *row)
{
	return row->read_ns ? (double)row->full_ns / (double)row->read_ns : 0;
}

static void show_rows(struct report *report, const struct report_bench_verify *rows, size_t count)
{
	text_line(
		report, PAINT_PLAIN, 0, 0,
		"A verification of all that the guest claims, without KVM's translations (V11): the shortest of "
		"several, beside one pass of 8-byte loads over the guest memory that it reads.");
	fputc('\n', report->stream);
	text_line(report, PAINT_FAINT, 2, 4, "%11s  %9s  %12s  %12s  %11s  %8s  %11s", "pages", "areas",
		  "verification", "reading", "bytes read", "ratio", "page faults");
	for (size_t i = 0; i < count; i++) {
		const struct report_bench_verify *row = &rows[i];
		char pages[32], areas[32], full[32], reading[32], bytes[32], faults[32];

		text_line(report, PAINT_PLAIN, 2, 4, "%11s  %9s  %12s  %12s  %11s  %8.1f  %11s",
			  text_count(row->pages, pages, sizeof(pages)),
			  text_count(row->areas, areas, sizeof(areas)),
			  text_duration(row->full_ns, full, sizeof(full)),
			  text_duration(row->read_ns, reading, sizeof(reading)),
			  text_count(row->read_bytes, bytes, sizeof(bytes)), ratio(row),
			  text_count(row->page_faults, faults, sizeof(faults)));
	}
}

void report_bench_verify(struct report *report, const struct report_bench_verify *rows, size_t count)
{
	if (report->format == REPORT_TEXT) {
		show_rows(report, rows, count);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		struct json_object *line = json_start(report, "bench");

		json_add_string(line, "operation", "verify");
		json_add_number(line, "pages", rows[i].pages);
		json_add_number(line, "areas", rows[i].areas);
		json_add_number(line, "full_ns", rows[i].full_ns);
		json_add_number(line, "read_ns", rows[i].read_ns);
		json_add_number(line, "read_bytes", rows[i].read_bytes);
		json_add_number(line, "page_faults", rows[i].page_faults);
		json_finish(report, line);
	}
}
