/* SPDX-License-Identifier: MIT */
/*
 * test_promises.c: flushes that began earlier than they ended, functions that promise a flush, and what an operation must have
 * flushed when it returns; each with a stream that breaks the rule, and one that does not.
 */
#include "one_page.h"

/* Flags of an executable, read-only page. */
#define RX PTE_P

Test(tlb_promises, a_flush_pays_what_was_removed_before_it_began)
{
	for (unsigned int late = 0; late < 2; late++) {
		uint64_t begun;

		start(KERNEL, RW);
		begun = tlb_seq(world.tlb);
		unmap(KERNEL);
		FEED(&world, FLUSH_BEGUN, .value = late ? begun : begun + 1);
		flush(0, KERNEL);
		cr_expect_eq(tlb_owes(world.tlb, 0), late);
		/* The next flush has no bound. */
		flush(0, KERNEL);
		cr_expect_not(tlb_owes(world.tlb, 0));
		expect_only(TLB_RULE_FRAME_REUSE, 0);
	}
}

Test(tlb_promises, a_promised_flush_covers_what_had_returned_before)
{
	/* Flushed; not; not, and the operation had not returned when the promise was made. */
	for (unsigned int way = 0; way < 3; way++) {
		uint64_t begun;

		start(KERNEL, RW | PTE_NX);
		unmap(KERNEL);
		begun = tlb_seq(world.tlb);
		FEED(&world, OPERATION_END, .thread = THREAD);
		if (way < 2)
			begun = tlb_seq(world.tlb);
		if (way == 0) {
			flush(0, KERNEL);
			flush(1, KERNEL);
		}
		FEED(&world, FLUSHED, .address = KERNEL, .value = begun, .old = KERNEL + PAGE_2M);
		expect_only(TLB_RULE_FLUSH_PROMISED, way == 1 ? 2 : 0);
	}
}

Test(tlb_promises, an_executable_page_is_flushed_when_its_unmapping_returns)
{
	static const uint64_t flags[] = { RX, RX, RX | PTE_NX, RW };

	for (unsigned int way = 0; way < 4; way++) {
		start(KERNEL, flags[way]);
		unmap(KERNEL);
		flush(0, KERNEL);
		if (way == 0)
			flush(1, KERNEL);
		FEED(&world, OPERATION_END, .thread = THREAD);
		expect_only(TLB_RULE_EXECUTE_KEPT, way == 1);
	}
}

Test(tlb_promises, a_table_is_flushed_when_its_removal_returns)
{
	for (unsigned int flushed = 0; flushed < 2; flushed++) {
		start(KERNEL, RW | PTE_NX);
		world_store(&world, 0, THREAD, world_entry(&world, world.root, KERNEL, 2), 0);
		flush(0, KERNEL);
		if (flushed)
			flush(1, KERNEL);
		FEED(&world, OPERATION_END, .thread = THREAD);
		expect_only(TLB_RULE_TABLE_KEPT, !flushed);
	}
}

Test(tlb_promises, a_halted_cpu_may_flush_after_a_reuse_when_it_wakes)
{
	for (unsigned int way = 0; way < 4; way++) {
		start(KERNEL, RW | PTE_NX);
		FEED(&world, HALT, .cpu = 1);
		unmap(KERNEL);
		flush(0, KERNEL);
		if (way / 2)
			FEED(&world, FRAMES_TAKEN, .address = FRAME(1), .value = FRAME(2));
		else
			FEED(&world, RANGE_TAKEN, .address = KERNEL, .value = KERNEL + PAGE_4K);
		cr_expect_eq(tlb_stats(world.tlb)->halted_owed, 1);
		if (way % 2)
			flush(1, KERNEL);
		FEED(&world, WAKE, .cpu = 1);
		expect_only(TLB_RULE_ROUND_SHORT, !(way % 2));
	}
}

Test(tlb_promises, entries_are_what_the_events_made_of_them)
{
	uint64_t entry = 1;

	start(KERNEL, RW);
	cr_expect(tlb_entry(world.tlb, pte(KERNEL), &entry));
	cr_expect_eq(entry & PTE_ADDRESS, FRAME(1));
	unmap(KERNEL);
	cr_expect(tlb_entry(world.tlb, pte(KERNEL), &entry));
	cr_expect_eq(entry, 0);
	cr_expect_not(tlb_entry(world.tlb, FRAME(1), &entry), "no table");
	cr_expect_not(tlb_entry(world.tlb, pte(KERNEL) + 4, &entry), "no entry");
	expect_only(TLB_RULE_FRAME_REUSE, 0);
}
