/* SPDX-License-Identifier: MIT */
/* An undamaged guest is read as it is. */
#include "world.h"
#include "view/extents.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static struct world world;
static struct claims claims;

static void read_undamaged(void)
{
	world_create(&world);
	world_read(&world, &claims);
}

static void end(void)
{
	claims_destroy(&claims);
	world_destroy(&world);
}

TestSuite(claims, .init = read_undamaged, .fini = end);

static void assert_frames(const char *name, size_t first, size_t count, const uint32_t *expected,
			  size_t expected_count)
{
	cr_assert_eq(count, expected_count, "%s: %zu frames", name, count);
	for (size_t i = 0; i < count; i++)
		cr_expect_eq(claims.frames.items[first + i], expected[i], "%s: frame %zu is 0x%x, not 0x%x",
			     name, i, claims.frames.items[first + i], expected[i]);
}

#define assert_area_frames(area, ...)                                                                        \
	assert_frames(#area, (area)->first_frame, (area)->frame_count, (const uint32_t[]){ __VA_ARGS__ },    \
		      sizeof((const uint32_t[]){ __VA_ARGS__ }) / sizeof(uint32_t))

Test(claims, an_undamaged_guest_has_no_damage)
{
	for (size_t i = 0; i < claims.damages.count; i++)
		cr_expect(false, "%s %s", claims.damages.items[i].invariant, claims.damages.items[i].what);
}

Test(claims, live_areas_come_by_address_with_their_frames_in_order)
{
	const struct claim_area *a = &claims.areas.items[0], *c = &claims.areas.items[2];

	cr_assert_eq(claims.areas.count, 4);
	cr_expect_eq(a->state, AREA_LIVE);
	cr_expect_eq(a->va_start, KVMAP_VMALLOC_START);
	cr_expect_eq(a->va_end, WORLD_B);
	cr_expect_eq(a->addr, KVMAP_VMALLOC_START);
	cr_expect_eq(a->size, WORLD_AREA_SIZE(2));
	cr_expect_eq(a->requested_size, 0x2000 - 7);
	cr_expect_eq(a->flags, VM_ALLOC);
	cr_expect_eq(a->caller, 0xffffffff80201000);
	cr_expect_eq(a->nr_pages, 2);
	cr_expect_eq(a->allocated, 3);
	cr_expect_eq(a->vmap_area, world_range_gva(RANGE_A));
	assert_area_frames(a, 0x710, 0x720);
	assert_area_frames(c, 0x730, 0x712, 0x731);
}

Test(claims, lazily_freed_areas_come_after_the_live_ones)
{
	const struct claim_area *d = &claims.areas.items[3];

	cr_expect_eq(d->state, AREA_LAZY);
	cr_expect_eq(d->va_start, WORLD_D);
	cr_expect_eq(d->unmapped, 5);
	assert_area_frames(d, 0x750, 0x751);
}

Test(claims, a_deferred_area_is_a_live_one)
{
	world_range(&world, RANGE_A)->state = VMAP_DEFERRED;
	world_cpu(&world, 2)->lazy.deferred = (void *)world_range_gva(RANGE_A);
	claims_destroy(&claims);
	world_read(&world, &claims);
	cr_assert_eq(claims.areas.count, 4);
	cr_expect_eq(claims.areas.items[0].state, AREA_LIVE);
	cr_expect(claims.areas.items[0].deferred);
	cr_expect(!claims.areas.items[1].deferred);
	assert_area_frames(&claims.areas.items[0], 0x710, 0x720);
	cr_assert_eq(claims.deferred.count, 1);
	cr_expect_eq(claims.deferred.items[0], world_range_gva(RANGE_A));
}

static void expect_places(void)
{
	cr_assert_eq(claims.places.count, claims.areas.count);
	for (size_t i = 0; i < claims.areas.count; i++) {
		const struct claim_area *area = &claims.areas.items[i];
		const struct claim_place *place = &claims.places.items[i];

		cr_expect(place->va_start == area->va_start && place->va_end == area->va_end);
		cr_expect_eq(place->area, i);
		cr_expect_eq(place->live, area->state == AREA_LIVE);
		cr_expect_eq(place->deferred, area->deferred);
	}
}

Test(claims, each_area_has_its_place)
{
	expect_places();
}

Test(claims, areas_alone_are_the_same_without_their_frames)
{
	struct claims areas;
	struct error error;

	cr_assert_eq(claims_read_areas(&world.view, &world.mode, world.layout, &areas, &error), 0, "%s",
		     error.text);
	cr_assert_eq(areas.areas.count, claims.areas.count);
	for (size_t i = 0; i < areas.areas.count; i++) {
		const struct claim_area *whole = &claims.areas.items[i], *alone = &areas.areas.items[i];

		cr_expect(whole->state == alone->state && whole->va_start == alone->va_start &&
				  whole->va_end == alone->va_end && whole->vmap_area == alone->vmap_area &&
				  whole->addr == alone->addr && whole->size == alone->size &&
				  whole->requested_size == alone->requested_size &&
				  whole->flags == alone->flags && whole->caller == alone->caller &&
				  whole->frames_sum == alone->frames_sum &&
				  whole->nr_pages == alone->nr_pages && whole->unmapped == alone->unmapped &&
				  whole->allocated == alone->allocated && !alone->frame_count,
			  "area %zu", i);
	}
	cr_expect_eq(areas.frames.count, 0);
	cr_expect_eq(areas.damages.count, 0);
	claims_destroy(&areas);
}

/* A suite of its own, since `claims` reads the guest before the test. */
Test(states, ranges_of_the_busy_tree_are_read_by_their_state)
{
	world_create(&world);
	world_range(&world, RANGE_A)->state = VMAP_CACHED;
	world_range(&world, RANGE_C)->state = VMAP_LAZY;
	world_cpu(&world, 63)->lazy.flushed_list = (void *)world_range_gva(RANGE_C);
	world_read(&world, &claims);
	cr_expect_eq(claims.damages.count, 0);
	cr_expect_eq(claims.busy_tree.count, 3);
	cr_assert_eq(claims.cached_ranges.count, 1);
	cr_expect_eq(claims.cached_ranges.items[0].va_start, KVMAP_VMALLOC_START);
	cr_expect_eq(claims.cached_ranges.items[0].va_end, WORLD_B);
	cr_assert_eq(claims.areas.count, 3);
	cr_expect_eq(claims.areas.items[0].state, AREA_LIVE);
	cr_expect_eq(claims.areas.items[0].vmap_area, world_range_gva(RANGE_B));
	cr_expect_eq(claims.areas.items[1].state, AREA_LAZY);
	cr_expect_eq(claims.areas.items[2].state, AREA_LAZY);
	cr_expect_eq(claims.areas.items[2].vmap_area, world_range_gva(RANGE_C));
	end();
}

/* Each cached range is the rest of a mapping's slots after its guard, or the rest of the vmap block. */
static void expect_cached_ranges_of_a_block(void)
{
	static const struct {
		uint32_t slot, pages;
	} mappings[] = { { WORLD_SLOT_OF_4, 4 }, { WORLD_SLOT_OF_1, 1 }, { WORLD_SLOT_OF_2, 2 } };
	const struct claim_cached_range *ranges = claims.cached_ranges.items;
	size_t count = 0;

	for (unsigned int i = 0; i < 3; i++) {
		uint64_t start = WORLD_SLOT(mappings[i].slot) + WORLD_AREA_SIZE(mappings[i].pages);
		uint64_t end = WORLD_SLOT(mappings[i].slot + VMAP_SLOTS(mappings[i].pages));

		cr_expect_eq(end, (start + 2 * PAGE_SIZE - 1) / (2 * PAGE_SIZE) * (2 * PAGE_SIZE),
			     "a slot has two pages");
		if (start == end)
			continue;
		cr_assert_lt(count, claims.cached_ranges.count);
		cr_expect_eq(ranges[count].va_start, start);
		cr_expect_eq(ranges[count].va_end, end);
		count++;
	}
	cr_expect_gt(count, 0, "no mapping leaves a page of its slots");
	cr_assert_eq(claims.cached_ranges.count, count + 1);
	cr_expect_eq(ranges[count].va_start, WORLD_SLOT(WORLD_SLOTS));
	cr_expect_eq(ranges[count].va_end, WORLD_A + VMAP_BLOCK_SIZE);
}

/* Mappings of 4, 1 and 2 pages; the second is lazily freed. */
Test(states, a_vmap_block_is_read_as_the_mappings_in_it)
{
	struct vmap_block *block;

	world_create(&world);
	block = world_vmap_block(&world, RANGE_A);
	world_read(&world, &claims);
	cr_expect_eq(claims.damages.count, 0, "%s", claims.damages.items ? claims.damages.items[0].what : "");
	cr_assert_eq(claims.areas.count, 6);
	cr_expect_eq(claims.areas.items[0].va_start, KVMAP_VMALLOC_START);
	cr_expect_eq(claims.areas.items[0].va_end, WORLD_A + WORLD_AREA_SIZE(4));
	cr_expect_eq(claims.areas.items[0].nr_pages, 4);
	cr_expect_eq(claims.areas.items[0].frames_sum, block->maps[WORLD_SLOT_OF_4].frames_sum);
	cr_expect_eq(claims.areas.items[0].flags, VM_MAP | VM_MAP_RAM);
	cr_expect_eq(claims.areas.items[0].allocated, 5);
	cr_expect_eq(claims.areas.items[0].unmapped, world_range(&world, RANGE_A)->unmapped);
	cr_expect_eq(claims_area_at(&claims, WORLD_SLOT(WORLD_SLOT_OF_2))->nr_pages, 2);
	cr_expect_eq(claims.areas.items[4].state, AREA_LAZY);
	cr_expect_eq(claims.areas.items[4].va_start, WORLD_SLOT(WORLD_SLOT_OF_1));
	cr_expect_eq(claims.areas.items[4].unmapped, 8);
	expect_places();
	expect_cached_ranges_of_a_block();
	end();
}

Test(claims, trees_come_in_order_with_links_and_colours)
{
	const struct claim_rb_node *busy = claims.busy_tree.items, *unused = claims.free_tree.items;

	cr_assert_eq(claims.busy_tree.count, 3);
	cr_expect_eq(claims.busy_root, world_range_gva(RANGE_B));
	cr_expect_eq(busy[0].vmap_area, world_range_gva(RANGE_A));
	cr_expect_eq(busy[0].parent, world_range_gva(RANGE_B));
	cr_expect_not(busy[0].black);
	cr_expect(busy[1].black);
	cr_expect_eq(busy[1].parent, 0);
	cr_expect_eq(busy[1].left, world_range_gva(RANGE_A));
	cr_expect_eq(busy[1].right, world_range_gva(RANGE_C));
	cr_assert_eq(claims.free_tree.count, 2);
	cr_expect_eq(claims.free_root, world_range_gva(RANGE_E));
	cr_expect_eq(unused[1].va_end, KVMAP_VMALLOC_END);
	cr_expect_eq(unused[0].subtree_max_size, KVMAP_VMALLOC_END - WORLD_F);
}

Test(claims, every_touched_struct_page_is_there_and_no_other)
{
	size_t expected = 0;

	for (uint32_t pfn = 0; pfn < WORLD_FRAMES; pfn++) {
		static const struct page zero;
		const struct page *page = world_page(&world, pfn);
		const struct claim_page *claim;

		if (!memcmp(page, &zero, sizeof(zero)))
			continue;
		cr_assert_lt(expected, claims.pages.count);
		claim = &claims.pages.items[expected++];
		cr_expect_eq(claim->pfn, pfn);
		cr_expect_eq(claim->owner, page->owner);
		cr_expect_eq(claim->order, page->order);
		cr_expect_eq(claim->next, page->next);
		if (claim->vaddr)
			cr_expect_eq(PAGE_VPN(claim->vaddr), page->vpn);
		else
			cr_expect(!page->vpn || page->owner == PAGE_SLAB);
	}
	cr_expect_eq(claims.pages.count, expected);
	cr_expect_eq(claims.max_pfn, WORLD_FRAMES);
}

Test(claims, reading_leaves_untouched_memory_untouched)
{
	struct stat before, after;

	cr_assert_eq(fstat(world.view.regions[0].fd, &before), 0);
	claims_destroy(&claims);
	world_read(&world, &claims);
	cr_assert_eq(fstat(world.view.regions[0].fd, &after), 0);
	cr_expect_eq(before.st_blocks, after.st_blocks);
	/* mem_map, tables, image and slab: far from all of the 16 MiB */
	cr_expect_lt(after.st_blocks * 512, 512 << 10);
}

Test(claims, zones_and_free_lists_are_read)
{
	cr_assert_eq(claims.zone_count, 1);
	cr_expect_eq(claims.zones[0].start_pfn, 0x700);
	cr_expect_eq(claims.zones[0].fresh_start, 0x800);
	cr_expect_eq(claims.zones[0].end_pfn, WORLD_FRAMES);
	cr_expect_eq(claims.zones[0].orders, MAX_ORDER + 1);
	cr_expect_eq(claims.zones[0].kind, ZONE_DMA32);
	cr_expect_eq(claims.zones[0].nr_free[0], 2);
	cr_assert_eq(claims.free_buddy_blocks.count, 3);
	cr_expect_eq(claims.free_buddy_blocks.items[1].pfn, 0x703);
	cr_expect_eq(claims.free_buddy_blocks.items[2].pfn, 0x708);
	cr_expect_eq(claims.free_buddy_blocks.items[2].order, 3);
}

Test(claims, memblock_held_frames_and_caches_are_read)
{
	cr_assert_eq(claims.memory_count, 2);
	cr_expect_eq(claims.memory[1].base, 0x100000);
	cr_assert_eq(claims.reserved_count, 3);
	cr_expect_eq(claims.reserved[2].kind, MEMBLOCK_MEM_MAP);
	assert_frames("held", claims.held.first_frame, claims.held.frame_count,
		      (const uint32_t[]){ 0x740, 0x741 }, 2);
	cr_expect_str_eq(claims.caches[0].name, "vmap_area");
	cr_expect_eq(claims.caches[0].object_size, sizeof(struct vmap_area));
	cr_assert_eq(claims.cache_count, 2);
	cr_expect_eq(claims.caches[1].index, 3);
	cr_expect_eq(claims.caches[1].free_objects, 2);
	cr_expect_eq(claims.caches[1].free_claimed, 2);
	cr_expect_eq(claim_cache_objects(&claims.caches[1]), PAGE_SIZE / sizeof(struct vm_struct));
	assert_frames("cache", claims.caches[1].first_frame, claims.caches[1].frame_count,
		      (const uint32_t[]){ WORLD_VMS >> PAGE_SHIFT }, 1);
}

Test(claims, counters_flushes_and_variables_are_read)
{
	for (uint64_t i = 0; i < 6; i++)
		cr_expect_eq(claims.vm_stat[i], 100 + i);
	for (uint64_t i = 0; i < sizeof(claims.stats) / sizeof(uint64_t); i++)
		cr_expect_eq(((const uint64_t *)&claims.stats)[i], 200 + i);
	cr_expect_eq(claims.policy, 1);
	cr_expect_eq(claims.flush_generation, 3);
	cr_expect_eq(claims.flush_count, 3);
	cr_assert_eq(claims.flushes.count, 3);
	cr_expect_eq(claims.flushes.items[2].stamp, 3);
	cr_expect_eq(claims.flushes.items[2].begun, 2);
	cr_expect_eq(claims.flushes.items[2].end, ~0ull);
	cr_assert_eq(claims.variables.count, 2);
	cr_expect_eq(claims.variables.items[1].size, 8185);
	cr_expect_eq(claims.variables.items[1].filled, 8192);
	cr_expect_eq(claims.variables.items[1].write_value, 9);
	cr_expect_eq(claims.variables.items[1].contents, CONTENTS_PATTERN);
}

Test(claims, per_cpu_lists_are_read_one_cpu_after_the_other)
{
	assert_frames("pcp", claims.pcp.first_frame, claims.pcp.frame_count,
		      (const uint32_t[]){ 0x760, 0x761, 0x762 }, 3);
}

Test(claims, an_address_finds_its_area_guard_page_included)
{
	const struct claim_area *areas = claims.areas.items;

	cr_expect_eq(claims_area_at(&claims, WORLD_A), &areas[0]);
	cr_expect_eq(claims_area_at(&claims, WORLD_B - 1), &areas[0]);
	cr_expect_eq(claims_area_at(&claims, WORLD_B), &areas[1]);
	cr_expect_null(claims_area_at(&claims, WORLD_A - 1));
	cr_expect_null(claims_area_at(&claims, WORLD_E));
	cr_expect_eq(claims_area_at(&claims, WORLD_D + 1), &areas[3], "lazy");
	cr_expect_eq(claims_area_at(&claims, WORLD_C + WORLD_AREA_SIZE(3) - 1), &areas[2]);
	cr_expect_null(claims_area_at(&claims, WORLD_C + WORLD_AREA_SIZE(3)));
}

Test(claims, a_buddy_block_in_the_chain_of_a_huge_area_is_read_as_all_its_frames)
{
	static const uint32_t expected[] = { 0x710, 0x711, 0x712, 0x713, 0x720 };

	world_page(&world, 0x710)->order = 2;
	world_vm(&world, RANGE_A)->flags |= VM_HUGE;
	world_vm(&world, RANGE_A)->nr_pages = 5;
	claims_destroy(&claims);
	world_read(&world, &claims);
	cr_expect_eq(claims.damages.count, 0);
	cr_assert_eq(claims.areas.items[0].frame_count, 5);
	for (unsigned int i = 0; i < 5; i++)
		cr_expect_eq(claims.frames.items[claims.areas.items[0].first_frame + i], expected[i]);
}

static bool same_frames(const struct claims *a, const struct claims *b)
{
	return a->frames.count == b->frames.count &&
	       !memcmp(a->frames.items, b->frames.items, a->frames.count * sizeof(a->frames.items[0]));
}

Test(claims, by_page_the_claims_are_the_same_and_no_other_page_is_requested)
{
	uint64_t asked[WORLD_SIZE / PAGE_SIZE / 64] = { 0 }, pages = 0;
	struct claims tracks_access;

	world.view.tracks_access = true;
	world.view.regions[0].accessed = asked;
	world_read(&world, &tracks_access);
	cr_expect(same_frames(&claims, &tracks_access));
	cr_expect_eq(tracks_access.damages.count, 0);
	cr_expect_eq(tracks_access.pages.count, claims.pages.count);
	cr_expect_eq(tracks_access.areas.count, claims.areas.count);
	for (size_t i = 0; i < WORLD_SIZE / PAGE_SIZE / 64; i++)
		pages += (uint64_t)__builtin_popcountll(asked[i]);
	cr_expect(pages > 8 && pages < 64, "%llu pages", (unsigned long long)pages);
	cr_expect(asked[WORLD_VMAP_AREAS / PAGE_SIZE / 64] & 1ull << WORLD_VMAP_AREAS / PAGE_SIZE % 64);
	claims_destroy(&tracks_access);
}

Test(claims, a_cpu_in_the_middle_of_an_operation_is_found)
{
	uint32_t *inside = world_root(&world, "agent_inside", uint32_t), line = 0;
	unsigned int cpu = 0;

	cr_expect_not(claims_inside(&claims, &cpu, &line));
	inside[2] = 17;
	inside[5] = KVMAP_INSIDE_BOOT;
	claims_destroy(&claims);
	world_read(&world, &claims);
	cr_expect(claims_inside(&claims, &cpu, &line));
	cr_expect_eq(cpu, 2);
	cr_expect_eq(line, 17);
}

Test(claims, live_areas_have_their_start_addresses)
{
	size_t count = 0;
	uint64_t *starts = claims_area_starts(&claims, &count);

	cr_assert_eq(count, 3);
	cr_expect_eq(starts[0], WORLD_A);
	cr_expect_eq(starts[1], WORLD_B);
	cr_expect_eq(starts[2], WORLD_C);
	free(starts);
	starts = claims_area_starts(NULL, &count);
	cr_expect_eq(count, 0);
	free(starts);
}

static void numa_nodes_of_area(size_t index, uint32_t pages[KVMAP_NODES_MAX])
{
	const struct claim_area *area = &claims.areas.items[index];

	claims_numa_nodes(&claims, claims.frames.items + area->first_frame, area->frame_count, pages);
}

Test(claims, the_frames_of_an_area_are_counted_by_numa_node)
{
	struct zone *zones = world_root(&world, "zones", struct zone);
	uint32_t pages[KVMAP_NODES_MAX];

	numa_nodes_of_area(2, pages);
	cr_expect_eq(pages[0], 3, "all of one zone");
	zones[1] = (struct zone){ .start_pfn = 0x720, .end_pfn = 0x731, .numa_node = 1 };
	zones[0].end_pfn = zones[0].fresh_start = zones[0].fresh_end = 0x720;
	zones[1].fresh_start = zones[1].fresh_end = 0x731;
	*world_root(&world, "nr_zones", uint32_t) = 2;
	*world_root(&world, "nr_nodes", uint32_t) = 2;
	claims_destroy(&claims);
	world_read(&world, &claims);
	cr_expect_eq(claims.damages.count, 0);
	cr_expect_eq(claims.numa_node_count, 2);
	numa_nodes_of_area(0, pages);
	cr_expect_eq(pages[0], 1);
	cr_expect_eq(pages[1], 1);
	numa_nodes_of_area(2, pages);
	cr_expect_eq(pages[0], 1);
	cr_expect_eq(pages[1], 1, "0x731 is in no zone");
	cr_expect_eq(pages[2], 0);
}

static long blocks_of(const struct world *of)
{
	struct stat status;

	cr_assert_eq(fstat(of->view.regions[0].fd, &status), 0);
	return (long)status.st_blocks;
}

Test(stopped_guest, reading_where_data_is_known_allocates_no_page)
{
	long before;

	world_create(&world);
	before = blocks_of(&world);
	cr_assert_eq(view_learn_data(&world.view), 0);
	world_read(&world, &claims);
	cr_expect_eq(claims.damages.count, 0);
	cr_expect_eq(claims.areas.count, 4);
	cr_expect_eq(blocks_of(&world), before);
	view_forget_data(&world.view);
	claims_destroy(&claims);
	world_read(&world, &claims);
	cr_expect_gt(blocks_of(&world), before, "the test's guest has pages that were never used");
	end();
}
