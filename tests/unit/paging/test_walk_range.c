/* SPDX-License-Identifier: MIT */
/*
 * test_walk_range.c: scans of honest tables, and of random ones.
 */
#include "scan.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(walk_range, .init = scan_start, .fini = scan_end);

static void expect_leaf(unsigned int i, uint64_t gva, uint64_t gpa, uint64_t size)
{
	const struct walk_leaf *leaf = &seen.leaves[i];

	cr_expect(leaf->gva == gva && leaf->gpa == gpa && leaf->size == size,
		  "leaf %u: expected 0x%lx -> 0x%lx (0x%lx), found 0x%lx -> 0x%lx (0x%lx)", i, gva, gpa, size,
		  leaf->gva, leaf->gpa, leaf->size);
}

Test(walk_range, reports_leaves_of_all_sizes_in_order_of_address)
{
	tables_map(&t, VMALLOC + G1, 0x80000000, 3, 0);
	tables_map(&t, 0x1000, 0x7000, 1, PTE_U);
	tables_map(&t, VMALLOC + M2, 0x40000000 | 1 << 12, 2, PTE_W);
	tables_map(&t, VMALLOC, 0x5000, 1, PTE_W | PTE_NX);
	cr_assert_eq(scan(0, ~0ull), 0);
	cr_assert_eq(seen.leaf_count, 4);
	cr_expect_eq(seen.run_leaves, 4);
	cr_expect_eq(seen.damage_count, 0);
	expect_leaf(0, 0x1000, 0x7000, K4);
	expect_leaf(1, VMALLOC, 0x5000, K4);
	expect_leaf(2, VMALLOC + M2, 0x40000000, M2);
	expect_leaf(3, VMALLOC + G1, 0x80000000, G1);
	cr_expect_eq(seen.leaves[0].rights, RIGHT_R | RIGHT_X | RIGHT_U);
	cr_expect_eq(seen.leaves[1].rights, RIGHT_R | RIGHT_W);
	cr_expect_eq(seen.leaves[1].level, 1);
	cr_expect_eq(seen.leaves[1].entry, *tables_entry(&t, VMALLOC, 1));
	cr_expect_eq(seen.leaves[1].table, *tables_entry(&t, VMALLOC, 2) & PTE_ADDRESS);
	cr_expect_eq(seen.table_count, t.next / K4 - 1, "each table once");
	cr_expect_eq(seen.tables_by_level[4], 1);
}

static void expect_table(unsigned int i, uint64_t gpa, unsigned int level, uint64_t gva)
{
	cr_expect(seen.tables[i].gpa == gpa && seen.tables[i].level == level && seen.tables[i].gva == gva,
		  "table %u: 0x%lx at level %u for 0x%lx", i, seen.tables[i].gpa, seen.tables[i].level,
		  seen.tables[i].gva);
}

/* A large page and two small ones, one of them in doubt, in tables that leave them fewer and fewer rights. */
Test(walk_range, reports_all_that_is_known_of_a_table_a_leaf_and_a_damaged_entry)
{
	uint64_t gva = VMALLOC + 5 * G1 + 3 * M2 + 7 * K4, top = VMALLOC & ~((1ull << 39) - 1);
	uint64_t table[4] = { 0 };

	tables_map(&t, gva, 0x5000, 1, PTE_W | PTE_U);
	tables_map(&t, gva + K4, 0x6000 | 1ull << 47, 1, PTE_W | PTE_NX);
	tables_map(&t, gva + M2, 0x40000000, 2, PTE_W | PTE_NX | PTE_PAT_LARGE);
	*tables_entry(&t, gva, 3) &= ~PTE_U;
	*tables_entry(&t, gva, 2) &= ~PTE_W;
	for (unsigned int level = 3; level >= 1; level--)
		table[level] = *tables_entry(&t, gva, level + 1) & PTE_ADDRESS;
	cr_assert_eq(scan(0, ~0ull), 0);
	cr_assert_eq(seen.table_count, 4);
	expect_table(0, t.mode.root, 4, 0);
	expect_table(1, table[3], 3, top);
	expect_table(2, table[2], 2, VMALLOC + 5 * G1);
	expect_table(3, table[1], 1, VMALLOC + 5 * G1 + 3 * M2);
	cr_assert_eq(seen.leaf_count, 2);
	expect_entry(&seen.leaves[0], (struct walk_leaf){ .gva = gva,
							  .gpa = 0x5000,
							  .size = K4,
							  .rights = RIGHT_R | RIGHT_X,
							  .level = 1,
							  .entry = 0x5000 | PTE_P | PTE_W | PTE_U,
							  .table = table[1] });
	expect_entry(&seen.leaves[1], (struct walk_leaf){ .gva = VMALLOC + 5 * G1 + 4 * M2,
							  .gpa = 0x40000000,
							  .size = M2,
							  .rights = RIGHT_R | RIGHT_W,
							  .level = 2,
							  .entry = *tables_entry(&t, gva + M2, 2),
							  .table = table[2] });
	cr_assert_eq(seen.damage_count, 1);
	expect_entry(&seen.damage[0], (struct walk_leaf){ .gva = gva + K4,
							  .gpa = 0x6000 | 1ull << 47,
							  .size = K4,
							  .rights = RIGHT_R | RIGHT_X,
							  .level = 1,
							  .entry = *tables_entry(&t, gva + K4, 1),
							  .table = table[1] });
}

Test(walk_range, reports_the_same_tables_to_one_that_asks_for_nothing_else)
{
	struct walk_visitor tables_only = { .context = &seen, .table = see_table };
	struct seen all;

	for (uint64_t i = 0; i < 3; i++) {
		tables_map(&t, VMALLOC + i * G1, 0x1000, 1, PTE_W);
		tables_map(&t, VMALLOC + i * G1 + M2, 0x200000, 2, PTE_W);
	}
	scan_limited(0, ~0ull, 0);
	all = seen;
	memset(&seen, 0, sizeof(seen));
	cr_assert_eq(walk_range(&t.view, &t.mode, 0, ~0ull, 0, &tables_only), 0);
	cr_expect_gt(seen.table_count, 5);
	for (int level = 1; level <= 5; level++)
		cr_expect_eq(seen.tables_by_level[level], all.tables_by_level[level], "level %d", level);
}

Test(walk_range, takes_both_ends_of_the_range_as_inside_it)
{
	for (unsigned int i = 0; i < 8; i++)
		tables_map(&t, VMALLOC + i * K4, i * K4, 1, 0);
	scan(VMALLOC + 2 * K4, VMALLOC + 5 * K4);
	cr_expect_eq(seen.leaf_count, 4);
	expect_leaf(0, VMALLOC + 2 * K4, 2 * K4, K4);
	scan(VMALLOC + 2 * K4, VMALLOC + 5 * K4 - 1);
	cr_expect_eq(seen.leaf_count, 3);
	scan(VMALLOC + 3 * K4 + 17, VMALLOC + 3 * K4 + 17);
	cr_expect_eq(seen.leaf_count, 1);
	expect_leaf(0, VMALLOC + 3 * K4, 3 * K4, K4);
	scan(VMALLOC + 5 * K4, VMALLOC + 2 * K4);
	cr_expect_eq(seen.leaf_count, 0);
}

Test(walk_range, reports_a_large_page_that_begins_before_the_range)
{
	tables_map(&t, VMALLOC, 0x40000000, 2, 0);
	scan(VMALLOC + K4, VMALLOC + K4);
	cr_assert_eq(seen.leaf_count, 1);
	expect_leaf(0, VMALLOC, 0x40000000, M2);
}

Test(walk_range, reaches_the_first_and_the_last_page_of_the_address_space)
{
	tables_map(&t, 0, 0x1000, 1, 0);
	tables_map(&t, 0x00007ffffffff000, 0x2000, 1, 0);
	tables_map(&t, 0xffff800000000000, 0x3000, 1, 0);
	tables_map(&t, ~0ull - K4 + 1, 0x4000, 1, 0);
	cr_assert_eq(scan(0, ~0ull), 0);
	cr_assert_eq(seen.leaf_count, 4);
	expect_leaf(1, 0x00007ffffffff000, 0x2000, K4);
	expect_leaf(2, 0xffff800000000000, 0x3000, K4);
	expect_leaf(3, ~0ull - K4 + 1, 0x4000, K4);
	scan(~0ull, ~0ull);
	cr_expect_eq(seen.leaf_count, 1);
}

Test(walk_range, skips_what_is_not_canonical)
{
	tables_map(&t, 0x00007ffffffff000, 0x2000, 1, 0);
	tables_map(&t, 0xffff800000000000, 0x3000, 1, 0);
	scan(0x0000900000000000, 0xffff800000000000);
	cr_expect_eq(seen.leaf_count, 1);
	expect_leaf(0, 0xffff800000000000, 0x3000, K4);
	scan(0x00007ffffffff000, 0xffff700000000000);
	cr_expect_eq(seen.leaf_count, 1);
	expect_leaf(0, 0x00007ffffffff000, 0x2000, K4);
	scan(0x0000800000000000, 0xffff7fffffffffff);
	cr_expect_eq(seen.leaf_count, 0);
	cr_expect_eq(seen.table_count, 0);
}

Test(walk_range, walks_five_levels)
{
	tables_destroy(&t);
	tables_init(&t, 5);
	tables_map(&t, 0xff00000000000000, 0x1000, 1, 0);
	tables_map(&t, 0x00fffffffffff000, 0x2000, 1, 0);
	tables_map(&t, ~0ull - K4 + 1, 0x4000, 1, 0);
	cr_assert_eq(scan(0, ~0ull), 0);
	cr_assert_eq(seen.leaf_count, 3);
	expect_leaf(0, 0x00fffffffffff000, 0x2000, K4);
	expect_leaf(1, 0xff00000000000000, 0x1000, K4);
	expect_leaf(2, ~0ull - K4 + 1, 0x4000, K4);
	cr_expect_eq(seen.tables_by_level[5], 1);
}

Test(walk_range, ends_when_the_visitor_says_so)
{
	for (unsigned int i = 0; i < 8; i++)
		tables_map(&t, VMALLOC + i * K4, i * K4, 1, 0);
	seen.end_after = 3;
	cr_expect_eq(scan(0, ~0ull), 42);
	cr_expect_eq(seen.leaf_count, 3);
}

/* One run, or its leaves, may be asked for alone. */
struct runs {
	unsigned int count;
	struct walk_run run[16];
};

static int keep_run(void *context, const struct walk_run *run)
{
	struct runs *runs = context;

	if (runs->count < 16)
		runs->run[runs->count] = *run;
	runs->count++;
	return 0;
}

Test(walk_range, ends_a_run_where_rights_memory_type_or_presence_change)
{
	static const uint64_t other[] = { PTE_W, PTE_U, PTE_NX, PTE_PWT, PTE_PCD, PTE_PS };
	static const unsigned int pat[] = { 0, 0, 0, 1, 2, 4 };
	struct runs runs;
	struct walk_visitor visitor = { .context = &runs, .run = keep_run };

	for (unsigned int i = 0; i < 6; i++) {
		runs.count = 0;
		for (unsigned int page = 0; page < 100; page++)
			tables_map(&t, VMALLOC + page * K4, page * 2 * K4, 1,
				   page < 37 ? PTE_A : PTE_D | other[i]);
		cr_assert_eq(walk_range(&t.view, &t.mode, 0, ~0ull, 0, &visitor), 0);
		cr_assert_eq(runs.count, 2, "bit 0x%lx: %u runs", other[i], runs.count);
		cr_expect_eq(runs.run[0].count, 37);
		cr_expect_eq(runs.run[1].count, 63);
		cr_expect_eq(runs.run[1].gva, VMALLOC + 37 * K4);
		cr_expect_eq(runs.run[1].pat_index, pat[i]);
	}
	*tables_entry(&t, VMALLOC + 50 * K4, 1) = 0;
	runs.count = 0;
	walk_range(&t.view, &t.mode, 0, ~0ull, 0, &visitor);
	cr_expect_eq(runs.count, 3);
	/* A reserved bit ends a run as well: it is damage, not a leaf. */
	*tables_entry(&t, VMALLOC + 60 * K4, 1) |= 1ull << 47;
	runs.count = 0;
	walk_range(&t.view, &t.mode, 0, ~0ull, 0, &visitor);
	cr_expect_eq(runs.count, 4);
}

static void expect_run(const struct walk_run *found, struct walk_run wanted)
{
	cr_expect(found->gva == wanted.gva && found->size == wanted.size && found->count == wanted.count &&
			  found->rights == wanted.rights && found->level == wanted.level &&
			  found->pat_index == wanted.pat_index && found->key == wanted.key &&
			  found->table == wanted.table,
		  "0x%lx: %u pages of 0x%lx, rights %u, level %u, PAT %u, key %u, table 0x%lx", found->gva,
		  found->count, found->size, found->rights, found->level, found->pat_index, found->key,
		  found->table);
}

Test(walk_range, reports_all_that_is_known_of_a_run_and_its_key_if_there_are_keys)
{
	struct runs runs = { 0 };
	struct walk_visitor visitor = { .context = &runs, .run = keep_run };
	struct walk_run wanted = { .gva = VMALLOC + 3 * K4,
				   .size = K4,
				   .count = 300,
				   .rights = RIGHT_R | RIGHT_W,
				   .level = 1,
				   .pat_index = 5 };
	uint64_t other = 6ull << PTE_KEY_SHIFT;

	for (unsigned int i = 0; i < 300; i++)
		tables_map(&t, VMALLOC + (3 + i) * K4, i * K4, 1,
			   PTE_W | PTE_NX | PTE_PWT | PTE_PS | (i < 100 ? 0 : other));
	wanted.table = *tables_entry(&t, VMALLOC, 2) & PTE_ADDRESS;
	cr_assert_eq(walk_range(&t.view, &t.mode, 0, ~0ull, 0, &visitor), 0);
	cr_assert_eq(runs.count, 1);
	expect_run(&runs.run[0], wanted);
	t.mode.keys = true;
	cr_assert_eq(walk_range(&t.view, &t.mode, 0, ~0ull, 0, &visitor), 0);
	cr_assert_eq(runs.count, 3);
	wanted.count = 100;
	expect_run(&runs.run[1], wanted);
	wanted.gva += 100 * K4;
	wanted.count = 200;
	wanted.key = 6;
	expect_run(&runs.run[2], wanted);
}

Test(walk_range, does_not_mix_large_pages_and_tables_into_one_run)
{
	struct runs runs = { 0 };
	struct walk_visitor visitor = { .context = &runs, .run = keep_run };

	for (unsigned int i = 0; i < 4; i++)
		tables_map(&t, VMALLOC + i * M2, i * M2, 2, PTE_W | PTE_U);
	*tables_entry(&t, VMALLOC + 2 * M2, 2) = tables_new(&t) | PTE_P | PTE_W | PTE_U;
	walk_range(&t.view, &t.mode, 0, ~0ull, 0, &visitor);
	cr_assert_eq(runs.count, 2);
	cr_expect_eq(runs.run[0].count, 2);
	cr_expect_eq(runs.run[0].size, M2);
	cr_expect_eq(runs.run[1].gva, VMALLOC + 3 * M2);
}

Test(walk_range, agrees_with_single_walks_on_random_tables)
{
	for (uint64_t seed = 1; seed <= 10; seed++) {
		uint64_t state = seed;

		/* Entries that often point into RAM, some of them present, large, with reserved bits. */
		for (uint64_t gpa = 0; gpa < RAM_LOW_END; gpa += 8) {
			uint64_t random = random_next(&state);
			uint64_t entry = random & (0x8000000000000fff | (RAM_LOW_END * 2 - K4));

			if (random >> 48 & 7)
				entry &= ~(uint64_t)PTE_P;
			if (random >> 51 & 15)
				entry &= ~(uint64_t)PTE_PS;
			if (!(random >> 55 & 31))
				entry |= random & PTE_ADDRESS;
			*tables_slot(&t, gpa & ~(K4 - 1), gpa % K4 / 8) = entry;
		}
		t.mode.nx = seed & 1;
		t.mode.pages_1g = seed & 2;
		scan_limited(0, ~0ull, 2000);
		cr_expect_gt(seen.leaf_count, 100, "seed %lu shows nothing", seed);
		cr_expect_gt(seen.damage_count, 10);
		cr_expect_eq(seen.leaf_count, seen.run_leaves);
		compare_with_single_walks();
	}
}

Test(walk_range, finds_exactly_the_pages_that_were_mapped)
{
	uint64_t state = 99, mapped = 0;

	for (int i = 0; i < 3000; i++) {
		/* 1024 pages at each of 4 places. */
		uint64_t random = random_next(&state);
		uint64_t gva = VMALLOC + (random & 3) * (G1 - 2 * M2) + (random >> 2 & 1023) * K4;
		uint64_t *entry = tables_entry(&t, gva, 1);

		mapped += !*entry;
		*entry = (random >> 20 & 0x3ffffffff000) | PTE_P | (random >> 60 & 6);
	}
	cr_assert_eq(scan(0, ~0ull), 0);
	cr_expect_eq(seen.leaf_count, mapped);
	cr_expect_eq(seen.run_leaves, mapped);
	for (uint64_t i = 1; i < seen.leaf_count; i++)
		cr_assert_gt(seen.leaves[i].gva, seen.leaves[i - 1].gva);
	compare_with_single_walks();
}
