/* SPDX-License-Identifier: MIT */
/* Damaged trees, lists, vmap blocks and chains become damages of their invariant; the rest is read. */
#include "damage.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <string.h>

TestSuite(damage_areas, .init = damage_begin, .fini = damage_end);

static struct rb_node *link_to(enum world_range range)
{
	return (struct rb_node *)(world_range_gva(range) + offsetof(struct vmap_area, rb_node));
}

Test(damage_areas, a_tree_with_a_cycle)
{
	world_range(&world, RANGE_C)->rb_node.rb_right = link_to(RANGE_B);
	world_range(&world, RANGE_A)->rb_node.rb_left = link_to(RANGE_A);
	world_read(&world, &claims);
	EXPECT_DAMAGES(
		&claims,
		{ "V8", RANGE(A), RANGE(B),
		  "vmap_area_root: node does not name the parent it was reached from" },
		{ "V8", RANGE(B), 0x0, "vmap_area_root: node does not name the parent it was reached from" });
	cr_expect_eq(claims.busy_tree.count, 3, "each node once");
	cr_expect_eq(claims.free_tree.count, 2);
}

Test(damage_areas, a_tree_whose_children_are_one_node)
{
	world_range(&world, RANGE_B)->rb_node.rb_left = link_to(RANGE_C);
	world_read(&world, &claims);
	EXPECT_DAMAGES(&claims, { "V8", RANGE(B), RANGE(C), "vmap_area_root: both children are one node" });
	cr_expect_eq(claims.busy_tree.count, 2);
}

Test(damage_areas, a_tree_that_leads_out_of_RAM)
{
	world_range(&world, RANGE_B)->rb_node.rb_left = (void *)NOWHERE;
	world_range(&world, RANGE_E)->rb_node.rb_right = (void *)0x4141414141414140;
	world_read(&world, &claims);
	EXPECT_DAMAGES(&claims,
		       { "V8", RANGE(B), NOWHERE - offsetof(struct vmap_area, rb_node),
			 "vmap_area_root: link does not point to a vmap_area in RAM" },
		       { "V8", RANGE(E), 0x4141414141414140 - offsetof(struct vmap_area, rb_node),
			 "free_vmap_area_root: link does not point to a vmap_area in RAM" });
	cr_expect_eq(claims.busy_tree.count, 2);
	cr_expect_eq(claims.areas.count, 3);
}

Test(damage_areas, a_tree_link_that_is_not_aligned)
{
	world_root(&world, "vmap_area_root", struct rb_root)->rb_node =
		(void *)((char *)link_to(RANGE_B) + 4);
	world_read(&world, &claims);
	EXPECT_DAMAGES(&claims, { "V8", ROOT("vmap_area_root"), RANGE(B) + 4,
				  "vmap_area_root: link does not point to a vmap_area in RAM" });
	cr_expect_eq(claims.busy_tree.count, 0);
	cr_expect_eq(claims.free_tree.count, 2);
}

/* A tree of `count` nodes, each the right or the left child of the one before. */
static void make_deep_tree(uint32_t count, bool right)
{
	struct vmap_area *nodes = (struct vmap_area *)(world.memory + 0xe00000);
	uint64_t base = KVMAP_DIRECT_BASE + 0xe00000 + offsetof(struct vmap_area, rb_node);

	for (uint64_t i = 0; i < count; i++)
		nodes[i] = (struct vmap_area){
			.va_start = i * 2 * PAGE_SIZE,
			.va_end = (i * 2 + 1) * PAGE_SIZE,
			.rb_node = { .__rb_parent_color = i ? base + (i - 1) * sizeof(*nodes) : RB_BLACK,
				     },
		};
	for (uint64_t i = 0; i + 1 < count; i++)
		*(right ? &nodes[i].rb_node.rb_right : &nodes[i].rb_node.rb_left) =
			(void *)(base + (i + 1) * sizeof(*nodes));
	world_root(&world, "free_vmap_area_root", struct rb_root)->rb_node = (void *)base;
}

Test(damage_areas, a_tree_deeper_than_any_red_black_tree)
{
	for (unsigned int right = 0; right < 2; right++) {
		make_deep_tree(1000, right);
		claims_destroy(&claims);
		world_read(&world, &claims);
		EXPECT_DAMAGES(&claims, { "V8", DIRECT(0xe00000 + 127 * sizeof(struct vmap_area)),
					  DIRECT(0xe00000 + 128 * sizeof(struct vmap_area)),
					  "free_vmap_area_root: deeper than 128 nodes" });
		cr_expect_eq(claims.free_tree.count, 128);
	}
	make_deep_tree(128, false);
	claims_destroy(&claims);
	world_read(&world, &claims);
	cr_expect_eq(claims.damages.count, 0);
	cr_expect_eq(claims.free_tree.count, 128);
}

Test(damage_areas, an_unordered_tree_is_read_in_its_order_and_areas_are_found_by_address)
{
	world_range(&world, RANGE_B)->rb_node.rb_left = link_to(RANGE_C);
	world_range(&world, RANGE_B)->rb_node.rb_right = link_to(RANGE_A);
	world_read(&world, &claims);
	cr_expect_eq(claims.damages.count, 0);
	cr_assert_eq(claims.busy_tree.count, 3);
	cr_expect_eq(claims.busy_tree.items[0].vmap_area, world_range_gva(RANGE_C));
	cr_expect_eq(claims_area_at(&claims, KVMAP_VMALLOC_START)->vmap_area, world_range_gva(RANGE_A));
}

Test(damage_areas, a_vmap_block_outside_RAM)
{
	world_vmap_block(&world, RANGE_A);
	world_range(&world, RANGE_A)->vmap_block = (void *)NOWHERE;
	world_read(&world, &claims);
	EXPECT_DAMAGES(&claims, { "V8", RANGE(A), NOWHERE,
				  "vmap_area.vmap_block: does not point to a vmap_block in RAM" });
	cr_expect_eq(claims.areas.count, 3, "the other nodes are read");
}

Test(damage_areas, a_vmap_block_of_another_range)
{
	world_vmap_block(&world, RANGE_A)->va_start += VMAP_BLOCK_SIZE;
	world_read(&world, &claims);
	EXPECT_DAMAGES(&claims, { "V8", RANGE(A), BLOCK, "vmap_block: does not belong to its vmap_area" });
}

Test(damage_areas, a_vmap_block_that_is_more_than_full)
{
	world_vmap_block(&world, RANGE_A)->used = VMAP_BLOCK_SLOTS + 1;
	world_read(&world, &claims);
	EXPECT_DAMAGES(&claims, { "V8", RANGE(A), BLOCK, "vmap_block: does not belong to its vmap_area" });
}

Test(damage_areas, a_mapping_in_a_vmap_block_without_room_for_it)
{
	world_vmap_block(&world, RANGE_A)->maps[WORLD_SLOT_OF_2].nr_pages = VMAP_BLOCK_PAGES_MAX;
	world_read(&world, &claims);
	EXPECT_DAMAGES(&claims, { "V8", BLOCK_MAP(WORLD_SLOT_OF_2), 0x40,
				  "vmap_block_map.nr_pages: 0, or more than fit into the block" });
	cr_expect_eq(claims.areas.count, 5);
}

Test(damage_areas, a_mapping_without_pages_in_a_vmap_block)
{
	world_vmap_block(&world, RANGE_A)->maps[WORLD_SLOT_OF_4].nr_pages = 0;
	world_read(&world, &claims);
	EXPECT_DAMAGES(&claims, { "V8", BLOCK_MAP(WORLD_SLOT_OF_4), 0x0,
				  "vmap_block_map.nr_pages: 0, or more than fit into the block" });
}

Test(damage_areas, a_mapping_of_unknown_state_in_a_vmap_block)
{
	world_vmap_block(&world, RANGE_A)->maps[WORLD_SLOT_OF_2].state = 9;
	world_read(&world, &claims);
	EXPECT_DAMAGES(&claims, { "V8", BLOCK_MAP(WORLD_SLOT_OF_2), 0x9, "vmap_block_map.state: unknown" },
		       { "V13", BLOCK, 0x1, "vmap_block.dirty: not the number of unmapped slots" });
}

Test(damage_areas, wrong_counters_of_a_vmap_block)
{
	struct vmap_block *block = world_vmap_block(&world, RANGE_A);

	block->nr = 4;
	block->dirty = VMAP_SLOTS(1) + 1;
	world_read(&world, &claims);
	EXPECT_DAMAGES(&claims, { "V13", BLOCK, 0x4, "vmap_block.nr: not the number of mappings" },
		       { "V13", BLOCK, 0x2, "vmap_block.dirty: not the number of unmapped slots" });
}

Test(damage_areas, a_purge_list_with_a_cycle)
{
	world_range(&world, RANGE_D)->next = (void *)world_range_gva(RANGE_D);
	world_read(&world, &claims);
	EXPECT_DAMAGES(&claims, { "V8", LAZY(5), RANGE(D), "vmap_lazy.purge_list: has a cycle" });
	cr_expect_leq(claims.areas.count, 5);
}

Test(damage_areas, a_purge_list_that_leads_out_of_RAM)
{
	world_range(&world, RANGE_D)->next = (void *)NOWHERE;
	world_read(&world, &claims);
	EXPECT_DAMAGES(&claims, { "V8", LAZY(5), NOWHERE,
				  "vmap_lazy.purge_list: does not point to a vmap_area in RAM" });
	cr_expect_eq(claims.areas.count, 4);
}

Test(damage_areas, a_list_of_flushed_ranges_that_leads_out_of_RAM)
{
	world_cpu(&world, 1)->lazy.flushed_list = (void *)NOWHERE;
	world_read(&world, &claims);
	EXPECT_DAMAGES(&claims, { "V8", LAZY(1), NOWHERE,
				  "vmap_lazy.flushed_list: does not point to a vmap_area in RAM" });
}

Test(damage_areas, a_list_of_deferred_areas_with_a_cycle)
{
	world_range(&world, RANGE_A)->state = VMAP_DEFERRED;
	world_range(&world, RANGE_A)->next = (void *)world_range_gva(RANGE_A);
	world_cpu(&world, 2)->lazy.deferred = (void *)world_range_gva(RANGE_A);
	world_read(&world, &claims);
	EXPECT_DAMAGES(&claims, { "V8", LAZY(2), RANGE(A), "vmap_lazy.deferred: has a cycle" });
}

Test(damage_areas, a_list_of_deferred_areas_that_leads_out_of_RAM)
{
	world_cpu(&world, 2)->lazy.deferred = (void *)NOWHERE;
	world_read(&world, &claims);
	EXPECT_DAMAGES(&claims, { "V8", LAZY(2), NOWHERE,
				  "vmap_lazy.deferred: does not point to a vmap_area in RAM" });
}

Test(damage_areas, a_range_of_the_busy_tree_in_an_unknown_state)
{
	world_range(&world, RANGE_A)->state = 77;
	world_read(&world, &claims);
	EXPECT_DAMAGES(&claims, { "V8", RANGE(A), 0x4d, "vmap_area_root: node in an unknown state" });
	cr_expect_eq(claims.busy_tree.count, 3);
	cr_expect_eq(claims.areas.count, 3);
}

Test(damage_areas, an_area_without_vm_struct)
{
	world_range(&world, RANGE_A)->vm = NULL;
	world_range(&world, RANGE_C)->vm = (void *)NOWHERE;
	world_read(&world, &claims);
	EXPECT_DAMAGES(&claims, { "V1", RANGE(A), 0x0, "vmap_area.vm: does not point to a vm_struct in RAM" },
		       { "V1", RANGE(C), NOWHERE, "vmap_area.vm: does not point to a vm_struct in RAM" });
	cr_expect_eq(claims.areas.count, 4);
	cr_expect_eq(claims.areas.items[0].frame_count, 0);
	cr_expect_eq(claims.areas.items[0].va_end, WORLD_B);
}

Test(damage_areas, a_chain_that_is_too_long_shows_one_frame_more)
{
	world_page(&world, 0x720)->next = 0x760;
	world_read(&world, &claims);
	EXPECT_DAMAGES(&claims,
		       { "V1", VM(RANGE_A), 0x760, "vm_struct.pages: chain is longer than 2 frames" });
	cr_expect_eq(claims.areas.items[0].frame_count, 3);
}

Test(damage_areas, a_chain_that_is_too_short)
{
	world_page(&world, 0x710)->next = 0;
	world_read(&world, &claims);
	EXPECT_DAMAGES(&claims,
		       { "V1", VM(RANGE_A), 0x1, "vm_struct.pages: chain ends before its 2 frames" });
	cr_expect_eq(claims.areas.items[0].frame_count, 1);
}

Test(damage_areas, a_chain_that_leads_beyond_RAM)
{
	world_page(&world, 0x710)->next = 0xffffffff;
	world_read(&world, &claims);
	EXPECT_DAMAGES(&claims,
		       { "V1", VM(RANGE_A), 0xffffffff, "vm_struct.pages: chain has a frame beyond RAM" });
	cr_expect_eq(claims.areas.items[0].frame_count, 1);
	cr_expect_eq(claims.areas.items[1].frame_count, 1);
}

Test(damage_areas, a_chain_with_a_cycle_and_a_huge_count)
{
	world_vm(&world, RANGE_C)->nr_pages = 0xffffffff;
	world_page(&world, 0x731)->next = 0x712;
	world_read(&world, &claims);
	EXPECT_DAMAGES(&claims, { "V1", VM(RANGE_C), 0x712, "vm_struct.pages: chain has a cycle" });
	cr_expect_leq(claims.areas.items[2].frame_count, 8);
	cr_expect_eq(claims.areas.items[3].frame_count, 2);
}

Test(damage_areas, a_buddy_block_of_an_impossible_order_or_with_frames_beyond_the_area)
{
	world_page(&world, 0x710)->order = 77;
	world_vm(&world, RANGE_A)->flags |= VM_HUGE;
	world_read(&world, &claims);
	EXPECT_DAMAGES(&claims, { "V1", VM(RANGE_A), 0x710,
				  "vm_struct.pages: a buddy block of order 77, which is impossible" });
	claims_destroy(&claims);
	world_page(&world, 0x710)->order = 10;
	world_read(&world, &claims);
	EXPECT_DAMAGES(&claims,
		       { "V1", VM(RANGE_A), 0x712, "vm_struct.pages: chain is longer than 2 frames" });
}

/* Every lazily freed area claims one chain through all frames: together far more than RAM. */
Test(damage_areas, chains_that_together_hold_more_frames_than_RAM)
{
	struct vmap_area *nodes = (struct vmap_area *)(world.memory + 0xe00000);

	for (uint32_t pfn = 1; pfn + 1 < WORLD_FRAMES; pfn++)
		world_page(&world, pfn)->next = pfn + 1;
	world_vm(&world, RANGE_D)->nr_pages = 0xffffffff;
	world_vm(&world, RANGE_D)->pages = 1;
	for (uint64_t i = 0; i < 1000; i++) {
		nodes[i] = *world_range(&world, RANGE_D);
		nodes[i].next = i < 999 ? world_va(0xe00000 + (i + 1) * sizeof(*nodes)) : NULL;
	}
	world_cpu(&world, 5)->lazy.purge_list = world_va(0xe00000);
	world_read(&world, &claims);
	expect_first_damages(
		&claims,
		(const struct expected_damage[]){
			{ "V4", ROOT("zones"), 0x702,
			  "zones[0].free_area[0]: frame does not point back, or list has a cycle" },
			{ "V4", ROOT("zones"), 0x709,
			  "zones[0].free_area[3]: frame does not point back, or list has a cycle" },
			{ "V1", VM(RANGE_A), 0x712, "vm_struct.pages: chain is longer than 2 frames" },
			{ "V1", VM(RANGE_B), 0x712, "vm_struct.pages: chain is longer than 1 frames" },
			{ "V1", VM(RANGE_C), 0x733, "vm_struct.pages: chain is longer than 3 frames" },
			{ "V4", CACHE(1), 0x601, "kmem_cache.partial: chain is longer than 1 frames" },
			{ "V4", CACHE(3), 0x602, "kmem_cache.partial: chain is longer than 1 frames" },
			{ "V1", VM(RANGE_D), WORLD_FRAMES - 1,
			  "vm_struct.pages: chain ends before its 4294967295 frames" },
			{ "V1", VM(RANGE_D), 0x735,
			  "vm_struct.pages: all chains together hold more frames than there are" },
			{ "V1", VM(RANGE_D), 1,
			  "vm_struct.pages: all chains together hold more frames than there are" },
		},
		10);
	cr_expect_eq(claims.frames.count, 2 * WORLD_FRAMES);
	cr_expect_eq(claims.areas.count, 1003);
	cr_expect_eq(claims.damages.count, 256);
	expect_damage(&claims, claims.damages.items[claims.damages.count - 1].invariant,
		      "more damages are not listed");
}

/* The mappings of the block were read with the tree. */
Test(damage_areas, a_vmap_block_on_a_purge_list_is_read_once)
{
	world_vmap_block(&world, RANGE_A);
	world_range(&world, RANGE_A)->next = (void *)world_range_gva(RANGE_D);
	world_cpu(&world, 5)->lazy.purge_list = (void *)world_range_gva(RANGE_A);
	world_read(&world, &claims);
	cr_expect_eq(claims.damages.count, 0);
	cr_expect_eq(claims.areas.count, 6);
}
