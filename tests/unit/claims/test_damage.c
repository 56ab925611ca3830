/* SPDX-License-Identifier: MIT */
/* Each way in which a guest's structures can lie becomes a damage of the right invariant; the rest is still
 * read. */
#include "world.h"

#include <criterion/criterion.h>
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

TestSuite(damage, .init = begin, .fini = end, .timeout = 20);

static struct rb_node *link_to(enum world_node node)
{
	return (struct rb_node *)(world_node_gva(node) + offsetof(struct vmap_area, rb_node));
}

#define NOWHERE ((void *)(KVMAP_DIRECT_BASE + WORLD_SIZE))

static void expect_damage(const char *invariant, const char *what)
{
	cr_expect(damage_with(&claims, invariant, what), "%s \"%s\" was not noted; %zu others, first: %s",
		  invariant, what, claims.damages.count,
		  claims.damages.count ? claims.damages.items[0].what : "-");
}

Test(damage, a_tree_that_runs_in_a_circle)
{
	world_node(&world, NODE_C)->rb_node.rb_right = link_to(NODE_B);
	world_node(&world, NODE_A)->rb_node.rb_left = link_to(NODE_A);
	world_read(&world, &claims);
	expect_damage("V8", "vmap_area_root: node does not name the parent");
	cr_expect_eq(claims.busy_tree.count, 3, "each node once");
	cr_expect_eq(claims.free_tree.count, 2);
}

Test(damage, a_tree_whose_children_are_one_node)
{
	world_node(&world, NODE_B)->rb_node.rb_left = link_to(NODE_C);
	world_read(&world, &claims);
	expect_damage("V8", "both children are one node");
	cr_expect_eq(claims.busy_tree.count, 2);
}

Test(damage, a_tree_that_leads_out_of_RAM)
{
	world_node(&world, NODE_B)->rb_node.rb_left = NOWHERE;
	world_node(&world, NODE_E)->rb_node.rb_right = (void *)0x4141414141414140;
	world_read(&world, &claims);
	expect_damage("V8", "vmap_area_root: link to no vmap_area");
	expect_damage("V8", "free_vmap_area_root: link to no vmap_area");
	cr_expect_eq(claims.busy_tree.count, 2);
	cr_expect_eq(claims.areas.count, 3);
}

Test(damage, a_tree_link_that_is_not_aligned)
{
	world_root(&world, "vmap_area_root", struct rb_root)->rb_node = (void *)((char *)link_to(NODE_B) + 4);
	world_read(&world, &claims);
	expect_damage("V8", "vmap_area_root: link to no vmap_area");
	cr_expect_eq(claims.busy_tree.count, 0);
	cr_expect_eq(claims.free_tree.count, 2);
}

/* A list of nodes to the right, `count` of them, each the child of the one before. */
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

Test(damage, a_tree_deeper_than_any_red_black_tree)
{
	make_deep_tree(1000);
	world_read(&world, &claims);
	expect_damage("V8", "free_vmap_area_root: deeper than");
	cr_expect_eq(claims.free_tree.count, 128);
}

Test(damage, an_unordered_tree_is_read_as_it_stands_and_areas_are_found_all_the_same)
{
	world_node(&world, NODE_B)->rb_node.rb_left = link_to(NODE_C);
	world_node(&world, NODE_B)->rb_node.rb_right = link_to(NODE_A);
	world_read(&world, &claims);
	cr_expect_eq(claims.damages.count, 0);
	cr_assert_eq(claims.busy_tree.count, 3);
	cr_expect_eq(claims.busy_tree.items[0].vmap_area, world_node_gva(NODE_C));
	cr_expect_eq(claims_area_at(&claims, KVMAP_VMALLOC_START)->vmap_area, world_node_gva(NODE_A));
}

Test(damage, a_block_that_is_none)
{
	world_block(&world, NODE_A);
	world_node(&world, NODE_A)->block = NOWHERE;
	world_read(&world, &claims);
	expect_damage("V8", "vmap_area.block: leads to no vmap_block");
	cr_expect_eq(claims.areas.count, 3, "the other nodes are read");
}

Test(damage, a_block_of_another_range)
{
	world_block(&world, NODE_A)->va_start += VMAP_BLOCK_SIZE;
	world_read(&world, &claims);
	expect_damage("V8", "vmap_block: not of its vmap_area");
}

Test(damage, a_block_that_is_more_than_full)
{
	world_block(&world, NODE_A)->used = VMAP_BLOCK_SLOTS + 1;
	world_read(&world, &claims);
	expect_damage("V8", "vmap_block: not of its vmap_area");
}

Test(damage, a_mapping_in_a_block_that_has_no_room_for_it)
{
	world_block(&world, NODE_A)->maps[4].nr_pages = VMAP_BLOCK_MOST;
	world_read(&world, &claims);
	expect_damage("V8", "vmap_block_map.nr_pages");
	cr_expect_eq(claims.areas.count, 5);
}

Test(damage, a_mapping_in_a_block_without_pages)
{
	world_block(&world, NODE_A)->maps[0].nr_pages = 0;
	world_read(&world, &claims);
	expect_damage("V8", "vmap_block_map.nr_pages");
}

Test(damage, a_mapping_in_a_block_in_no_state)
{
	world_block(&world, NODE_A)->maps[4].state = 9;
	world_read(&world, &claims);
	expect_damage("V8", "vmap_block_map.state");
}

Test(damage, the_counts_of_a_block)
{
	struct vmap_block *block = world_block(&world, NODE_A);

	block->nr = 4;
	block->dirty = 2;
	world_read(&world, &claims);
	expect_damage("V13", "vmap_block.nr");
	expect_damage("V13", "vmap_block.dirty");
}

Test(damage, a_purge_list_that_runs_in_a_circle)
{
	world_node(&world, NODE_D)->next = (void *)world_node_gva(NODE_D);
	world_read(&world, &claims);
	expect_damage("V8", "vmap_lazy.purge_list: runs in a circle");
	cr_expect_leq(claims.areas.count, 5);
}

Test(damage, a_purge_list_that_leads_out_of_RAM)
{
	world_node(&world, NODE_D)->next = NOWHERE;
	world_read(&world, &claims);
	expect_damage("V8", "vmap_lazy.purge_list: leads to no vmap_area");
	cr_expect_eq(claims.areas.count, 4);
}

Test(damage, a_list_of_flushed_ranges_that_leads_out_of_RAM)
{
	world_cpu(&world, 1)->lazy.flushed_list = NOWHERE;
	world_read(&world, &claims);
	expect_damage("V8", "vmap_lazy.flushed_list: leads to no vmap_area");
}

Test(damage, a_list_of_areas_to_be_freed_that_runs_in_a_circle)
{
	world_node(&world, NODE_A)->state = VMAP_DEFERRED;
	world_node(&world, NODE_A)->next = (void *)world_node_gva(NODE_A);
	world_cpu(&world, 2)->lazy.deferred = (void *)world_node_gva(NODE_A);
	world_read(&world, &claims);
	expect_damage("V8", "vmap_lazy.deferred: runs in a circle");
}

Test(damage, a_list_of_areas_to_be_freed_that_leads_out_of_RAM)
{
	world_cpu(&world, 2)->lazy.deferred = NOWHERE;
	world_read(&world, &claims);
	expect_damage("V8", "vmap_lazy.deferred: leads to no vmap_area");
}

Test(damage, a_range_of_the_busy_tree_in_a_state_that_is_none)
{
	world_node(&world, NODE_A)->state = 77;
	world_read(&world, &claims);
	expect_damage("V8", "vmap_area_root: node in a state that is none");
	cr_expect_eq(claims.busy_tree.count, 3);
	cr_expect_eq(claims.areas.count, 3);
}

Test(damage, an_area_without_vm_struct)
{
	world_node(&world, NODE_A)->vm = NULL;
	world_node(&world, NODE_C)->vm = NOWHERE;
	world_read(&world, &claims);
	expect_damage("V1", "leads to no vm_struct");
	cr_expect_eq(claims.areas.count, 4);
	cr_expect_eq(claims.areas.items[0].frame_count, 0);
	cr_expect_eq(claims.areas.items[0].va_end, KVMAP_VMALLOC_START + 0x3000);
}

Test(damage, a_chain_that_is_too_long_shows_one_frame_more)
{
	world_page(&world, 0x720)->next = 0x760;
	world_read(&world, &claims);
	expect_damage("V1", "chain is longer than 2 frames");
	cr_expect_eq(claims.areas.items[0].frame_count, 3);
}

Test(damage, a_chain_that_is_too_short)
{
	world_page(&world, 0x710)->next = 0;
	world_read(&world, &claims);
	expect_damage("V1", "chain ends before its 2 frames");
	cr_expect_eq(claims.areas.items[0].frame_count, 1);
}

Test(damage, a_chain_that_leads_beyond_RAM)
{
	world_page(&world, 0x710)->next = 0xffffffff;
	world_read(&world, &claims);
	expect_damage("V1", "frame beyond RAM");
	cr_expect_eq(claims.areas.items[0].frame_count, 1);
	cr_expect_eq(claims.areas.items[1].frame_count, 1);
}

Test(damage, a_chain_that_runs_in_a_circle_under_a_huge_count)
{
	world_vm(&world, NODE_C)->nr_pages = 0xffffffff;
	world_page(&world, 0x731)->next = 0x712;
	world_read(&world, &claims);
	expect_damage("V1", "chain runs in a circle");
	cr_expect_leq(claims.areas.items[2].frame_count, 8);
	cr_expect_eq(claims.areas.items[3].frame_count, 2);
}

/* Every lazy area claims one chain through all frames: together far more than RAM. */
Test(damage, a_block_of_an_order_that_none_has_or_with_frames_beyond_the_area)
{
	world_page(&world, 0x710)->order = 77;
	world_vm(&world, NODE_A)->flags |= VM_HUGE;
	world_read(&world, &claims);
	expect_damage("V1", "vm_struct.pages: a block of order 77");
	claims_destroy(&claims);
	world_page(&world, 0x710)->order = 10;
	world_read(&world, &claims);
	expect_damage("V1", "vm_struct.pages: chain is longer than 2 frames");
}

Test(damage, chains_that_together_hold_more_frames_than_RAM)
{
	struct vmap_area *nodes = (struct vmap_area *)(world.memory + 0xe00000);

	for (uint32_t pfn = 1; pfn + 1 < WORLD_FRAMES; pfn++)
		world_page(&world, pfn)->next = pfn + 1;
	world_vm(&world, NODE_D)->nr_pages = 0xffffffff;
	world_vm(&world, NODE_D)->pages = 1;
	for (uint64_t i = 0; i < 1000; i++) {
		nodes[i] = *world_node(&world, NODE_D);
		nodes[i].next = i < 999 ? world_va(0xe00000 + (i + 1) * sizeof(*nodes)) : NULL;
	}
	world_cpu(&world, 5)->lazy.purge_list = world_va(0xe00000);
	world_read(&world, &claims);
	expect_damage("V1", "more frames than there are");
	cr_expect_leq(claims.frames.count, 2 * WORLD_FRAMES);
	cr_expect_eq(claims.areas.count, 1003);
	cr_expect_leq(claims.damages.count, 256);
	expect_damage(claims.damages.items[claims.damages.count - 1].invariant,
		      "more is damaged than is listed");
}

Test(damage, held_frames_that_run_in_a_circle)
{
	world_page(&world, 0x741)->next = 0x740;
	world_read(&world, &claims);
	expect_damage("V4", "held_pages: chain runs in a circle");
}

Test(damage, a_free_list_that_runs_in_a_circle)
{
	world_page(&world, 0x703)->next = 0x701;
	world_read(&world, &claims);
	expect_damage("V4", "zones[0].free_area[0]: frame does not point back");
	cr_expect_eq(claims.free_buddy_blocks.count, 3);
}

Test(damage, a_free_list_that_leads_beyond_RAM)
{
	world_page(&world, 0x701)->next = 0x80000000;
	world_read(&world, &claims);
	expect_damage("V4", "zones[0].free_area[0]: list leads beyond RAM");
	cr_expect_eq(claims.free_buddy_blocks.count, 2);
}

Test(damage, more_zones_than_the_array_has)
{
	*world_root(&world, "nr_zones", uint32_t) = 0xffffffff;
	world_read(&world, &claims);
	expect_damage("V4", "nr_zones: more than the array has");
	cr_expect_eq(claims.zone_count, MAX_NR_ZONES);
}

Test(damage, a_number_of_nodes_that_cannot_be)
{
	*world_root(&world, "nr_nodes", uint32_t) = 9;
	world_read(&world, &claims);
	expect_damage("V4", "nr_nodes: not 1 to 8");
	cr_expect_eq(claims.numa_node_count, 1);
}

Test(damage, a_zone_beyond_RAM_is_cut_to_it)
{
	world_root(&world, "zones", struct zone)->end_pfn = 0xffffffff;
	world_root(&world, "zones", struct zone)->fresh_start = 0x100;
	world_read(&world, &claims);
	expect_damage("V4", "zones[0].end_pfn");
	expect_damage("V4", "zones[0].fresh_start");
	cr_expect_eq(claims.zones[0].end_pfn, WORLD_FRAMES);
	cr_expect_eq(claims.zones[0].fresh_start, 0x700);
}

Test(damage, absurd_memblock_counts_and_regions)
{
	struct memblock *memblock = world_root(&world, "memblock", struct memblock);

	memblock->nr_memory = 0xffffffff;
	memblock->memory[5] = (struct memblock_region){ .base = 0xfffffffffffff000, .size = 0x2000 };
	memblock->memory[6] = (struct memblock_region){ .base = 0x1234, .size = 0x1000 };
	memblock->nr_reserved = 17;
	memblock->reserved[4] = (struct memblock_region){ .base = 0x300000, .size = 0x1000 };
	world_read(&world, &claims);
	expect_damage("V4", "memblock.memory: more regions");
	expect_damage("V4", "memblock.memory: region is not whole pages, or wraps");
	expect_damage("V4", "memblock.reserved: more regions");
	expect_damage("V4", "memblock.reserved: not sorted");
	cr_expect_eq(claims.memory_count, 2);
	cr_expect_eq(claims.reserved_count, 4);
}

Test(damage, max_pfn_beyond_RAM)
{
	*world_root(&world, "max_pfn", uint64_t) = ~0ull;
	world_read(&world, &claims);
	expect_damage("V4", "max_pfn: beyond RAM");
	cr_expect_eq(damage_with(&claims, "V4", "max_pfn")->value, ~0ull);
	cr_expect_eq(claims.max_pfn, WORLD_FRAMES);
	cr_expect_eq(claims.areas.items[0].frame_count, 2);
}

Test(damage, mem_map_not_mapped)
{
	*world_entry(&world, KVMAP_DIRECT_BASE + WORLD_MEM_MAP, 2) = 0;
	world_read(&world, &claims);
	expect_damage("V4", "mem_map: not present");
	expect_damage("V1", "struct page of the chain is not mapped");
	cr_expect_eq(claims.pages.count, 0);
	cr_expect_eq(claims.busy_tree.count, 3);
}

Test(damage, mem_map_mapped_to_where_there_is_no_RAM)
{
	*world_entry(&world, KVMAP_DIRECT_BASE + WORLD_MEM_MAP, 2) = (1ull << 35) | PTE_P | PTE_PS;
	world_read(&world, &claims);
	expect_damage("V4", "mem_map: mapped to where there is no RAM");
	cr_expect_eq(claims.pages.count, 0);
}

Test(damage, mem_map_that_wraps)
{
	*world_root(&world, "mem_map", uint64_t) = 0xfffffffffffff000;
	world_read(&world, &claims);
	expect_damage("V4", "mem_map: wraps");
	*world_root(&world, "mem_map", uint64_t) = 0;
	claims_destroy(&claims);
	world_read(&world, &claims);
	expect_damage("V4", "mem_map: not present");
}

Test(damage, a_clock_that_lies_about_flushes)
{
	*world_root(&world, "tlb_clock", uint32_t) = 0xffffffff;
	world_read(&world, &claims);
	expect_damage("V9", "tlb_flush_log: more entries are missing");
	cr_expect_eq(claims.flush_count, 0xffffffff);
	cr_expect_eq(claims.flushes.count, 0);
}

Test(damage, flushes_from_the_future)
{
	world_root(&world, "tlb_flush_log", struct tlb_flush)[2].stamp += TLB_FLUSH_LOG;
	world_read(&world, &claims);
	expect_damage("V9", "tlb_flush_log: stamp of another place, or ahead");
}

Test(damage, a_flush_that_ended_before_it_began)
{
	world_root(&world, "tlb_flush_log", struct tlb_flush)[3].begun = 3;
	world_read(&world, &claims);
	expect_damage("V9", "tlb_flush_log: flush that was complete before it began");
}

Test(damage, frames_of_a_cpu_that_are_not_as_many_as_it_says)
{
	world_cpu(&world, 0)->pcp.nr = 3;
	world_read(&world, &claims);
	expect_damage("V4", "cpu_cache.pcp: chain ends before");
}

Test(damage, more_variables_than_there_are)
{
	*world_root(&world, "agent_nr_variables", uint32_t) = 0xffffffff;
	world_read(&world, &claims);
	expect_damage("V12", "agent_nr_variables");
	cr_expect_eq(claims.variables.count, KVMAP_VARIABLES_MAX);
}

Test(damage, caches_that_lie)
{
	struct kmem_cache *first = world_cache(&world, 1), *second = world_cache(&world, 3);
	struct page *slab = world_page(&world, second->partial);

	first->object_size = 0;
	first->name = NOWHERE;
	second->nr_slabs = 0xffffffff;
	*(void **)world_at(&world, (uint64_t)slab->freelist) = slab->freelist;
	world_read(&world, &claims);
	expect_damage("V4", "kmem_caches[1]: objects of that size");
	expect_damage("V4", "kmem_cache.full: chain ends before");
	expect_damage("V4", "kmem_caches[3]: more free objects than its slabs hold");
	cr_expect_str_eq(claims.caches[0].name, "");
}

Test(damage, a_slab_whose_list_leads_to_another)
{
	struct page *slab = world_page(&world, world_cache(&world, 3)->partial);

	slab->freelist = (char *)slab->freelist + PAGE_SIZE;
	world_read(&world, &claims);
	expect_damage("V4", "kmem_caches[3]: free list leads out of its slab");
}

Test(damage, objects_larger_than_their_slab_and_slabs_of_no_order)
{
	world_cache(&world, 1)->object_size = PAGE_SIZE + 8;
	world_cache(&world, 3)->order = 60;
	world_read(&world, &claims);
	expect_damage("V4", "kmem_caches[1]: objects of that size");
	expect_damage("V4", "kmem_caches[3]: objects of that size");
}

Test(damage, more_caches_than_there_can_be_and_one_that_is_nowhere)
{
	*world_root(&world, "nr_kmem_caches", uint32_t) = 0xffffffff;
	world_root(&world, "kmem_caches", uint64_t)[2] = (uint64_t)NOWHERE;
	world_cpu(&world, 63)->objects[3].free = NOWHERE;
	world_read(&world, &claims);
	expect_damage("V4", "nr_kmem_caches: more than the array has");
	expect_damage("V4", "kmem_caches[2]: not mapped");
	expect_damage("V4", "kmem_caches[3]: free list leads out of RAM");
	cr_expect_eq(claims.cache_count, 2);
}

Test(damage, a_name_that_would_hurt_a_terminal_is_escaped)
{
	strcpy((char *)world.memory + WORLD_NAMES, "\x1b[2Jv");
	world_read(&world, &claims);
	cr_expect_str_eq(claims.caches[0].name, "\\x1b[2Jv");
}

Test(damage, an_image_that_is_not_mapped_is_an_error)
{
	struct error error;

	*world_entry(&world, world_symbol(&world, "mem_map"), 1) = 0;
	cr_assert_eq(claims_read(&world.view, &world.mode, world.layout, &claims, &error), -1);
	cr_expect_eq(error.kind, ERROR_GUEST);
	cr_expect_eq(error.address, world_symbol(&world, "mem_map"));
	cr_expect(strstr(error.text, "is not mapped"), "%s", error.text);
}

Test(damage, one_unmapped_page_of_the_image_costs_only_what_lies_in_it)
{
	*world_entry(&world, world_symbol(&world, "agent_nr_variables"), 1) = 0;
	world_read(&world, &claims);
	expect_damage("V12", "agent_nr_variables: not mapped");
	cr_expect_eq(claims.areas.count, 4);
}
