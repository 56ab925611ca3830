/* SPDX-License-Identifier: MIT */
/*
 * test_tables.c: which debts a change of an entry makes: sizes of pages, levels, several roots and places, rights.
 */
#include "world.h"

#include <criterion/criterion.h>

static struct world world;

static void clear(uint64_t va, unsigned int level)
{
	world_store(&world, 0, 1, world_entry(&world, world.root, va, level), 0);
}

Test(tlb_tables, an_entry_is_owed_by_each_cpu_until_it_flushes)
{
	world_init(&world);
	world_map(&world, KERNEL, FRAME(1), 1, RW);
	world_boot(&world, 0);
	clear(KERNEL, 1);
	cr_expect(world_owed(&world, 0) == 1 && world_owed(&world, 1) == 1);
	FEED(&world, INVLPG, .address = KERNEL);
	cr_expect(world_owed(&world, 0) == 0 && world_owed(&world, 1) == 1);
	cr_expect(!tlb_owes(world.tlb, 0) && tlb_owes(world.tlb, 1) && !tlb_owes(world.tlb, 2));
	cr_expect(!tlb_may_owe(world.tlb, 0, KERNEL) && !tlb_may_owe(world.tlb, 2, KERNEL));
	cr_expect(tlb_may_owe(world.tlb, 1, KERNEL + 8) && !tlb_may_owe(world.tlb, 1, KERNEL + PAGE_4K));
	FEED(&world, INVLPG, .cpu = 1, .address = KERNEL);
	cr_expect_eq(world_owed(&world, 1), 0);
	world_destroy(&world);
}

Test(tlb_tables, a_cpu_without_paging_owes_nothing)
{
	world_init(&world);
	world_map(&world, KERNEL, FRAME(1), 1, RW);
	world_boot(&world, 0);
	FEED(&world, CR0, .cpu = 1, .value = CR0_PE);
	clear(KERNEL, 1);
	cr_expect(world_owed(&world, 0) == 1 && world_owed(&world, 1) == 0);
	FEED(&world, EFER, .cpu = 0, .value = 0);
	cr_expect_eq(world_owed(&world, 0), 0);
	world_destroy(&world);
}

Test(tlb_tables, accessed_and_dirty_bits_and_gained_rights_are_no_debts)
{
	world_init(&world);
	world_map(&world, KERNEL, FRAME(1), 1, PTE_P | PTE_NX);
	world_boot(&world, 0);
	world_map(&world, KERNEL, FRAME(1), 1, PTE_P | PTE_NX | PTE_A | PTE_D);
	world_map(&world, KERNEL, FRAME(1), 1, RWU | X86_BIT(9));
	cr_expect_eq(world_owed(&world, 0), 0);
	world_map(&world, KERNEL, FRAME(1), 1, RW);
	cr_expect_eq(world_owed(&world, 0), 1, "the right to use it in ring 3 was lost");
	world_map(&world, KERNEL, FRAME(1), 1, RWU);
	cr_expect_eq(world_owed(&world, 0), 0, "and is there again");
	cr_expect_eq(tlb_stats(world.tlb)->debts_now, 0, "so that nothing is kept");
	world_destroy(&world);
}

Test(tlb_tables, a_right_lost_above_is_lost_below)
{
	uint64_t above;

	world_init(&world);
	world_map(&world, KERNEL, FRAME(1), 1, RW);
	world_map(&world, KERNEL + 0x1000, FRAME(2), 1, PTE_P);
	world_boot(&world, 0);
	above = world_entry(&world, world.root, KERNEL, 3);
	world_store(&world, 0, 1, above, world.memory[above / PAGE_4K][above % PAGE_4K / 8] & ~PTE_W);
	cr_expect_eq(world_owed_at(&world, 0, KERNEL, 1), 1, "it was writable");
	cr_expect_eq(world_owed(&world, 0), 1, "the other was not");
	world_destroy(&world);
}

Test(tlb_tables, clearing_an_upper_entry_owes_all_below_and_the_tables)
{
	for (unsigned int levels = 4; levels <= 5; levels++) {
		world_init(&world);
		world.levels = levels;
		world_map(&world, KERNEL, FRAME(1), 1, RW);
		world_map(&world, KERNEL + 0x1ff000, FRAME(2), 1, RW);
		world_map(&world, KERNEL + 0x200000, FRAME(3), 2, RW);
		world_map(&world, KERNEL + 0x40000000, 0x40000000, 3, RW);
		world_boot(&world, 0);
		clear(KERNEL, levels);
		cr_expect_eq(world_owed(&world, 0), 4 + levels - 1, "%u levels: 4 pages, %u tables", levels,
			     levels - 1);
		cr_expect_eq(world_owed_at(&world, 0, KERNEL + 0x1ff000, 1), 1);
		cr_expect_eq(world_owed_at(&world, 0, KERNEL + 0x200000, 2), 1);
		cr_expect_eq(world_owed_at(&world, 0, KERNEL + 0x40000000, 3), 1);
		FEED(&world, INVLPG, .address = KERNEL);
		cr_expect_eq(world_owed(&world, 0), 3, "one INVLPG pays for all tables");
		FEED(&world, CR3, .value = world.root);
		cr_expect_eq(world_owed(&world, 0), 0);
		world_destroy(&world);
	}
}

Test(tlb_tables, a_low_and_a_high_address_of_five_levels_are_two)
{
	uint64_t low = 0x00f0000000000000, high = 0xff10000000000000;

	world_init(&world);
	world.levels = 5;
	world_map(&world, low, FRAME(1), 1, RWU);
	world_map(&world, high, FRAME(2), 1, RW);
	world_boot(&world, 0);
	clear(low, 1);
	clear(high, 1);
	cr_expect(world_owed_at(&world, 0, low, 1) == 1 && world_owed_at(&world, 0, high, 1) == 1);
	FEED(&world, INVLPG, .address = high);
	cr_expect(world_owed_at(&world, 0, low, 1) == 1 && world_owed_at(&world, 0, high, 1) == 0);
	world_destroy(&world);
}

/* Splits the 2M page at KERNEL into 512 pages of the same frames. */
static uint64_t split(void)
{
	uint64_t table = world_table(&world);

	for (unsigned int i = 0; i < 512; i++)
		world.memory[table / PAGE_4K][i] = (FRAME(1) + i * PAGE_4K) | RW;
	world_store(&world, 0, 1, world_entry(&world, world.root, KERNEL, 2), table | RWU);
	return table;
}

Test(tlb_tables, the_large_page_is_held_after_a_split)
{
	uint64_t table;

	world_init(&world);
	world_map(&world, KERNEL, FRAME(1), 2, RW);
	world_boot(&world, 0);
	table = split();
	cr_expect_eq(world_owed(&world, 0), 0, "the pages are the same");
	world_store(&world, 0, 1, table + 8 * 8, 0);
	cr_expect_eq(world_owed_at(&world, 0, KERNEL, 2), 1, "it still allows the page that is gone");
	cr_expect_eq(world_owed_at(&world, 0, KERNEL + 8 * PAGE_4K, 1), 1);
	FEED(&world, INVLPG, .address = KERNEL + 9 * PAGE_4K);
	cr_expect_eq(world_owed_at(&world, 0, KERNEL, 2), 0, "any address of it pays");
	cr_expect_eq(world_owed_at(&world, 0, KERNEL + 8 * PAGE_4K, 1), 1);
	world_destroy(&world);
}

Test(tlb_tables, small_pages_are_held_after_a_promotion)
{
	world_init(&world);
	world_map(&world, KERNEL, FRAME(1), 2, RW);
	world_boot(&world, 0);
	split();
	FEED(&world, CR3, .value = world.root);
	world_map(&world, KERNEL, FRAME(1), 2, RW);
	FEED(&world, INVLPG, .address = KERNEL);
	cr_expect_eq(world_owed(&world, 0), 0, "the large page gives the same");
	clear(KERNEL, 2);
	FEED(&world, INVLPG, .address = KERNEL);
	cr_expect_eq(world_owed(&world, 0), 511, "all small pages but the one that was flushed");
	FEED(&world, FLUSH_RANGE, .address = KERNEL, .value = KERNEL + PAGE_2M);
	cr_expect_eq(world_owed(&world, 0), 0);
	world_destroy(&world);
}

Test(tlb_tables, roots_that_share_tables_owe_both)
{
	uint64_t other;

	world_init(&world);
	world_map(&world, KERNEL, FRAME(1), 1, RW);
	other = world_table(&world);
	world.memory[other / PAGE_4K][page_level_index(KERNEL, 4)] =
		world.memory[world.root / PAGE_4K][page_level_index(KERNEL, 4)];
	world_boot(&world, 0);
	FEED(&world, CR3, .cpu = 1, .value = other);
	clear(KERNEL, 1);
	cr_expect(world_owed(&world, 0) == 1 && world_owed(&world, 1) == 1);
	world_destroy(&world);
}

Test(tlb_tables, a_table_at_two_addresses_is_owed_at_both)
{
	uint64_t second = KERNEL + (3ull << 39);

	world_init(&world);
	world_map(&world, KERNEL, FRAME(1), 1, RW);
	world.memory[world.root / PAGE_4K][page_level_index(second, 4)] =
		world.memory[world.root / PAGE_4K][page_level_index(KERNEL, 4)];
	world_boot(&world, 0);
	clear(KERNEL, 1);
	cr_expect(world_owed_at(&world, 0, KERNEL, 1) == 1 && world_owed_at(&world, 0, second, 1) == 1);
	world_destroy(&world);
}

Test(tlb_tables, a_recursive_map_is_owed_too)
{
	uint64_t slot = 0xffffff8000000000, entry;

	world_init(&world);
	world_map(&world, KERNEL, FRAME(1), 1, RW);
	world.memory[world.root / PAGE_4K][511] = world.root | RW;
	world_boot(&world, 0);
	entry = world_entry(&world, world.root, KERNEL, 1);
	/* The table is data at its place in the recursive map: the entry above it is the leaf there. */
	world_store(&world, 0, 1, world_entry(&world, world.root, KERNEL, 2), 0);
	cr_expect_eq(world_owed_at(&world, 0, KERNEL, 1), 1);
	cr_expect_eq(world_owed_at(&world, 0, slot | (KERNEL & 0x0000ffffffe00000) >> 9, 1), 1);
	cr_expect(entry);
	world_destroy(&world);
}

Test(tlb_tables, an_older_debt_does_not_hide_a_newer_one)
{
	world_init(&world);
	world_map(&world, KERNEL, FRAME(1), 1, RW);
	world_boot(&world, 0);
	world_map(&world, KERNEL, FRAME(2), 1, RW);
	world_map(&world, KERNEL, FRAME(3), 1, RW);
	cr_expect_eq(world_owed(&world, 1), 2);
	world_map(&world, KERNEL, FRAME(1), 1, RW);
	cr_expect_eq(world_owed(&world, 1), 2, "1 is given again, 2 and 3 are owed");
	world_destroy(&world);
}

Test(tlb_tables, tables_that_are_not_known_make_no_finding_and_are_counted)
{
	world_init(&world);
	world_boot(&world, 0);
	world_store(&world, 0, 1, world_entry(&world, world.root, KERNEL, 4),
		    (WORLD_PAGES + 1) * PAGE_4K | RW);
	cr_expect_eq(tlb_stats(world.tlb)->unknown_tables, 1);
	clear(KERNEL, 4);
	cr_expect_eq(world_owed(&world, 0), 1, "the pointer to it");
	FEED(&world, ACCESS, .address = KERNEL);
	cr_expect_eq(tlb_finding_count(world.tlb), 0);
	world_destroy(&world);
}

Test(tlb_tables, pages_may_come_as_events)
{
	static uint64_t page[512];

	world_init(&world);
	world.config.page = NULL;
	world_map(&world, KERNEL, FRAME(1), 1, RW);
	cr_assert_eq(tlb_create(&world.config, &world.tlb, &(struct error){ 0 }), 0);
	for (uint64_t gpa = world.root; gpa < world.next; gpa += PAGE_4K)
		FEED(&world, PAGE, .address = gpa, .entries = world.memory[gpa / PAGE_4K]);
	cr_expect_eq(tlb_seq(world.tlb), 0, "pages have no numbers");
	tlb_destroy(world.tlb);
	world.tlb = NULL;
	world_boot(&world, 0);
	cr_expect_eq(tlb_stats(world.tlb)->unknown_tables, 1, "only the root is asked for");
	FEED(&world, PAGE, .address = world.root, .entries = world.memory[world.root / PAGE_4K]);
	for (uint64_t gpa = world.root + PAGE_4K; gpa < world.next; gpa += PAGE_4K)
		FEED(&world, PAGE, .address = gpa, .entries = world.memory[gpa / PAGE_4K]);
	clear(KERNEL, 1);
	cr_expect_eq(world_owed(&world, 0), 1);
	FEED(&world, PAGE, .address = world.root, .entries = page);
	cr_expect_eq(world_matches(&world, TLB_RULE_UNLOGGED_STORE), 1,
		     "a page that differs from what is known");
	world_destroy(&world);
}

Test(tlb_tables, limits_are_kept_and_counted)
{
	const struct tlb_stats *stats;

	world_init(&world);
	world.config.limits.debts = 3;
	world.config.limits.debts_per_address = 2;
	for (unsigned int i = 0; i < 8; i++)
		world_map(&world, KERNEL + i * PAGE_4K, FRAME(1), 1, RW);
	world_boot(&world, 0);
	stats = tlb_stats(world.tlb);
	for (unsigned int i = 2; i < 5; i++)
		world_map(&world, KERNEL, FRAME(i), 1, RW);
	cr_expect(stats->debts_now <= 3 && stats->debts_dropped > 0);
	clear(KERNEL, 2);
	cr_expect(stats->debts_now <= 3);
	world_destroy(&world);

	world_init(&world);
	world.config.limits.debts_per_address = 2;
	world_map(&world, KERNEL, FRAME(1), 1, RW);
	world_boot(&world, 0);
	for (unsigned int i = 2; i < 7; i++)
		world_map(&world, KERNEL, FRAME(i), 1, RW);
	cr_expect(world_owed(&world, 0) == 2 && tlb_stats(world.tlb)->debts_dropped == 6);
	FEED(&world, FRAMES_TAKEN, .address = FRAME(1), .value = FRAME(1) + 1);
	FEED(&world, FRAMES_TAKEN, .address = FRAME(5), .value = FRAME(5) + 1);
	cr_expect_eq(world_matches(&world, TLB_RULE_FRAME_REUSE), 4, "the oldest and the newest");
	world_destroy(&world);

	world_init(&world);
	world.config.limits.pages = 2;
	world_map(&world, KERNEL, FRAME(1), 1, RW);
	world_boot(&world, 0);
	cr_expect(tlb_stats(world.tlb)->tables_most == 2 && tlb_stats(world.tlb)->pages_dropped > 0);
	world_destroy(&world);

	world_init(&world);
	world.config.limits.contexts = 2;
	world_boot(&world, CR4_PCIDE);
	for (unsigned int pcid = 0; pcid < 4; pcid++)
		FEED(&world, CR3, .value = world.root | pcid);
	cr_expect_eq(tlb_stats(world.tlb)->contexts_dropped, 2);
	world_destroy(&world);
}

Test(tlb_tables, pages_for_the_next_event_are_kept_beyond_the_limit)
{
	world_init(&world);
	world.config.limits.pages = 40;
	world_map(&world, KERNEL, FRAME(1), 1, RW);
	world_map(&world, USER, FRAME(2), 1, RW);
	world.config.page = NULL;
	cr_assert_eq(tlb_create(&world.config, &world.tlb, &(struct error){ 0 }), 0);
	for (uint64_t gpa = world.root; gpa < world.next; gpa += PAGE_4K)
		FEED(&world, PAGE, .address = gpa, .entries = world.memory[gpa / PAGE_4K]);
	FEED(&world, CR0, .value = CR0_PG);
	FEED(&world, CR3, .value = world.root);
	FEED(&world, CR4, .value = CR4_PAE);
	cr_expect_eq(tlb_stats(world.tlb)->unknown_tables, 0, "7 pages, though 5 is an eighth of the limit");
	for (unsigned int i = 0; i < 20; i++) {
		FEED(&world, PAGE, .address = (100 + i) * PAGE_4K, .entries = world.memory[0]);
		FEED(&world, KERNEL, .cpu = 0);
	}
	cr_expect_not(tlb_watches(world.tlb, 100 * PAGE_4K), "the oldest of those that no event needed");
	cr_expect(tlb_watches(world.tlb, 119 * PAGE_4K));
	world_destroy(&world);
}

Test(tlb_tables, roots_that_are_not_loaded_are_kept_up_to_a_limit)
{
	uint64_t roots[4];

	world_init(&world);
	world.config.limits.roots = 2;
	for (unsigned int i = 0; i < 4; i++)
		roots[i] = world_table(&world);
	world_boot(&world, 0);
	FEED(&world, CR3, .cpu = 1, .value = roots[3]);
	for (unsigned int i = 0; i < 3; i++)
		FEED(&world, CR3, .value = roots[i]);
	cr_expect(tlb_watches(world.tlb, roots[1] + 8) && tlb_watches(world.tlb, roots[0]));
	cr_expect_not(tlb_watches(world.tlb, world.root), "the oldest");
	world_store(&world, 0, 1, roots[0], FRAME(1));
	cr_expect_not(tlb_watches(world.tlb, roots[0]), "a store to it: it may be a root no more");
	cr_expect_eq(tlb_stats(world.tlb)->stores_elsewhere, 1);
	world_destroy(&world);
}

Test(tlb_tables, events_that_cannot_be_are_refused)
{
	static const struct tlb_event wrong[] = {
		{ .kind = 0 },
		{ .kind = TLB_EVENT_KINDS },
		{ .kind = TLB_CR3, .cpu = 2 },
		{ .kind = TLB_CR3, .flags = 1 },
		{ .kind = TLB_STORE, .address = 4 },
		{ .kind = TLB_STORE, .address = 1ull << 52 },
		{ .kind = TLB_PAGE, .address = 8 },
		{ .kind = TLB_INVPCID, .flags = 4 },
		{ .kind = TLB_INVPCID, .value = 4096 },
		{ .kind = TLB_ACCESS, .flags = TLB_ACCESS_WRITE | TLB_ACCESS_FETCH },
		{ .kind = TLB_FLUSH_RANGE, .address = 2, .value = 1 },
		{ .kind = TLB_FRAMES_TAKEN, .value = 1ull << 53 },
		{ .kind = TLB_ROUND_REQUEST, .address = 2, .old = 1 },
	};

	world_init(&world);
	world_boot(&world, 0);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		uint64_t before = tlb_seq(world.tlb);
		struct error error = { 0 };

		cr_expect_eq(tlb_feed(world.tlb, &wrong[i], &error), -1, "event %zu", i);
		cr_expect_eq(error.kind, ERROR_INPUT);
		cr_expect_eq(tlb_seq(world.tlb), before);
	}
	world.config.cpus = 0;
	cr_expect_eq(tlb_create(&world.config, &(struct tlb *){ NULL }, &(struct error){ 0 }), -1);
	world_destroy(&world);
}
