/* SPDX-License-Identifier: MIT */
/*
 * test_second_stage.c: V10 where the second stage was read.
 */
#include "world.h"

#include <criterion/criterion.h>
#include <string.h>

#define PAGE    0x867ull     /* an entry of NPT: P W U A D, and KVM's bit */
#define PRESENT (1ull << 63) /* pagemap */
#define HVA     (1ull << 40)

static struct stage2_slot slots[2];
static struct stage2_leaf leaves[3];
static struct stage2 stage2;

/* The world's memory in two slots, and three pages of it in the second stage. */
static void init(void)
{
	world_init();
	slots[0] = (struct stage2_slot){ .gpa = 0, .size = 4 << 20, .hva = HVA };
	slots[1] = (struct stage2_slot){ .gpa = 16 << 20, .size = 4 << 20, .hva = HVA + (4 << 20), .id = 1 };
	for (uint64_t i = 0; i < 3; i++)
		leaves[i] = (struct stage2_leaf){
			.gpa = (16 << 20) + i * K4,
			.entry = (0x100 + i) << 12 | PAGE,
			.backing = PRESENT | (0x100 + i),
			.level = 1,
			.looked_up = true,
		};
	stage2 = (struct stage2){ .format = { STAGE2_NPT, 48, 0 } };
	stage2.slots.items = slots;
	stage2.slots.count = 2;
	stage2.leaves.items = leaves;
	stage2.leaves.count = 3;
	w.input.stage2 = &stage2;
}

TestSuite(second_stage, .init = init, .fini = world_destroy);

Test(second_stage, a_sound_one_is_seen_and_compared)
{
	struct verdict without = { 0 };
	struct verify_input input = w.input;
	struct error error;

	expect_findings("");
	input.stage2 = NULL;
	cr_assert_eq(verify(&input, &without, &error), 0);
	cr_expect_eq(w.verdict.results[10].seen, SEEN);
	cr_expect_eq(without.results[10].seen, NOT_SEEN);
	cr_expect_eq(w.verdict.results[10].checked, without.results[10].checked + 2 + 3,
		     "slots and leaves more");
	cr_expect_eq(w.verdict.slots_checked, 2);
	cr_expect_eq(w.verdict.stage2_leaves_checked, 3);
	cr_expect_eq(without.slots_checked + without.stage2_leaves_checked, 0);
	verdict_destroy(&without);
}

Test(second_stage, several_verifications_of_the_same_slots_and_leaves_do_not_add_up)
{
	struct verdict sum = { 0 }, without = { 0 };
	struct verify_input input = w.input;
	struct error error;

	expect_findings("");
	leaves[2].nested = true; /* counted, not compared */
	cr_assert_eq(verdict_add(&sum, &w.verdict), 0);
	expect_findings("");
	cr_assert_eq(verdict_add(&sum, &w.verdict), 0);
	cr_expect_eq(sum.slots_checked, 2);
	cr_expect_eq(sum.stage2_leaves_checked, 2, "of the last one");
	input.stage2 = NULL;
	cr_assert_eq(verify(&input, &without, &error), 0);
	cr_assert_eq(verdict_add(&sum, &without), 0);
	cr_expect_eq(sum.slots_checked, 2, "one that read none changes nothing");
	verdict_destroy(&without);
	verdict_destroy(&sum);
}

Test(second_stage, without_a_leaf_it_is_not_seen)
{
	stage2.leaves.count = 0;
	expect_findings("");
	cr_expect_eq(w.verdict.results[10].seen, NOT_SEEN);
	cr_expect_str_eq(w.verdict.results[10].why_not,
			 "the second stage has no leaf: nothing of it was compared");
	cr_expect_eq(w.verdict.slots_checked, 2);
	cr_expect_eq(w.verdict.stage2_leaves_checked, 0);
}

Test(second_stage, a_page_that_points_elsewhere_is_a_finding)
{
	leaves[1].entry += 0x1000;
	expect_findings("V10");
	cr_expect_eq(w.verdict.findings.items[0].address, leaves[1].gpa);
	cr_expect_str_eq(w.verdict.findings.items[0].found, "HPA 0x102000, the process has 0x101000 there");
}

Test(second_stage, a_slot_of_another_size_is_a_finding)
{
	slots[1].size += 0x1000;
	expect_findings("V10");
}

Test(second_stage, a_missing_slot_is_a_finding)
{
	stage2.slots.count = 1;
	expect_findings("V10");
	cr_expect_eq(w.verdict.results[10].findings, 2, "the slot, and all pages in it");
	cr_expect_eq(w.verdict.findings.items[1].pages, 3);
}

Test(second_stage, hidden_frames_are_not_called_right)
{
	for (int i = 0; i < 3; i++)
		leaves[i].looked_up = false;
	strcpy(stage2.no_frames.text, "hidden");
	expect_findings("");
	cr_expect_eq(w.verdict.results[10].seen, NOT_SEEN);
	cr_expect_str_eq(w.verdict.results[10].why_not, "hidden");
}

Test(second_stage, one_that_never_stood_still_is_not_judged)
{
	leaves[1].entry += 0x1000;
	stage2.unsteady = true;
	expect_findings("");
	cr_expect_eq(w.verdict.results[10].seen, NOT_SEEN);
}

Test(second_stage, the_reason_why_it_is_not_seen_is_kept)
{
	w.input.stage2 = NULL;
	w.input.no_stage2 = "no permission";
	expect_findings("");
	cr_expect_str_eq(w.verdict.results[10].why_not, "no permission");
}

Test(second_stage, a_large_page_may_lie_in_several_slots_that_touch)
{
	struct view *view = &w.tables.view;
	struct view_region whole = view->regions[0], half = whole;
	struct error error;

	w.input.stage2 = NULL;
	view->regions[0].size = 1 << 20;
	half.gpa += 1 << 20;
	half.bytes += 1 << 20;
	half.size -= 1 << 20;
	cr_assert_eq(view_add_region(view, &half, &error), 0);
	expect_findings("");
	cr_expect_gt(whole.size, 2 << 20, "one of 2M lies over the cut");
}

/* Memory in two regions, without [start, end). */
static void cut_memory(uint64_t start, uint64_t end)
{
	struct view *view = &w.tables.view;
	struct view_region above = view->regions[0];
	struct error error;

	w.input.stage2 = NULL;
	view->regions[0].size = start;
	above.gpa += end;
	above.bytes += end;
	above.size -= end;
	cr_assert_eq(view_add_region(view, &above, &error), 0);
}

Test(second_stage, no_memory_is_needed_where_a_pc_has_devices)
{
	cut_memory(0xa0000, 0x100000);
	expect_findings("V4"); /* the world's guest takes it for RAM, which QEMU's does not */
	cr_expect_gt(w.verdict.results[10].checked, 0);
}

Test(second_stage, a_byte_that_is_missing_above_the_devices_is_a_finding)
{
	cut_memory(0xa0000, 0x101000);
	expect_findings("V4 V10");
}

Test(second_stage, a_byte_that_is_missing_below_the_devices_is_a_finding)
{
	cut_memory(0x9f000, 0x100000);
	expect_findings("V4 V10");
}
