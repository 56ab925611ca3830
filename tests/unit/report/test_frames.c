/* SPDX-License-Identifier: MIT */
/*
 * test_frames.c: what `frames` prints.
 */
#include "sample.h"

#include "report/frames.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct frame_run runs[] = {
	{ .pfn = 0, .count = 100, .kind = OWNER_RESERVED },
	{ .pfn = 100, .count = 100, .kind = OWNER_AREA, .of = SAMPLE_AREA },
	{ .pfn = 200, .count = 1, .kind = OWNER_SLAB, .of = 3 },
	{ .pfn = 201, .count = 65335, .kind = OWNER_FRESH },
	{ .pfn = 0x100000, .count = 1024, .kind = OWNER_FREE },
};
static struct frames frames;
static struct frame_scatter scatter;

static void init(void)
{
	frames = (struct frames){ .runs = { runs, 5, 5 }, .from_claims = true };
	for (size_t i = 0; i < frames.runs.count; i++) {
		frames.total += runs[i].count;
		frames.by_kind[runs[i].kind] += runs[i].count;
	}
	scatter = (struct frame_scatter){
		.pages = 20, .ranges = 2, .next = 12, .distances = { [4] = 6 }, .runs = 8, .longest = 5
	};
	scatter.lengths[0] = 7;
	scatter.lengths[2] = 1;
}

TestSuite(report_frames, .init = init);

static char *frames_of(enum report_format format, unsigned int columns)
{
	struct report_frames about = {
		.frames = &frames, .scatter = &scatter, .scatter_of = "Pages of a test", .columns = columns
	};
	char *text;
	size_t size;
	struct report report = report_begin(format, &text, &size);

	report_frames(&report, &about);
	report_end(&report);
	return text;
}

Test(report_frames, are_counted_by_owner)
{
	char *text = frames_of(REPORT_TEXT, 80);

	check_lines(text);
	check_holds(text, "66,560 page frames by owner, as the guest claims\n");
	check_holds(text, "  .  free, never used             65,335");
	check_holds(text, "  a  live area                       100       400 KiB    0.2%\n");
	cr_expect_null(strstr(text, "held"));
	free(text);
}

Test(report_frames, are_drawn_in_a_map_that_fits_the_terminal)
{
	char *text = frames_of(REPORT_TEXT, 80);

	/* 128 frames a character: 100 reserved and 28 of the area; 72 of the area, 1 slab, 55 free. */
	check_holds(text,
		    "  0000000000 |RA..............................................................|\n"
		    "  0002000000 |................................................................|\n"
		    "  ... 6 more rows alike\n"
		    "  0100000000 |........                                                        |\n");
	free(text);
	text = frames_of(REPORT_TEXT, 40);
	check_holds(text, "  0000000000 |r...............|\n");
	free(text);
	text = frames_of(REPORT_TEXT, 400);
	check_holds(text, "  0000000000 |RRRAAAa");
	free(text);
}

Test(report_frames, without_an_owner_are_seen_in_the_map_among_all_others)
{
	char *text;

	runs[2].kind = FRAME_NO_OWNER;
	text = frames_of(REPORT_TEXT, 80);
	check_holds(text, "  0000000000 |R?....");
	free(text);
}

Test(report_frames, have_histograms)
{
	char *text = frames_of(REPORT_TEXT, 80);

	check_holds(text, "Pages of a test, as the tables map them: 20 pages in 2 ranges, in 8 physically");
	check_holds(text,
		    "      the next frame            12   66.7%  ########################################\n"
		    "            16 to 31             6   33.3%  ####################\n");
	check_holds(text,
		    "                   1             7   87.5%  ########################################\n"
		    "              4 to 7             1   12.5%  ######\n");
	free(text);
}

Test(report_frames, as_json_are_runs_owners_and_a_sum)
{
	char *text = frames_of(REPORT_JSON, 80);
	struct json_object *lines = lines_of(text);

	cr_expect_str_eq(member(line_of_type(lines, "frame_run", 1), "gpa"), "0x64000");
	cr_expect_str_eq(member(line_of_type(lines, "frame_run", 1), "area"), "0xffffc90000000000");
	cr_expect_str_eq(member(line_of_type(lines, "frame_run", 4), "frames"), "1024");
	cr_expect_str_eq(member(line_of_type(lines, "frame_owner", 0), "owner"), "free");
	cr_expect_str_eq(member(line_of_type(lines, "frames", 0), "frames"), "66560");
	cr_expect_str_eq(member(line_of_type(lines, "scatter", 0), "distances"),
			 "[ { \"from\": 16, \"count\": 6 } ]");
	json_object_put(lines);
	free(text);
}

/* ---- one frame ---- */

static struct frame_reach reaches[] = {
	{ .gva = 0xffff888000005000,
	  .entry = 0x80000000000000e3,
	  .table = 0x3000,
	  .level = 2,
	  .rights = 3,
	  .is_leaf = true },
	{ .gva = SAMPLE_AREA,
	  .entry = 0x5003,
	  .table = 0x4000,
	  .index = 7,
	  .level = 1,
	  .rights = 7,
	  .is_leaf = true },
	{ .gva = 0xffffe00000000000, .entry = 0x5063, .table = 0x1000, .index = 448, .level = 4 },
	{ .level = 0 },
};

static char *frame_of(enum report_format format, const struct sample *sample, uint64_t leaves)
{
	struct frame_reaches all = { .list = { reaches, 4, 4 }, .leaves = leaves, .tables = 2 };
	struct keyed claimed[] = {
		{ 1, 8, OWNER_TAG(OWNER_FREE, 0) },
		{ 4, 1, OWNER_TAG(OWNER_HELD, 0) },
		{ 5, 0, OWNER_TAG(OWNER_AREA, 0) },
	};
	struct owners owners = { .list = { .items = claimed, .count = 3, .capacity = 3 } };
	struct frame_run run = { .pfn = 5, .count = 1, .kind = FRAME_SEVERAL };
	struct report_frame about = { .pfn = 5,
				      .run = &run,
				      .reaches = &all,
				      .claims = sample ? &sample->claims : NULL,
				      .owners = &owners };
	char *text;
	size_t size;
	struct report report = report_begin(format, &text, &size);

	report_frame(&report, &about);
	report_end(&report);
	return text;
}

Test(report_frames, one_frame_shows_all_its_claims_and_all_that_leads_to_it)
{
	struct claim_page page = { .pfn = 5, .owner = PAGE_VMALLOC, .next = 9, .vaddr = SAMPLE_AREA };
	struct sample sample;
	char *text;

	sample_init(&sample);
	sample.claims.pages.items = &page;
	sample.claims.pages.count = 1;
	text = frame_of(REPORT_TEXT, &sample, 2);
	check_lines(text);
	check_holds(text, "Frame 0x5, GPA 0x5000: several owners\n"
			  "  claimed by    free: frame 4 of 8 from 0x1\n"
			  "  claimed by    live area: page 0 of the 64 KiB area at 0xffffc90000000000\n"
			  "  struct page   owner vmalloc, order 0, cache 0, next 0x9,");
	check_holds(text, "  reached       at 2 addresses, 2 times as a page table\n");
	check_holds(
		text,
		"  0xffff888000005000  rw-  2M, by entry 0 of table 0x3000, 0x80000000000000e3: direct map");
	check_holds(
		text,
		"  0xffffc90000000000  rwx  4K, by entry 7 of table 0x4000, 0x0000000000005003: byte 0x0 of");
	check_holds(text, "  0xffffe00000000000  table of level 3, by entry 448 of table 0x1000,");
	check_holds(text, "  CR3 points to it: the top table\n");
	cr_expect_null(strstr(text, "more"));
	free(text);
	sample.claims.pages.items = NULL;
	sample.claims.pages.count = 0;
	sample_destroy(&sample);
}

Test(report_frames, one_frame_says_how_much_of_the_list_is_left_out)
{
	char *text = frame_of(REPORT_TEXT, NULL, 1000002);
	struct json_object *lines;

	check_lines(text);
	check_holds(text, "  reached       at 1,000,002 addresses, 2 times as a page table\n");
	check_holds(text, "  and 1,000,000 more (--all lists them)\n");
	cr_expect_null(strstr(text, "claimed by"));
	free(text);
	text = frame_of(REPORT_JSON, NULL, 1000002);
	lines = lines_of(text);
	cr_expect_str_eq(member(line_of_type(lines, "frame", 0), "pages"), "1000002");
	cr_expect_str_eq(member(line_of_type(lines, "frame", 0), "listed"), "4");
	cr_expect_str_eq(member(line_of_type(lines, "frame_reach", 1), "entry"), "0x5003");
	cr_expect_str_eq(member(line_of_type(lines, "frame_reach", 3), "as"), "cr3");
	json_object_put(lines);
	free(text);
}
