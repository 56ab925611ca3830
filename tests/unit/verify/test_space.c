/* SPDX-License-Identifier: MIT */
/* V8: the vmalloc address space, its trees and lists. */
#include "base/array.h"
#include "world.h"

#include <criterion/criterion.h>

TestSuite(space, .init = world_init, .fini = world_destroy);

/* Makes an area deferred, on this number of lists. */
static void defer(size_t area, unsigned int lists)
{
	w.claims.areas.items[area].deferred = true;
	while (lists--)
		cr_assert_eq(array_push(&w.claims.deferred, w.claims.areas.items[area].vmap_area), 0);
}

Test(space, a_deferred_area_on_one_list_is_right)
{
	defer(B, 1);
	w.claims.variables.items[1].state = VARIABLE_FREED;
	expect_findings("");
}

Test(space, a_deferred_area_on_no_list_is_found)
{
	defer(B, 0);
	w.claims.variables.items[1].state = VARIABLE_FREED;
	expect_findings("V8");
	cr_expect_str_eq(w.verdict.findings.items[0].found, "on no CPU's list");
}

Test(space, a_deferred_area_on_two_lists_is_found)
{
	defer(B, 2);
	w.claims.variables.items[1].state = VARIABLE_FREED;
	expect_findings("V8");
}

Test(space, a_live_area_on_a_list_of_deferred_areas_is_found)
{
	defer(B, 1);
	w.claims.areas.items[B].deferred = false;
	expect_findings("V8");
}

Test(space, a_live_variable_of_a_deferred_area_is_found)
{
	defer(B, 1);
	expect_findings("V12");
}

Test(space, areas_that_overlap_are_found)
{
	w.claims.free_tree.items[0].va_start -= K4;
	expect_findings("V8");
}

Test(space, a_range_that_is_neither_free_nor_busy_is_found)
{
	w.claims.free_tree.items[0].va_start += K4;
	expect_findings("V8");
}

Test(space, a_cached_range_is_part_of_the_space_and_may_not_overlap)
{
	struct claim_cached_range range = { .va_start = w.claims.free_tree.items[0].va_start,
					    .va_end = w.claims.free_tree.items[0].va_start + K4 };

	w.claims.free_tree.items[0].va_start += K4;
	cr_assert_eq(array_push(&w.claims.cached_ranges, range), 0);
	expect_findings("");
	w.claims.cached_ranges.items[0].va_end += K4;
	expect_findings("V8");
}

Test(space, an_unordered_tree_is_found)
{
	struct claim_rb_node *nodes = w.claims.busy_tree.items;
	uint64_t start = nodes[0].va_start, end = nodes[0].va_end;

	nodes[0].va_start = nodes[2].va_start;
	nodes[0].va_end = nodes[2].va_end;
	nodes[2].va_start = start;
	nodes[2].va_end = end;
	expect_findings("V8");
}

Test(space, a_red_node_below_a_red_one_is_found)
{
	w.claims.busy_tree.items[1].black = false;
	expect_findings("V8");
}

Test(space, paths_with_different_numbers_of_black_nodes_are_found)
{
	w.claims.busy_tree.items[0].black = true;
	expect_findings("V8");
	cr_expect_eq(w.verdict.results[8].findings, 1, "once for a tree");
}

Test(space, a_wrong_maximum_is_found)
{
	w.claims.free_tree.items[0].subtree_max_size = K4;
	expect_findings("V8");
}

Test(space, a_child_with_another_parent_is_found)
{
	w.claims.busy_tree.items[2].parent = w.claims.busy_tree.items[0].vmap_area;
	expect_findings("V8");
}

Test(space, children_that_point_to_their_parent_end_the_walk)
{
	w.claims.busy_tree.items[0].left = w.claims.busy_tree.items[1].vmap_area;
	expect_findings("V8");
}

Test(space, a_free_tree_that_ends_before_the_end_of_the_range_is_found)
{
	struct claim_rb_node *last = &w.claims.free_tree.items[1];

	last->va_end -= K4;
	last->subtree_max_size = w.claims.free_tree.items[0].subtree_max_size = last->va_end - last->va_start;
	expect_findings("V8");
	cr_expect_eq(w.verdict.findings.items[0].address, KVMAP_VMALLOC_END - K4);
}

/* All ways down have one black node. */
Test(space, a_red_node_below_a_red_one_is_found_where_the_black_heights_are_equal)
{
	struct claim_rb_node *nodes = w.claims.busy_tree.items, below = {
		.vmap_area = nodes[2].vmap_area + 0x80,
		.va_start = AREA_END,
		.va_end = AREA_END + K4,
		.parent = nodes[2].vmap_area,
	};

	nodes[2].right = below.vmap_area;
	w.claims.vmap_highest = below.va_end;
	cr_assert_eq(array_push(&w.claims.busy_tree, below), 0);
	expect_findings("V8");
	cr_expect_eq(w.verdict.results[8].findings, 1);
	cr_expect_str_eq(w.verdict.findings.items[0].claimed, "a red node has black children");
}

/* The second free range as two: its first page, and the rest. */
Test(space, free_ranges_that_touch_are_found)
{
	struct claim_rb_node *nodes, rest = w.claims.free_tree.items[1];

	rest.vmap_area += 0x80;
	cr_assert_eq(array_push(&w.claims.free_tree, rest), 0);
	nodes = w.claims.free_tree.items;
	nodes[1].va_end = nodes[2].va_start = AREA_END + K4;
	nodes[1].black = true;
	nodes[1].parent = nodes[1].right = 0;
	nodes[0].black = false;
	nodes[0].right = 0;
	nodes[1].left = nodes[0].vmap_area;
	nodes[1].right = nodes[2].vmap_area;
	nodes[0].parent = nodes[2].parent = nodes[1].vmap_area;
	w.claims.free_root = nodes[1].vmap_area;
	nodes[0].subtree_max_size = AREA_C - FREE;
	nodes[1].subtree_max_size = nodes[2].subtree_max_size = KVMAP_VMALLOC_END - nodes[2].va_start;
	expect_findings("V8");
	cr_expect_eq(w.verdict.results[8].findings, 1);
	cr_expect_eq(w.verdict.findings.items[0].address, AREA_END + K4);
}

/* ---- what could not be read ---- */

/* The damage is a finding; a node whose child is missing for it has none. */
Test(space, a_tree_that_was_not_all_read_has_no_finding_of_what_follows)
{
	struct claim_damage damage = { "V8", w.claims.free_tree.items[0].vmap_area, 0x41, "link to no node" };

	cr_assert_gt(w.claims.free_tree.count, 1);
	w.claims.free_tree.items[0].right = 0x4141414141414140;
	w.claims.free_tree.count = 1;
	w.claims.free_root = w.claims.free_tree.items[0].vmap_area;
	w.claims.free_tree.items[0].parent = w.claims.free_tree.items[0].left = 0;
	w.claims.free_tree.items[0].black = true;
	cr_assert_eq(array_push(&w.claims.damages, damage), 0);
	w.claims.unread = PART_FREE_RANGES;
	expect_findings("V8");
	cr_expect_eq(w.verdict.results[8].findings, 1, "%lu", w.verdict.results[8].findings);
	cr_expect_eq(w.verdict.further.count, 0);
	cr_expect_eq(w.verdict.results[8].seen, NOT_SEEN);
}

Test(space, areas_that_may_be_on_a_list_that_was_not_read_are_not_reported)
{
	struct claim_damage damage = { "V8", 0xffff888000001000, 0x41, "vmap_lazy.deferred: no vmap_area" };

	defer(B, 0);
	w.claims.variables.items[1].state = VARIABLE_FREED;
	cr_assert_eq(array_push(&w.claims.damages, damage), 0);
	w.claims.unread = PART_DEFERRED;
	expect_findings("V8");
	cr_expect_eq(w.verdict.results[8].findings, 1);
}

Test(space, a_range_above_the_highest_end_is_found)
{
	w.claims.vmap_highest = AREA_END + K4;
	expect_findings("");
	w.claims.vmap_highest = AREA_END - 1;
	expect_findings("V8");
	cr_expect_eq(w.verdict.results[8].findings, 1);
	cr_expect_eq(w.verdict.findings.items[0].address, AREA_END - 1);
	w.claims.unread = PART_AREAS;
	verdict_destroy(&w.verdict);
	cr_assert_eq(verify(&w.input, &w.verdict, &(struct error){ 0 }), 0);
	cr_expect_eq(w.verdict.results[8].findings, 0, "it may not have been read");
}
