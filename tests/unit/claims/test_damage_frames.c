/* SPDX-License-Identifier: MIT */
/* Damaged zones, mem_map, caches, flushes and variables become damages; the rest is read. */
#include "damage.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(damage_frames, .init = damage_begin, .fini = damage_end);

Test(damage_frames, held_frames_with_a_cycle)
{
	world_page(&world, 0x741)->next = 0x740;
	world_read(&world, &claims);
	EXPECT_DAMAGES(&claims, { "V4", ROOT("held_pages"), 0x741, "held_pages: chain has a cycle" });
}

Test(damage_frames, a_free_list_with_a_cycle)
{
	world_page(&world, 0x703)->next = 0x701;
	world_read(&world, &claims);
	EXPECT_DAMAGES(&claims, { "V4", ROOT("zones"), 0x701,
				  "zones[0].free_area[0]: frame does not point back, or list has a cycle" });
	cr_expect_eq(claims.free_buddy_blocks.count, 3);
}

Test(damage_frames, a_free_list_that_leads_beyond_RAM)
{
	world_page(&world, 0x701)->next = 0x80000000;
	world_read(&world, &claims);
	EXPECT_DAMAGES(&claims,
		       { "V4", ROOT("zones"), 0x80000000,
			 "zones[0].free_area[0]: list points beyond RAM, or has more frames than RAM" });
	cr_expect_eq(claims.free_buddy_blocks.count, 2);
}

Test(damage_frames, more_zones_than_the_array_has)
{
	*world_root(&world, "nr_zones", uint32_t) = 0xffffffff;
	world_read(&world, &claims);
	EXPECT_DAMAGES(&claims,
		       { "V4", ROOT("nr_zones"), 0xffffffff, "nr_zones: more than fit into the array" });
	cr_expect_eq(claims.zone_count, MAX_NR_ZONES);
}

Test(damage_frames, an_impossible_number_of_numa_nodes)
{
	*world_root(&world, "nr_nodes", uint32_t) = 9;
	world_read(&world, &claims);
	EXPECT_DAMAGES(&claims, { "V4", ROOT("nr_nodes"), 0x9, "nr_nodes: not 1 to 8" });
	cr_expect_eq(claims.numa_node_count, 1);
}

Test(damage_frames, a_zone_beyond_RAM_is_cut_to_it)
{
	world_root(&world, "zones", struct zone)->end_pfn = 0xffffffff;
	world_root(&world, "zones", struct zone)->fresh_start = 0x100;
	world_read(&world, &claims);
	EXPECT_DAMAGES(&claims,
		       { "V4", ROOT("zones"), 0x100, "zones[0].fresh_start: out of order or beyond RAM" },
		       { "V4", ROOT("zones"), 0xffffffff, "zones[0].end_pfn: out of order or beyond RAM" });
	cr_expect_eq(claims.zones[0].end_pfn, WORLD_FRAMES);
	cr_expect_eq(claims.zones[0].fresh_start, 0x700);
}

Test(damage_frames, absurd_memblock_counts_and_regions)
{
	struct memblock *memblock = world_root(&world, "memblock", struct memblock);

	memblock->nr_memory = 0xffffffff;
	memblock->memory[5] = (struct memblock_region){ .base = 0xfffffffffffff000, .size = 0x2000 };
	memblock->memory[6] = (struct memblock_region){ .base = 0x1234, .size = 0x1000 };
	memblock->nr_reserved = 17;
	memblock->reserved[4] = (struct memblock_region){ .base = 0x300000, .size = 0x1000 };
	world_read(&world, &claims);
	EXPECT_DAMAGES(
		&claims,
		{ "V4", ROOT("memblock"), 0xffffffff,
		  "memblock.memory: more regions than fit into the array" },
		{ "V4", ROOT("memblock"), 0xfffffffffffff000,
		  "memblock.memory: region is not whole pages, or wraps" },
		{ "V4", ROOT("memblock"), 0x1234, "memblock.memory: region is not whole pages, or wraps" },
		{ "V4", ROOT("memblock"), 0x11, "memblock.reserved: more regions than fit into the array" },
		{ "V4", ROOT("memblock"), 0x300000, "memblock.reserved: not sorted, or regions overlap" });
	cr_expect_eq(claims.memory_count, 2);
	cr_expect_eq(claims.reserved_count, 4);
}

Test(damage_frames, max_pfn_beyond_RAM)
{
	*world_root(&world, "max_pfn", uint64_t) = ~0ull;
	world_read(&world, &claims);
	EXPECT_DAMAGES(&claims,
		       { "V4", ROOT("max_pfn"), ~0ull, "max_pfn: beyond RAM, which ends at frame 4096" });
	cr_expect_eq(claims.max_pfn, WORLD_FRAMES);
	cr_expect_eq(claims.areas.items[0].frame_count, 2);
}

Test(damage_frames, mem_map_not_mapped)
{
	*world_pte(&world, KVMAP_DIRECT_BASE + WORLD_MEM_MAP, 2) = 0;
	world_read(&world, &claims);
	EXPECT_DAMAGES(&claims, { "V4", STRUCT_PAGE(0x0), 0x0, "mem_map: not present" }, NO_FREE_LISTS,
		       NO_CHAINS("struct page of the chain is not mapped"));
	cr_expect_eq(claims.pages.count, 0);
	cr_expect_eq(claims.busy_tree.count, 3);
}

Test(damage_frames, mem_map_mapped_outside_RAM)
{
	*world_pte(&world, KVMAP_DIRECT_BASE + WORLD_MEM_MAP, 2) = (1ull << 35) | PTE_P | PTE_PS;
	world_read(&world, &claims);
	EXPECT_DAMAGES(&claims, { "V4", STRUCT_PAGE(0x0), 0x800000000, "mem_map: mapped outside RAM" },
		       NO_FREE_LISTS, NO_CHAINS("struct page of the chain is not mapped"));
	cr_expect_eq(claims.pages.count, 0);
}

Test(damage_frames, mem_map_that_wraps)
{
	*world_root(&world, "mem_map", uint64_t) = 0xfffffffffffff000;
	world_read(&world, &claims);
	EXPECT_DAMAGES(
		&claims,
		{ "V4", ROOT("mem_map"), 0xfffffffffffff000, "mem_map: wraps around the address space" },
		{ "V4", ROOT("zones"), 0x700, "zones[0].start_pfn: out of order or beyond RAM" },
		{ "V4", ROOT("zones"), 0x800, "zones[0].fresh_start: out of order or beyond RAM" },
		{ "V4", ROOT("zones"), 0x1000, "zones[0].fresh_end: out of order or beyond RAM" },
		{ "V4", ROOT("zones"), 0x1000, "zones[0].end_pfn: out of order or beyond RAM" },
		NO_FREE_LISTS, NO_CHAINS("chain has a frame beyond RAM"),
		{ "V4", CPU(3), DIRECT(WORLD_VMAP_AREAS + (RANGE_COUNT + 1) * sizeof(struct vmap_area)),
		  "kmem_caches[1]: more free objects than its slabs hold" },
		{ "V4", CPU(3), VM(RANGE_F), "kmem_caches[3]: more free objects than its slabs hold" });
	*world_root(&world, "mem_map", uint64_t) = 0;
	claims_destroy(&claims);
	world_read(&world, &claims);
	EXPECT_DAMAGES(&claims, { "V4", 0x0, 0x0, "mem_map: not present" }, NO_FREE_LISTS,
		       NO_CHAINS("struct page of the chain is not mapped"));
}

Test(damage_frames, a_flush_generation_far_ahead_of_the_log)
{
	*world_root(&world, "tlb_gen", uint64_t) = 0xffffffff;
	world_read(&world, &claims);
	EXPECT_DAMAGES(&claims, { "V9", ROOT("tlb_flush_log"), 0x800,
				  "tlb_flush_log: more entries are missing than CPUs can be writing" });
	cr_expect_eq(claims.flush_count, 0xffffffff);
	cr_expect_eq(claims.flushes.count, 0);
}

Test(damage_frames, flushes_from_the_future)
{
	world_root(&world, "tlb_flush_log", struct tlb_flush)[2].stamp += TLB_FLUSH_LOG;
	world_read(&world, &claims);
	EXPECT_DAMAGES(&claims, { "V9", FLUSH(2), 0x802,
				  "tlb_flush_log: stamp of another slot, or ahead of tlb_gen" });
}

Test(damage_frames, a_flush_that_ended_before_it_began)
{
	world_root(&world, "tlb_flush_log", struct tlb_flush)[3].begun = 3;
	world_read(&world, &claims);
	EXPECT_DAMAGES(&claims, { "V9", FLUSH(3), 0x3, "tlb_flush_log: flush that ended before it began" });
}

Test(damage_frames, a_per_cpu_list_that_is_shorter_than_its_counter)
{
	world_cpu(&world, 0)->pcp.nr = 3;
	world_read(&world, &claims);
	EXPECT_DAMAGES(&claims, { "V4", CPU(0), 0x2, "cpu_cache.pcp: chain ends before its 3 frames" });
}

Test(damage_frames, more_variables_than_there_are)
{
	*world_root(&world, "agent_nr_variables", uint32_t) = 0xffffffff;
	world_read(&world, &claims);
	EXPECT_DAMAGES(&claims, { "V12", ROOT("agent_nr_variables"), 0xffffffff,
				  "agent_nr_variables: more than fit into the array" });
	cr_expect_eq(claims.variables.count, KVMAP_VARIABLES_MAX);
}

Test(damage_frames, caches_with_wrong_sizes_counters_and_lists)
{
	struct kmem_cache *first = world_cache(&world, 1), *second = world_cache(&world, 3);
	struct page *slab = world_page(&world, second->partial);
	uint64_t object;

	first->object_size = 0;
	first->name = (void *)NOWHERE;
	second->nr_slabs = 0xffffffff;
	object = KVMAP_DIRECT_BASE + (uint64_t)second->partial * PAGE_SIZE + (slab->freelist - 1u) * 8;
	*(uint64_t *)world_at(&world, object) = object;
	world_read(&world, &claims);
	EXPECT_DAMAGES(
		&claims, { "V4", CACHE(1), 0x0, "kmem_caches[1]: impossible size of objects or slabs" },
		{ "V4", CACHE(3), 0x0, "kmem_cache.full: chain ends before its 4294967294 frames" },
		{ "V4", STRUCT_PAGE(0x601), VM(RANGE_E),
		  "kmem_caches[3]: more free objects than its slabs hold" },
		{ "V4", CPU(3), VM(RANGE_F), "kmem_caches[3]: more free objects than its slabs hold" });
	cr_expect_str_eq(claims.caches[0].name, "");
}

Test(damage_frames, a_slab_whose_list_leads_to_another)
{
	struct page *slab = world_page(&world, world_cache(&world, 3)->partial);

	slab->freelist = (u16)(slab->freelist + PAGE_SIZE / 8);
	world_read(&world, &claims);
	EXPECT_DAMAGES(&claims, { "V4", STRUCT_PAGE(0x601), DIRECT(0x6020e0),
				  "kmem_caches[3]: free list points outside its slab" });
}

Test(damage_frames, objects_larger_than_their_slab_and_slabs_of_an_impossible_order)
{
	world_cache(&world, 1)->object_size = PAGE_SIZE + 8;
	world_cache(&world, 3)->order = 60;
	world_read(&world, &claims);
	EXPECT_DAMAGES(
		&claims,
		{ "V4", CACHE(1), PAGE_SIZE + 8, "kmem_caches[1]: impossible size of objects or slabs" },
		{ "V4", CACHE(3), sizeof(struct vm_struct),
		  "kmem_caches[3]: impossible size of objects or slabs" });
}

Test(damage_frames, more_caches_than_the_array_has_and_one_outside_RAM)
{
	*world_root(&world, "nr_kmem_caches", uint32_t) = 0xffffffff;
	world_root(&world, "kmem_caches", uint64_t)[2] = NOWHERE;
	world_cpu(&world, 63)->objects[3].free = (void *)NOWHERE;
	world_read(&world, &claims);
	EXPECT_DAMAGES(
		&claims,
		{ "V4", ROOT("nr_kmem_caches"), 0xffffffff, "nr_kmem_caches: more than fit into the array" },
		{ "V4", ROOT("kmem_caches"), NOWHERE, "kmem_caches[2]: not mapped" },
		{ "V4", CPU(63), NOWHERE, "kmem_caches[3]: free list points outside RAM" });
	cr_expect_eq(claims.cache_count, 2);
}

Test(damage_frames, a_name_that_would_hurt_a_terminal_is_escaped)
{
	strcpy((char *)world.memory + WORLD_NAMES, "\x1b[2Jv");
	world_read(&world, &claims);
	cr_expect_eq(claims.damages.count, 0);
	cr_expect_str_eq(claims.caches[0].name, "\\x1b[2Jv");
}

Test(damage_frames, an_image_that_is_not_mapped_is_an_error)
{
	struct error error;

	*world_pte(&world, world_symbol(&world, "mem_map"), 1) = 0;
	cr_assert_eq(claims_read(&world.view, &world.mode, world.layout, &claims, &error), -1);
	cr_expect_eq(error.kind, ERROR_GUEST);
	cr_expect_eq(error.address, world_symbol(&world, "mem_map"));
	cr_expect(strstr(error.text, "is not mapped"), "%s", error.text);
}

Test(damage_frames, one_unmapped_page_of_the_image_costs_only_what_lies_in_it)
{
	*world_pte(&world, world_symbol(&world, "agent_nr_variables"), 1) = 0;
	world_read(&world, &claims);
	expect_damage(&claims, "V12", "agent_nr_variables: not mapped");
	cr_expect_eq(claims.areas.count, 4);
}

Test(damage_frames, a_free_list_that_leads_to_a_struct_page_that_is_not_mapped)
{
	*world_pte(&world, KVMAP_DIRECT_BASE + WORLD_MEM_MAP, 2) = 0;
	world_read(&world, &claims);
	EXPECT_DAMAGES(&claims, { "V4", STRUCT_PAGE(0x0), 0x0, "mem_map: not present" }, NO_FREE_LISTS,
		       NO_CHAINS("struct page of the chain is not mapped"));
	cr_expect_eq(claims.free_buddy_blocks.count, 0);
}

Test(damage_frames, mem_map_larger_than_RAM)
{
	struct view_region high = { .gpa = 1ull << 36, .size = WORLD_SIZE, .bytes = world.memory, .fd = -1 };
	struct error error;

	cr_assert_eq(view_add_region(&world.view, &high, &error), 0, "%s", error.text);
	*world_root(&world, "max_pfn", uint64_t) = (1ull << 36) / PAGE_SIZE;
	for (uint64_t offset = 0; offset < 3 * WORLD_SIZE; offset += 2 << 20)
		*world_pte(&world, KVMAP_DIRECT_BASE + WORLD_MEM_MAP + offset, 2) =
			WORLD_MEM_MAP | PTE_P | PTE_W | PTE_PS;
	world_read(&world, &claims);
	EXPECT_DAMAGES(&claims, { "V4", DIRECT(0x2400000), 0x400000, "mem_map: larger than RAM" },
		       { "V1", RANGE(B), 0x0, "vmap_area.vm: does not point to a vm_struct in RAM" });
	cr_expect_leq(claims.pages.count, 2 * WORLD_SIZE / sizeof(struct page));
}

/* Unmaps a page of an array that begins at a page (program.c). */
static void unmap_page(const char *array, unsigned int page)
{
	*world_pte(&world, world_symbol(&world, array) + page * PAGE_SIZE, 1) = 0;
}

Test(damage_frames, arrays_of_which_a_page_is_not_mapped)
{
	*world_root(&world, "tlb_gen", uint64_t) = TLB_FLUSH_LOG - 1;
	*world_root(&world, "agent_nr_variables", uint32_t) = KVMAP_VARIABLES_MAX;
	unmap_page("zones", 0);
	unmap_page("tlb_flush_log", 1);
	unmap_page("cpu_caches", 1);
	unmap_page("agent_variables", 1);
	world_read(&world, &claims);
	EXPECT_DAMAGES(&claims, { "V4", ROOT("zones"), 0x0, "zones[0]: not mapped" },
		       { "V8", CPU(0), CPU(3), "cpu_caches: not mapped" },
		       { "V4", CPU(0), CPU(3), "cpu_caches: not mapped" },
		       { "V4", CPU(0), CPU(3), "cpu_caches: not mapped" },
		       { "V9", FLUSH(PAGE_SIZE / sizeof(struct tlb_flush)),
			 PAGE_SIZE / sizeof(struct tlb_flush), "tlb_flush_log: not mapped" },
		       { "V12", VARIABLE(PAGE_SIZE / sizeof(struct agent_variable)),
			 PAGE_SIZE / sizeof(struct agent_variable), "agent_variables: not mapped" });
	cr_expect_eq(claims.zone_count, 0);
	cr_expect_leq(claims.variables.count, PAGE_SIZE / sizeof(struct agent_variable) + 1);
	cr_expect_eq(claims.areas.count, 3, "the live areas");
}
