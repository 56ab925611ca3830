/* SPDX-License-Identifier: MIT */
/*
 * test_diff.c: what `diff` prints.
 */
#include "sample.h"

#include "report/diff.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct view_cpu cpus[2];
static struct view views[2];
static struct sample sample;
static struct diff_tables tables;
static struct diff_frames frames;
static struct diff_areas areas;
static struct diff_range ranges[50];
static struct diff_entry entries[] = {
	{ .gva = SAMPLE_AREA,
	  .level = 1,
	  .index = 3,
	  .before = 0x5003,
	  .table_before = 0x4000,
	  .table_after = 0x4000 },
	{ .gva = 0, .level = 4, .after = 0x9003, .table_before = 0x1000, .table_after = 0x7000 },
};

static void init(void)
{
	sample_init(&sample);
	for (unsigned int i = 0; i < 2; i++) {
		cpus[i] = (struct view_cpu){ 0 };
		views[i].cpus = &cpus[i];
		views[i].cpu_count = 1;
	}
	views[0].cpus[0].has_pat = views[1].cpus[0].has_pat = true;
	views[0].cpus[0].lacks = views[1].cpus[0].lacks = 0;
	views[1].cpus[0].rsp = 0x1234;
	for (size_t i = 0; i < 50; i++)
		ranges[i] = (struct diff_range){ .gva = SAMPLE_AREA + i * 0x2000,
						 .size = 0x1000,
						 .changes = 1u << DIFF_MAPPED,
						 .after = { 0x5000, 0x1000, 3, 0 } };
	ranges[1].before = (struct diff_page){ 0x200000, 0x200000, 7, 0 };
	ranges[1].changes = 1u << DIFF_SIZE | 1u << DIFF_RIGHTS;
	tables = (struct diff_tables){ .ranges = { ranges, 50, 50 }, .range_count = 50, .pages = 50 };
	tables.entries.items = entries;
	tables.entries.count = 2;
	tables.by_change[DIFF_MAPPED] = 49;
	tables.by_level[1] = tables.by_level[4] = 1;
	frames = (struct diff_frames){ .frames = 12 };
	frames.moves[OWNER_FREE][OWNER_AREA].frames = 12;
	frames.moves[OWNER_FREE][OWNER_AREA].runs = 1;
}

static void destroy(void)
{
	sample_destroy(&sample);
}

TestSuite(report_diff, .init = init, .fini = destroy);

static char *diff_of(enum report_format format, bool all)
{
	struct diff_side sides[2] = { { &views[0], NULL, NULL }, { &views[1], NULL, &sample.claims } };
	struct report_diff about = {
		.before = &sides[0],
		.after = &sides[1],
		.tables = &tables,
		.frames = &frames,
		.frames_from_claims = true,
		.areas = &areas,
		.entries = true,
		.all = all,
	};
	char *text;
	size_t size;
	struct report report = report_begin(format, &text, &size);

	report_diff(&report, &about);
	report_end(&report);
	return text;
}

Test(report_diff, lists_what_differs_and_says_how_much_it_leaves_out)
{
	struct diff_area changed[] = { { NULL, &sample.areas[0], 1u << DIFF_AREA_NEW },
				       { &sample.areas[1], &sample.areas[0], 1u << DIFF_AREA_EXTENT } };
	char *text;

	areas = (struct diff_areas){ .items = changed, .count = 2, .capacity = 2 };
	text = diff_of(REPORT_TEXT, false);
	check_lines(text);
	check_holds(text, "  50 pages in 50 ranges\n            49  mapped\n");
	check_holds(
		text,
		"  0xffffc90000000000       4 KiB  mapped    rw- 4K GPA 0x5000: byte 0x0 of the 64 KiB area");
	check_holds(text, "rights, page size rwx 2M GPA 0x200000 -> rw- 4K GPA 0x5000: ");
	check_holds(text, "\n  and 10 more (--all lists them)\n");
	check_holds(text, "             1  of level 4, PML4\n             1  of level 1, PT\n");
	check_holds(text,
		    "  0xffffc90000000000  PT     3 of 0x4000: 0x0000000000005003 -> 0x0000000000000000\n");
	check_holds(text, "PML4   0 of 0x1000 -> 0x7000: 0x0000000000000000 -> 0x0000000000009003\n");
	check_holds(text, "  0xffffc90000000000  new: 64 KiB\n");
	check_holds(text, "  0xffffc90000000000  size: 8 KiB -> 64 KiB\n");
	check_holds(text, "            12  in 1 run: free -> live area\n");
	check_holds(text, "  CPU 0  rsp      0x0000000000000000 -> 0x0000000000001234\n");
	cr_expect_null(strstr(text, "The same"));
	free(text);
	text = diff_of(REPORT_TEXT, true);
	cr_expect_null(strstr(text, "more"));
	free(text);
	areas = (struct diff_areas){ 0 };
}

Test(report_diff, says_so_where_nothing_differs)
{
	char *text;

	tables = (struct diff_tables){ 0 };
	frames = (struct diff_frames){ 0 };
	views[1].cpus[0].rsp = 0;
	text = diff_of(REPORT_TEXT, false);
	cr_expect_str_eq(text,
			 "The same is mapped, by the same entries; frames and areas have the same owners.\n");
	free(text);
}

Test(report_diff, names_the_addresses_that_are_not_compared_and_does_not_say_that_the_rest_is_the_same)
{
	struct diff_extent left_out[] = { { 0xffffc90000000000, 10ull << 21 },
					  { 0xffffff8000000000, 1ull << 39 } };
	struct json_object *lines;
	char *text;

	tables = (struct diff_tables){ .cut_short = true,
				       .not_compared = { left_out, 2, 2 },
				       .bytes_not_compared = (10ull << 21) + (1ull << 39) };
	frames = (struct diff_frames){ 0 };
	text = diff_of(REPORT_TEXT, false);
	check_lines(text);
	check_holds(
		text,
		"THE WALK WAS CUT SHORT at its limit of tables: 524308 MiB of addresses in 2 ranges are not "
		"compared:\n  0xffffc90000000000      20 MiB\n  0xffffff8000000000     512 GiB\n");
	cr_expect_null(strstr(text, "The same"));
	free(text);
	text = diff_of(REPORT_JSON, false);
	lines = lines_of(text);
	cr_expect_str_eq(member(line_of_type(lines, "diff_not_compared", 1), "address"),
			 "0xffffff8000000000");
	cr_expect_str_eq(member(line_of_type(lines, "diff_not_compared", 1), "size"), "549755813888");
	cr_expect_str_eq(member(line_of_type(lines, "diff", 0), "bytes_not_compared"), "549776785408");
	cr_expect_str_eq(member(line_of_type(lines, "diff", 0), "cut_short"), "true");
	json_object_put(lines);
	free(text);
}

Test(report_diff, shows_the_numbers_of_an_area_that_changed)
{
	struct claim_area without = sample.areas[0];
	struct diff_area changed = { &sample.areas[0], &without,
				     1u << DIFF_AREA_PAGES | 1u << DIFF_AREA_FRAMES };
	struct json_object *lines;
	char *text;

	sample.areas[0].nr_pages = 16;
	without.nr_pages = 0;
	areas = (struct diff_areas){ .items = &changed, .count = 1, .capacity = 1 };
	text = diff_of(REPORT_TEXT, false);
	check_holds(text, "  0xffffc90000000000  pages, frames: 64 KiB, pages 16 -> none\n");
	free(text);
	text = diff_of(REPORT_JSON, false);
	lines = lines_of(text);
	cr_expect_str_eq(member(line_of_type(lines, "diff_area", 0), "changes"), "[ \"pages\", \"frames\" ]");
	cr_expect_str_eq(member(line_of_type(lines, "diff_area", 0), "pages_before"), "16");
	cr_expect_str_eq(member(line_of_type(lines, "diff_area", 0), "pages_after"), "0");
	json_object_put(lines);
	free(text);
	without = sample.areas[0];
	without.requested_size = 4096;
	without.size = 0x5000;
	changed.changes = 1u << DIFF_AREA_REQUESTED | 1u << DIFF_AREA_VM_SIZE;
	sample.areas[0].size = 0x11000;
	sample.areas[0].requested_size = 65536;
	text = diff_of(REPORT_TEXT, false);
	check_lines(text);
	check_holds(text, "  0xffffc90000000000  vm_struct size, requested size: 64 KiB, vm_struct size ");
	check_holds(text, "68 KiB -> 20 KiB");
	check_holds(text, "64 KiB -> 4 KiB");
	free(text);
	areas = (struct diff_areas){ 0 };
}

Test(report_diff, says_how_much_is_only_counted)
{
	char *text;

	tables.range_count = 1000050;
	text = diff_of(REPORT_TEXT, true);
	check_holds(text, "\n  and 1,000,000 more, where a table is mapped again\n");
	free(text);
	text = diff_of(REPORT_TEXT, false);
	check_holds(
		text,
		"\n  and 10 more (--all lists them)\n  and 1,000,000 more, where a table is mapped again\n");
	free(text);
}

Test(report_diff, says_what_is_not_compared)
{
	char *text;

	views[0].cpus[0].lacks = VIEW_LACKS_EFER;
	views[1].cpus[0].lacks = VIEW_LACKS_EFER | VIEW_LACKS_RFLAGS;
	text = diff_of(REPORT_TEXT, false);
	cr_expect_not_null(strstr(text, "not compared: efer: not known of both sources (efer is assumed)\n"));
	cr_expect_not_null(strstr(text, "not compared: rflags: not known of the second source\n"));
	free(text);
}

Test(report_diff, as_json_is_a_line_for_each_difference_and_a_sum)
{
	char *text = diff_of(REPORT_JSON, false);
	struct json_object *lines = lines_of(text);

	cr_expect_null(json_object_object_get(line_of_type(lines, "diff_range", 0), "before"));
	cr_expect_str_eq(member(line_of_type(lines, "diff_range", 1), "changes"),
			 "[ \"rights\", \"page size\" ]");
	cr_expect_not_null(line_of_type(lines, "diff_range", 49));
	cr_expect_str_eq(member(line_of_type(lines, "diff_entry", 1), "table_after"), "0x7000");
	cr_expect_str_eq(member(line_of_type(lines, "diff_register", 0), "name"), "rsp");
	cr_expect_str_eq(member(line_of_type(lines, "diff", 0), "pages"), "50");
	cr_expect_str_eq(member(line_of_type(lines, "diff", 0), "entries_by_level"), "[ 1, 0, 0, 1, 0 ]");
	json_object_put(lines);
	free(text);
}
