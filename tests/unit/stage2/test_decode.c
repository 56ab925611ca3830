/* SPDX-License-Identifier: MIT */
/*
 * test_decode.c: from tables to sorted leaves.
 */
#include "base/array.h"
#include "stage2/stage2.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#define PAGE  0x867ull /* P W U A D and KVM's bit */
#define LARGE (PAGE | 0x80)
#define TABLE 0x827ull

static struct stage2 npt(void)
{
	return (struct stage2){ .format = { STAGE2_NPT, 48, 0 } };
}

Test(decode, entry_i_of_a_direct_table_is_for_the_ith_page)
{
	struct stage2_table table = { .gpa = 0x40000000, .level = 1 };
	uint64_t entries[512] = { [3] = 0x9000 | PAGE, [511] = 0xa000 | PAGE };
	struct stage2 stage2 = npt();

	cr_assert_eq(stage2_add_table(&stage2, &table, entries, NULL), 0);
	cr_assert_eq(stage2.leaves.count, 2);
	cr_expect_eq(stage2.leaves.items[0].gpa, 0x40003000);
	cr_expect_eq(stage2.leaves.items[1].gpa, 0x401ff000);
	cr_expect_eq(stage2.levels[1].tables, 1);
	cr_expect_eq(stage2.levels[1].leaves, 2);
	cr_expect_eq(stage2.levels[1].dirty, 2);
	stage2_destroy(&stage2);
}

Test(decode, what_a_shadow_table_translates_is_told_entry_by_entry)
{
	uint64_t entries[512] = { [0] = 0x9000 | PAGE, [1] = 0xa000 | PAGE };
	uint64_t translation[512] = { [0] = 0x7000 | 5, [1] = ~0ull };
	struct stage2_table table = { .gpa = 0x40000000, .level = 1, .translation = translation };
	struct stage2 stage2 = npt();

	cr_assert_eq(stage2_add_table(&stage2, &table, entries, NULL), 0);
	cr_assert_eq(stage2.leaves.count, 2);
	cr_expect_eq(stage2.leaves.items[0].gpa, 0x7000, "the rights below it are none of it");
	cr_expect_eq(stage2.leaves.items[1].gpa, 0xffffffffff000, "a GPA has 52 bits at most");
	stage2_destroy(&stage2);
}

Test(decode, links_lead_to_tables_a_level_below)
{
	struct stage2_table table = { .gpa = 1ull << 39, .level = 3 };
	uint64_t entries[512] = { [1] = 0x5000 | TABLE, [2] = 0x80000000 | LARGE };
	struct stage2_links links = { 0 };
	struct stage2 stage2 = npt();

	cr_assert_eq(stage2_add_table(&stage2, &table, entries, &links), 0);
	cr_assert_eq(links.count, 1);
	cr_expect_eq(links.items[0].hpa, 0x5000);
	cr_expect_eq(links.items[0].gpa, (1ull << 39) + (1ull << 30));
	cr_expect_eq(links.items[0].level, 2);
	cr_expect_eq(stage2.leaves.items[0].level, 3);
	free(links.items);
	stage2_destroy(&stage2);
}

Test(decode, of_a_passthrough_table_only_the_first_entry_counts)
{
	struct stage2_table table = { .level = 4, .passthrough = true };
	uint64_t entries[512] = { [0] = 0x5000 | TABLE, [1] = 0x6000 | TABLE };
	struct stage2 stage2 = npt();

	cr_assert_eq(stage2_add_table(&stage2, &table, entries, NULL), 0);
	cr_expect_eq(stage2.levels[4].links, 1);
	stage2_destroy(&stage2);
}

Test(decode, a_level_that_does_not_exist_is_not_entered)
{
	struct stage2_table none = { .level = 0 }, six = { .level = 6 };
	uint64_t entries[512] = { 0x5000 | PAGE };
	struct stage2 stage2 = npt();

	cr_expect_eq(stage2_add_table(&stage2, &none, entries, NULL), 0);
	cr_expect_eq(stage2_add_table(&stage2, &six, entries, NULL), 0);
	cr_expect_eq(stage2.leaves.count, 0);
}

static void add_leaf(struct stage2 *stage2, uint64_t gpa, uint8_t level)
{
	struct stage2_leaf leaf = { .gpa = gpa, .level = level };

	cr_assert_eq(array_push(&stage2->leaves, leaf), 0);
}

Test(decode, leaves_are_sorted_whatever_their_order_was)
{
	struct stage2 stage2 = npt();
	uint64_t sum = 0;

	for (uint64_t i = 0; i < 10007; i++)
		add_leaf(&stage2, i * 7919 % 10007 << 12, 1);
	cr_assert_eq(stage2_sort(&stage2), 0);
	for (uint64_t i = 0; i < 10007; i++)
		sum += stage2.leaves.items[i].gpa == i << 12;
	cr_expect_eq(sum, 10007, "%lu in place", sum);
	stage2_destroy(&stage2);
}

Test(decode, the_smallest_leaf_that_holds_an_address_is_found)
{
	struct stage2 stage2 = npt();

	add_leaf(&stage2, 0x40000000, 3);
	add_leaf(&stage2, 0x40200000, 2);
	add_leaf(&stage2, 0x40201000, 1);
	cr_assert_eq(stage2_sort(&stage2), 0);
	cr_expect_eq(stage2_leaf_at(&stage2, 0x40201fff)->level, 1);
	cr_expect_eq(stage2_leaf_at(&stage2, 0x40202000)->level, 2);
	cr_expect_eq(stage2_leaf_at(&stage2, 0x7fffffff)->level, 3);
	cr_expect_null(stage2_leaf_at(&stage2, 0x80000000));
	cr_expect_null(stage2_leaf_at(&stage2, 0x3fffffff));
	stage2_destroy(&stage2);
}

Test(decode, slots_are_found_up_to_their_last_byte)
{
	struct stage2_slot high = { .gpa = 1ull << 32, .size = 0x2000, .id = 1 },
			   low = { .gpa = 0, .size = 0x1000 };
	struct stage2 stage2 = npt();

	cr_assert(array_push(&stage2.slots, high) == 0 && array_push(&stage2.slots, low) == 0);
	cr_assert_eq(stage2_sort(&stage2), 0);
	cr_expect_eq(stage2_slot_at(&stage2, 0xfff)->id, 0);
	cr_expect_null(stage2_slot_at(&stage2, 0x1000));
	cr_expect_eq(stage2_slot_at(&stage2, (1ull << 32) + 0x1fff)->id, 1);
	cr_expect_null(stage2_slot_at(&stage2, (1ull << 32) + 0x2000));
	stage2_destroy(&stage2);
}

Test(decode, many_leaves_stay_in_their_order_while_room_is_made_for_them)
{
	struct stage2 stage2 = npt();
	uint64_t entries[512];

	for (uint64_t i = 0; i < 400; i++) {
		struct stage2_table table = { .gpa = i << 21, .level = 1 };

		for (uint64_t j = 0; j < 512; j++)
			entries[j] = (i << 21) + (j << 12) + (1 << 30) + PAGE;
		cr_assert_eq(stage2_add_table(&stage2, &table, entries, NULL), 0);
		if (i == 100)
			cr_assert_eq(stage2_make_room(&stage2, 150000), 0);
	}
	cr_assert_eq(stage2_sort(&stage2), 0);
	cr_assert_eq(stage2.leaves.count, 400 * 512);
	for (uint64_t i = 0; i < 400 * 512; i++)
		cr_assert(stage2.leaves.items[i].gpa == i << 12 &&
			  stage2.leaves.items[i].entry == (i << 12) + (1 << 30) + PAGE);
	cr_expect_eq(stage2_make_room(&stage2, STAGE2_LEAVES_MAX), -1, "no VM has so many");
	stage2_destroy(&stage2);
}
