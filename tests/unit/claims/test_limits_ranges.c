/* SPDX-License-Identifier: MIT */
/* As test_limits.c, of vmap_areas, vmap blocks and object caches. */
#include "damage.h"
#include "arch/x86_64/percpu.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(limits_ranges, .init = damage_begin, .fini = damage_end);

/* ---- ranges ---- */

Test(limits_ranges, of_vmap_areas_together_come_from_the_size_of_the_data)
{
	const unsigned int most = 64 + 100; /* 100 in the data, and some in the image */
	struct vmap_area *nodes = (struct vmap_area *)(world.memory + 0xe00000);

	world.view.data_size_max = 100 * sizeof(*nodes);
	for (uint32_t i = 0; i < most; i++) {
		nodes[i] = (struct vmap_area){ 0 };
		nodes[i].next = world_va(0xe00000 + (i + 1) * sizeof(*nodes));
	}
	nodes[most - 6].next = NULL;
	world_cpu(&world, 5)->lazy.purge_list = world_va(0xe00000);
	/* The trees have five. */
	expect_no_damage();
	cr_expect_eq(claims.areas.count, 3 + most - 5);
	nodes[most - 6].next = world_va(0xe00000 + (most - 5) * sizeof(*nodes));
	expect_only("V8", LAZY(5), DIRECT(0xe00000 + (most - 5) * sizeof(*nodes)),
		    "vmap_lazy.purge_list: does not point to a vmap_area in RAM");
	cr_expect_eq(claims.areas.count, 3 + most - 5);
}

Test(limits_ranges, of_pointers_are_multiples_of_eight)
{
	struct vmap_area *va = world_range(&world, RANGE_D);

	va->vm = (void *)((char *)va->vm + 4);
	expect_only("V1", RANGE(D), VM(RANGE_D) + 4, "vmap_area.vm: does not point to a vm_struct in RAM");
	va->vm = NULL;
	expect_no_damage();
	cr_assert_eq(claims.areas.count, 4, "a lazily freed area need not have a vm_struct");
	cr_expect_eq(claims.areas.items[3].addr, 0);
	world_cpu(&world, 5)->lazy.purge_list = (void *)(RANGE(D) + 4);
	expect_only("V8", LAZY(5), RANGE(D) + 4,
		    "vmap_lazy.purge_list: does not point to a vmap_area in RAM");
	world_cpu(&world, 5)->lazy.purge_list = NULL;
	world_vmap_block(&world, RANGE_A);
	world_range(&world, RANGE_A)->vmap_block = world_va(WORLD_VMAP_BLOCK + 4);
	expect_only("V8", RANGE(A), BLOCK + 4, "vmap_area.vmap_block: does not point to a vmap_block in RAM");
}

Test(limits_ranges, of_a_vmap_block)
{
	static const char not_its_own[] = "vmap_block: does not belong to its vmap_area";
	struct vmap_block *block = world_vmap_block(&world, RANGE_A);
	const struct vmap_block kept = *block;
	struct vmap_area *va = world_range(&world, RANGE_A);

	expect_no_damage();
	block->dirty = VMAP_SLOTS(1) + VMAP_BLOCK_DIRTY - block->used;
	expect_no_damage();
	block->dirty++;
	expect_only("V13", BLOCK, block->dirty, "vmap_block.dirty: not the number of unmapped slots");
	*block = kept;
	block->va = (void *)RANGE(B);
	expect_only("V8", RANGE(A), BLOCK, not_its_own);
	*block = kept;
	block->va_start += PAGE_SIZE;
	expect_only("V8", RANGE(A), BLOCK, not_its_own);
	va->va_start += PAGE_SIZE;
	va->va_end += PAGE_SIZE;
	expect_only("V8", RANGE(A), BLOCK, not_its_own);
	*block = kept;
	va->va_start -= PAGE_SIZE;
	expect_only("V8", RANGE(A), BLOCK, not_its_own);
	va->va_end -= PAGE_SIZE;
	block->used = VMAP_BLOCK_SLOTS + 1;
	expect_only("V8", RANGE(A), BLOCK, not_its_own);
	/* Every slot after those of the mappings has one of a page. */
	block->used = VMAP_BLOCK_SLOTS;
	for (unsigned int slot = WORLD_SLOTS; slot < VMAP_BLOCK_SLOTS; slot += VMAP_SLOTS(1)) {
		block->maps[slot] = (struct vmap_block_map){ .nr_pages = 1 };
		block->nr++;
	}
	expect_no_damage();
	/* A mapping that the block's end leaves no room for, as in the last slot. */
	block->maps[VMAP_BLOCK_SLOTS - 1].nr_pages = 4;
	expect_only("V8", BLOCK_MAP(VMAP_BLOCK_SLOTS - 1), 4,
		    "vmap_block_map.nr_pages: 0, or more than fit into the block");
}

Test(limits_ranges, of_a_mapping_in_a_vmap_block)
{
	struct vmap_block *block = world_vmap_block(&world, RANGE_A);

	memset(block->maps, 0, 200 * sizeof(block->maps[0]));
	block->maps[0].nr_pages = VMAP_BLOCK_PAGES_MAX;
	block->used = VMAP_SLOTS(VMAP_BLOCK_PAGES_MAX);
	block->nr = 1;
	block->dirty = 0;
	expect_no_damage();
	cr_expect_eq(claims.areas.items[0].nr_pages, VMAP_BLOCK_PAGES_MAX);
	block->used--;
	expect_only("V8", BLOCK_MAP(0), VMAP_BLOCK_PAGES_MAX,
		    "vmap_block_map.nr_pages: 0, or more than fit into the block");
	block->used = 100;
	block->maps[0].nr_pages++;
	expect_only("V8", BLOCK_MAP(0), VMAP_BLOCK_PAGES_MAX + 1,
		    "vmap_block_map.nr_pages: 0, or more than fit into the block");
	cr_expect_eq(claims.cached_ranges.count, 0);
	/* The block is the last that fits into RAM, its mappings are after it. */
	memcpy(world.memory + WORLD_SIZE - sizeof(*block), block, sizeof(*block));
	world_range(&world, RANGE_A)->vmap_block = (void *)(NOWHERE - sizeof(*block));
	expect_only("V8", NOWHERE - sizeof(*block), NOWHERE, "vmap_block.maps: not in RAM");
}

/* ---- object caches ---- */

Test(limits_ranges, of_the_sizes_of_a_cache)
{
	static const struct {
		uint32_t size;
		uint16_t order;
		bool possible;
	} cases[] = {
		{ 7, 0, false },
		{ 8, 0, true },
		{ PAGE_SIZE, 0, true },
		{ PAGE_SIZE + 1, 0, false },
		{ 2 * PAGE_SIZE, 1, true },
		{ 2 * PAGE_SIZE + 1, 1, false },
		{ 8, MAX_ORDER, true },
		{ 8, MAX_ORDER + 1, false },
	};
	struct kmem_cache *cache = world_cache(&world, 1);

	/* No free objects. */
	world_cpu(&world, 3)->objects[1] = (struct kmem_list){ 0 };
	world_page(&world, cache->partial)->freelist = 0;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cache->object_size = cases[i].size;
		cache->order = cases[i].order;
		if (cases[i].possible) {
			expect_no_damage();
			cr_expect_eq(claims.caches[0].object_size, cases[i].size);
			cr_expect_eq(claims.caches[0].order, cases[i].order);
			cr_expect_eq(claim_cache_objects(&claims.caches[0]),
				     (PAGE_SIZE << cases[i].order) / cases[i].size);
		} else {
			expect_only("V4", CACHE(1), cases[i].size,
				    "kmem_caches[1]: impossible size of objects or slabs");
			cr_expect_eq(claims.caches[0].object_size, 0);
			cr_expect_eq(claims.caches[0].order, 0);
			cr_expect_eq(claim_cache_objects(&claims.caches[0]), 0);
		}
	}
}

/* The place of the first one is in the struct page of the slab, the address of the next one in the first. */
Test(limits_ranges, of_a_slab_are_the_addresses_of_its_free_objects)
{
	const uint64_t start = DIRECT(WORLD_VMS), first = start + 8;
	const struct {
		uint64_t object;
		bool inside;
	} cases[] = {
		{ start, true },
		{ start - 8, false },
		{ start + 4, false },
		{ start + PAGE_SIZE - 8, true },
		{ start + PAGE_SIZE, false },
	};
	struct page *slab = world_page(&world, WORLD_VMS >> PAGE_SHIFT);
	uint64_t *link = world_at(&world, first), kept_link = *link;

	world_cpu(&world, 3)->objects[3] = (struct kmem_list){ 0 };
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t *object = world_at(&world, cases[i].object), kept[8];

		memcpy(kept, object, sizeof(kept));
		for (unsigned int links = 0; links < 2; links++) {
			if (!links && (cases[i].object < start || cases[i].object % 8))
				continue; /* no such place can be written down */
			slab->freelist = (u16)(((links ? first : cases[i].object) - start) / 8 + 1);
			*link = links ? cases[i].object : kept_link;
			if (cases[i].inside)
				memset(object, 0, sizeof(kept));
			if (cases[i].inside)
				expect_no_damage();
			else
				expect_only("V4", STRUCT_PAGE(WORLD_VMS >> PAGE_SHIFT), cases[i].object,
					    "kmem_caches[3]: free list points outside its slab");
			cr_expect_eq(claims.caches[1].free_objects, links + cases[i].inside);
			memcpy(object, kept, sizeof(kept));
			*link = kept_link;
		}
	}
}

Test(limits_ranges, of_a_slab_of_two_pages_and_of_a_full_one)
{
	struct kmem_cache *cache = world_cache(&world, 3);
	const uint32_t first = WORLD_VMS >> PAGE_SHIFT, full = 0x780;

	cache->object_size = PAGE_SIZE;
	cache->order = 1;
	cache->nr_slabs = 2;
	cache->full = full;
	world_cpu(&world, 3)->objects[3] = (struct kmem_list){ 0 };
	world_page(&world, first)->freelist = PAGE_SIZE / 8 + 1;
	*(uint64_t *)(world.memory + 0x602000) = 0;
	world_page(&world, full)->freelist = PAGE_SIZE / 8 + 1;
	world_page(&world, full)->nr_objects = 5;
	expect_no_damage();
	cr_expect_eq(claims.caches[1].frame_count, 2);
	cr_expect_eq(claims.frames.items[claims.caches[1].first_frame], first);
	cr_expect_eq(claims.frames.items[claims.caches[1].first_frame + 1], full);
	cr_expect_eq(claims.caches[1].nr_slabs, 2);
	cr_expect_eq(claims.caches[1].free_objects, 2);
	cr_expect_eq(claims.caches[1].free_claimed, 6);
	cr_expect_eq(claim_cache_objects(&claims.caches[1]), 4);
	cache->nr_slabs = 0;
	expect_only("V4", CACHE(3), full, "kmem_cache.full: chain is longer than 0 frames");
}

Test(limits_ranges, of_a_name_are_its_end_and_that_of_memory)
{
	static const char name[] = "a_name_of_36_characters_is_too_long.";
	struct claim_cache *cache = &claims.caches[0];

	strcpy((char *)world.memory + WORLD_NAMES, name);
	expect_no_damage();
	cr_expect_eq(strlen(cache->name), sizeof(cache->name) - 1);
	cr_expect(!strncmp(cache->name, name, sizeof(cache->name) - 1));
	world_cache(&world, 1)->name = (char *)(NOWHERE - 3);
	memcpy(world.memory + WORLD_SIZE - 3, "end", 3);
	expect_no_damage();
	cr_expect_str_eq(cache->name, "end");
}
