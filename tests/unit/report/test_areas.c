/* SPDX-License-Identifier: MIT */
/*
 * test_areas.c: each area with its claims, its page tables and its verdict.
 */
#include "sample.h"

#include "report/areas.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

/* Memory of 64 KiB at GPA 0; page tables for the first vmalloc pages: PML4 0x1000, PDPT 0x2000, PD 0x3000, PT
 * 0x4000. */
static uint64_t memory[8192] __attribute__((aligned(4096)));
static struct view view = {
	.regions =
		&(struct view_region){ .size = sizeof(memory), .bytes = (const uint8_t *)memory, .fd = -1 },
	.region_count = 1,
	.physical_bits = 40,
};
static const struct walk_mode mode = { .root = 0x1000, .levels = 4, .physical_bits = 40, .nx = true };
static struct sample sample;
static uint32_t findings[2];

static void init(void)
{
	sample_init(&sample);
	memory[0x1000 / 8 + 402] = 0x2003;
	memory[0x2000 / 8] = 0x3003;
	memory[0x3000 / 8] = 0x4003;
	for (unsigned int i = 0; i < 16; i++)
		memory[0x4000 / 8 + i] = (0x5003 + i * 0x1000) | PTE_NX;
	sample.areas[0].flags = VM_ALLOC | VM_ZERO;
	sample.areas[0].addr = SAMPLE_AREA;
	sample.areas[0].size = 0x10000 + KVMAP_GUARD_SIZE;
	sample.areas[0].caller = 0x1234;
}

static void destroy(void)
{
	sample_destroy(&sample);
}

TestSuite(areas, .init = init, .fini = destroy);

static char *areas_of(enum report_format format)
{
	struct report_areas about = { &sample.claims, &view, &mode, NULL, &sample.verdict, findings };
	char *text;
	size_t size;
	struct report report = report_begin(format, &text, &size);

	report_areas(&report, &about);
	report_end(&report);
	return text;
}

Test(areas, are_shown_as_linux_shows_them_with_the_tables_and_the_verdict_below)
{
	char *text = areas_of(REPORT_TEXT);

	check_lines(text);
	check_holds_format(text, "0xffffc90000000000-0x%lx %7lu 0x1234 pages=16 vmalloc zero N0=16\n",
			   SAMPLE_LAZY, SAMPLE_LAZY - SAMPLE_AREA);
	check_holds(
		text,
		"  tables: 16 pages rw- in 1 run from GPA 0x5000, guard 0xffffc90000010000 not mapped: ok\n");
	check_holds_format(text, " %7lu lazily freed pages=2 phys=0x", SAMPLE_END - SAMPLE_LAZY);
	check_holds_format(text, "  tables: nothing mapped, guard 0x%lx", SAMPLE_LAZY + 0x2000);
	check_holds(text, "\n2 areas, 0 of them wrong\n");
	free(text);
}

Test(areas, with_contiguous_frames_say_where_and_unknown_flags_are_numbers)
{
	char *text;

	for (unsigned int i = 0; i < 16; i++)
		sample.frames[i] = 5 + i;
	sample.areas[0].flags = VM_MAP | 0x40000000;
	text = areas_of(REPORT_TEXT);
	check_holds(text, " pages=16 phys=0x5000 vmap flags=0x40000000 N0=16\n");
	free(text);
}

Test(areas, with_findings_list_them)
{
	struct finding found[] = {
		{ .invariant = 3,
		  .address = SAMPLE_AREA + 0x10000,
		  .claimed = "guard page, not mapped",
		  .found = "GPA 0x9000, \033[1m",
		  .area = 1 },
		{ .invariant = 1,
		  .address = SAMPLE_AREA,
		  .claimed = "frame 0x5",
		  .found = "not mapped",
		  .area = 2 },
		{ .invariant = 4, .address = 0x7000, .claimed = "one owner", .found = "none" },
	};
	struct verdict kept = sample.verdict;
	struct json_object *lines, *line;
	char *text;

	memory[0x4000 / 8 + 16] = 0x9003;
	memory[0x4000 / 8 + 3] |= PTE_U; /* no right: the tables above do not have it */
	memory[0x4000 / 8 + 4] &= ~(uint64_t)PTE_W;
	sample.verdict.findings.items = found;
	sample.verdict.findings.count = 3;
	findings[0] = 1u << 3 | 1u << 5;
	text = areas_of(REPORT_TEXT);
	check_lines(text);
	check_holds(text, "16 pages r-- to rw- in 1 run");
	check_holds(text, "guard 0xffffc90000010000 MAPPED: V3");
	check_holds(
		text,
		"    V3 at 0xffffc90000010000: claimed guard page, not mapped; found GPA 0x9000, \\x1b[1m\n");
	check_holds(text, "2 areas, 1 of them wrong; and 1 finding about no area: see `kvmap verify`\n");
	free(text);
	text = areas_of(REPORT_JSON);
	lines = lines_of(text);
	line = line_of_type(lines, "area", 0);
	cr_expect_str_eq(member(line, "findings"), "[ \"V3\", \"V5\" ]");
	cr_expect_str_eq(member(line, "ok"), "false");
	cr_expect_str_eq(member(line, "flag_words"), "[ \"vmalloc\", \"zero\" ]");
	cr_expect_str_eq(member(line_of_type(lines, "area", 1), "ok"), "true");
	cr_expect_str_eq(member(line_of_type(lines, "areas", 0), "other_findings"), "1");
	json_object_put(lines);
	free(text);
	sample.verdict = kept;
	findings[0] = 0;
}

Test(areas, that_were_freed_and_are_still_mapped_are_wrong)
{
	struct json_object *lines;
	char *text;

	sample.areas[1].va_start = SAMPLE_AREA;
	sample.areas[1].va_end = SAMPLE_AREA + 0x2000 + KVMAP_GUARD_SIZE;
	text = areas_of(REPORT_JSON);
	lines = lines_of(text);
	cr_expect_str_eq(member(line_of_type(lines, "area", 1), "findings"), "[ \"V2\" ]");
	json_object_put(lines);
	free(text);
}
