/* SPDX-License-Identifier: MIT */
/*
 * test_map_read.c: a map that is read in one pass has the lines of the map that is built of lists.
 */
#include "base/array.h"
#include "inspect/map_fold.h"
#include "kvmap/layout.h"
#include "tables.h"

#include <criterion/criterion.h>
#include <stdlib.h>

/* The functions that take it are those of test_map.c. */
static struct symbols *const symbols = (struct symbols *)"";

static struct tables t;
static struct claims claims;
static struct ranges ranges;
static const struct map_source source = {
	&t.view, &t.mode, { true, KVMAP_DIRECT_BASE }, &claims, (struct symbols *)""
};
static struct memory_map map, short_map;
static struct map_lines lines, short_lines;

static void init(void)
{
	tables_init(&t, 4);
}

static void done(void)
{
	free(claims.areas.items);
	free(claims.places.items);
	claims = (struct claims){ 0 };
	tables_destroy(&t);
}

TestSuite(map_read, .init = init, .fini = done);

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

/* In the claims; what is mapped stays. */
static void swap_areas(uint32_t one, uint32_t other)
{
	struct claim_area *areas = claims.areas.items, area = areas[one];

	areas[one] = areas[other];
	areas[other] = area;
	cr_assert_eq(claims_set_places(&claims), 0);
}

static void build(const struct map_filter *filter)
{
	const struct map_direct direct = { true, KVMAP_DIRECT_BASE };
	struct error error;
	size_t count;
	uint64_t *breaks = claims_area_starts(&claims, &count);

	cr_assert_eq(
		ranges_collect(&t.view, &t.mode, filter->start, filter->end, breaks, count, &ranges, &error),
		0);
	free(breaks);
	cr_assert_eq(map_build(&ranges, &direct, &claims, symbols, filter, &map, &error), 0);
	cr_assert_eq(map_fold(&map, true, &lines, &error), 0);
}

static void forget(void)
{
	map_lines_destroy(&lines);
	map_destroy(&map);
	ranges_destroy(&ranges);
	map_lines_destroy(&short_lines);
	map_destroy(&short_map);
}

static void expect_same_item(const struct map_item *a, const struct map_item *b)
{
	cr_expect(a->start == b->start && a->size == b->size && a->kind == b->kind && a->area == b->area &&
		  a->variable == b->variable && a->mapped == b->mapped && a->alike == b->alike);
	cr_expect_eq(map.callers.items[a->caller].address, short_map.callers.items[b->caller].address);
	cr_assert_eq(!a->range, !b->range);
	if (a->range)
		cr_expect_arr_eq(a->range, b->range, sizeof(*a->range));
}

static void expect_same_line(const struct map_line *a, const struct map_line *b)
{
	cr_expect(a->period == b->period && a->times == b->times && a->stride == b->stride &&
		  a->alike == b->alike && a->end == b->end && a->smallest == b->smallest &&
		  a->largest == b->largest);
	cr_expect_arr_eq(&a->sum, &b->sum, sizeof(a->sum));
	for (unsigned int i = 0; i < a->period; i++)
		expect_same_item(&map.items.items[a->first + i], &short_map.items.items[b->first + i]);
}

/* The lines of map_read_folded() are those of the lists, and it keeps no other items. */
static void expect_same_in_one_pass(const struct map_filter *filter)
{
	struct ranges totals;
	struct error error;
	size_t named = 0;

	build(filter);
	cr_assert_eq(map_read_folded(&source, filter, &short_map, &short_lines, &totals, &error), 0);
	cr_assert_eq(lines.count, short_lines.count);
	for (size_t i = 0; i < lines.count; i++) {
		expect_same_line(&lines.items[i], &short_lines.items[i]);
		named += lines.items[i].period;
	}
	cr_expect_eq(short_map.items.count, named);
	cr_expect_eq(short_map.item_count, map.item_count);
	cr_expect_eq(short_map.range_count, map.range_count);
	cr_expect_eq(totals.count, ranges.count);
	cr_expect_eq(totals.leaves, ranges.leaves);
	cr_expect_eq(totals.tables, ranges.tables);
	forget();
}

static void make_areas(uint64_t *state)
{
	uint64_t gva = VMALLOC, style = random_next(state);

	for (unsigned int i = 0; i < 60; i++) {
		uint64_t random = random_next(state);
		unsigned int pages =
			style & 1 ? 1 + i % (style >> 8 & 7 ? (style >> 8 & 7) : 1) : 1 + (random & 3);

		if (!(random >> 8 & 31))
			gva += (random >> 16 & 1) * 512 * G1;
		add_area(gva, pages, AREA_LIVE, style & 2 ? 1 + (random >> 24 & 3) : 1 + i % 3);
		tables_map_pages(&t, gva, i * 4 * K4, pages + !(random >> 32 & 31),
				 PTE_W | (style & 4 ? random >> 40 & PTE_NX : 0));
		gva += pages * K4 + KVMAP_GUARD_SIZE;
	}
}

Test(map_read, has_the_lines_of_the_lists)
{
	static const struct map_filter filters[] = {
		{ .end = UINT64_MAX },
		{ .end = UINT64_MAX, .owner = "function_2" },
		{ .end = UINT64_MAX, .owner = "guard" },
		{ .end = UINT64_MAX, .writable = true },
		{ .start = VMALLOC + 20 * K4, .end = VMALLOC + 700 * K4 },
	};

	for (uint64_t seed = 1; seed <= 60; seed++) {
		uint64_t state = seed;

		make_areas(&state);
		if (seed % 3 == 1)
			add_area(VMALLOC + 0x10000000, 2, AREA_LAZY, 5);
		if (seed % 3 == 2)
			swap_areas(10, 11);
		for (size_t i = 0; i < sizeof(filters) / sizeof(*filters); i++)
			expect_same_in_one_pass(&filters[i]);
		done();
		init();
	}
}

Test(map_read, keeps_one_group_of_areas_that_repeat)
{
	const uint64_t stride = 2 * K4 + KVMAP_GUARD_SIZE;
	struct ranges totals;
	struct error error;

	for (unsigned int i = 0; i < 300; i++) {
		add_area(VMALLOC + i * stride, 2, AREA_LIVE, 0x1234);
		tables_map_pages(&t, VMALLOC + i * stride, i * 2 * K4, 2, PTE_W | PTE_NX);
	}
	cr_assert_eq(map_read_folded(&source, &(struct map_filter){ .end = UINT64_MAX }, &short_map,
				     &short_lines, &totals, &error),
		     0);
	cr_expect_eq(short_lines.count, 1);
	cr_expect_eq(short_lines.items[0].times, 300);
	cr_expect_eq(short_map.items.count, 2);
	cr_expect_eq(short_map.item_count, 600);
	cr_expect_eq(totals.leaves, 600);
	cr_expect_null(totals.items);
	forget();
}

/* Every other area is of one key, the others of as many as there are: the array of sums grows and moves. */
Test(map_read, adds_to_sums_that_grow_in_number)
{
	uint64_t gva = VMALLOC;

	for (unsigned int i = 0; i < 128; i++) {
		unsigned int pages = 1 + i * 7 % 5, key = i % 2 ? i / 2 : 0;

		add_area(gva, pages, AREA_LIVE, 1 + i % 3);
		tables_map_pages(&t, gva, i * 8 * K4, pages,
				 (key & 1 ? PTE_W : 0) | (key & 2 ? PTE_U : 0) | (key & 4 ? PTE_NX : 0) |
					 (key & 8 ? PTE_PWT : 0) | (key & 16 ? PTE_PCD : 0) |
					 (key & 32 ? PTE_PS : 0));
		gva += pages * K4 + KVMAP_GUARD_SIZE;
	}
	expect_same_in_one_pass(&(struct map_filter){ .end = UINT64_MAX });
}
