/* SPDX-License-Identifier: MIT */
/*
 * test_effective.c: a page of the guest is worth the smaller page of the two stages.
 */
#include "base/array.h"
#include "stage2/stage2.h"

#include <criterion/criterion.h>

#define K4 0x1000ull
#define M2 0x200000ull
#define G1 0x40000000ull

static void add_leaf(struct stage2 *stage2, uint64_t gpa, uint8_t level)
{
	struct stage2_leaf leaf = { .gpa = gpa, .level = level };

	cr_assert_eq(array_push(&stage2->leaves, leaf), 0);
}

/* 2M pages at 0 and 4M, a hole at 2M, a 4K page at 6M + 4K; 1G at 1G. */
static struct stage2 world(void)
{
	struct stage2 stage2 = { 0 };

	add_leaf(&stage2, 0, 2);
	add_leaf(&stage2, 2 * M2, 2);
	add_leaf(&stage2, 3 * M2 + K4, 1);
	add_leaf(&stage2, G1, 3);
	cr_assert_eq(stage2_sort(&stage2), 0);
	return stage2;
}

Test(effective, it_is_the_smaller_of_the_two)
{
	struct stage2_effective sum = { 0 };
	struct stage2 stage2 = world();

	cr_expect_eq(stage2_effective_add(&stage2, 0, 2, &sum), 2);
	cr_expect_eq(stage2_effective_add(&stage2, 5 * K4, 1, &sum), 1);
	cr_expect_eq(stage2_effective_add(&stage2, G1 + M2, 2, &sum), 2, "the guest's is the smaller");
	cr_expect_eq(sum.splintered, 0);
	cr_expect_eq(stage2_effective_add(&stage2, 3 * M2, 2, &sum), 1, "4K of it are there");
	cr_expect_eq(sum.splintered, 1);
	cr_expect_eq(sum.bytes[2][0], M2 - K4);
	cr_expect_eq(sum.bytes[2][1], K4);
	cr_expect_eq(sum.bytes[2][2], M2);
	cr_expect_eq(sum.bytes[2][3], M2);
	cr_expect_eq(sum.bytes[1][2], K4);
	stage2_destroy(&stage2);
}

Test(effective, what_is_not_in_the_second_stage_has_no_size_yet)
{
	struct stage2_effective sum = { 0 };
	struct stage2 stage2 = world();

	cr_expect_eq(stage2_effective_add(&stage2, M2, 2, &sum), 0);
	cr_expect_eq(stage2_effective_add(&stage2, 8 * G1, 3, &sum), 0);
	cr_expect_eq(sum.bytes[2][0], M2);
	cr_expect_eq(sum.bytes[3][0], G1);
	cr_expect_eq(sum.splintered, 0);
	stage2_destroy(&stage2);
}

Test(effective, a_huge_page_over_all_of_it_adds_up)
{
	struct stage2_effective sum = { 0 };
	struct stage2 stage2 = world();

	cr_expect_eq(stage2_effective_add(&stage2, 0, 3, &sum), 1);
	cr_expect_eq(sum.bytes[3][0] + sum.bytes[3][1] + sum.bytes[3][2], G1);
	cr_expect_eq(sum.bytes[3][2], 2 * M2);
	stage2_destroy(&stage2);
}
