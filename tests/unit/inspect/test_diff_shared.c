/* SPDX-License-Identifier: MIT */
/*
 * test_diff_shared.c: differences below page tables that are mapped several times.
 */
#include "inspect/diff.h"
#include "tables.h"

#include <criterion/criterion.h>

static struct tables t[2];
static struct diff_tables d;

static void init(void)
{
	tables_init(&t[0], 4);
	tables_init(&t[1], 4);
}

static void done(void)
{
	diff_tables_destroy(&d);
	tables_destroy(&t[0]);
	tables_destroy(&t[1]);
}

TestSuite(diff_shared, .init = init, .fini = done);

static void compare(bool entries)
{
	struct diff_side before = { .view = &t[0].view, .mode = &t[0].mode };
	struct diff_side after = { .view = &t[1].view, .mode = &t[1].mode };
	struct error error;

	diff_tables_destroy(&d);
	cr_assert_eq(diff_tables(&before, &after, entries, &d, &error), 0, "%s", error.text);
	cr_expect_eq(d.cut_short, d.not_compared.count > 0);
}

static void expect_range(size_t i, uint64_t gva, uint64_t size, unsigned int changes)
{
	cr_assert_lt(i, d.ranges.count, "there are %zu ranges", d.ranges.count);
	cr_expect(d.ranges.items[i].gva == gva && d.ranges.items[i].size == size &&
			  d.ranges.items[i].changes == changes,
		  "range %zu: expected 0x%lx+0x%lx %x, found 0x%lx+0x%lx %x", i, gva, size, changes,
		  d.ranges.items[i].gva, d.ranges.items[i].size, d.ranges.items[i].changes);
}

#define SHADOW 0xffffec0000000000ull

/*
 * One table of each level, 32 entries of the top table and 512 of each below: every page of the 16 TiB is that at
 * `gpa`. As of Linux with KASAN. Returns the table of level 1.
 */
static uint64_t map_shadow(struct tables *tables, uint64_t gpa)
{
	uint64_t table[4] = { tables->mode.root, tables_new(tables), tables_new(tables), tables_new(tables) };

	for (unsigned int i = 0; i < 32; i++)
		*tables_slot(tables, table[0], 472 + i) = table[1] | PTE_P | PTE_W;
	for (unsigned int i = 0; i < 512; i++)
		for (unsigned int k = 1; k < 4; k++)
			*tables_slot(tables, table[k], i) =
				(k < 3 ? table[k + 1] : gpa) | PTE_P | (k < 3 ? PTE_W : PTE_NX);
	return table[3];
}

Test(diff_shared, of_shared_tables_that_lie_elsewhere_is_in_their_entries_and_what_lies_above_is_compared)
{
	tables_new(&t[1]);
	map_shadow(&t[0], 5 * K4);
	map_shadow(&t[1], 5 * K4);
	tables_map(&t[1], ~0ull << 21, M2, 2, PTE_W);
	compare(true);
	cr_expect_not(d.cut_short);
	cr_assert_eq(d.ranges.count, 1);
	expect_range(0, ~0ull << 21, M2, 1u << DIFF_MAPPED);
	cr_expect_eq(d.pages, 512);
	cr_expect_eq(d.by_level[4], 32 + 1);
	cr_expect_eq(d.by_level[3], 32 * 512 + 1);
	cr_expect_eq(d.by_level[2], 32 * 512 * 512 + 1);
	cr_expect_eq(d.by_level[1], 0);
	/* Each entry of a shared table once. */
	cr_expect_eq(d.entries.count, 32 + 512 + 512 + 3);
}

Test(diff_shared, of_one_entry_of_a_shared_table_counts_wherever_it_is_mapped_and_is_listed_once)
{
	uint64_t table[2] = { map_shadow(&t[0], 5 * K4), map_shadow(&t[1], 5 * K4) };

	*tables_slot(&t[1], table[1], 7) ^= 3 * K4;
	tables_map(&t[1], ~0ull << 12, 9 * K4, 1, PTE_W);
	cr_assert_eq(table[0], table[1]);
	compare(true);
	cr_expect_not(d.cut_short);
	cr_expect_eq(d.pages, 32 * 512 * 512 + 1);
	cr_expect_eq(d.range_count, 32 * 512 * 512 + 1);
	cr_expect_eq(d.by_change[DIFF_FRAMES], 32 * 512 * 512);
	cr_expect_eq(d.by_level[1], 32 * 512 * 512 + 1);
	cr_assert_eq(d.ranges.count, 2);
	expect_range(0, SHADOW + 7 * K4, K4, 1u << DIFF_FRAMES);
	expect_range(1, ~0ull << 12, K4, 1u << DIFF_MAPPED);
	cr_assert_eq(d.entries.count, 5);
	cr_expect_eq(d.entries.items[0].gva, SHADOW + 7 * K4);
}

Test(diff_shared, of_shared_tables_that_one_side_has_more_often_is_one_range)
{
	map_shadow(&t[0], 5 * K4);
	map_shadow(&t[1], 5 * K4);
	*tables_slot(&t[1], t[1].mode.root, 503) = 0;
	compare(false);
	cr_expect_not(d.cut_short);
	cr_expect_eq(d.pages, 1u << 27);
	cr_expect_eq(d.by_change[DIFF_UNMAPPED], 1u << 27);
	cr_assert_eq(d.ranges.count, 1);
	expect_range(0, SHADOW + (31ull << 39), 1ull << 39, 1u << DIFF_UNMAPPED);
	cr_expect_eq(d.by_level[1], 1u << 27);
	cr_expect_eq(d.by_level[3], 512);
}

/* Where a large page is compared with a table that is mapped several times, its address counts. */
Test(diff_shared, of_large_pages_and_a_shared_table_is_by_page)
{
	tables_map(&t[0], VMALLOC, 0, 2, PTE_W);
	tables_map(&t[0], VMALLOC + M2, M2, 2, PTE_W);
	tables_map(&t[0], VMALLOC + 2 * M2, 0, 2, PTE_W);
	for (unsigned int i = 0; i < 512; i++)
		tables_map(&t[1], VMALLOC + i * K4, i * K4, 1, PTE_W);
	for (unsigned int i = 1; i < 3; i++)
		*tables_entry(&t[1], VMALLOC + i * M2, 2) = *tables_entry(&t[1], VMALLOC, 2);
	compare(true);
	cr_expect_eq(d.range_count, 3);
	cr_expect_eq(d.by_change[DIFF_FRAMES], 512);
	/* The third is the first once more. */
	cr_assert_eq(d.ranges.count, 2);
	expect_range(0, VMALLOC, M2, 1u << DIFF_SIZE);
	expect_range(1, VMALLOC + M2, M2, 1u << DIFF_SIZE | 1u << DIFF_FRAMES);
	cr_expect_eq(d.by_level[1], 3 * 512);
}

/* 2^36 ranges of one page by one table of each level. */
Test(diff_shared, of_more_paths_than_can_be_walked_is_counted)
{
	uint64_t table[4] = { t[1].mode.root, tables_new(&t[1]), tables_new(&t[1]), tables_new(&t[1]) };

	for (unsigned int level = 0; level < 3; level++)
		for (unsigned int i = 0; i < 512; i++)
			*tables_slot(&t[1], table[level], i) = table[level + 1] | PTE_P;
	for (unsigned int i = 0; i < 512; i++)
		*tables_slot(&t[1], table[3], i) = PTE_P | (i & 1 ? PTE_NX : 0);
	compare(true);
	cr_expect_not(d.cut_short);
	cr_expect_eq(d.ranges.count, 512);
	cr_expect_eq(d.entries.count, 4 * 512);
	cr_expect_eq(d.range_count, 1ull << 36);
	cr_expect_eq(d.pages, 1ull << 36);
	cr_expect_eq(d.by_level[1], 1ull << 36);
	cr_expect_eq(d.by_level[2], 1ull << 27);
}

/* 97 tables of one side meet 101 of the other in each combination, which are more than may be compared. */
Test(diff_shared, of_hostile_tables_says_which_addresses_it_did_not_compare)
{
	const uint64_t compared = 7 * 512 + 502; /* of level 1, with 8 of level 2, 1 of level 3 and the top */

	for (unsigned int s = 0; s < 2; s++) {
		uint64_t first = t[s].next;

		for (unsigned int i = 0; i < 97 + 4 * s; i++)
			*tables_slot(&t[s], tables_new(&t[s]), 0) = (500 + i + 100 * s) * K4 | PTE_P;
		for (uint64_t i = 0; i < 20 * 512; i++)
			*tables_entry(&t[s], VMALLOC + i * M2, 2) = (first + i % (97 + 4 * s) * K4) | PTE_P;
		tables_map(&t[s], ~0ull << 12, 9 * K4, 1, 0);
	}
	compare(false);
	cr_expect(d.cut_short);
	cr_expect_eq(d.pages, compared);
	cr_assert_eq(d.not_compared.count, 2);
	cr_expect_eq(d.not_compared.items[0].gva, VMALLOC + compared * M2);
	cr_expect_eq(d.not_compared.items[0].size, (20 * 512 - compared) * M2);
	cr_expect_eq(d.not_compared.items[1].gva, ~0ull << 39);
	cr_expect_eq(d.not_compared.items[1].size, 1ull << 39);
	cr_expect_eq(d.bytes_not_compared, (20 * 512 - compared) * M2 + (1ull << 39));
}
