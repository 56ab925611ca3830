/* SPDX-License-Identifier: MIT */
/*
 * test_map.c: what ranges are, what is shown of them, and how a map is folded.
 */
#include "base/array.h"
#include "inspect/address.h"
#include "inspect/map_fold.h"
#include "kvmap/layout.h"
#include "tables.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Instead of a guest's ELF file: one segment of text; function_1 .. called from each address. */
static const struct symbols_segment segment = {
	.gva = KVMAP_IMAGE_BASE + 0x200000, .gpa = 0x200000, .memory_size = 4 * K4, .executable = true
};
static unsigned int described;

size_t symbols_segments(const struct symbols *symbols, const struct symbols_segment **out)
{
	(void)symbols;
	*out = &segment;
	return 1;
}

static bool own = true;

bool symbols_are_own(const struct symbols *symbols)
{
	(void)symbols;
	return own;
}

const char *symbols_describe(struct symbols *symbols, uint64_t address, char *out, size_t size)
{
	(void)symbols;
	described++;
	snprintf(out, size, "function_%lu+0x12 (file.c:1)", address);
	return out;
}

static struct symbols *const some_symbols = (struct symbols *)&segment;

static struct tables t;
static struct ranges ranges;
static struct memory_map map;
static struct map_lines lines;
static struct claims claims;
static struct symbols *symbols;
static const struct map_filter all = { .end = UINT64_MAX };

static void init(void)
{
	tables_init(&t, 4);
}

static void forget(void)
{
	map_lines_destroy(&lines);
	map_destroy(&map);
	ranges_destroy(&ranges);
}

static void done(void)
{
	forget();
	free(claims.areas.items);
	free(claims.places.items);
	claims = (struct claims){ 0 };
	tables_destroy(&t);
}

TestSuite(map, .init = init, .fini = done);

static void add_area(uint64_t start, unsigned int pages, enum area_state state, uint64_t caller)
{
	const struct claim_area area = {
		.state = state,
		.va_start = start,
		.va_end = start + pages * K4 + KVMAP_GUARD_SIZE,
		.caller = caller,
	};

	cr_assert_eq(array_push(&claims.areas, area), 0);
	cr_assert_eq(claims_set_places(&claims), 0);
}

static void build(const struct claims *use, const struct map_filter *filter, bool fold)
{
	struct map_direct direct;
	struct error error;
	uint64_t *breaks;
	size_t count;

	forget();
	breaks = claims_area_starts(use, &count);
	cr_assert_eq(ranges_collect(&t.view, &t.mode, 0, ~0ull, breaks, count, &ranges, &error), 0);
	free(breaks);
	direct = map_direct(&ranges, &t.view, use);
	cr_assert_eq(map_build(&ranges, &direct, use, symbols, filter, &map, &error), 0);
	cr_assert_eq(map_fold(&map, fold, &lines, &error), 0);
}

static void expect_item(size_t i, enum address_kind kind, uint64_t start, uint64_t size)
{
	const struct map_item *item = &map.items.items[i];

	cr_assert_lt(i, map.items.count);
	cr_expect(item->kind == kind && item->start == start && item->size == size,
		  "item %zu: expected %s 0x%lx+0x%lx, found %s 0x%lx+0x%lx", i, address_kind_name(kind),
		  start, size, address_kind_name(item->kind), item->start, item->size);
}

/* ---- what a range is ---- */

static void make_a_guest(void)
{
	add_area(VMALLOC, 4, AREA_LIVE, 0x1234);
	add_area(VMALLOC + 0x10000, 1, AREA_LIVE, 0x5678);
	add_area(VMALLOC + 0x8000, 2, AREA_LAZY, 0x1234);
	tables_map_pages(&t, 0x5000, 0x5000, 1, PTE_W);
	tables_map(&t, KVMAP_DIRECT_BASE, 0, 2, PTE_W | PTE_NX);
	tables_map_pages(&t, KVMAP_DIRECT_BASE + M2, 0x3000, 1, PTE_W);
	tables_map_pages(&t, VMALLOC, 0x100000, 4, PTE_W | PTE_NX);
	tables_map_pages(&t, VMALLOC + 0x8000, 0x110000, 1, PTE_W | PTE_NX);
	tables_map_pages(&t, VMALLOC + 0x10000, 0x120000, 2, PTE_W | PTE_NX);
	tables_map_pages(&t, VMALLOC + 0x20000, 0x130000, 1, PTE_W | PTE_NX);
	tables_map_pages(&t, KVMAP_IMAGE_BASE + 0x200000, 0x200000, 1, 0);
}

Test(map, says_what_each_range_is_by_the_claims)
{
	make_a_guest();
	build(&claims, &all, false);
	cr_assert_eq(map.items.count, 10);
	expect_item(0, ADDRESS_NOTHING, 0x5000, K4);
	expect_item(1, ADDRESS_DIRECT, KVMAP_DIRECT_BASE, M2);
	expect_item(2, ADDRESS_NOTHING, KVMAP_DIRECT_BASE + M2, K4);
	expect_item(3, ADDRESS_AREA, VMALLOC, 4 * K4);
	expect_item(4, ADDRESS_GUARD, VMALLOC + 4 * K4, KVMAP_GUARD_SIZE);
	expect_item(5, ADDRESS_LAZY, VMALLOC + 0x8000, K4);
	expect_item(6, ADDRESS_AREA, VMALLOC + 0x10000, 2 * K4);
	expect_item(7, ADDRESS_GUARD, VMALLOC + 0x11000, KVMAP_GUARD_SIZE);
	expect_item(8, ADDRESS_STRAY, VMALLOC + 0x20000, K4);
	expect_item(9, ADDRESS_IMAGE, KVMAP_IMAGE_BASE + 0x200000, K4);
	cr_expect(!map.items.items[4].mapped && map.items.items[7].mapped, "the second guard is mapped");
	cr_expect_eq(map.items.items[6].area, &claims.areas.items[1]);
	cr_expect_eq(map.callers.items[map.items.items[6].caller].address, 0x5678);
	cr_expect_eq(map.items.items[3].caller, map.items.items[5].caller);
	cr_expect_eq(lines.count, 10);
}

Test(map, says_what_is_of_the_image_by_its_file)
{
	symbols = some_symbols;
	tables_map_pages(&t, KVMAP_IMAGE_BASE + 0x200000, 0x200000, 5, 0);
	tables_map_pages(&t, KVMAP_IMAGE_BASE + 0x300000, 0x300000, 1, 0);
	build(&claims, &all, false);
	expect_item(0, ADDRESS_TEXT, KVMAP_IMAGE_BASE + 0x200000, 5 * K4);
	expect_item(1, ADDRESS_IMAGE, KVMAP_IMAGE_BASE + 0x300000, K4);
	/* Another guest's memory, at the same address. */
	tables_map_pages(&t, KVMAP_IMAGE_BASE + 0x200000, 0x201000, 5, 0);
	build(NULL, &all, false);
	expect_item(0, ADDRESS_UNKNOWN, KVMAP_IMAGE_BASE + 0x200000, 5 * K4);
	/* A kernel that is not kvmap's may lie anywhere in physical memory. */
	own = false;
	build(NULL, &all, false);
	expect_item(0, ADDRESS_TEXT, KVMAP_IMAGE_BASE + 0x200000, 5 * K4);
}

Test(map, names_addresses_of_another_program_by_its_image_alone)
{
	static const uint64_t others[] = { KVMAP_DIRECT_BASE + 0x1000, VMALLOC, KVMAP_IMAGE_BASE };
	char text[200];

	cr_expect(strstr(address_explain(KVMAP_DIRECT_BASE, NULL, some_symbols, text, sizeof(text)),
			 "direct map"));
	own = false;
	address_explain(segment.gva, NULL, some_symbols, text, sizeof(text));
	cr_expect(strstr(text, "text: function_"), "%s", text);
	for (size_t i = 0; i < 3; i++)
		cr_expect_str_eq(address_explain(others[i], NULL, some_symbols, text, sizeof(text)),
				 address_kind_label(ADDRESS_UNKNOWN), "%s", text);
}

Test(map, knows_areas_by_the_function_that_allocated_them)
{
	const struct map_filter filter = { .end = UINT64_MAX, .owner = "function_7" };

	const uint64_t stride = 2 * K4 + KVMAP_GUARD_SIZE;

	symbols = some_symbols;
	for (unsigned int i = 0; i < 30; i++) {
		add_area(VMALLOC + i * stride, 1, AREA_LIVE, i % 3 ? 77 : 7);
		tables_map_pages(&t, VMALLOC + i * stride, 0, 1, PTE_W);
	}
	build(&claims, &filter, false);
	cr_expect_eq(map.items.count, 20, "ten areas and their guards");
	cr_expect_str_eq(map.callers.items[map.items.items[0].caller].place, "function_7+0x12 (file.c:1)");
	cr_expect_eq(described, 2, "each function is looked up once");
}

Test(map, of_a_damaged_guest_knows_so_many_functions_only)
{
	const uint64_t size = K4 + KVMAP_GUARD_SIZE;

	for (unsigned int i = 0; i < 5000; i++)
		add_area(VMALLOC + i * size, 1, AREA_LIVE, 1000 + i);
	symbols = some_symbols;
	build(&claims, &all, false);
	cr_expect_eq(map.items.count, 5000);
	cr_expect_eq(described, 4095);
	cr_expect_eq(map.items.items[4999].caller, 0);
}

Test(map, of_a_guest_without_claims_knows_only_the_direct_map_by_its_shape)
{
	/* 8 MiB of memory; most of it at one distance, in pieces of many sizes and rights. */
	uint64_t base = 0xffff930000000000;

	for (unsigned int i = 0; i < 8; i++)
		tables_map(&t, base + i * M2, i * M2, 2, i & 1 ? PTE_W | PTE_NX : PTE_NX);
	tables_map_pages(&t, VMALLOC, 0x100000, 4, PTE_W);
	tables_map_pages(&t, 0xffffffff81000000, 0x200000, 100, 0);
	build(NULL, &all, false);
	cr_expect(map.direct.found && map.direct.base == base);
	expect_item(0, ADDRESS_DIRECT, base, M2);
	expect_item(map.items.count - 2, ADDRESS_UNKNOWN, VMALLOC, 4 * K4);
	expect_item(map.items.count - 1, ADDRESS_UNKNOWN, 0xffffffff81000000, 100 * K4);
}

Test(map, takes_no_small_piece_for_a_direct_map)
{
	tables_map(&t, VMALLOC, 0, 2, PTE_W);
	build(NULL, &all, false);
	cr_expect(!map.direct.found);
	/* Nor what the user can reach. */
	for (unsigned int i = 0; i < 8; i++)
		tables_map(&t, i * M2, i * M2, 2, PTE_U);
	build(NULL, &all, false);
	cr_expect(!map.direct.found);
}

Test(map, takes_no_device_for_the_direct_map)
{
	uint64_t base = 0xffff930000000000;

	for (unsigned int i = 0; i < 10; i++)
		tables_map(&t, base + i * M2, i * M2, 2, PTE_W);
	for (unsigned int i = 0; i < 100; i++)
		tables_map(&t, VMALLOC + i * M2, 0xb0000000 + i * M2, 2, PTE_W);
	build(NULL, &all, false);
	cr_expect(map.direct.found && map.direct.base == base);
}

Test(map, finds_the_direct_map_among_many_small_ranges)
{
	for (unsigned int i = 0; i < 500; i++)
		tables_map(&t, VMALLOC + i * 2 * K4, i * 7 % 512 * K4, 1, PTE_W);
	for (unsigned int i = 0; i < 8; i++)
		tables_map(&t, 0xffffd00000000000 + i * M2, i * M2, 2, PTE_W);
	build(NULL, &all, false);
	cr_expect(map.direct.found && map.direct.base == 0xffffd00000000000);
	cr_expect(map.direct.assumed);
}

/* ---- filters ---- */

static size_t shown(struct map_filter filter)
{
	filter.end = filter.end ? filter.end : UINT64_MAX;
	build(&claims, &filter, false);
	return map.items.count;
}

Test(map, shows_what_the_filters_let_through)
{
	make_a_guest();
	tables_map_pages(&t, 0x9000, 0x9000, 1, PTE_U);
	cr_expect_eq(shown((struct map_filter){ .user = true }), 1);
	cr_expect_eq(shown((struct map_filter){ .writable = true }), 7);
	cr_expect_eq(shown((struct map_filter){ .executable = true }), 4);
	cr_expect_eq(shown((struct map_filter){ .executable = true, .writable = true }), 2);
	cr_expect_eq(shown((struct map_filter){ .owner = "area" }), 2);
	cr_expect_eq(shown((struct map_filter){ .owner = "guard" }), 2);
	cr_expect_eq(shown((struct map_filter){ .owner = "freed" }), 1);
	cr_expect_eq(shown((struct map_filter){ .owner = "a" }), 0);
	cr_expect_eq(shown((struct map_filter){ .owner = "" }), 0);
}

Test(map, shows_what_has_an_address_in_the_range)
{
	const uint64_t guard_end = VMALLOC + 4 * K4 + KVMAP_GUARD_SIZE;

	make_a_guest();
	cr_expect_eq(shown((struct map_filter){ .start = VMALLOC, .end = guard_end - 1 }), 2);
	cr_expect_eq(shown((struct map_filter){ .start = VMALLOC + 3 * K4, .end = VMALLOC + 3 * K4 }), 1);
	cr_expect_eq(shown((struct map_filter){ .start = guard_end, .end = VMALLOC + 8 * K4 - 1 }), 0);
	cr_expect_eq(shown((struct map_filter){ .end = 0x4fff }), 0);
	cr_expect_eq(shown((struct map_filter){ .end = 0x5000 }), 1);
}

/* ---- folding ---- */

static void expect_line(size_t i, size_t first, unsigned int period, uint64_t times, uint64_t alike)
{
	const struct map_line *line = &lines.items[i];

	cr_assert_lt(i, lines.count);
	cr_expect(line->first == first && line->period == period && line->times == times &&
			  line->alike == alike,
		  "line %zu: expected %zu, %u x %lu, %lu alike, found %zu, %u x %lu, %lu alike", i, first,
		  period, times, alike, line->first, line->period, line->times, line->alike);
}

Test(map, folds_areas_and_guards_that_repeat)
{
	const uint64_t stride = 2 * K4 + KVMAP_GUARD_SIZE;

	for (unsigned int i = 0; i < 40; i++) {
		add_area(VMALLOC + i * stride, 2, AREA_LIVE, 0x1234);
		tables_map_pages(&t, VMALLOC + i * stride, i * 2 * K4, 2, PTE_W | PTE_NX);
	}
	build(&claims, &all, true);
	cr_assert_eq(lines.count, 1);
	expect_line(0, 0, 2, 40, 0);
	cr_expect_eq(lines.items[0].stride, stride);
	cr_expect_eq(lines.items[0].end, VMALLOC + 40 * stride - 1);
}

Test(map, does_not_fold_what_differs)
{
	static const struct {
		unsigned int pages, gap;
		uint64_t flags, caller;
	} others[] = { { 2, 0, 0, 1 }, { 3, 0, PTE_W, 1 }, { 2, 1, PTE_W, 1 }, { 2, 0, PTE_W, 2 } };

	for (unsigned int i = 0; i < 4; i++) {
		uint64_t gva = VMALLOC + i * G1;

		for (unsigned int j = 0; j < 5; j++) {
			bool odd = j == 2;

			add_area(gva, odd ? others[i].pages : 2, AREA_LIVE, odd ? others[i].caller : 1);
			tables_map_pages(&t, gva, 0, odd ? others[i].pages : 2,
					 odd ? others[i].flags : PTE_W);
			gva += (odd ? others[i].pages + others[i].gap : 2) * K4 + KVMAP_GUARD_SIZE;
		}
	}
	build(&claims, &all, true);
	/* No three neighbours are alike anywhere, and a slot with so much in it is folded by kind. */
	cr_expect_eq(map.items.count, 40);
	cr_expect_eq(lines.count, 3);
	for (size_t i = 0; i < lines.count; i++)
		cr_expect_gt(lines.items[i].alike, 0);
}

Test(map, lists_each_of_a_few_and_sums_up_many)
{
	for (unsigned int i = 0; i < 12; i++)
		tables_map_pages(&t, VMALLOC + i * i * 4 * K4, 0, i % 3 + 1,
				 PTE_W | PTE_A | (i & 1 ? PTE_D : 0));
	build(NULL, &all, true);
	cr_expect_eq(lines.count, 12, "12 lines are not too many");
	tables_map_pages(&t, VMALLOC + M2 * 2, 0, 1, PTE_W);
	tables_map_pages(&t, VMALLOC + M2 * 3, 0, 1, PTE_PCD);
	build(NULL, &all, true);
	cr_assert_eq(lines.count, 2);
	expect_line(0, 0, 1, 1, 13);
	expect_line(1, 13, 1, 1, 1);
	cr_expect_eq(lines.items[0].smallest, K4);
	cr_expect_eq(lines.items[0].largest, 3 * K4);
	cr_expect_eq(lines.items[0].sum.size, 25 * K4);
	cr_expect_eq(lines.items[0].sum.leaves, 25);
	cr_expect_eq(lines.items[0].sum.accessed, 24);
	cr_expect_eq(lines.items[0].sum.dirty, 12);
	cr_expect_eq(lines.items[0].end, VMALLOC + M2 * 2 + K4 - 1);
	build(NULL, &all, false);
	cr_expect_eq(lines.count, 14);
}

Test(map, folds_no_repetition_over_the_border_of_two_slots)
{
	uint64_t border = 0xffffd00000000000;

	for (unsigned int i = 0; i < 8; i++)
		tables_map_pages(&t, border - 8 * K4 + i * 2 * K4, i * 2 * K4, 1, PTE_W);
	build(NULL, &all, true);
	cr_assert_eq(lines.count, 2);
	expect_line(0, 0, 1, 4, 0);
	expect_line(1, 4, 1, 4, 0);
}

/* Every item is in exactly one line, whatever the map. */
Test(map, folds_nothing_away)
{
	for (uint64_t seed = 1; seed <= 20; seed++) {
		uint64_t state = seed, leaves = 0;

		for (unsigned int i = 0; i < 600; i++) {
			uint64_t random = random_next(&state);

			tables_map(&t, VMALLOC + (random & 1) * (512 * G1) + (random >> 1 & 511) * K4,
				   random >> 20 & 0xff000, 1, seed & 1 ? PTE_W : random >> 60 & PTE_W);
		}
		build(NULL, &all, true);
		for (size_t i = 0; i < lines.count; i++) {
			const struct map_line *line = &lines.items[i];

			leaves += line->sum.leaves;
			for (uint64_t j = 0; !line->alike && j < line->period * line->times; j++)
				leaves += map.items.items[line->first + j].range->leaves;
		}
		cr_expect_eq(leaves, ranges.leaves);
		cr_expect_lt(lines.count, 2 * MAP_SLOT_LINES);
	}
}
