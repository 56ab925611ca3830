/* SPDX-License-Identifier: MIT */
/* Damaged trees, lists, vmap blocks and chains become damages of their invariant; the rest is read. */
#include "world.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <string.h>

static struct world world;
static struct claims claims;

static void begin(void)
{
	world_create(&world);
}

static void end(void)
{
	claims_destroy(&claims);
	world_destroy(&world);
}

TestSuite(damage_areas, .init = begin, .fini = end);

/* That the damage names the structure and the value that it holds. */
static void expect_damage_at(const char *invariant, const char *what, uint64_t address, uint64_t value)
{
	const struct claim_damage *damage = damage_with(&claims, invariant, what);

	cr_assert_not_null(damage, "no %s \"%s\"", invariant, what);
	cr_expect_eq(damage->address, address, "%s: 0x%" PRIx64, damage->what, damage->address);
	cr_expect_eq(damage->value, value, "%s: 0x%" PRIx64, damage->what, damage->value);
}

static struct rb_node *link_to(enum world_range range)
{
	return (struct rb_node *)(world_range_gva(range) + offsetof(struct vmap_area, rb_node));
}

#define NOWHERE ((void *)(KVMAP_DIRECT_BASE + WORLD_SIZE))

Test(damage_areas, a_tree_with_a_cycle)
{
	world_range(&world, RANGE_C)->rb_node.rb_right = link_to(RANGE_B);
	world_range(&world, RANGE_A)->rb_node.rb_left = link_to(RANGE_A);
	world_read(&world, &claims);
	expect_damage(&claims, "V8", "vmap_area_root: node does not name the parent");
	cr_expect_eq(claims.busy_tree.count, 3, "each node once");
	cr_expect_eq(claims.free_tree.count, 2);
}

Test(damage_areas, a_tree_whose_children_are_one_node)
{
	world_range(&world, RANGE_B)->rb_node.rb_left = link_to(RANGE_C);
	world_read(&world, &claims);
	expect_damage(&claims, "V8", "both children are one node");
	cr_expect_eq(claims.busy_tree.count, 2);
}

Test(damage_areas, a_tree_that_leads_out_of_RAM)
{
	world_range(&world, RANGE_B)->rb_node.rb_left = NOWHERE;
	world_range(&world, RANGE_E)->rb_node.rb_right = (void *)0x4141414141414140;
	world_read(&world, &claims);
	expect_damage_at("V8", "vmap_area_root: link does not point to a vmap_area", world_range_gva(RANGE_B),
			 (uint64_t)NOWHERE - offsetof(struct vmap_area, rb_node));
	expect_damage_at("V8", "free_vmap_area_root: link does not point to a vmap_area",
			 world_range_gva(RANGE_E), 0x4141414141414140 - offsetof(struct vmap_area, rb_node));
	cr_expect_eq(claims.busy_tree.count, 2);
	cr_expect_eq(claims.areas.count, 3);
}

Test(damage_areas, a_tree_link_that_is_not_aligned)
{
	world_root(&world, "vmap_area_root", struct rb_root)->rb_node =
		(void *)((char *)link_to(RANGE_B) + 4);
	world_read(&world, &claims);
	expect_damage(&claims, "V8", "vmap_area_root: link does not point to a vmap_area");
	cr_expect_eq(claims.busy_tree.count, 0);
	cr_expect_eq(claims.free_tree.count, 2);
}

/* A tree of `count` nodes, each the right child of the one before. */
static void make_deep_tree(uint32_t count)
{
	struct vmap_area *nodes = (struct vmap_area *)(world.memory + 0xe00000);
	uint64_t base = KVMAP_DIRECT_BASE + 0xe00000 + offsetof(struct vmap_area, rb_node);

	for (uint64_t i = 0; i < count; i++)
		nodes[i] = (struct vmap_area){
			.va_start = i * 2 * PAGE_SIZE,
			.va_end = (i * 2 + 1) * PAGE_SIZE,
			.rb_node = { .__rb_parent_color = i ? base + (i - 1) * sizeof(*nodes) : RB_BLACK,
				     .rb_right = i + 1 < count ? (void *)(base + (i + 1) * sizeof(*nodes))
							       : NULL },
		};
	world_root(&world, "free_vmap_area_root", struct rb_root)->rb_node = (void *)base;
}

Test(damage_areas, a_tree_deeper_than_any_red_black_tree)
{
	make_deep_tree(1000);
	world_read(&world, &claims);
	expect_damage(&claims, "V8", "free_vmap_area_root: deeper than");
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
	world_range(&world, RANGE_A)->vmap_block = NOWHERE;
	world_read(&world, &claims);
	expect_damage(&claims, "V8", "vmap_area.vmap_block: does not point to a vmap_block");
	cr_expect_eq(claims.areas.count, 3, "the other nodes are read");
}

Test(damage_areas, a_vmap_block_of_another_range)
{
	world_vmap_block(&world, RANGE_A)->va_start += VMAP_BLOCK_SIZE;
	world_read(&world, &claims);
	expect_damage(&claims, "V8", "vmap_block: does not belong to its vmap_area");
}

Test(damage_areas, a_vmap_block_that_is_more_than_full)
{
	world_vmap_block(&world, RANGE_A)->used = VMAP_BLOCK_SLOTS + 1;
	world_read(&world, &claims);
	expect_damage(&claims, "V8", "vmap_block: does not belong to its vmap_area");
}

Test(damage_areas, a_mapping_in_a_vmap_block_without_room_for_it)
{
	world_vmap_block(&world, RANGE_A)->maps[WORLD_SLOT_OF_2].nr_pages = VMAP_BLOCK_PAGES_MAX;
	world_read(&world, &claims);
	expect_damage(&claims, "V8", "vmap_block_map.nr_pages");
	cr_expect_eq(claims.areas.count, 5);
}

Test(damage_areas, a_mapping_without_pages_in_a_vmap_block)
{
	world_vmap_block(&world, RANGE_A)->maps[WORLD_SLOT_OF_4].nr_pages = 0;
	world_read(&world, &claims);
	expect_damage(&claims, "V8", "vmap_block_map.nr_pages");
}

Test(damage_areas, a_mapping_of_unknown_state_in_a_vmap_block)
{
	world_vmap_block(&world, RANGE_A)->maps[WORLD_SLOT_OF_2].state = 9;
	world_read(&world, &claims);
	expect_damage(&claims, "V8", "vmap_block_map.state");
}

Test(damage_areas, wrong_counters_of_a_vmap_block)
{
	struct vmap_block *block = world_vmap_block(&world, RANGE_A);

	block->nr = 4;
	block->dirty = VMAP_SLOTS(1) + 1;
	world_read(&world, &claims);
	expect_damage(&claims, "V13", "vmap_block.nr");
	expect_damage(&claims, "V13", "vmap_block.dirty");
}

Test(damage_areas, a_purge_list_with_a_cycle)
{
	world_range(&world, RANGE_D)->next = (void *)world_range_gva(RANGE_D);
	world_read(&world, &claims);
	expect_damage(&claims, "V8", "vmap_lazy.purge_list: has a cycle");
	cr_expect_leq(claims.areas.count, 5);
}

Test(damage_areas, a_purge_list_that_leads_out_of_RAM)
{
	world_range(&world, RANGE_D)->next = NOWHERE;
	world_read(&world, &claims);
	expect_damage(&claims, "V8", "vmap_lazy.purge_list: does not point to a vmap_area");
	cr_expect_eq(claims.areas.count, 4);
}

Test(damage_areas, a_list_of_flushed_ranges_that_leads_out_of_RAM)
{
	world_cpu(&world, 1)->lazy.flushed_list = NOWHERE;
	world_read(&world, &claims);
	expect_damage(&claims, "V8", "vmap_lazy.flushed_list: does not point to a vmap_area");
}

Test(damage_areas, a_list_of_deferred_areas_with_a_cycle)
{
	world_range(&world, RANGE_A)->state = VMAP_DEFERRED;
	world_range(&world, RANGE_A)->next = (void *)world_range_gva(RANGE_A);
	world_cpu(&world, 2)->lazy.deferred = (void *)world_range_gva(RANGE_A);
	world_read(&world, &claims);
	expect_damage(&claims, "V8", "vmap_lazy.deferred: has a cycle");
}

Test(damage_areas, a_list_of_deferred_areas_that_leads_out_of_RAM)
{
	world_cpu(&world, 2)->lazy.deferred = NOWHERE;
	world_read(&world, &claims);
	expect_damage(&claims, "V8", "vmap_lazy.deferred: does not point to a vmap_area");
}

Test(damage_areas, a_range_of_the_busy_tree_in_an_unknown_state)
{
	world_range(&world, RANGE_A)->state = 77;
	world_read(&world, &claims);
	expect_damage(&claims, "V8", "vmap_area_root: node in an unknown state");
	cr_expect_eq(claims.busy_tree.count, 3);
	cr_expect_eq(claims.areas.count, 3);
}

Test(damage_areas, an_area_without_vm_struct)
{
	world_range(&world, RANGE_A)->vm = NULL;
	world_range(&world, RANGE_C)->vm = NOWHERE;
	world_read(&world, &claims);
	expect_damage(&claims, "V1", "does not point to a vm_struct");
	cr_expect_eq(claims.areas.count, 4);
	cr_expect_eq(claims.areas.items[0].frame_count, 0);
	cr_expect_eq(claims.areas.items[0].va_end, WORLD_B);
}

Test(damage_areas, a_chain_that_is_too_long_shows_one_frame_more)
{
	world_page(&world, 0x720)->next = 0x760;
	world_read(&world, &claims);
	expect_damage(&claims, "V1", "chain is longer than 2 frames");
	cr_expect_eq(claims.areas.items[0].frame_count, 3);
}

Test(damage_areas, a_chain_that_is_too_short)
{
	world_page(&world, 0x710)->next = 0;
	world_read(&world, &claims);
	expect_damage(&claims, "V1", "chain ends before its 2 frames");
	cr_expect_eq(claims.areas.items[0].frame_count, 1);
}

Test(damage_areas, a_chain_that_leads_beyond_RAM)
{
	world_page(&world, 0x710)->next = 0xffffffff;
	world_read(&world, &claims);
	expect_damage(&claims, "V1", "frame beyond RAM");
	cr_expect_eq(claims.areas.items[0].frame_count, 1);
	cr_expect_eq(claims.areas.items[1].frame_count, 1);
}

Test(damage_areas, a_chain_with_a_cycle_and_a_huge_count)
{
	world_vm(&world, RANGE_C)->nr_pages = 0xffffffff;
	world_page(&world, 0x731)->next = 0x712;
	world_read(&world, &claims);
	expect_damage(&claims, "V1", "chain has a cycle");
	cr_expect_leq(claims.areas.items[2].frame_count, 8);
	cr_expect_eq(claims.areas.items[3].frame_count, 2);
}

Test(damage_areas, a_buddy_block_of_an_impossible_order_or_with_frames_beyond_the_area)
{
	world_page(&world, 0x710)->order = 77;
	world_vm(&world, RANGE_A)->flags |= VM_HUGE;
	world_read(&world, &claims);
	expect_damage(&claims, "V1", "vm_struct.pages: a buddy block of order 77");
	claims_destroy(&claims);
	world_page(&world, 0x710)->order = 10;
	world_read(&world, &claims);
	expect_damage(&claims, "V1", "vm_struct.pages: chain is longer than 2 frames");
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
	expect_damage(&claims, "V1", "more frames than there are");
	cr_expect_leq(claims.frames.count, 2 * WORLD_FRAMES);
	cr_expect_eq(claims.areas.count, 1003);
	cr_expect_leq(claims.damages.count, 256);
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
