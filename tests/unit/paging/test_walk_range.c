/* SPDX-License-Identifier: MIT */
/*
 * test_walk_range.c: scans of honest, damaged and hostile tables.
 */
#include "tables.h"

#include <criterion/criterion.h>
#include <string.h>

#define KEPT 4096

/* What a scan reported. */
struct seen {
	struct walk_leaf leaves[KEPT];
	struct walk_leaf damage[KEPT];
	enum walk_stop stops[KEPT];
	uint64_t leaf_count, run_leaves, damage_count, table_count;
	uint64_t tables_by_level[6];
	int end_after; /* leaves; 0: never */
};

static struct tables t;
static struct seen seen;

static int see_leaf(void *context, const struct walk_leaf *leaf)
{
	struct seen *s = context;

	if (s->leaf_count < KEPT)
		s->leaves[s->leaf_count] = *leaf;
	s->leaf_count++;
	return s->end_after && s->leaf_count == (uint64_t)s->end_after ? 42 : 0;
}

static int see_run(void *context, const struct walk_run *run)
{
	struct seen *s = context;

	cr_assert(run->count >= 1 && run->count <= 512);
	s->run_leaves += run->count;
	return 0;
}

static int see_table(void *context, uint64_t gpa, unsigned int level, uint64_t gva)
{
	struct seen *s = context;

	(void)gpa, (void)gva;
	s->table_count++;
	s->tables_by_level[level]++;
	return 0;
}

static int see_damage(void *context, const struct walk_leaf *entry, enum walk_stop stop)
{
	struct seen *s = context;

	if (s->damage_count < KEPT) {
		s->damage[s->damage_count] = *entry;
		s->stops[s->damage_count] = stop;
	}
	s->damage_count++;
	return 0;
}

static int scan_limited(uint64_t start, uint64_t end, uint64_t limit)
{
	struct walk_visitor visitor = {
		.context = &seen, .leaf = see_leaf, .run = see_run, .table = see_table, .damage = see_damage
	};

	memset(&seen, 0, offsetof(struct seen, end_after));
	return walk_range(&t.view, &t.mode, start, end, limit, &visitor);
}

static int scan(uint64_t start, uint64_t end)
{
	return scan_limited(start, end, 0);
}

static void four_levels(void)
{
	tables_init(&t, 4);
}

static void done(void)
{
	tables_destroy(&t);
}

TestSuite(walk_range, .init = four_levels, .fini = done);

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

/* ---- damage ---- */

static void expect_damage(unsigned int i, enum walk_stop stop, unsigned int level, uint64_t gva)
{
	cr_assert_gt(seen.damage_count, i);
	cr_expect(seen.stops[i] == stop && seen.damage[i].level == level && seen.damage[i].gva == gva,
		  "damage %u: expected %s at level %u, 0x%lx, found %s at level %u, 0x%lx", i,
		  walk_stop_text(stop), level, gva, walk_stop_text(seen.stops[i]), seen.damage[i].level,
		  seen.damage[i].gva);
}

Test(walk_range, reports_reserved_bits_and_goes_on)
{
	tables_map(&t, VMALLOC, 0x1000 | 1ull << 46, 1, 0);
	tables_map(&t, VMALLOC + K4, 0x1000, 1, 0);
	tables_map(&t, VMALLOC + M2, 0x2000, 2, 0);
	tables_map(&t, VMALLOC + G1, 0x40000000, 3, 0);
	*tables_entry(&t, 0, 4) = PTE_P | PTE_PS;
	t.mode.pages_1g = false;
	cr_assert_eq(scan(0, ~0ull), 0);
	cr_expect_eq(seen.leaf_count, 1);
	cr_expect_eq(seen.damage_count, 4);
	expect_damage(0, WALK_RESERVED_BIT, 4, 0);
	expect_damage(1, WALK_RESERVED_BIT, 1, VMALLOC);
	expect_damage(2, WALK_RESERVED_BIT, 2, VMALLOC + M2);
	expect_damage(3, WALK_RESERVED_BIT, 3, VMALLOC + G1);
}

Test(walk_range, reports_tables_in_holes_and_beyond_memory)
{
	*tables_entry(&t, VMALLOC, 2) = RAM_LOW_END | PTE_P;
	*tables_entry(&t, VMALLOC + G1, 3) = RAM_HIGH_END | PTE_P;
	*tables_entry(&t, 0, 4) = ((1ull << 46) - K4) | PTE_P;
	cr_assert_eq(scan(0, ~0ull), 0);
	cr_expect_eq(seen.damage_count, 3);
	expect_damage(0, WALK_TABLE_OUTSIDE, 4, 0);
	expect_damage(1, WALK_TABLE_OUTSIDE, 2, VMALLOC);
	expect_damage(2, WALK_TABLE_OUTSIDE, 3, VMALLOC + G1);
	cr_expect_eq(seen.damage[1].gpa, RAM_LOW_END);
	cr_expect_eq(seen.damage[1].table, *tables_entry(&t, VMALLOC, 3) & PTE_ADDRESS);
}

Test(walk_range, reports_a_top_table_outside_once)
{
	t.mode.root = RAM_HIGH_END;
	cr_assert_eq(scan(0, ~0ull), 0);
	cr_expect_eq(seen.damage_count, 1);
	expect_damage(0, WALK_TABLE_OUTSIDE, 4, 0);
	cr_expect_eq(seen.damage[0].table, RAM_HIGH_END);
}

static void compare_with_single_walks(void);

Test(walk_range, maps_the_tables_of_a_recursive_map)
{
	uint64_t *root = tables_slot(&t, t.mode.root, 0), self = 0xffffff8000000000;

	tables_map(&t, VMALLOC, 0x1000, 1, 0);
	root[511] = t.mode.root | PTE_P;
	cr_assert_eq(scan(0, ~0ull), 0);
	cr_expect_eq(seen.damage_count, 0);
	/* The page, and one page for each of the four tables: that of level 1 first, the top table last. */
	cr_assert_eq(seen.leaf_count, 5);
	cr_expect_eq(seen.leaves[1].gva, self | (VMALLOC & ((1ull << 48) - 1)) >> 9);
	cr_expect_eq(seen.leaves[4].gva, 0xfffffffffffff000);
	cr_expect_eq(seen.leaves[4].gpa, t.mode.root);
	compare_with_single_walks();
}

Test(walk_range, ends_in_a_cycle_through_two_levels)
{
	uint64_t below = tables_new(&t);

	*tables_slot(&t, t.mode.root, 1) = below | PTE_P;
	*tables_slot(&t, below, 2) = t.mode.root | PTE_P;
	*tables_slot(&t, below, 3) = below | PTE_P;
	cr_assert_eq(scan(0, ~0ull), 0);
	cr_expect_eq(seen.damage_count, 0);
	cr_expect_gt(seen.leaf_count, 0);
	compare_with_single_walks();
}

Test(walk_range, enters_a_shared_table_again_where_it_is_no_ancestor)
{
	tables_map(&t, VMALLOC, 0x1000, 1, 0);
	*tables_entry(&t, VMALLOC + M2, 2) = *tables_entry(&t, VMALLOC, 2);
	cr_assert_eq(scan(0, ~0ull), 0);
	cr_expect_eq(seen.leaf_count, 2);
	cr_expect_eq(seen.tables_by_level[1], 2);
}

/* Every entry of each level points to one table of the next: 512^3 paths to the same page of leaves. */
static void make_a_bush(void)
{
	uint64_t below[5];

	below[4] = t.mode.root;
	for (unsigned int level = 4; level > 1; level--) {
		below[level - 1] = tables_new(&t);
		for (unsigned int i = 0; i < 512; i++)
			*tables_slot(&t, below[level], i) = below[level - 1] | PTE_P | PTE_W;
	}
	for (unsigned int i = 0; i < 512; i++)
		*tables_slot(&t, below[1], i) = i * K4 | PTE_P;
}

Test(walk_range, is_bounded_where_one_table_is_reached_a_million_times)
{
	make_a_bush();
	cr_expect_eq(scan(0, ~0ull), -1);
	cr_expect_eq(seen.table_count, view_size(&t.view) / K4 * 2);
	cr_expect_eq(scan_limited(0, ~0ull, 10), -1);
	cr_expect_eq(seen.table_count, 10);
	cr_expect_eq(scan_limited(0, 3 * M2 - 1, 6), 0, "six tables are enough for that range");
	cr_expect_eq(seen.leaf_count, 3 * 512);
}

Test(walk_range, survives_all_ones)
{
	memset(t.low, 0xff, RAM_LOW_END);
	cr_assert_eq(scan(0, ~0ull), 0);
	cr_expect_eq(seen.damage_count, 512);
	cr_expect_eq(seen.leaf_count, 0);
}

/* Each leaf and each damaged entry that the scan finds, the single walk finds as well. */
static void compare_with_single_walks(void)
{
	struct walk walk;

	for (uint64_t i = 0; i < seen.leaf_count && i < KEPT; i++) {
		const struct walk_leaf *leaf = &seen.leaves[i];

		walk_translate(&t.view, &t.mode, leaf->gva, &walk);
		cr_assert(walk.stop == WALK_MAPPED && walk.gpa == leaf->gpa && walk.page_size == leaf->size &&
				  walk.rights == leaf->rights &&
				  walk.levels[walk.level_count - 1].entry == leaf->entry &&
				  walk.levels[walk.level_count - 1].table == leaf->table,
			  "0x%lx", leaf->gva);
	}
	for (uint64_t i = 0; i < seen.damage_count && i < KEPT; i++) {
		walk_translate(&t.view, &t.mode, seen.damage[i].gva, &walk);
		cr_assert_eq(walk.stop, seen.stops[i]);
		cr_assert_eq(walk.levels[walk.level_count - 1].level, seen.damage[i].level);
	}
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
