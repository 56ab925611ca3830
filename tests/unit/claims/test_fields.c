/* SPDX-License-Identifier: MIT */
/* Each field of a claim is the guest's, none is left out: each has a value of its own. */
#include "world.h"

#include "arch/x86_64/percpu.h"

#include <criterion/criterion.h>
#include <string.h>

static struct world world;
static struct claims claims;

static void start(void)
{
	world_create(&world);
}

static void end(void)
{
	claims_destroy(&claims);
	world_destroy(&world);
}

TestSuite(fields, .init = start, .fini = end);

Test(fields, of_an_area)
{
	struct vm_struct *vm = world_vm(&world, RANGE_A);
	struct vmap_area *va = world_range(&world, RANGE_A);
	const struct claim_area *area;

	vm->addr = (void *)0x1111;
	vm->size = 0x2222;
	vm->requested_size = 0x3333;
	vm->flags = 0x4444;
	vm->caller = (void *)0x5555;
	vm->frames_sum = 0x6666;
	vm->gfp = 0x9999;
	va->unmapped = 0x7777;
	va->allocated = 0x8888;
	world_read(&world, &claims);
	area = &claims.areas.items[0];
	cr_expect_eq(area->state, AREA_LIVE);
	cr_expect_eq(area->va_start, va->va_start);
	cr_expect_eq(area->va_end, va->va_end);
	cr_expect_eq(area->vmap_area, world_range_gva(RANGE_A));
	cr_expect_eq(area->addr, 0x1111);
	cr_expect_eq(area->size, 0x2222);
	cr_expect_eq(area->requested_size, 0x3333);
	cr_expect_eq(area->flags, 0x4444);
	cr_expect_eq(area->caller, 0x5555);
	cr_expect_eq(area->frames_sum, 0x6666);
	cr_expect_eq(area->gfp, 0x9999);
	cr_expect_eq(area->unmapped, 0x7777);
	cr_expect_eq(area->allocated, 0x8888);
	cr_expect_eq(area->nr_pages, 2);
}

static void expect_mapping(const struct claim_area *area, const struct vmap_block_map *map, uint64_t address,
			   uint32_t unmapped)
{
	cr_expect_eq(area->va_start, address);
	cr_expect_eq(area->va_end, address + (map->nr_pages + KVMAP_GUARD_PAGES) * PAGE_SIZE);
	cr_expect_eq(area->addr, address);
	cr_expect_eq(area->size, area->va_end - address);
	cr_expect_eq(area->requested_size, map->nr_pages * PAGE_SIZE);
	cr_expect_eq(area->flags, VM_MAP | VM_MAP_RAM);
	cr_expect_eq(area->nr_pages, map->nr_pages);
	cr_expect_eq(area->caller, (uintptr_t)map->caller);
	cr_expect_eq(area->frames_sum, map->frames_sum);
	cr_expect_eq(area->allocated, map->state == VMAP_LIVE ? map->allocated : 0);
	cr_expect_eq(area->unmapped, unmapped);
	cr_expect_eq(area->vmap_area, world_range_gva(RANGE_A));
	cr_expect_eq(area->frame_count, 0);
}

Test(fields, of_the_mappings_in_a_vmap_block)
{
	struct vmap_block *block = world_vmap_block(&world, RANGE_A);
	struct vmap_area *va = world_range(&world, RANGE_A);

	block->maps[WORLD_SLOT_OF_1].frames_sum = 78;
	block->maps[WORLD_SLOT_OF_2].frames_sum = 79;
	block->maps[WORLD_SLOT_OF_4].caller = (void *)0x1111;
	block->maps[WORLD_SLOT_OF_1].caller = (void *)0x2222;
	block->maps[WORLD_SLOT_OF_2].caller = (void *)0x3333;
	va->unmapped = 0x4444;
	world_read(&world, &claims);
	cr_assert_eq(claims.areas.count, 6);
	expect_mapping(&claims.areas.items[0], &block->maps[WORLD_SLOT_OF_4], va->va_start, 0x4444);
	expect_mapping(claims_area_at(&claims, WORLD_SLOT(WORLD_SLOT_OF_2)), &block->maps[WORLD_SLOT_OF_2],
		       WORLD_SLOT(WORLD_SLOT_OF_2), 0x4444);
	expect_mapping(&claims.areas.items[4], &block->maps[WORLD_SLOT_OF_1], WORLD_SLOT(WORLD_SLOT_OF_1), 8);
}

Test(fields, of_a_struct_page)
{
	const struct page page = {
		.owner = PAGE_FREE,
		.order = 201,
		.cache = 0x1111,
		.next = 0x22222222,
		.prev = 0x33333333,
		.unmapped = 0x4444444444444444,
		.allocated = 0x5555555555555555,
		.vpn = 0x66666666,
	};
	const struct claim_page *claim = NULL;

	*world_page(&world, 0x7ff) = page;
	world_read(&world, &claims);
	for (size_t i = 0; i < claims.pages.count; i++)
		if (claims.pages.items[i].pfn == 0x7ff)
			claim = &claims.pages.items[i];
	cr_assert(claim);
	cr_expect_eq(claim->owner, page.owner);
	cr_expect_eq(claim->order, page.order);
	cr_expect_eq(claim->cache, page.cache);
	cr_expect_eq(claim->next, page.next);
	cr_expect_eq(claim->prev, page.prev);
	cr_expect_eq(claim->unmapped, page.unmapped);
	cr_expect_eq(claim->allocated, page.allocated);
	cr_expect_eq(claim->vaddr, KVMAP_VMALLOC_START + 0x66666665 * PAGE_SIZE);
}

Test(fields, of_a_struct_page_whose_members_share_their_place)
{
	const struct page block = { .owner = PAGE_KMALLOC, .requested = 0x33333333, .vpn = 1 };
	const struct page slab = { .owner = PAGE_SLAB, .prev = 0x77, .nr_objects = 1, .freelist = 1 };
	const struct page area = { .owner = PAGE_VMALLOC, .area = 0x88, .vpn = 0xffffffff };
	const struct claim_page *claim;
	size_t last;

	*world_page(&world, 0x7fd) = block;
	*world_page(&world, 0x7fe) = slab;
	*world_page(&world, 0x7ff) = area;
	world_read(&world, &claims);
	last = claims.pages.count - 1;
	claim = &claims.pages.items[last - 2];
	cr_expect_eq(claim->requested, block.requested);
	cr_expect_eq(claim->vaddr, KVMAP_VMALLOC_START);
	cr_expect_eq(claim->prev, 0);
	claim = &claims.pages.items[last - 1];
	cr_expect_eq(claim->prev, slab.prev);
	cr_expect_eq(claim->vaddr, 0);
	cr_expect_eq(claim->requested, 0);
	claim = &claims.pages.items[last];
	cr_expect_eq(claim->prev, 0);
	cr_expect_eq(claim->vaddr, KVMAP_VMALLOC_START + 0xfffffffe * PAGE_SIZE);
	cr_expect_eq(claim->requested, 0);
}

Test(fields, of_the_trees)
{
	world_range(&world, RANGE_E)->subtree_max_size = 0x1111;
	world_range(&world, RANGE_F)->subtree_max_size = 0x2222;
	world_read(&world, &claims);
	cr_assert_eq(claims.busy_tree.count, 3);
	for (unsigned int i = 0; i < 3; i++) {
		const struct claim_rb_node *node = &claims.busy_tree.items[i];

		cr_expect_eq(node->vmap_area, world_range_gva(RANGE_A + i));
		cr_expect_eq(node->va_start, world_range(&world, RANGE_A + i)->va_start);
		cr_expect_eq(node->va_end, world_range(&world, RANGE_A + i)->va_end);
		cr_expect_eq(node->parent, i == 1 ? 0 : world_range_gva(RANGE_B));
		cr_expect_eq(node->left, i == 1 ? world_range_gva(RANGE_A) : 0);
		cr_expect_eq(node->right, i == 1 ? world_range_gva(RANGE_C) : 0);
		cr_expect_eq(node->black, i == 1);
		cr_expect_eq(node->subtree_max_size, 0);
	}
	cr_assert_eq(claims.free_tree.count, 2);
	for (unsigned int i = 0; i < 2; i++) {
		const struct claim_rb_node *node = &claims.free_tree.items[i];

		cr_expect_eq(node->vmap_area, world_range_gva(RANGE_E + i));
		cr_expect_eq(node->va_start, world_range(&world, RANGE_E + i)->va_start);
		cr_expect_eq(node->va_end, world_range(&world, RANGE_E + i)->va_end);
		cr_expect_eq(node->parent, i ? world_range_gva(RANGE_E) : 0);
		cr_expect_eq(node->right, i ? 0 : world_range_gva(RANGE_F));
		cr_expect_eq(node->black, !i);
		cr_expect_eq(node->subtree_max_size, i ? 0x2222 : 0x1111);
	}
}

Test(fields, of_a_zone_and_its_free_buddy_blocks)
{
	struct zone *guest = world_root(&world, "zones", struct zone);
	const struct claim_zone *zone = &claims.zones[1];

	*world_root(&world, "nr_zones", uint32_t) = 2;
	*world_root(&world, "nr_nodes", uint32_t) = 2;
	guest[0].end_pfn = 0xc00;
	guest[0].fresh_end = 0xb00;
	guest[1] = (struct zone){
		.start_pfn = 0xc00,
		.end_pfn = 0xf00,
		.fresh_start = 0xc80,
		.fresh_end = 0xe00,
		.kind = ZONE_NORMAL,
		.numa_node = 1,
		.free_pages = 0x1111,
		.free_area = { [2] = { .first = 0xc04, .nr_free = 3 } },
	};
	*world_page(&world, 0xc04) = (struct page){ .owner = PAGE_FREE, .order = 2 };
	world_read(&world, &claims);
	cr_assert_eq(claims.zone_count, 2);
	cr_expect_eq(claims.numa_node_count, 2);
	cr_expect_eq(zone->start_pfn, 0xc00);
	cr_expect_eq(zone->end_pfn, 0xf00);
	cr_expect_eq(zone->fresh_start, 0xc80);
	cr_expect_eq(zone->fresh_end, 0xe00);
	cr_expect_eq(zone->kind, ZONE_NORMAL);
	cr_expect_eq(zone->numa_node, 1);
	cr_expect_eq(zone->free_pages, 0x1111);
	cr_expect_eq(zone->orders, MAX_ORDER + 1);
	for (unsigned int order = 0; order <= MAX_ORDER; order++)
		cr_expect_eq(zone->nr_free[order], order == 2 ? 3 : 0);
	cr_expect_eq(claims.zones[0].end_pfn, 0xc00);
	cr_expect_eq(claims.zones[0].fresh_end, 0xb00);
	cr_expect_eq(claims.zones[0].numa_node, 0);
	cr_assert_eq(claims.free_buddy_blocks.count, 4);
	cr_expect_eq(claims.free_buddy_blocks.items[3].pfn, 0xc04);
	cr_expect_eq(claims.free_buddy_blocks.items[3].order, 2);
	cr_expect_eq(claims.free_buddy_blocks.items[3].zone, 1);
	for (size_t i = 0; i < 3; i++)
		cr_expect_eq(claims.free_buddy_blocks.items[i].zone, 0);
}

Test(fields, of_the_regions_of_memblock)
{
	const struct memblock *guest = world_root(&world, "memblock", struct memblock);

	world_read(&world, &claims);
	cr_assert_eq(claims.memory_count, 2);
	for (unsigned int i = 0; i < 2; i++) {
		cr_expect_eq(claims.memory[i].base, guest->memory[i].base);
		cr_expect_eq(claims.memory[i].size, guest->memory[i].size);
	}
	cr_assert_eq(claims.reserved_count, 3);
	for (unsigned int i = 0; i < 3; i++) {
		cr_expect_eq(claims.reserved[i].base, guest->reserved[i].base);
		cr_expect_eq(claims.reserved[i].size, guest->reserved[i].size);
		cr_expect_eq(claims.reserved[i].kind, guest->reserved[i].kind);
	}
}

Test(fields, of_a_cache)
{
	struct kmem_cache *guest = world_cache(&world, 3);
	const struct claim_cache *cache = &claims.caches[1];

	guest->object_size = 1024;
	guest->order = 1;
	guest->nr_slabs = 1;
	world_read(&world, &claims);
	cr_assert_eq(claims.cache_count, 2);
	cr_expect_str_eq(cache->name, "vm_struct");
	cr_expect_eq(cache->index, 3);
	cr_expect_eq(cache->object_size, 1024);
	cr_expect_eq(cache->order, 1);
	cr_expect_eq(cache->nr_slabs, 1);
	cr_expect_eq(cache->frame_count, 1);
	cr_expect_eq(claims.frames.items[cache->first_frame], WORLD_VMS >> PAGE_SHIFT);
	cr_expect_eq(claim_cache_objects(cache), 8);
}

Test(fields, of_a_variable)
{
	struct agent_variable *guest = world_root(&world, "agent_variables", struct agent_variable) + 1;
	const struct claim_variable *variable;

	*guest = (struct agent_variable){
		.address = 0x1111,
		.size = 0x2222,
		.fill_seed = 0x3333,
		.filled = 0x4444,
		.state = VARIABLE_LIVE,
		.contents = CONTENTS_PATTERN,
		.write_address = 0x5555,
		.write_value = 0x6666,
		.write_words = 0x7777,
		.slack_written = 1,
	};
	world_read(&world, &claims);
	cr_assert_eq(claims.variables.count, 2);
	variable = &claims.variables.items[1];
	cr_expect_eq(variable->address, 0x1111);
	cr_expect_eq(variable->size, 0x2222);
	cr_expect_eq(variable->fill_seed, 0x3333);
	cr_expect_eq(variable->filled, 0x4444);
	cr_expect_eq(variable->state, VARIABLE_LIVE);
	cr_expect_eq(variable->contents, CONTENTS_PATTERN);
	cr_expect_eq(variable->write_address, 0x5555);
	cr_expect_eq(variable->write_value, 0x6666);
	cr_expect_eq(variable->write_words, 0x7777);
	cr_expect(variable->slack_written);
}

Test(fields, of_the_cpus_and_their_shootdowns)
{
	struct tlb_stats *stats = world_root(&world, "tlb_stats", struct tlb_stats);
	struct tlb_flush *flush = world_root(&world, "tlb_flush_log", struct tlb_flush) + 2;
	struct cpu *guest_cpus = world_root(&world, "cpus", struct cpu);
	uint32_t *inside = world_root(&world, "agent_inside", uint32_t);

	*stats = (struct tlb_stats){ .rounds = 11, .ipis = 22, .idle_skipped = 33 };
	*flush = (struct tlb_flush){ .stamp = 2, .cpu = 1, .begun = 1, .start = 0x1111, .end = 0x2222 };
	*world_root(&world, "arch_nr_cpus", uint32_t) = 3;
	for (unsigned int i = 0; i < 4; i++)
		guest_cpus[i].state = i ^ 1;
	world_root(&world, "agent_opcode", uint32_t)[63] = 56;
	inside[0] = 44;
	inside[63] = 55;
	world_cpu(&world, 1)->buddy_blocks_sum = 66;
	world_cpu(&world, 63)->buddy_blocks_sum = 11;
	world_read(&world, &claims);
	cr_expect_eq(claims.opcode[63], 56);
	cr_expect_eq(claims.tlb_rounds, 11);
	cr_expect_eq(claims.tlb_ipis, 22);
	cr_expect_eq(claims.tlb_idle_skipped, 33);
	cr_expect_eq(claims.cpu_count, 3);
	for (unsigned int i = 0; i < 3; i++)
		cr_expect_eq(claims.cpu_states[i], i ^ 1);
	cr_expect_eq(claims.inside[0], 44);
	cr_expect_eq(claims.inside[63], 55);
	cr_expect_eq(claims.buddy_blocks_sum, 77);
	cr_assert_eq(claims.flushes.count, 3);
	cr_expect_eq(claims.flushes.items[1].stamp, 2);
	cr_expect_eq(claims.flushes.items[1].cpu, 1);
	cr_expect_eq(claims.flushes.items[1].begun, 1);
	cr_expect_eq(claims.flushes.items[1].start, 0x1111);
	cr_expect_eq(claims.flushes.items[1].end, 0x2222);
}
