/* SPDX-License-Identifier: MIT */
/*
 * test_walk_damage.c: scans of damaged and hostile tables.
 */
#include "scan.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(walk_damage, .init = scan_start, .fini = scan_end);

static void expect_damage(unsigned int i, enum walk_stop stop, unsigned int level, uint64_t gva)
{
	cr_assert_gt(seen.damage_count, i);
	cr_expect(seen.stops[i] == stop && seen.damage[i].level == level && seen.damage[i].gva == gva,
		  "damage %u: expected %s at level %u, 0x%lx, found %s at level %u, 0x%lx", i,
		  walk_stop_text(stop), level, gva, walk_stop_text(seen.stops[i]), seen.damage[i].level,
		  seen.damage[i].gva);
}

Test(walk_damage, reports_reserved_bits_and_goes_on)
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

Test(walk_damage, reports_tables_in_holes_and_beyond_memory)
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

Test(walk_damage, reports_a_top_table_outside_once)
{
	static const struct walk_visitor nobody;

	t.mode.root = RAM_HIGH_END;
	cr_assert_eq(scan(0, ~0ull), 0);
	cr_assert_eq(seen.damage_count, 1);
	cr_expect_eq(seen.stops[0], WALK_TABLE_OUTSIDE);
	expect_entry(&seen.damage[0], (struct walk_leaf){ .gpa = RAM_HIGH_END,
							  .size = 1ull << 48,
							  .rights = RIGHT_R | RIGHT_W | RIGHT_X | RIGHT_U,
							  .level = 4,
							  .table = RAM_HIGH_END });
	cr_expect_eq(walk_range(&t.view, &t.mode, 0, ~0ull, 0, &nobody), 0);
}

/* Each callback can end the scan, and one that is missing does not. */
static int refuse_run(void *context, const struct walk_run *run)
{
	(void)context, (void)run;
	return 43;
}

static int refuse_table(void *context, uint64_t gpa, unsigned int level, uint64_t gva)
{
	(void)context, (void)gpa, (void)gva;
	return level == 2 ? 44 : 0;
}

static int refuse_damage(void *context, const struct walk_leaf *entry, enum walk_stop stop)
{
	(void)context, (void)entry;
	return 45 + (int)stop;
}

Test(walk_damage, ends_with_the_value_of_any_callback)
{
	struct walk_visitor visitor = { .context = &seen, .leaf = see_leaf };

	tables_map(&t, VMALLOC, 0x1000, 1, 0);
	tables_map(&t, VMALLOC + 2 * K4, 0x1000 | 1ull << 50, 1, 0);
	memset(&seen, 0, sizeof(seen));
	cr_expect_eq(walk_range(&t.view, &t.mode, 0, ~0ull, 0, &visitor), 0, "damage is not asked for");
	cr_expect_eq(seen.leaf_count, 1);
	visitor.damage = refuse_damage;
	cr_expect_eq(walk_range(&t.view, &t.mode, 0, ~0ull, 0, &visitor), 45 + WALK_RESERVED_BIT);
	cr_expect_eq(seen.leaf_count, 2);
	visitor.run = refuse_run;
	cr_expect_eq(walk_range(&t.view, &t.mode, 0, ~0ull, 0, &visitor), 43);
	cr_expect_eq(seen.leaf_count, 2, "a run precedes its leaves");
	visitor.table = refuse_table;
	cr_expect_eq(walk_range(&t.view, &t.mode, 0, ~0ull, 0, &visitor), 44);
	t.mode.root = RAM_HIGH_END;
	cr_expect_eq(walk_range(&t.view, &t.mode, 0, ~0ull, 0, &visitor), 45 + WALK_TABLE_OUTSIDE);
}

Test(walk_damage, maps_the_tables_of_a_recursive_map)
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

Test(walk_damage, ends_in_a_cycle_through_two_levels)
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

Test(walk_damage, enters_a_shared_table_again_where_it_is_no_ancestor)
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

Test(walk_damage, is_bounded_where_one_table_is_reached_a_million_times)
{
	make_a_bush();
	cr_expect_eq(scan(0, ~0ull), -1);
	cr_expect_eq(seen.table_count, view_size(&t.view) / K4 * 2);
	cr_expect_eq(scan_limited(0, ~0ull, 10), -1);
	cr_expect_eq(seen.table_count, 10);
	cr_expect_eq(scan_limited(0, 3 * M2 - 1, 6), 0, "six tables are enough for that range");
	cr_expect_eq(seen.leaf_count, 3 * 512);
}

Test(walk_damage, survives_all_ones)
{
	memset(t.low, 0xff, RAM_LOW_END);
	cr_assert_eq(scan(0, ~0ull), 0);
	cr_expect_eq(seen.damage_count, 512);
	cr_expect_eq(seen.leaf_count, 0);
}
