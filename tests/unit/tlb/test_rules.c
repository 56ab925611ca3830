/* SPDX-License-Identifier: MIT */
/*
 * test_rules.c: each rule with a stream that breaks it, and the same stream with the flush that it needs.
 */
#include "one_page.h"

/* ---- accesses ---- */

Test(tlb_rules, stale_use_needs_the_old_frame)
{
	for (unsigned int flushed = 0; flushed < 2; flushed++) {
		start(USER, RWU);
		unmap(USER);
		if (flushed)
			flush(1, USER);
		FEED(&world, OPERATION_END, .thread = THREAD);
		FEED(&world, ACCESS, .cpu = 1, .address = USER + 8,
		     .flags = TLB_ACCESS_USER | TLB_ACCESS_USED, .value = FRAME(1) + 8);
		expect_only(TLB_RULE_STALE_USE, !flushed);
	}
}

Test(tlb_rules, exposed_use_is_any_use_of_what_is_owed)
{
	for (unsigned int flushed = 0; flushed < 2; flushed++) {
		start(USER, RWU);
		unmap(USER);
		if (flushed)
			flush(1, USER);
		FEED(&world, OPERATION_END, .thread = THREAD);
		FEED(&world, ACCESS, .cpu = 1, .address = USER, .flags = TLB_ACCESS_USER);
		FEED(&world, ACCESS, .cpu = 1, .address = USER, .flags = TLB_ACCESS_USER);
		expect_only(TLB_RULE_EXPOSED_USE, !flushed);
	}
}

Test(tlb_rules, a_use_before_the_operation_is_over_is_early)
{
	start(USER, RWU);
	unmap(USER);
	FEED(&world, ACCESS, .cpu = 1, .address = USER, .flags = TLB_ACCESS_USER);
	cr_expect_eq(tlb_stats(world.tlb)->uses_early, 1);
	/* Another frame by another thread: the remover may still be about to flush. */
	world_store(&world, 1, THREAD + 1, pte(USER), FRAME(2) | RWU);
	FEED(&world, ACCESS, .cpu = 1, .address = USER, .flags = TLB_ACCESS_USER);
	cr_expect_eq(tlb_stats(world.tlb)->uses_early, 2);
	expect_only(TLB_RULE_EXPOSED_USE, 0);
}

Test(tlb_rules, another_frame_by_the_same_thread_ends_the_grace)
{
	start(USER, RWU);
	unmap(USER);
	world_store(&world, 0, THREAD, pte(USER), FRAME(2) | RWU);
	FEED(&world, ACCESS, .cpu = 1, .address = USER, .flags = TLB_ACCESS_USER);
	expect_only(TLB_RULE_EXPOSED_USE, 1);
}

Test(tlb_rules, another_frame_in_the_kernel_by_any_thread_does)
{
	start(KERNEL, RW);
	FEED(&world, HALT, .cpu = 1);
	unmap(KERNEL);
	flush(0, KERNEL);
	world_store(&world, 0, THREAD + 1, pte(KERNEL), FRAME(2) | RW);
	FEED(&world, WAKE, .cpu = 1);
	FEED(&world, ACCESS, .cpu = 1, .address = KERNEL, .flags = TLB_ACCESS_WRITE);
	expect_only(TLB_RULE_EXPOSED_USE, 1);
}

Test(tlb_rules, a_use_that_the_tables_allow_is_harmless)
{
	start(USER, RWU);
	world_store(&world, 0, THREAD, pte(USER), FRAME(1) | PTE_P | PTE_U);
	FEED(&world, OPERATION_END, .thread = THREAD);
	cr_expect_eq(world_matches(&world, TLB_RULE_RIGHT_KEPT), 2, "both CPUs");
	FEED(&world, ACCESS, .cpu = 1, .address = USER, .flags = TLB_ACCESS_USER);
	cr_expect_eq(tlb_stats(world.tlb)->uses_harmless, 1);
	cr_expect_eq(world_matches(&world, TLB_RULE_EXPOSED_USE), 0);
	FEED(&world, ACCESS, .cpu = 1, .address = USER, .flags = TLB_ACCESS_USER | TLB_ACCESS_WRITE);
	cr_expect_eq(world_matches(&world, TLB_RULE_EXPOSED_USE), 1, "a write is not");
	world_destroy(&world);
}

Test(tlb_rules, an_execute_right_is_lost_too)
{
	start(USER, RWU);
	world_store(&world, 0, THREAD, pte(USER), FRAME(1) | RWU | PTE_NX);
	FEED(&world, OPERATION_END, .thread = THREAD);
	FEED(&world, ACCESS, .cpu = 1, .address = USER, .flags = TLB_ACCESS_USER | TLB_ACCESS_WRITE);
	cr_expect_eq(world_matches(&world, TLB_RULE_EXPOSED_USE), 0);
	FEED(&world, ACCESS, .cpu = 1, .address = USER, .flags = TLB_ACCESS_USER | TLB_ACCESS_FETCH);
	cr_expect_eq(world_matches(&world, TLB_RULE_EXPOSED_USE), 1);
	world_destroy(&world);
}

Test(tlb_rules, a_supervisor_writes_to_read_only_pages_without_wp)
{
	start(KERNEL, RW);
	FEED(&world, CR0, .cpu = 1, .value = CR0_PE | CR0_PG);
	world_store(&world, 0, THREAD, pte(KERNEL), FRAME(1) | PTE_P);
	FEED(&world, OPERATION_END, .thread = THREAD);
	FEED(&world, ACCESS, .cpu = 1, .address = KERNEL, .flags = TLB_ACCESS_WRITE);
	cr_expect_eq(world_matches(&world, TLB_RULE_EXPOSED_USE), 0, "CPU 1 has no WP");
	FEED(&world, ACCESS, .cpu = 0, .address = KERNEL, .flags = TLB_ACCESS_WRITE);
	cr_expect_eq(world_matches(&world, TLB_RULE_EXPOSED_USE), 1, "CPU 0 has");
	world_destroy(&world);
}

Test(tlb_rules, an_access_across_a_page_uses_both)
{
	start(USER + PAGE_4K, RWU);
	unmap(USER + PAGE_4K);
	FEED(&world, OPERATION_END, .thread = THREAD);
	FEED(&world, ACCESS, .cpu = 1, .address = USER + 0xffc,
	     .flags = TLB_ACCESS_USER | 2 << TLB_ACCESS_SIZE_SHIFT);
	cr_expect_eq(world_matches(&world, TLB_RULE_EXPOSED_USE), 0, "4 bytes end at the page");
	FEED(&world, ACCESS, .cpu = 1, .address = USER + 0xffc,
	     .flags = TLB_ACCESS_USER | 3 << TLB_ACCESS_SIZE_SHIFT);
	expect_only(TLB_RULE_EXPOSED_USE, 1);
}

Test(tlb_rules, a_page_that_is_lost_after_a_right_is_lost_anew)
{
	start(USER, RWU);
	world_store(&world, 0, THREAD, pte(USER), FRAME(1) | PTE_P | PTE_U);
	FEED(&world, OPERATION_END, .thread = THREAD);
	world_store(&world, 0, THREAD + 1, pte(USER), 0);
	FEED(&world, ACCESS, .cpu = 1, .address = USER, .flags = TLB_ACCESS_USER);
	cr_expect_eq(tlb_stats(world.tlb)->uses_early, 1, "reading was allowed until now");
	cr_expect_eq(world_matches(&world, TLB_RULE_EXPOSED_USE), 0);
	world_destroy(&world);
}

/* ---- ring 3 ---- */

Test(tlb_rules, user_owes_only_what_is_over)
{
	world_init(&world);
	world_map(&world, USER, FRAME(1), 1, RWU);
	world_map(&world, USER + PAGE_4K, FRAME(2), 1, RWU);
	world_boot(&world, 0);
	unmap(USER);
	world_store(&world, 0, THREAD + 1, pte(USER + PAGE_4K), 0);
	FEED(&world, OPERATION_END, .thread = THREAD);
	FEED(&world, USER, .cpu = 1, .thread = THREAD + 2);
	cr_expect_eq(tlb_findings(world.tlb)->items[0].address, USER);
	expect_only(TLB_RULE_USER_OWES, 1);
}

Test(tlb_rules, user_owes_when_the_remover_is_back)
{
	for (unsigned int flushed = 0; flushed < 2; flushed++) {
		start(USER, RWU);
		FEED(&world, USER, .cpu = 1, .thread = THREAD + 1);
		FEED(&world, KERNEL, .cpu = 0);
		unmap(USER);
		flush(0, USER);
		if (flushed)
			flush(1, USER);
		FEED(&world, USER, .cpu = 0, .thread = THREAD);
		expect_only(TLB_RULE_USER_OWES, !flushed);
	}
}

Test(tlb_rules, user_owes_when_a_cpu_enters_ring_3_later)
{
	for (unsigned int flushed = 0; flushed < 2; flushed++) {
		start(USER, RWU);
		unmap(USER);
		flush(0, USER);
		FEED(&world, USER, .cpu = 0, .thread = THREAD);
		cr_expect_eq(world_matches(&world, TLB_RULE_USER_OWES), 0, "CPU 1 is in ring 0");
		if (flushed)
			FEED(&world, CR3, .cpu = 1, .value = world.root);
		FEED(&world, USER, .cpu = 1, .thread = THREAD + 1);
		expect_only(TLB_RULE_USER_OWES, !flushed);
	}
}

Test(tlb_rules, kernel_translations_and_unknown_threads_are_not_user_owes)
{
	start(KERNEL, RW);
	unmap(KERNEL);
	FEED(&world, USER, .cpu = 1, .thread = THREAD);
	cr_expect_eq(tlb_stats(world.tlb)->kernel_over, 2);
	expect_only(TLB_RULE_USER_OWES, 0);
	start(USER, RWU);
	world_store(&world, 0, 0, pte(USER), 0);
	FEED(&world, USER, .cpu = 1, .thread = 0);
	expect_only(TLB_RULE_USER_OWES, 0);
}

Test(tlb_rules, strict_means_that_a_removal_is_over_at_once)
{
	world_init(&world);
	world.config.strict = true;
	world_map(&world, KERNEL, FRAME(1), 1, RW);
	world_boot(&world, 0);
	world_store(&world, 0, 0, pte(KERNEL), 0);
	FEED(&world, ACCESS, .cpu = 1, .address = KERNEL);
	expect_only(TLB_RULE_EXPOSED_USE, 1);
}

/* ---- tables ---- */

Test(tlb_rules, table_write_is_a_store_to_a_former_table)
{
	for (unsigned int flushed = 0; flushed < 3; flushed++) {
		uint64_t table;

		start(KERNEL, RW);
		table = pte(KERNEL) & PTE_ADDRESS;
		world_store(&world, 0, THREAD, world_entry(&world, world.root, KERNEL, 2), 0);
		cr_expect(tlb_watches(world.tlb, table + 8));
		FEED(&world, INVLPG, .cpu = 0, .address = 0);
		if (flushed == 1)
			FEED(&world, INVLPG, .cpu = 1, .address = 0);
		/* Zeros are what a page is freed or allocated with. */
		FEED(&world, STORE, .cpu = 0, .address = table + 16, .value = flushed == 2 ? 0 : 0x1234);
		cr_expect(flushed != 1 || !tlb_watches(world.tlb, table));
		expect_only(TLB_RULE_TABLE_WRITE, !flushed);
	}
}

Test(tlb_rules, table_write_is_also_a_table_used_again_elsewhere)
{
	uint64_t table;

	start(KERNEL, RW);
	table = pte(KERNEL) & PTE_ADDRESS;
	world_entry(&world, world.root, KERNEL + 0x400000, 2);
	world_store(&world, 0, THREAD, world_entry(&world, world.root, KERNEL, 2), 0);
	world_store(&world, 0, THREAD, world_entry(&world, world.root, KERNEL + 0x400000, 2), table | RW);
	world_store(&world, 0, THREAD, table + 8, FRAME(9) | RW);
	expect_only(TLB_RULE_TABLE_WRITE, 2);
}

Test(tlb_rules, a_table_that_another_root_still_uses_may_be_written)
{
	uint64_t other;

	world_init(&world);
	world_map(&world, KERNEL, FRAME(1), 1, RW);
	other = world_table(&world);
	world.memory[other / PAGE_4K][page_level_index(KERNEL, 4)] =
		world.memory[world.root / PAGE_4K][page_level_index(KERNEL, 4)];
	world_boot(&world, 0);
	FEED(&world, CR3, .cpu = 1, .value = other);
	world_store(&world, 0, THREAD, world.root + page_level_index(KERNEL, 4) * 8, 0);
	world_store(&world, 0, THREAD, world_entry(&world, other, KERNEL + 0x1000, 1), FRAME(9) | RW);
	expect_only(TLB_RULE_TABLE_WRITE, 0);
}

Test(tlb_rules, unlogged_store_is_an_old_value_that_is_not_known)
{
	start(KERNEL, RW);
	FEED(&world, STORE, .flags = TLB_STORE_OLD_KNOWN, .address = pte(KERNEL),
	     .old = FRAME(1) | RW | PTE_A | PTE_D, .value = FRAME(1) | RW);
	cr_expect_eq(world_matches(&world, TLB_RULE_UNLOGGED_STORE), 0, "the processor sets A and D");
	FEED(&world, STORE, .flags = TLB_STORE_OLD_KNOWN, .address = pte(KERNEL), .old = FRAME(2) | RW,
	     .value = 0);
	cr_expect_eq(world_owed(&world, 0), 2, "both frames were mapped");
	cr_expect_eq(world_matches(&world, TLB_RULE_UNLOGGED_STORE), 1);
	world_destroy(&world);
}

/* ---- KVM without accesses ---- */

Test(tlb_rules, remapped_is_a_kernel_address_with_another_frame)
{
	for (unsigned int way = 0; way < 5; way++) {
		uint64_t va = way == 2 ? USER : KERNEL;

		world_init(&world);
		if (way == 3) {
			world.config.local_start = KERNEL;
			world.config.local_end = KERNEL + PAGE_4K;
		}
		world_map(&world, va, FRAME(1), 1, RWU);
		world_boot(&world, 0);
		unmap(va);
		flush(0, va);
		if (way == 1)
			flush(1, va);
		if (way == 4) {
			FEED(&world, HALT, .cpu = 1);
			FEED(&world, WAKE, .cpu = 1);
		}
		world_store(&world, 0, THREAD + 1, pte(va), FRAME(2) | RWU);
		expect_only(TLB_RULE_REMAPPED, way == 0);
	}
}

Test(tlb_rules, remapped_is_of_the_pcid_that_is_loaded)
{
	for (unsigned int pcid = 0; pcid < 2; pcid++) {
		uint64_t other;

		world_init(&world);
		world_map(&world, KERNEL, FRAME(1), 1, RW);
		other = world_table(&world);
		world_boot(&world, CR4_PCIDE);
		if (pcid)
			FEED(&world, CR3, .cpu = 1, .value = other | 1);
		unmap(KERNEL);
		flush(0, KERNEL);
		world_store(&world, 0, THREAD, pte(KERNEL), FRAME(2) | RW);
		expect_only(TLB_RULE_REMAPPED, !pcid);
	}
}

/* ---- the table ---- */

Test(tlb_rules, a_match_is_a_finding_only_where_the_rule_is_one)
{
	world_init(&world);
	world.config.rules = tlb_profile_rules('A');
	world.config.limits.findings = 1;
	world_map(&world, KERNEL, FRAME(1), 1, RW);
	world_map(&world, KERNEL + PAGE_4K, FRAME(2), 1, RW);
	world_boot(&world, 0);
	unmap(KERNEL);
	unmap(KERNEL + PAGE_4K);
	FEED(&world, RANGE_TAKEN, .address = KERNEL, .value = KERNEL + PAGE_4K);
	cr_expect(world_matches(&world, TLB_RULE_RANGE_REUSE) == 2 && tlb_finding_count(world.tlb) == 0);
	cr_expect_eq(tlb_findings(world.tlb)->count, 0);
	FEED(&world, OPERATION_END, .thread = THREAD);
	FEED(&world, ACCESS, .address = KERNEL);
	FEED(&world, ACCESS, .address = KERNEL + PAGE_4K);
	cr_assert(tlb_findings(world.tlb)->count == 1 && tlb_finding_count(world.tlb) == 2);
	cr_expect(tlb_findings(world.tlb)->items[0].debt.va == KERNEL &&
		  tlb_findings(world.tlb)->items[0].debt.frame == FRAME(1));
	cr_expect(tlb_findings(world.tlb)->items[0].debt.remover == 0 &&
		  tlb_findings(world.tlb)->items[0].debt.thread == THREAD);
	world_destroy(&world);
}

Test(tlb_rules, each_says_what_it_proves_and_what_it_cannot_see)
{
	cr_expect_eq(tlb_profile_rules('A') & tlb_profile_rules('O'), tlb_profile_rules('A'));
	for (unsigned int i = 0; i < TLB_RULE_COUNT; i++)
		cr_expect(*tlb_rules[i].word && *tlb_rules[i].profiles && *tlb_rules[i].proves &&
			  *tlb_rules[i].blind);
	cr_expect_eq(tlb_profile_rules('X'), 0);
}
