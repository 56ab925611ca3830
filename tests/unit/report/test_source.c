/* SPDX-License-Identifier: MIT */
/*
 * test_source.c: map and walk.
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
	static const struct map_direct direct = { true, 0xffff888000000000 };
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

Test(source, the_map_labels_ranges_and_shows_the_guards_between_them)
{
	char *text = map_of(REPORT_TEXT, &sample.claims);

	check_lines(text);
	check_holds(
		text,
		"ffff888000000000    256 MiB  rw-  2M 100  50       1         0  direct map\n"
		"ffffc90000000000     64 KiB  rw-  4K   6   -      16   1800000  area\n"
		"ffffc90000010000      4 KiB  ---                                guard\n"
		"ffffffff80200000     16 KiB  r-x  4K   -   -       1    200000  image, outside its segments\n");
	check_holds(text, "\n3 ranges, 148 leaf entries, 7 tables entered, no entries leading nowhere\n");
	free(text);
}

Test(source, a_map_of_an_unknown_guest_has_neither_labels_nor_guards)
{
	char *text = map_of(REPORT_TEXT, NULL);

	cr_expect_null(strstr(text, "guard"));
	check_holds(text, "     16   1800000\n");
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

Test(source, a_map_names_memory_that_is_not_cached_and_keys)
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
		    "\nmemory types by the PAT register as after a reset: the source does not hold it\n");
	free(text);
	cpu.has_pat = true;
	ranges[0] = kept;
}

Test(source, a_folded_map_says_how_often_and_how_far)
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
	check_holds(text, "\n                 ... this 30 times, one every 12 KiB, up to ffffe00000058fff\n");
	check_holds(text, "; folded, --all shows each\n");
	free(text);
	for (unsigned int i = 0; i < 30; i++) {
		many[i].gva += i * i * 0x1000;
		many[i].size += i % 4 * 0x1000;
	}
	text = map_of_ranges(REPORT_TEXT, NULL, many, 30, true);
	check_lines(text);
	check_holds(text, "ffffe00000000000    412 KiB  rw-  4K");
	check_holds(text, " -ffffe000003a2fff  30 of 8K to 20K\n");
	free(text);
	text = map_of_ranges(REPORT_TEXT, NULL, many, 30, false);
	cr_expect_null(strstr(text, "30 of"));
	free(text);
}

Test(source, a_map_says_what_no_map_should_have)
{
	struct map_violation items[25] = {
		{ MAP_WRITABLE_EXECUTABLE, 0x1000, 0x2000, 1, { { 0x10000, 7 } } },
		{ MAP_WRITABLE_ELSEWHERE, 0x3000, 0x1000, 2, { { 0x20000, 5 }, { 0x30000, 3 } } },
		{ MAP_ALIAS, 0x4000, 0x1000, 9, { { 0x40000, 1 }, { 0x50000, 3 } } },
	};
	struct map_violations all = { .items = items, .count = 3, .frames = 1234 };
	struct json_object *lines;
	char *text;

	violations = &all;
	text = map_of(REPORT_TEXT, &sample.claims);
	check_lines(text);
	check_holds(
		text,
		"\ncheck: 1,234 frames mapped beyond the direct map\n"
		"  writable and executable: 0000000000010000, 8 KiB, rwx\n"
		"  executable at 0000000000020000 (r-x), writable at 0000000000030000 (rw-): 4 KiB from GPA 0x3000\n"
		"  mapped 9 times, at 0000000000040000 (r--) and 0000000000050000 (rw-): 4 KiB from GPA 0x4000\n");
	free(text);
	text = map_of(REPORT_JSON, &sample.claims);
	lines = lines_of(text);
	cr_expect_str_eq(member(line_of_type(lines, "violation", 1), "fault"), "writable_elsewhere");
	cr_expect_str_eq(member(line_of_type(lines, "violation", 2), "mappings"), "9");
	cr_expect_str_eq(member(line_of_type(lines, "map", 0), "violations"), "3");
	json_object_put(lines);
	free(text);

	for (unsigned int i = 3; i < 25; i++)
		items[i] = items[0];
	all.count = 25;
	text = map_of_ranges(REPORT_TEXT, &sample.claims, ranges, 3, true);
	check_holds(text, "\n  and 5 more of these (--all)\n");
	free(text);
	all = (struct map_violations){ .frames = 1 };
	text = map_of(REPORT_TEXT, &sample.claims);
	check_holds(text,
		    "\ncheck: of the 1 frame mapped beyond the direct map none is writable and executable");
	free(text);
	violations = NULL;
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
	check_holds(text, "CPU 0: 4-level tables from CR3 0x1000, GPAs of 40 bits; "
			  "on: WP NXE SMEP; off: SMAP PKE PKS\n");
	check_holds(text,
		    "\nGPA     0x5123 in a 4K page, rights rw-, WB memory (PAT entry 0 as after a reset: ");
	check_holds(text, "\nslot    byte 0x5123 of the 64 KiB of memory at GPA 0x0\nHVA     0x");
	check_holds(text, "\nHPA     not seen: not asked for\n");
	check_holds(text,
		    "\nwho may       read                    write                   execute\n"
		    "  supervisor  yes                     yes                     no: NX\n"
		    "  user        no: supervisor page     no: supervisor page     no: supervisor page\n");
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

Test(source, a_walk_decodes_every_bit_of_an_entry)
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

Test(source, a_walk_names_the_memory_type_of_the_page)
{
	expect_walk(0x5001, ", WB memory (PAT entry 0)\n");
	expect_walk(0x5009, ", WC memory (PAT entry 1)\n");
	expect_walk(0x5011, ", UC- memory (PAT entry 2)\n");
	expect_walk(0x5019, ", UC memory (PAT entry 3)\n");
	expect_walk(0x5089, ", WP memory (PAT entry 5)\n");
	expect_walk(0x5099, ", WT memory (PAT entry 7)\n");
}

Test(source, a_walk_says_why_a_bit_is_reserved)
{
	expect_walk(
		0x5001 | 1ull << 45,
		"stops: reserved bit set at level PT: 0x200000000000 (address bits above the 40 that there are)");
}

Test(source, a_walk_leads_out_of_the_guest_where_there_is_no_memory)
{
	expect_walk(0x10000001, "slot    none: no memory is there");
}

Test(source, a_walk_goes_on_through_the_second_stage_where_that_is_seen)
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
