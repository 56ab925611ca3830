/* SPDX-License-Identifier: MIT */
/*
 * test_map.c: `map`.
 */
#include "sample.h"

#include "report/map.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct sample sample;

static void init(void)
{
	sample_init(&sample);
}

static void destroy(void)
{
	sample_destroy(&sample);
}

TestSuite(map, .init = init, .fini = destroy);

static struct range ranges[] = {
	{ .gva = 0xffff888000000000,
	  .size = 256 << 20,
	  .page_size = 2 << 20,
	  .rights = 3,
	  .leaves = 128,
	  .accessed = 128,
	  .dirty = 64,
	  .runs = 1 },
	{ .gva = SAMPLE_AREA,
	  .size = 0x10000,
	  .gpa = 0x1800000,
	  .page_size = 4096,
	  .rights = 3,
	  .leaves = 16,
	  .accessed = 1,
	  .runs = 16 },
	{ .gva = 0xffffffff80200000,
	  .size = 0x4000,
	  .gpa = 0x200000,
	  .page_size = 4096,
	  .rights = 5,
	  .leaves = 4,
	  .runs = 1 },
};

static struct view_cpu cpu = { .pat = 0x0407050600070106, .has_pat = true };
static struct map_violations *violations;

static char *map_of_ranges(enum report_format format, const struct claims *claims, struct range *items,
			   size_t count, bool fold)
{
	static const struct map_filter all = { .end = UINT64_MAX };
	const struct map_direct direct = { true, 0xffff888000000000, .assumed = !claims };
	struct ranges mapped = { .items = items, .count = count, .leaves = 148, .tables = 7 };
	struct memory_map map;
	struct map_lines lines;
	const struct report_map input = {
		.map = &map,
		.lines = &lines,
		.ranges = &mapped,
		.cpu = &cpu,
		.violations = violations,
		.all = !fold,
	};
	struct error error;
	char *text;
	size_t size;
	struct report report = report_begin(format, &text, &size);

	cr_assert_eq(map_build(&mapped, &direct, claims, NULL, &all, &map, &error), 0);
	cr_assert_eq(map_fold(&map, fold, &lines, &error), 0);
	report_map(&report, &input);
	report_end(&report);
	map_lines_destroy(&lines);
	map_destroy(&map);
	return text;
}

static char *map_of(enum report_format format, const struct claims *claims)
{
	return map_of_ranges(format, claims, ranges, 3, false);
}

Test(map, the_map_labels_ranges_and_shows_the_guards_between_them)
{
	char *text = map_of(REPORT_TEXT, &sample.claims);

	check_lines(text);
	check_holds_format(
		text,
		"0xffff888000000000   256 MiB rw-  2M 100  50      1        0x0  direct map\n"
		"0xffffc90000000000    64 KiB rw-  4K   6   -     16  0x1800000  area\n"
		"0xffffc90000010000 %5lu KiB ---                                guard\n"
		"0xffffffff80200000    16 KiB r-x  4K   -   -      1   0x200000  image, outside its segments\n",
		KVMAP_GUARD_SIZE / 1024);
	check_holds(text,
		    "\n3 ranges, 148 leaf entries, 7 tables entered, no PTEs that point outside memory\n");
	free(text);
}

Test(map, a_map_of_an_unknown_guest_has_neither_labels_nor_guards)
{
	char *text = map_of(REPORT_TEXT, NULL);

	cr_expect_null(strstr(text, "guard"));
	check_holds(text, "    16  0x1800000\n");
	free(text);
}

Test(map, a_mapped_guard_is_shown_as_such)
{
	struct range kept = ranges[1];
	char *text;

	ranges[1].size = 0x11000;
	text = map_of(REPORT_TEXT, &sample.claims);
	check_holds(text, "GUARD, AND MAPPED");
	ranges[1] = kept;
	free(text);
}

Test(map, the_map_as_json_has_a_line_for_each_range_and_guard)
{
	char *text = map_of(REPORT_JSON, &sample.claims);
	struct json_object *lines = lines_of(text);

	cr_expect_str_eq(member(line_of_type(lines, "range", 1), "rights"), "rw-");
	cr_expect_str_eq(member(line_of_type(lines, "range", 1), "runs"), "16");
	cr_expect_str_eq(member(line_of_type(lines, "range", 1), "kind"), "area");
	cr_expect_str_eq(member(line_of_type(lines, "range", 1), "accessed"), "1");
	cr_expect_str_eq(member(line_of_type(lines, "range", 0), "dirty"), "64");
	cr_expect_str_eq(member(line_of_type(lines, "range", 0), "memory_type"), "WB");
	cr_expect_str_eq(member(line_of_type(lines, "guard", 0), "address"), "0xffffc90000010000");
	cr_expect_str_eq(member(line_of_type(lines, "map", 0), "leaves"), "148");
	cr_expect_str_eq(member(line_of_type(lines, "map", 0), "direct_map"), "0xffff888000000000");
	cr_expect_str_eq(member(line_of_type(lines, "map", 0), "violations"), "");
	json_object_put(lines);
	free(text);
}

Test(map, a_map_names_memory_that_is_not_cached_and_keys)
{
	struct range kept = ranges[0];
	char *text;

	ranges[0].pat_index = 1;
	text = map_of(REPORT_TEXT, &sample.claims);
	check_holds(text, "direct map WC\n");
	cr_expect_null(strstr(text, "after a reset"));
	free(text);
	cpu.has_pat = false;
	ranges[0].key = 5;
	text = map_of(REPORT_TEXT, NULL);
	check_holds(text, "direct map WT key 5\n");
	check_holds(text,
		    "\nmemory types as of the PAT register after a reset: the source does not have it\n");
	free(text);
	cpu.has_pat = true;
	ranges[0] = kept;
}

Test(map, a_folded_map_says_how_often_and_how_far)
{
	struct range many[30];
	char *text;

	for (unsigned int i = 0; i < 30; i++)
		many[i] = (struct range){ .gva = 0xffffe00000000000 + i * 0x3000,
					  .size = 0x2000,
					  .page_size = 4096,
					  .rights = 3,
					  .leaves = 2 };
	text = map_of_ranges(REPORT_TEXT, NULL, many, 30, true);
	check_lines(text);
	check_holds(text,
		    "\n                   ... this 30 times, one every 12 KiB, up to 0xffffe00000058fff\n");
	check_holds(text, "; folded (--all)\n");
	free(text);
	for (unsigned int i = 0; i < 30; i++) {
		many[i].gva += i * i * 0x1000;
		many[i].size += i % 4 * 0x1000;
	}
	text = map_of_ranges(REPORT_TEXT, NULL, many, 30, true);
	check_lines(text);
	check_holds(text, "0xffffe00000000000   412 KiB rw-  4K");
	check_holds(text, " -0xffffe000003a2fff  30 of 8K to 20K\n");
	free(text);
	text = map_of_ranges(REPORT_TEXT, NULL, many, 30, false);
	cr_expect_null(strstr(text, "30 of"));
	free(text);
}

Test(map, a_map_says_what_no_map_should_have)
{
	struct map_violation items[25] = {
		{ MAP_WRITABLE_EXECUTABLE, 0x1000, 0x2000, 1, { { 0x10000, 7 } } },
		{ MAP_WRITABLE_ELSEWHERE, 0x3000, 0x1000, 2, { { 0x20000, 5 }, { 0x30000, 3 } } },
		{ MAP_ALIAS, 0x4000, 0x1000, 4000, { { 0x40000, 1 }, { 0x50000, 3 } } },
		{ MAP_TABLE_WRITABLE, 0x5000, 0x1000, 1, { { 0x60000, 3 } } },
		{ MAP_TABLE_WRITABLE, 0x6000, 0x2000, 7, { { 0x70000, 3 }, { 0x80000, 7 } }, true },
	};
	struct map_violations all = { .items = items, .count = 5, .frames = 1234 };
	struct json_object *lines;
	char *text;

	violations = &all;
	text = map_of(REPORT_TEXT, &sample.claims);
	check_lines(text);
	check_holds(
		text,
		"\ncheck: 1,234 frames mapped beyond the direct map\n"
		"  writable and executable: 0x0000000000010000, 8 KiB, rwx\n"
		"  executable at 0x0000000000020000 (r-x), writable at 0x0000000000030000 (rw-): 4 KiB from GPA\n"
		"    0x3000\n"
		"  mapped 4,000 times, at 0x0000000000040000 (r--) and 0x0000000000050000 (rw-): 4 KiB from GPA\n"
		"    0x4000\n"
		"  page table writable at 0x0000000000060000 (rw-): 4 KiB from GPA 0x5000\n"
		"  page tables writable at 0x0000000000070000 (rw-) and 0x0000000000080000 (rwx), at least 7\n"
		"    mappings: 8 KiB from GPA 0x6000\n");
	free(text);
	text = map_of(REPORT_JSON, &sample.claims);
	lines = lines_of(text);
	cr_expect_str_eq(member(line_of_type(lines, "violation", 1), "fault"), "writable_elsewhere");
	cr_expect_str_eq(member(line_of_type(lines, "violation", 2), "mappings"), "4000");
	cr_expect_str_eq(member(line_of_type(lines, "violation", 3), "fault"), "table_writable");
	cr_expect_str_eq(member(line_of_type(lines, "violation", 3), "mappings_at_least"), "false");
	cr_expect_str_eq(member(line_of_type(lines, "violation", 4), "mappings_at_least"), "true");
	cr_expect_str_eq(member(line_of_type(lines, "map", 0), "violations"), "5");
	json_object_put(lines);
	free(text);

	for (unsigned int i = 5; i < 25; i++)
		items[i] = items[0];
	all.count = 25;
	text = map_of_ranges(REPORT_TEXT, &sample.claims, ranges, 3, true);
	check_holds(text, "\n  and 5 more of these (--all)\n");
	free(text);
	all = (struct map_violations){ .frames = 1 };
	text = map_of(REPORT_TEXT, &sample.claims);
	check_holds(text,
		    "\ncheck: of the 1 frame mapped beyond the direct map none is writable and executable");
	cr_expect_null(strstr(text, "assumed"));
	free(text);
	violations = NULL;
}

Test(map, a_check_says_that_the_direct_map_is_assumed)
{
	struct map_violations none = { .frames = 1 };
	struct json_object *lines;
	char *text;

	violations = &none;
	text = map_of(REPORT_TEXT, NULL);
	check_lines(text);
	check_holds(
		text,
		"\ncheck: the direct map is assumed: GPA 0 at 0xffff888000000000, the distance of at least half "
		"of\n  memory; what it maps is no alias, and page tables may be written through it\ncheck: of the 1 frame");
	free(text);
	text = map_of(REPORT_JSON, NULL);
	lines = lines_of(text);
	cr_expect_str_eq(member(line_of_type(lines, "map", 0), "direct_map_assumed"), "true");
	json_object_put(lines);
	free(text);
	text = map_of(REPORT_JSON, &sample.claims);
	lines = lines_of(text);
	cr_expect_str_eq(member(line_of_type(lines, "map", 0), "direct_map_assumed"), "false");
	json_object_put(lines);
	free(text);
	violations = NULL;
}
