/* SPDX-License-Identifier: MIT */
/*
 * test_reuse.c: the rules about kvmap's own guest: frames, ranges, rights and rounds of flushes; each with a stream that breaks
 * it, and the same stream with the flush that it needs.
 */
#include "one_page.h"

Test(tlb_rules, frame_reuse_table_reuse_and_range_reuse)
{
	static const enum tlb_rule rules[] = { TLB_RULE_FRAME_REUSE, TLB_RULE_TABLE_REUSE,
					       TLB_RULE_RANGE_REUSE };

	for (unsigned int i = 0; i < 6; i++) {
		bool flushed = i >= 3;
		uint64_t table;

		start(KERNEL, RW);
		table = pte(KERNEL) & PTE_ADDRESS;
		if (i % 3 == 1)
			world_store(&world, 0, THREAD, world_entry(&world, world.root, KERNEL, 2), 0);
		else
			unmap(KERNEL);
		flush(0, KERNEL);
		if (flushed)
			flush(1, KERNEL);
		FEED(&world, FRAMES_TAKEN, .address = FRAME(2), .value = FRAME(3));
		FEED(&world, RANGE_TAKEN, .address = KERNEL + PAGE_4K, .value = KERNEL + PAGE_2M);
		if (i % 3 == 2)
			FEED(&world, RANGE_TAKEN, .address = KERNEL, .value = KERNEL + PAGE_2M);
		else if (i % 3 == 1)
			FEED(&world, FRAMES_TAKEN, .address = table, .value = table + PAGE_4K);
		else
			FEED(&world, FRAMES_TAKEN, .address = FRAME(0), .value = FRAME(1) + 1);
		expect_only(rules[i % 3], !flushed);
	}
}

Test(tlb_rules, table_returned_is_a_table_that_is_freed_before_its_flush)
{
	for (unsigned int flushed = 0; flushed < 2; flushed++) {
		uint64_t pmd, table;

		start(KERNEL, RW);
		pmd = world_entry(&world, world.root, KERNEL, 2);
		table = world_entry(&world, world.root, KERNEL, 1) & ~(PAGE_4K - 1);
		world_store(&world, 0, THREAD, pmd, 0);
		flush(0, KERNEL);
		if (flushed)
			flush(1, KERNEL);
		FEED(&world, FRAMES_RETURNED, .address = table, .value = table + PAGE_4K);
		expect_only(TLB_RULE_TABLE_RETURNED, !flushed);
	}
}

Test(tlb_rules, frames_of_large_pages_are_found)
{
	world_init(&world);
	world_map(&world, KERNEL, FRAME(1), 2, RW);
	world_boot(&world, 0);
	world_store(&world, 0, THREAD, world_entry(&world, world.root, KERNEL, 2), 0);
	FEED(&world, FRAMES_RETURNED, .address = FRAME(1) + PAGE_4K, .value = FRAME(1) + 2 * PAGE_4K);
	cr_expect_eq(tlb_stats(world.tlb)->frames_freed_owed, 2, "of both CPUs");
	FEED(&world, FRAMES_TAKEN, .address = FRAME(1) + PAGE_4K, .value = FRAME(1) + 2 * PAGE_4K);
	expect_only(TLB_RULE_FRAME_REUSE, 2);
}

Test(tlb_rules, right_kept_is_a_right_that_outlives_its_operation)
{
	for (unsigned int way = 0; way < 3; way++) {
		start(KERNEL, RW | PTE_NX);
		world_store(&world, 0, THREAD, pte(KERNEL), FRAME(1) | PTE_P | PTE_NX);
		flush(0, KERNEL);
		if (way == 1)
			flush(1, KERNEL);
		if (way == 2)
			unmap(KERNEL); /* and then it is no right that was lost, but a page */
		FEED(&world, OPERATION_END, .thread = THREAD);
		expect_only(TLB_RULE_RIGHT_KEPT, way == 0);
	}
}

Test(tlb_rules, round_short_is_a_round_that_left_a_cpu_out)
{
	for (unsigned int way = 0; way < 4; way++) {
		start(KERNEL, RW);
		if (way == 3)
			FEED(&world, ROUND_REQUEST, .value = 5, .address = KERNEL, .old = KERNEL + PAGE_4K);
		unmap(KERNEL);
		if (way != 3)
			FEED(&world, ROUND_REQUEST, .value = 5, .address = way == 2 ? USER : KERNEL,
			     .old = (way == 2 ? USER : KERNEL) + PAGE_4K);
		flush(0, KERNEL);
		if (way == 1)
			flush(1, KERNEL);
		FEED(&world, ROUND_DONE, .value = 5);
		FEED(&world, ROUND_DONE, .value = 5);
		cr_expect_eq(tlb_stats(world.tlb)->rounds_unknown, 1);
		expect_only(TLB_RULE_ROUND_SHORT, way == 0);
	}
}

Test(tlb_rules, a_halted_cpu_may_flush_when_it_wakes)
{
	for (unsigned int flushed = 0; flushed < 2; flushed++) {
		start(KERNEL, RW);
		FEED(&world, HALT, .cpu = 1);
		unmap(KERNEL);
		FEED(&world, ROUND_REQUEST, .value = 5, .address = KERNEL, .old = KERNEL + PAGE_4K);
		flush(0, KERNEL);
		FEED(&world, ROUND_DONE, .value = 5);
		cr_expect_eq(world_matches(&world, TLB_RULE_ROUND_SHORT), 0);
		cr_expect_eq(tlb_stats(world.tlb)->halted_owed, 1);
		if (flushed)
			flush(1, KERNEL);
		FEED(&world, WAKE, .cpu = 1);
		expect_only(TLB_RULE_ROUND_SHORT, !flushed);
	}
}

Test(tlb_rules, a_cpu_that_woke_is_no_longer_excused)
{
	start(KERNEL, RW);
	FEED(&world, HALT, .cpu = 1);
	FEED(&world, WAKE, .cpu = 1);
	unmap(KERNEL);
	FEED(&world, ROUND_REQUEST, .value = 5, .address = KERNEL, .old = KERNEL + PAGE_4K);
	flush(0, KERNEL);
	FEED(&world, ROUND_DONE, .value = 5);
	expect_only(TLB_RULE_ROUND_SHORT, 1);
}

Test(tlb_rules, a_right_may_be_kept_by_a_halted_cpu_until_it_wakes)
{
	for (unsigned int flushed = 0; flushed < 2; flushed++) {
		start(KERNEL, RW);
		FEED(&world, HALT, .cpu = 1);
		world_store(&world, 0, THREAD, pte(KERNEL), FRAME(1) | PTE_P);
		flush(0, KERNEL);
		FEED(&world, OPERATION_END, .thread = THREAD);
		cr_expect_eq(world_matches(&world, TLB_RULE_RIGHT_KEPT), 0);
		if (flushed)
			flush(1, KERNEL);
		FEED(&world, WAKE, .cpu = 1);
		expect_only(TLB_RULE_ROUND_SHORT, !flushed);
	}
}
