/* SPDX-License-Identifier: MIT */
/*
 * test_walk.c: `walk`.
 */
#include "sample.h"

#include "report/walk.h"

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

TestSuite(walk, .init = init, .fini = destroy);

/* Memory of 64 KiB at GPA 0 with tables for the first vmalloc page: PML4 0x1000, PDPT 0x2000, PD 0x3000, PT
 * 0x4000. */
static uint64_t memory[8192] __attribute__((aligned(4096)));
static struct view view = {
	.regions =
		&(struct view_region){ .size = sizeof(memory), .bytes = (const uint8_t *)memory, .fd = -1 },
	.region_count = 1,
	.cpus = &(struct view_cpu){ 0 },
	.cpu_count = 1,
	.physical_bits = 40,
};
static const struct walk_mode mode = {
	.root = 0x1000, .levels = 4, .physical_bits = 40, .nx = true, .keys = true
};

static struct access_rules rules = { .write_protect = true, .no_execute = true, .smep = true };
static const struct stage2 *stage2;

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
	const struct report_walk input = {
		.walk = &walk,
		.mode = &mode,
		.view = &view,
		.rules = &rules,
		.claims = &sample.claims,
		.stage2 = stage2,
		.no_stage2 = "not asked for",
	};

	make_tables();
	walk_translate(&view, &mode, gva, &walk);
	report_walk(&report, &input);
	report_end(&report);
	return text;
}

Test(walk, a_walk_shows_every_level_raw_and_decoded)
{
	char *text = walk_of(REPORT_TEXT, SAMPLE_AREA + 0x123);

	check_lines(text);
	check_holds(text, "0xffffc90000000123: byte 0x123 of the 64 KiB area at 0xffffc90000000000\n");
	check_holds(text,
		    "  4 PML4   0x00000001000    402  0x0000000000002003  rwx     P W -> PDPT 0x2000\n");
	check_holds(
		text,
		"  1 PT     0x00000004000      0  0x8000000000005163  rw-     P W A D G NX -> page 0x5000\n");
	check_holds(text, "CPU 0: 4-level tables from CR3 0x1000, MAXPHYADDR 40; "
			  "on: WP NXE SMEP; off: SMAP PKE PKS\n");
	check_holds(
		text,
		"\nGPA     0x5123 in a 4K page, rights rw-, WB memory (PAT entry 0 as of the PAT register ");
	check_holds(text, "\nslot    byte 0x5123 of the 64 KiB of memory at GPA 0x0\nHVA     0x");
	check_holds(text, "\nHPA     not seen: not asked for\n");
	check_holds(text,
		    "\naccess        read                    write                   execute\n"
		    "  supervisor  yes                     yes                     no: NX\n"
		    "  user        no: supervisor page     no: supervisor page     no: supervisor page\n");
	free(text);
}

Test(walk, a_walk_that_ends_says_where_and_why)
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

Test(walk, a_walk_as_json_has_a_line_for_each_level)
{
	char *text = walk_of(REPORT_JSON, SAMPLE_AREA);
	struct json_object *lines = lines_of(text);

	cr_expect_str_eq(member(line_of_type(lines, "level", 3), "entry"), "0x8000000000005163");
	cr_expect_null(line_of_type(lines, "level", 4));
	cr_expect_str_eq(member(line_of_type(lines, "walk", 0), "gpa"), "0x5000");
	cr_expect_str_eq(member(line_of_type(lines, "walk", 0), "mapped"), "true");
	cr_expect_str_eq(member(line_of_type(lines, "walk", 0), "memory_type"), "WB");
	cr_expect_str_eq(member(line_of_type(lines, "walk", 0), "pat_known"), "false");
	cr_expect_str_eq(member(line_of_type(lines, "walk", 0), "second_stage_why"), "not asked for");
	cr_expect_not_null(strstr(text, "\"supervisor_may\":{\"read\":\"yes\",\"write\":\"yes\","
					"\"execute\":\"no: NX\"}"));
	json_object_put(lines);
	free(text);
}

/* What is said of the one page when its entry is `entry`. */
static void expect_walk(uint64_t entry, const char *part)
{
	static uint64_t other[8192] __attribute__((aligned(4096)));
	struct view changed = view;
	char *text;
	size_t size;
	struct report report = report_begin(REPORT_TEXT, &text, &size);
	struct walk walk;
	const struct report_walk input = {
		.walk = &walk,
		.mode = &mode,
		.view = &changed,
		.rules = &rules,
		.stage2 = stage2,
		.no_stage2 = "not asked for",
	};

	make_tables();
	memcpy(other, memory, sizeof(other));
	other[0x1000 / 8 + 402] |= PTE_U;
	other[0x2000 / 8] |= PTE_U;
	other[0x3000 / 8] |= PTE_U;
	other[0x4000 / 8] = entry;
	changed.regions[0].bytes = (const uint8_t *)other;
	changed.cpus[0].pat = 0x0407050600070106;
	changed.cpus[0].has_pat = true;
	walk_translate(&changed, &mode, SAMPLE_AREA, &walk);
	report_walk(&report, &input);
	report_end(&report);
	check_lines(text);
	check_holds(text, part);
	free(text);
}

Test(walk, a_walk_decodes_every_bit_of_an_entry)
{
	expect_walk(0x5001, "P -> page 0x5000\n");
	expect_walk(0x51ff | PTE_NX, "P W U PWT PCD A D G PAT NX -> page");
	expect_walk(0x5e01, "P AVL 9,10,11 -> page 0x5000\n");
	expect_walk(0x5001 | 1ull << 52 | 1ull << 59, "P AVL 52,59 -> page 0x5000\n");
	expect_walk(0x5000, "not present, other bits set\n");
	rules.user_keys = true;
	expect_walk(0x5005 | 7ull << 59, "P U key 7 -> page 0x5000\n");
	expect_walk(0x5005 | 7ull << 59, "rights r-xu, key 7, WB memory");
	/* A supervisor's page has none of PKRU's keys. */
	expect_walk(0x5001 | 3ull << 59, "P AVL 59,60 -> page 0x5000\n");
	rules.user_keys = false;
}

Test(walk, a_walk_names_the_memory_type_of_the_page)
{
	expect_walk(0x5001, ", WB memory (PAT entry 0)\n");
	expect_walk(0x5009, ", WC memory (PAT entry 1)\n");
	expect_walk(0x5011, ", UC- memory (PAT entry 2)\n");
	expect_walk(0x5019, ", UC memory (PAT entry 3)\n");
	expect_walk(0x5089, ", WP memory (PAT entry 5)\n");
	expect_walk(0x5099, ", WT memory (PAT entry 7)\n");
}

Test(walk, a_walk_says_why_a_bit_is_reserved)
{
	expect_walk(
		0x5001 | 1ull << 45,
		"stops: reserved bit set at level PT: 0x200000000000 (address bits above the 40 that there are)");
}

Test(walk, a_walk_leads_out_of_the_guest_where_there_is_no_memory)
{
	expect_walk(0x10000001, "slot    none: there is no memory");
}

Test(walk, a_walk_goes_on_through_the_second_stage_where_that_is_seen)
{
	struct json_object *lines;
	char *text;

	static struct stage2_leaf leaf = { .gpa = 0, .entry = 0x80000000122008e7, .level = 2 };
	static struct stage2_upper upper = { .gpa = 0, .entry = 0x1234867, .level = 3 };
	static struct stage2 npt = {
		.format = { STAGE2_NPT, 48, 0 },
		.leaves = { .items = &leaf, .count = 1 },
		.uppers = { .items = &upper, .count = 1 },
	};

	stage2 = &npt;
	text = walk_of(REPORT_TEXT, SAMPLE_AREA + 0x123);
	check_holds(text, "\nNPT     level 3  0x0000000001234867  P W U A\n"
			  "        level 2  0x80000000122008e7  P W U A NX PS D\n"
			  "HPA     0x12205123 in a 2M page; 4K in effect\n");
	free(text);
	text = walk_of(REPORT_JSON, SAMPLE_AREA + 0x123);
	lines = lines_of(text);
	cr_expect_str_eq(member(line_of_type(lines, "second_stage_level", 0), "kind"), "NPT");
	cr_expect_str_eq(member(line_of_type(lines, "second_stage_level", 1), "entry"), "0x80000000122008e7");
	cr_expect_str_eq(member(line_of_type(lines, "walk", 0), "hpa"), "0x12205123");
	json_object_put(lines);
	free(text);
	npt.leaves.count = 0;
	text = walk_of(REPORT_TEXT, SAMPLE_AREA + 0x123);
	check_holds(text, "\nHPA     none yet: the second stage maps no page there\n");
	free(text);
}
