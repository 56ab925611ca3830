/* SPDX-License-Identifier: MIT */
/*
 * test_check.c: V10 on one leaf: each way in which it can be wrong is told apart.
 */
#include "base/array.h"
#include "stage2/stage2.h"

#include <criterion/criterion.h>
#include <linux/kvm.h>
#include <string.h>

#define PAGE    0x867ull
#define PRESENT (1ull << 63) /* pagemap */

/* One slot of 4 MiB at GPA 2 MiB, HVA 1 GiB. */
static struct stage2 *world(void)
{
	static struct stage2_slot slots[1];
	static struct stage2 stage2;

	slots[0] = (struct stage2_slot){ .gpa = 2 << 20, .size = 4 << 20, .hva = 1 << 30 };
	stage2 = (struct stage2){ .format = { STAGE2_NPT, 48, 0 } };
	stage2.slots.items = slots;
	stage2.slots.count = 1;
	return &stage2;
}

static struct stage2_leaf page_4k(void)
{
	return (struct stage2_leaf){
		.gpa = 0x201000, .entry = 0x9000 | PAGE, .level = 1, .looked_up = true, .backing = PRESENT | 9
	};
}

static struct stage2_leaf page_2m(void)
{
	return (struct stage2_leaf){ .gpa = 0x400000,
				     .entry = 0x40000000 | PAGE | 0x80,
				     .level = 2,
				     .looked_up = true,
				     .backing = PRESENT | 0x40000 };
}

Test(check, a_leaf_that_points_at_the_frame_of_its_hva_is_right)
{
	struct stage2_leaf small = page_4k(), large = page_2m();

	cr_expect_eq(stage2_check(world(), &small), STAGE2_OK);
	cr_expect_eq(stage2_check(world(), &large), STAGE2_OK);
}

Test(check, another_frame_is_found)
{
	struct stage2_leaf leaf = page_4k();
	char detail[200];

	leaf.backing = PRESENT | 8;
	cr_expect_eq(stage2_check(world(), &leaf), STAGE2_OTHER_FRAME);
	stage2_problem_detail(world(), &leaf, STAGE2_OTHER_FRAME, detail, sizeof(detail));
	cr_expect_str_eq(detail, "HPA 0x9000, the process has 0x8000 there");
}

Test(check, soft_dirty_and_exclusive_bits_of_pagemap_are_no_frame)
{
	struct stage2_leaf leaf = page_4k();

	leaf.backing = PRESENT | 3ull << 55 | 9;
	cr_expect_eq(stage2_check(world(), &leaf), STAGE2_OK);
}

Test(check, a_large_leaf_over_frames_that_do_not_follow_is_found)
{
	struct stage2_leaf leaf = page_2m();
	char detail[200];

	leaf.stray = 300;
	cr_expect_eq(stage2_check(world(), &leaf), STAGE2_OTHER_FRAME);
	stage2_problem_detail(world(), &leaf, STAGE2_OTHER_FRAME, detail, sizeof(detail));
	cr_expect(strstr(detail, "page 299"), "%s", detail);
}

Test(check, memory_that_the_process_does_not_have_is_found)
{
	struct stage2_leaf leaf = page_4k();

	leaf.backing = 0;
	cr_expect_eq(stage2_check(world(), &leaf), STAGE2_NOT_BACKED);
}

Test(check, a_leaf_outside_every_slot_is_found)
{
	struct stage2_leaf below = page_4k(), above = page_4k();

	below.gpa = 0x1ff000;
	above.gpa = 0x600000;
	cr_expect_eq(stage2_check(world(), &below), STAGE2_NO_SLOT);
	cr_expect_eq(stage2_check(world(), &above), STAGE2_NO_SLOT);
}

Test(check, a_leaf_that_is_wider_than_its_slot_is_found)
{
	struct stage2_leaf leaf = page_2m();
	struct stage2 *stage2 = world();

	stage2->slots.items[0].size -= 0x1000;
	cr_expect_eq(stage2_check(stage2, &leaf), STAGE2_WIDER_THAN_SLOT);
	leaf.gpa = 0x200000;
	cr_expect_eq(stage2_check(stage2, &leaf), STAGE2_OK, "the page before it fits");
}

Test(check, a_large_leaf_where_gpa_and_hva_do_not_lie_alike_is_found)
{
	struct stage2_leaf small = page_4k(), large = page_2m();
	struct stage2 *stage2 = world();

	stage2->slots.items[0].hva += 0x1000;
	cr_expect_eq(stage2_check(stage2, &large), STAGE2_MISALIGNED);
	cr_expect_eq(stage2_check(stage2, &small), STAGE2_OK);
}

Test(check, a_writable_leaf_in_a_read_only_slot_is_found)
{
	struct stage2_leaf leaf = page_4k();
	struct stage2 *stage2 = world();

	stage2->slots.items[0].flags = KVM_MEM_READONLY;
	cr_expect_eq(stage2_check(stage2, &leaf), STAGE2_WRITABLE_SLOT);
	leaf.entry &= ~2ull;
	cr_expect_eq(stage2_check(stage2, &leaf), STAGE2_OK);
}

Test(check, reserved_bits_are_found)
{
	struct stage2_leaf leaf = page_2m();

	leaf.entry |= 0x2000;
	cr_expect_eq(stage2_check(world(), &leaf), STAGE2_RESERVED);
}

Test(check, what_cannot_be_compared_is_not_called_right)
{
	struct stage2_leaf nested = page_4k(), smm = page_4k(), hidden = page_4k();

	nested.nested = smm.smm = true;
	hidden.looked_up = false;
	cr_expect_eq(stage2_check(world(), &nested), STAGE2_NOT_COMPARED);
	cr_expect_eq(stage2_check(world(), &smm), STAGE2_NOT_COMPARED);
	cr_expect_eq(stage2_check(world(), &hidden), STAGE2_NOT_COMPARED);
}

static void count(void *context, const struct stage2_leaf *leaf, enum stage2_problem problem)
{
	(void)leaf;
	*(unsigned int *)context += problem == STAGE2_OTHER_FRAME;
}

Test(check, all_leaves_are_counted_by_what_came_out)
{
	struct stage2_leaf leaves[] = { page_4k(), page_4k(), page_2m(), page_4k() };
	struct stage2 *stage2 = world();
	struct stage2_verdict verdict;
	unsigned int told = 0;

	leaves[1].backing++;
	leaves[3].looked_up = false;
	stage2->leaves.items = leaves;
	stage2->leaves.count = 4;
	stage2_check_all(stage2, &verdict, count, &told);
	cr_expect_eq(verdict.leaves, 3);
	cr_expect_eq(verdict.frames, 514);
	cr_expect_eq(verdict.not_compared, 1);
	cr_expect_eq(verdict.findings, 1);
	cr_expect_eq(verdict.problems[STAGE2_OTHER_FRAME], 1);
	cr_expect_eq(told, 1);
}
