/* SPDX-License-Identifier: MIT */
/*
 * test_picture.c: kmalloc, slabs and nodes in the picture and the totals; free blocks in a refusal.
 */
#include "sample.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct sample sample;
/* The area's own frames, then the slab's two. */
static uint32_t frames[20];
static struct claim_page pages[] = {
	{ .pfn = 0x1808, .owner = PAGE_SLAB, .cache = 3 },
	{ .pfn = 0x1860, .owner = PAGE_KMALLOC, .order = 2 },
};
static struct kvmap_record records[3];

static void fill_kmalloc(struct claims *claims)
{
	memcpy(frames, sample.frames, 18 * sizeof(frames[0]));
	frames[18] = 0x1808;
	claims->frames.items = frames;
	claims->frames.count = 19;
	claims->pages.items = pages;
	claims->pages.count = 2;
	claims->caches[0] = (struct claim_cache){ .name = "kmalloc-96",
						  .index = 3,
						  .object_size = 96,
						  .nr_slabs = 1,
						  .order = 1,
						  .first_frame = 18,
						  .frame_count = 1,
						  .free_objects = 80 };
	claims->cache_count = 1;
	/* In the second frame of the slab. */
	sample.variables[0] = (struct claim_variable){ .address = KVMAP_DIRECT_BASE + 0x1809060,
						       .size = 90,
						       .state = VARIABLE_LIVE };
	sample.variables[1] = (struct claim_variable){ .address = KVMAP_DIRECT_BASE + 0x1860000,
						       .size = 0x4000,
						       .state = VARIABLE_LIVE };
}

static void init(void)
{
	sample_init(&sample);
	fill_kmalloc(&sample.claims);
}

static void destroy(void)
{
	sample_destroy(&sample);
}

TestSuite(picture, .init = init, .fini = destroy);

static char *shown(void)
{
	char *text = report_text_of(&sample, REPORT_TEXT, false);

	check_lines(text);
	return text;
}

Test(picture, objects_blocks_and_slabs_are_shown)
{
	char *text = shown();

	check_holds(text, "\n  slabs       5 objects in use in 1 slab (2 frames) of 1 cache\n");
	check_holds(text, "\n  blocks      1 of alloc_pages() or large kmalloc(), 4 frames\n");
	check_holds(text, "\n  a = 0xffff888001809060, 90 bytes: an object of kmalloc-96\n");
	check_holds(text, "\n      0x1809\n");
	check_holds(text, "\n  b = 0xffff888001860000, 16 KiB: a block of 4 frames\n");
	check_holds(text, "\n      0x1860+3\n");
	check_holds(text, "\n  slabs of kmalloc-96: 1 slab, 85 objects, 5 in use\n");
	check_holds(text, "\n      0x1808+1\n");
	free(text);
}

Test(picture, of_a_variable_that_holds_none_shows_nothing)
{
	static const uint64_t others[] = { 0, KVMAP_DIRECT_BASE - 1, KVMAP_DIRECT_BASE + 0x1900000,
					   UINT64_MAX };
	char *text;

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		sample.variables[0].address = others[i];
		text = shown();
		cr_expect_null(strstr(text, "\n  a = 0xffff888"));
		check_holds(text, "  b = 0xffff888001860000");
		free(text);
	}
	sample.variables[1].state = VARIABLE_FREED;
	text = shown();
	cr_expect_null(strstr(text, "\n  b = 0xffff888"));
	free(text);
	/* An impossible order of a block is not believed. */
	sample.variables[1].state = VARIABLE_LIVE;
	pages[1].order = 99;
	text = shown();
	cr_expect_null(strstr(text, "\n  b = 0xffff888"));
	free(text);
	pages[1].order = 2;
}

Test(picture, nodes_are_shown_where_there_are_several)
{
	char *text = shown();

	cr_expect_null(strstr(text, "node"));
	free(text);
	sample.claims.numa_node_count = 2;
	sample.claims.zone_count = 2;
	sample.claims.zones[0] = (struct claim_zone){ .start_pfn = 0x1000, .end_pfn = 0x1825 };
	sample.claims.zones[1] =
		(struct claim_zone){ .start_pfn = 0x1825, .end_pfn = 0x2000, .numa_node = 1 };
	text = shown();
	check_holds(text, "      |000000000000000000*111111111111111111111111111111111111111111111|\n");
	check_holds(text, ": an object of kmalloc-96, on node 0\n");
	check_holds(text, ": a block of 4 frames, on node 1\n");
	check_holds(text, ": 16 frames in 16 runs, 6 on node 0, 10 on node 1\n");
	free(text);
}

Test(picture, in_json_has_objects_slabs_and_nodes)
{
	char *text;
	struct json_object *lines, *line;

	sample.claims.numa_node_count = 2;
	sample.claims.zone_count = 1;
	sample.claims.zones[0] =
		(struct claim_zone){ .start_pfn = 0x1000, .end_pfn = 0x2000, .numa_node = 1 };
	text = report_text_of(&sample, REPORT_JSON, false);
	lines = lines_of(text);
	line = line_of_type(lines, "object", 0);
	cr_expect_str_eq(member(line, "variable"), "a");
	cr_expect_str_eq(member(line, "cache"), "kmalloc-96");
	cr_expect_str_eq(member(line, "frames"), "[ { \"gpa\": \"0x1809000\", \"pages\": 1, \"node\": 1 } ]");
	line = line_of_type(lines, "object", 1);
	cr_expect_str_eq(member(line, "cache"), "");
	cr_expect_str_eq(member(line, "frames"), "[ { \"gpa\": \"0x1860000\", \"pages\": 4, \"node\": 1 } ]");
	line = line_of_type(lines, "slabs", 0);
	cr_expect_str_eq(member(line, "objects"), "85");
	cr_expect_str_eq(member(line, "free_objects"), "80");
	line = line_of_type(lines, "totals", 0);
	cr_expect_str_eq(member(line, "slab_objects"), "5");
	cr_expect_str_eq(member(line, "block_frames"), "4");
	json_object_put(lines);
	free(text);
}

/* Records of the step that was refused: two zones of node 0, one of node 1, and one of another operation. */
static void fill_free_blocks(void)
{
	sample.steps[7].warning.status = KVMAP_REFUSED_NO_MEMORY;
	records[0] = (struct kvmap_record){ .operation = 7, .status = ZONE_DMA, .value = { 3 | 2ull << 32 } };
	records[1] = (struct kvmap_record){ .operation = 7, .status = ZONE_DMA, .value = { 9, 1 } };
	records[2] = (struct kvmap_record){
		.operation = 7, .status = ZONE_NORMAL, .detail = 1, .value = { [5] = 1 }
	};
	sample.run.free_blocks = records;
	sample.run.free_block_count = 3;
}

Test(picture, a_refusal_has_the_free_blocks_of_its_moment)
{
	char *text;

	fill_free_blocks();
	text = shown();
	check_holds(text, "\n      Free blocks of order 0 to 10 then, as in /proc/buddyinfo:\n"
			  "      Node 0, zone    DMA  12  2  1  0  0  0  0  0  0  0  0\n"
			  "      Node 1, zone Normal   0  0  0  0  0  0  0  0  0  0  1\n");
	free(text);
	memset(records[0].value, 0, sizeof(records[0].value));
	sample.run.free_block_count = 1;
	text = shown();
	check_holds(text, "\n      No frame was free in any zone then.\n");
	free(text);
	records[0].operation = 6;
	text = shown();
	cr_expect_null(strstr(text, "buddyinfo"));
	cr_expect_null(strstr(text, "was free"));
	free(text);
}

Test(picture, a_refusal_in_json_has_them_as_proc_has)
{
	char *text;
	struct json_object *lines, *line;

	fill_free_blocks();
	text = report_text_of(&sample, REPORT_JSON, false);
	lines = lines_of(text);
	line = line_of_type(lines, "buddyinfo", 0);
	cr_expect_str_eq(member(line, "operation"), "7");
	cr_expect_str_eq(member(line, "zone"), "DMA");
	cr_expect_str_eq(member(line, "free"), "[ 12, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0 ]");
	line = line_of_type(lines, "buddyinfo", 1);
	cr_expect_str_eq(member(line, "node"), "1");
	json_object_put(lines);
	free(text);
}
