/* SPDX-License-Identifier: MIT */
/*
 * test_bench.c: figures beside Linux's.
 */
#include "sample.h"

#include "report/bench.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static const struct report_bench_row rows[] = {
	{ "vmalloc", "4K", KVMAP_POLICY_STRICT, 0, 1000, 5000, 1000, 3000 },
	{ "vmalloc", "8K", KVMAP_POLICY_STRICT, 0, 1001, 5001, 1001, 3000 },
	{ "vmalloc", "16K", KVMAP_POLICY_STRICT, 0, 1500, 5002, 1002, 3000 },
	{ "vmalloc", "32K", KVMAP_POLICY_STRICT, 0, 1501, 5003, 1003, 3000 },
	{ "vmalloc", "4K", KVMAP_POLICY_EAGER, 0, 9000, 5004, 1004, 3000 },
};
static const struct report_bench_row live[] = {
	{ "vmalloc", "4K", KVMAP_POLICY_LAZY, 10, 1000, 5000, 1000, 0 },
	{ "vmalloc", "4K", KVMAP_POLICY_LAZY, 100000, 1150, 5000, 1000, 0 },
};
static const struct report_bench_flushes flushes[] = { { KVMAP_POLICY_EAGER, 1000, 1, 999, 1998, 2100, 0 } };
static const struct report_bench_cpus cpus[] = {
	{ "vmalloc", "4K", KVMAP_POLICY_STRICT, 4, 4000, 3200000, 5000, 100, 64, 186, 4000 },
};
static const struct report_bench bench = { rows, live, 5, 2, flushes, 1, cpus, 1, "kmalloc, vmap" };

static char *text_of(enum report_format format)
{
	char *text;
	size_t size;
	struct report report = report_begin(format, &text, &size);

	report_bench(&report, &bench);
	report_end(&report);
	return text;
}

Test(bench, each_row_says_which_part_of_linux_it_meets)
{
	char *text = text_of(REPORT_TEXT);

	check_lines(text);
	check_holds(text, "  vmalloc             4K         1,000         3,000    0.34  a third or less ");
	check_holds(text, "  vmalloc             8K         1,001         3,000    0.34  half or less ");
	check_holds(text, "  vmalloc            16K         1,500         3,000    0.50  half or less ");
	check_holds(
		text,
		"  vmalloc            32K         1,501         3,000    0.51  more than half        5,003   1,003\n");
	check_holds(text, "Of 4 rows, 3 cost at most half of what Linux does, 1 of them at most a third.\n");
	check_holds(
		text,
		"Beyond its own pages no single operation costs more than 1,003 (vmalloc 32K); the goal is");
	check_holds(text, "Policy eager\n");
	check_holds(text, "Of 1 row, 0 cost");
	free(text);
}

Test(bench, live_areas_flushes_and_what_is_missing_are_told)
{
	char *text = text_of(REPORT_TEXT);

	check_holds(text, "  lazy    10: 1,000  100,000: 1,150  the last is 1.15 times the first\n");
	check_holds(
		text,
		"  eager   1 of everything, 999 page by page with 1998 pages; 2100 entries flushed, 0 IPIs\n");
	check_holds(text, "4 CPUs in parallel");
	check_holds(text,
		    "  strict  vmalloc        4K           800    1.25    0.025    16.0     46.5    1000\n");
	check_holds(text, "no such function: kmalloc, vmap.\n");
	free(text);
}

Test(bench, json_has_a_line_for_each_figure)
{
	char *text = text_of(REPORT_JSON);
	struct json_object *lines = lines_of(text), *row = line_of_type(lines, "bench", 2);

	cr_expect_eq(json_object_array_length(lines), 9);
	cr_expect_str_eq(member(row, "size"), "16K");
	cr_expect_str_eq(member(row, "policy"), "strict");
	cr_expect_str_eq(member(row, "cpus"), "1");
	cr_expect_str_eq(member(row, "instructions"), "1500");
	cr_expect_str_eq(member(row, "linux"), "3000");
	cr_expect_str_eq(member(row, "worst"), "5002");
	cr_expect_str_eq(member(row, "beyond"), "1002");
	cr_expect_str_eq(member(line_of_type(lines, "bench_live", 1), "areas"), "100000");
	row = line_of_type(lines, "bench", 5);
	cr_expect_str_eq(member(row, "cpus"), "4");
	cr_expect_str_eq(member(row, "instructions"), "800");
	cr_expect_str_eq(member(row, "interrupts"), "186");
	cr_expect_str_eq(member(line_of_type(lines, "bench_flushes", 0), "by_page"), "999");
	cr_expect_str_eq(member(line_of_type(lines, "bench_flushes", 0), "entries"), "2100");
	cr_expect_str_eq(member(line_of_type(lines, "bench_flushes", 0), "interrupts"), "0");
	json_object_put(lines);
	free(text);
}

static const struct report_bench_verify verifications[] = {
	{ .pages = 250000,
	  .areas = 10000,
	  .full_ns = 9000000,
	  .read_ns = 2000000,
	  .read_bytes = 11000000,
	  .page_faults = 12 },
	{ .pages = 1000000, .areas = 40000, .full_ns = 40000000, .read_ns = 8000000, .read_bytes = 44000000 },
};

Test(bench, a_verification_is_shown_beside_the_reading_of_the_same_bytes)
{
	char *text;
	size_t size;
	struct report report = report_begin(REPORT_TEXT, &text, &size);

	report_bench_verify(&report, verifications, 2);
	report_end(&report);
	check_lines(text);
	check_holds(
		text,
		"      250,000     10,000       9.00 ms       2.00 ms   11,000,000       4.5           12\n");
	check_holds(
		text,
		"    1,000,000     40,000       40.0 ms       8.00 ms   44,000,000       5.0            0\n");
	free(text);
}

Test(bench, json_has_a_line_for_each_verification)
{
	char *text;
	size_t size;
	struct report report = report_begin(REPORT_JSON, &text, &size);
	struct json_object *lines, *row;

	report_bench_verify(&report, verifications, 2);
	report_end(&report);
	lines = lines_of(text);
	row = line_of_type(lines, "bench", 0);
	cr_expect_eq(json_object_array_length(lines), 2);
	cr_expect_str_eq(member(row, "operation"), "verify");
	cr_expect_str_eq(member(row, "pages"), "250000");
	cr_expect_str_eq(member(row, "areas"), "10000");
	cr_expect_str_eq(member(row, "full_ns"), "9000000");
	cr_expect_str_eq(member(row, "read_ns"), "2000000");
	cr_expect_str_eq(member(row, "read_bytes"), "11000000");
	cr_expect_str_eq(member(row, "page_faults"), "12");
	json_object_put(lines);
	free(text);
}
