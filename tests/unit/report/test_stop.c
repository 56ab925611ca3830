/* SPDX-License-Identifier: MIT */
#include "sample.h"

#include "report/stop.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct sample sample;
static struct claims before;
static struct report_stop stop;
static char *text;

static void init(void)
{
	sample_init(&sample);
	before = sample.claims;
	stop = (struct report_stop){
		.run = &sample.run,
		.first_step = sample.run.step_count - 1,
		.before = &before,
		.verified = true,
		.checks = 1234,
		.ns = 5000000,
		.guest_ns = 3000000,
	};
}

static void destroy(void)
{
	free(text);
	text = NULL;
	sample_destroy(&sample);
}

TestSuite(stop, .init = init, .fini = destroy);

static const char *shown(enum report_format format)
{
	struct report report;
	size_t size;

	free(text);
	report = report_begin(format, &text, &size);
	report_stop(&report, &stop);
	report_end(&report);
	return text;
}

Test(stop, of_one_operation_has_its_outcome_and_nothing_that_stayed)
{
	shown(REPORT_TEXT);
	check_lines(text);
	cr_expect_null(strstr(text, "frames "), "%s", text);
	cr_expect_null(strstr(text, " area 0x"), "%s", text);
	check_holds(text, "  verified: 1,234 checks, no findings, 5.00 ms\n");
	cr_expect_eq(text[0], ' ');
	cr_expect_null(strstr(text, "vmalloc 64K"), "one line is not repeated: %s", text);
}

Test(stop, of_several_operations_has_the_lines_of_each)
{
	stop.first_step = 0;
	shown(REPORT_TEXT);
	check_holds(text, "      1  a = vmalloc 64K ");
	check_holds(text, "      9  expect refused vfree b ");
}

Test(stop, differences_of_areas_and_counters_are_shown)
{
	before.areas.count = 0;
	before.vm_stat[NR_FREE_PAGES] = sample.claims.vm_stat[NR_FREE_PAGES] + 1500;
	sample.claims.vm_stat[NR_VMALLOC_PAGES] = before.vm_stat[NR_VMALLOC_PAGES] + 1;
	sample.claims.stats.flush_full = before.stats.flush_full + 2;
	shown(REPORT_TEXT);
	check_lines(text);
	check_holds(text, "  + area ");
	check_holds(text, ": new");
	check_holds(text, "  frames  free -1,500, areas +1\n");
	check_holds(text, "  flushes of everything +2\n");
}

Test(stop, findings_are_listed_once_and_counted_each_time)
{
	sample_add_findings(&sample);
	stop.findings = 2;
	shown(REPORT_TEXT);
	check_lines(text);
	check_holds(text, "  1. ");
	check_holds(text, "  2. ");
	check_holds(text, "NOT VERIFIED: 2 findings; 1,234 checks");
	stop.first_listed = 2;
	stop.findings = 1;
	shown(REPORT_TEXT);
	cr_expect_null(strstr(text, "  1. "), "%s", text);
	check_holds(text, "NOT VERIFIED: 1 finding, listed before; 1,234 checks");
}

Test(stop, of_a_guest_that_was_stopped_or_died_compares_nothing)
{
	before.areas.count = 0;
	stop.verified = false;
	stop.dead = true;
	shown(REPORT_TEXT);
	cr_expect_null(strstr(text, "+ area"), "%s", text);
	cr_expect_null(strstr(text, "verified:"), "%s", text);
	check_holds(text, "The guest cannot run any more");
	stop.dead = false;
	stop.stopped_at = "shell:2: crash hang";
	shown(REPORT_TEXT);
	check_holds(text, "stopped at shell:2: crash hang, where claims and tables may differ: ");
}

Test(stop, in_json_is_the_operations_and_a_line_of_its_own)
{
	struct json_object *lines, *line;

	sample_add_findings(&sample);
	stop.findings = 2;
	lines = lines_of(shown(REPORT_JSON));
	line = line_of_type(lines, "stop", 0);
	cr_expect(line_of_type(lines, "operation", 0));
	cr_expect_null(line_of_type(lines, "operation", 1));
	cr_expect(line_of_type(lines, "finding", 1));
	cr_expect_str_eq(member(line, "state"), "idle");
	cr_expect_str_eq(member(line, "operations"), "1");
	cr_expect_str_eq(member(line, "verified"), "true");
	cr_expect_str_eq(member(line, "checks"), "1234");
	cr_expect_str_eq(member(line, "findings"), "2");
	cr_expect_str_eq(member(line, "ns"), "5000000");
	cr_expect_str_eq(member(line, "guest_ns"), "3000000");
	json_object_put(lines);
}
