/* SPDX-License-Identifier: MIT */
/*
 * test_source.c: map, walk and areas.
 */
#include "sample.h"

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

TestSuite(source, .init = init, .fini = destroy);

static struct range ranges[] = {
	{ .gva = 0xffff888000000000,
	  .size = 256 << 20,
	  .page_size = 2 << 20,
	  .rights = 3,
	  .leaves = 128,
	  .runs = 1 },
	{ .gva = SAMPLE_AREA,
	  .size = 0x10000,
	  .gpa = 0x1800000,
	  .page_size = 4096,
	  .rights = 3,
	  .leaves = 16,
	  .runs = 16 },
	{ .gva = 0xffffffff80200000,
	  .size = 0x4000,
	  .gpa = 0x200000,
	  .page_size = 4096,
	  .rights = 5,
	  .leaves = 4,
	  .runs = 1 },
};

static char *map_of(enum report_format format, const struct claims *claims)
{
	struct ranges all = { .items = ranges, .count = 3, .leaves = 148, .tables = 7 };
	char *text;
	size_t size;
	struct report report = report_begin(format, &text, &size);

	report_map(&report, &all, claims, NULL);
	report_end(&report);
	return text;
}

Test(source, the_map_labels_ranges_and_shows_the_guards_between_them)
{
	char *text = map_of(REPORT_TEXT, &sample.claims);

	check_lines(text);
	check_holds(text, "ffff888000000000     256 MiB  rw-  2M        1 run          0  direct map\n"
			  "ffffc90000000000      64 KiB  rw-  4K      16 runs    1800000  area of 64 KiB\n"
			  "ffffc90000010000       4 KiB  ---                              guard\n"
			  "ffffffff80200000      16 KiB  r-x  4K        1 run     200000  image: image\n");
	check_holds(text, "\n3 ranges, 148 leaf entries, 7 tables entered, no entries leading nowhere\n");
	free(text);
}

Test(source, a_map_without_claims_has_no_guards)
{
	char *text = map_of(REPORT_TEXT, NULL);

	cr_expect_null(strstr(text, "guard"));
	check_holds(text, "vmalloc range\n");
	free(text);
}

Test(source, a_mapped_guard_is_shown_as_such)
{
	struct range kept = ranges[1];
	char *text;

	ranges[1].size = 0x11000;
	text = map_of(REPORT_TEXT, &sample.claims);
	check_holds(text, "GUARD, AND MAPPED");
	ranges[1] = kept;
	free(text);
}

Test(source, the_map_as_json_has_a_line_for_each_range_and_guard)
{
	char *text = map_of(REPORT_JSON, &sample.claims);
	struct json_object *lines = lines_of(text);

	cr_expect_str_eq(member(line_of_type(lines, "range", 1), "rights"), "rw-");
	cr_expect_str_eq(member(line_of_type(lines, "range", 1), "runs"), "16");
	cr_expect_str_eq(member(line_of_type(lines, "guard", 0), "address"), "0xffffc90000010000");
	cr_expect_str_eq(member(line_of_type(lines, "map", 0), "leaves"), "148");
	json_object_put(lines);
	free(text);
}

/* Memory of 64 KiB at GPA 0 with tables for the first vmalloc page: PML4 0x1000, PDPT 0x2000, PD 0x3000, PT
 * 0x4000. */
static uint64_t memory[8192] __attribute__((aligned(4096)));
static struct view view = {
	.regions = { { .gpa = 0, .size = sizeof(memory), .bytes = (const uint8_t *)memory, .fd = -1 } },
	.region_count = 1,
	.cpu_count = 1,
	.physical_bits = 40,
};
static const struct walk_mode mode = { .root = 0x1000, .levels = 4, .physical_bits = 40, .nx = true };

static void make_tables(void)
{
	memory[0x1000 / 8 + 402] = 0x2003;
	memory[0x2000 / 8] = 0x3003;
	memory[0x3000 / 8] = 0x4003;
	memory[0x4000 / 8] = 0x5063 | PTE_NX | PTE_G;
}

static char *walk_of(enum report_format format, uint64_t gva)
{
	char *text;
	size_t size;
	struct report report = report_begin(format, &text, &size);
	struct walk walk;

	make_tables();
	walk_translate(&view, &mode, gva, &walk);
	report_walk(&report, &walk, &mode, &view, &sample.claims, NULL);
	report_end(&report);
	return text;
}

Test(source, a_walk_shows_every_level_raw_and_decoded)
{
	char *text = walk_of(REPORT_TEXT, SAMPLE_AREA + 0x123);

	check_lines(text);
	check_holds(text, "0xffffc90000000123: byte 0x123 of the 64 KiB area at 0xffffc90000000000\n");
	check_holds(text,
		    "  4 PML4   0x00000001000    402  0x0000000000002003  rwx     P W -> PDPT 0x2000\n");
	check_holds(
		text,
		"  1 PT     0x00000004000      0  0x8000000000005163  rw-     P W A D G NX -> page 0x5000\n");
	check_holds(text, "GPA   0x5123 in a 4K page, rights rw-\n");
	check_holds(text, "byte 0x5123 of the region of RAM at GPA 0x0, HVA 0x");
	free(text);
}

Test(source, a_walk_that_ends_says_where_and_why)
{
	char *text = walk_of(REPORT_TEXT, SAMPLE_AREA + 0x10000);

	check_lines(text);
	check_holds(text, "guard page of the 64 KiB area at 0xffffc90000000000\n");
	check_holds(text, "  1 PT     0x00000004000     16  0x0000000000000000  ---     not present\n");
	check_holds(text, "stops: not present at level PT\n");
	free(text);
	text = walk_of(REPORT_TEXT, 0x800000000000);
	check_holds(text, "stops: address not canonical\n");
	free(text);
}

Test(source, a_walk_as_json_has_a_line_for_each_level)
{
	char *text = walk_of(REPORT_JSON, SAMPLE_AREA);
	struct json_object *lines = lines_of(text);

	cr_expect_str_eq(member(line_of_type(lines, "level", 3), "entry"), "0x8000000000005163");
	cr_expect_null(line_of_type(lines, "level", 4));
	cr_expect_str_eq(member(line_of_type(lines, "walk", 0), "gpa"), "0x5000");
	cr_expect_str_eq(member(line_of_type(lines, "walk", 0), "mapped"), "true");
	json_object_put(lines);
	free(text);
}

static char *areas_of(enum report_format format)
{
	char *text;
	size_t size;
	struct report report = report_begin(format, &text, &size);

	make_tables();
	report_areas(&report, &sample.claims, &view, &mode, NULL);
	report_end(&report);
	return text;
}

Test(source, an_area_that_is_mapped_as_claimed_agrees_and_another_does_not)
{
	char *text;

	sample.areas[0].nr_pages = sample.areas[0].frame_count = 1;
	sample.areas[0].va_end = SAMPLE_AREA + 0x2000;
	sample.frames[0] = 5;
	text = areas_of(REPORT_TEXT);
	check_lines(text);
	check_holds(text, "tables  1 page mapped to the claimed frames\n");
	check_holds(text, "guard   0xffffc90000001000 is not mapped\n");
	check_holds(text, "tables  2 pages not mapped any more\n");
	free(text);
	sample.frames[0] = 6;
	text = areas_of(REPORT_TEXT);
	check_holds(text, "tables  1 page not as claimed, the first at 0xffffc90000000000\n");
	free(text);
}

Test(source, an_area_whose_guard_is_mapped_does_not_agree)
{
	struct json_object *lines;
	char *text;

	sample.areas[0].nr_pages = sample.areas[0].frame_count = 0;
	sample.areas[0].va_end = SAMPLE_AREA + 0x1000;
	text = areas_of(REPORT_JSON);
	lines = lines_of(text);
	cr_expect_str_eq(member(line_of_type(lines, "area", 0), "guard_mapped"), "true");
	cr_expect_str_eq(member(line_of_type(lines, "area", 0), "agrees"), "false");
	cr_expect_str_eq(member(line_of_type(lines, "area", 1), "agrees"), "true");
	json_object_put(lines);
	free(text);
}

Test(source, a_claim_of_billions_of_pages_costs_no_more_than_memory_has)
{
	struct json_object *lines;
	char *text;

	sample.areas[0].nr_pages = UINT32_MAX;
	text = areas_of(REPORT_JSON);
	lines = lines_of(text);
	cr_expect_str_eq(member(line_of_type(lines, "area", 0), "agrees"), "false");
	json_object_put(lines);
	free(text);
}
