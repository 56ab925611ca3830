/* SPDX-License-Identifier: MIT */
/*
 * test_page_alloc.c: alloc_pages() and its flags.
 */
#include "sim.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static void memory(u32 index, u64 base, u64 end)
{
	memblock.memory[index] = (struct memblock_region){ .base = base, .size = end - base };
	memblock.nr_memory = index + 1;
}

Test(page_alloc, zones_end_where_their_type_does)
{
	static const u64 expected[][3] = {
		{ 0x100, 0x1000, ZONE_DMA },
		{ 0x1000, 0xc0000, ZONE_DMA32 },
		{ 0xfffff, 0x100000, ZONE_DMA32 },
		{ 0x100000, 0x140000, ZONE_NORMAL },
	};

	memory(0, 1ul << 20, 3ul << 30);
	memory(1, (4ul << 30) - PAGE_SIZE, 5ul << 30);
	frames_init();
	cr_assert_eq(nr_zones, 4);
	for (u32 i = 0; i < nr_zones; i++) {
		cr_expect_eq(zones[i].start_pfn, expected[i][0]);
		cr_expect_eq(zones[i].end_pfn, expected[i][1]);
		cr_expect_eq(zones[i].kind, expected[i][2]);
	}
}

/* RAM from 15 MiB to 17 MiB: adjacent zones of two types. */
static void boot_across_the_dma_limit(void)
{
	max_pfn = 0x1100;
	mem_map = calloc(max_pfn, sizeof(*mem_map));
	memory(0, 15ul << 20, 17ul << 20);
	frames_init();
	cr_assert_eq(nr_zones, 2);
}

/* As if there were no watermarks: every frame can be taken. */
static void take_all(void)
{
	for (u32 i = 0; i < nr_zones; i++) {
		memset(zones[i].watermark, 0, sizeof(zones[i].watermark));
		memset(zones[i].lowmem_reserve, 0, sizeof(zones[i].lowmem_reserve));
	}
}

Test(page_alloc, an_ordinary_request_falls_back_to_dma_memory_and_not_the_other_way_round)
{
	boot_across_the_dma_limit();
	take_all();
	for (u32 i = 0; i < 256; i++)
		cr_assert_geq(page_to_pfn(alloc_pages(GFP_KERNEL, 0)), ZONE_DMA_END_PFN);
	for (u32 i = 0; i < 128; i++)
		cr_assert_lt(page_to_pfn(alloc_pages(GFP_DMA, 0)), ZONE_DMA_END_PFN);
	for (u32 i = 0; i < 128; i++)
		cr_assert_lt(page_to_pfn(alloc_pages(GFP_KERNEL, 0)), ZONE_DMA_END_PFN);
	cr_assert_null(alloc_pages(GFP_KERNEL, 0));
	for (u32 pfn = ZONE_DMA_END_PFN; pfn < max_pfn; pfn++)
		__free_pages(pfn_to_page(pfn), 0);
	cr_assert_null(alloc_pages(GFP_DMA, 0));
	cr_assert_eq(page_alloc_status(), KVMAP_REFUSED_NO_MEMORY);
	cr_assert_not_null(alloc_pages(GFP_DMA32, 0));
}

Test(page_alloc, a_chain_across_two_zones_goes_back_to_both)
{
	u32 pfn, nr;

	boot_across_the_dma_limit();
	take_all();
	nr = (u32)frames_free_count();
	pfn = frames_alloc_chain(nr, PAGE_HELD);
	for (u32 i = 0xf00; i < max_pfn; i++) /* in the order of addresses: one run */
		pfn_to_page(i)->next = i + 1 < max_pfn ? i + 1 : 0;
	cr_assert_neq(pfn, 0);
	frames_free_chain(0xf00, nr, 0);
	cr_assert_eq(zones[0].free_pages, 256);
	cr_assert_eq(zones[1].free_pages, 256);
	cr_assert_eq(zones[0].free_area[8].nr_free, 1);
	cr_assert_eq(zones[1].free_area[8].nr_free, 1);
}

Test(page_alloc, blocks_are_in_one_piece_aligned_and_go_back)
{
	struct page *pages[MAX_ORDER];
	u64 before;

	sim_boot(KVMAP_POLICY_STRICT);
	before = frames_free_count();
	for (unsigned int order = 0; order < MAX_ORDER; order++) {
		pages[order] = alloc_pages(GFP_KERNEL, order);
		cr_assert_not_null(pages[order]);
		cr_assert_eq(page_to_pfn(pages[order]) % (1u << order), 0);
		cr_assert_eq(virt_to_page(page_address(pages[order])), pages[order]);
	}
	cr_assert_eq(vm_stat_sum(NR_KMALLOC_PAGES), (1u << MAX_ORDER) - 1);
	check_machine();
	for (unsigned int order = 0; order < MAX_ORDER; order++)
		__free_pages(pages[order], order);
	cr_assert_eq(frames_free_count(), before);
	check_machine();
}

Test(page_alloc, zeroed_blocks_are_zero_also_when_they_had_other_owners)
{
	u64 *words;

	sim_boot(KVMAP_POLICY_STRICT);
	while (alloc_pages(GFP_KERNEL, 9)) /* no fresh buddy block of that size is left */
		;
	for (u32 pfn = 0x200; pfn < max_pfn; pfn += 0x200) {
		if (pfn_to_page(pfn)->owner != PAGE_KMALLOC)
			continue;
		memset(__va((u64)pfn << PAGE_SHIFT), 0xaa, 2ul << 20);
		__free_pages(pfn_to_page(pfn), 9);
	}
	words = page_address(alloc_pages(GFP_KERNEL | __GFP_ZERO, 9));
	cr_assert_not_null(words);
	for (u32 i = 0; i < (2ul << 20) / 8; i++)
		cr_assert_eq(words[i], 0, "word %u", i);
	check_machine();
}

Test(page_alloc, what_waits_for_a_flush_is_flushed_before_a_patient_request_fails)
{
	void *area;
	u64 pages;

	sim_boot(KVMAP_POLICY_STRICT);
	vfree(vmalloc(PAGE_SIZE)); /* its tables exist */
	vmalloc_purge();
	area = vmalloc(100 * PAGE_SIZE);
	vfree(area);
	for (pages = 0; alloc_pages(GFP_NOWAIT, 0); pages++)
		;
	cr_assert_eq(vm_stat_sum(NR_LAZY_PAGES), 100);
	cr_assert_null(alloc_pages(GFP_NOWAIT, 0));
	cr_assert_not_null(alloc_pages(GFP_KERNEL, 0));
	cr_assert_eq(vm_stat_sum(NR_LAZY_PAGES), 36, "no request pays for all of it");
	while (alloc_pages(GFP_KERNEL, 0))
		;
	cr_assert_eq(vm_stat_sum(NR_LAZY_PAGES), 0);
	check_machine();
}

static void assert_free_refused(struct page *page, unsigned int order)
{
	u64 before = frames_free_count();

	__free_pages(page, order);
	cr_assert_eq(page_alloc_status(), KVMAP_REFUSED_NOT_AN_AREA);
	cr_assert_eq(frames_free_count(), before);
	check_machine();
}

Test(page_alloc, what_cannot_be_is_refused_and_changes_nothing)
{
	struct page *page;
	void *area;

	sim_boot(KVMAP_POLICY_STRICT);
	cr_assert_null(alloc_pages(GFP_KERNEL, MAX_ORDER + 1));
	cr_assert_eq(page_alloc_status(), KVMAP_REFUSED_TOO_LARGE);
	cr_assert_null(alloc_pages(GFP_KERNEL | __GFP_NOFAIL, 0));
	cr_assert_eq(page_alloc_status(), KVMAP_REFUSED_NOFAIL);
	cr_assert_null(kmalloc_node(PAGE_SIZE, GFP_KERNEL | __GFP_THISNODE, 1));
	cr_assert_eq(kmalloc_status(), KVMAP_REFUSED_NO_MEMORY);
	check_machine();

	page = alloc_pages(GFP_KERNEL, 2);
	area = vmalloc(PAGE_SIZE);
	assert_free_refused(page, 1);
	assert_free_refused(page + 1, 0);
	assert_free_refused(mem_map, 0);
	assert_free_refused(mem_map + max_pfn, 0);
	assert_free_refused(pfn_to_page(find_vm_area(area)->pages), 0);
	__free_pages(page, 2);
	cr_assert_eq(page_alloc_status(), KVMAP_OK);
	assert_free_refused(page, 2);
	free_pages(0, 0);
}

Test(page_alloc, a_bulk_request_fills_the_holes_and_tells_where_it_ended)
{
	struct page *pages[8] = { NULL }, *kept;

	sim_boot(KVMAP_POLICY_STRICT);
	kept = pages[2] = alloc_pages(GFP_KERNEL, 0);
	cr_assert_eq(alloc_pages_bulk(GFP_KERNEL, 5, pages), 5);
	cr_assert_eq(pages[2], kept);
	cr_assert_null(pages[5]);
	check_machine();
	sim_leave_free(2);
	cr_assert_eq(alloc_pages_bulk(GFP_KERNEL, 8, pages), 7);
	cr_assert_null(pages[7]);
	check_machine();
}

Test(page_alloc, get_order_is_the_smallest_block_that_holds_the_size)
{
	cr_assert_eq(get_order(1), 0);
	cr_assert_eq(get_order(PAGE_SIZE), 0);
	cr_assert_eq(get_order(PAGE_SIZE + 1), 1);
	cr_assert_eq(get_order(4ul << 20), MAX_ORDER);
	cr_assert_eq(get_order((4ul << 20) + 1), MAX_ORDER + 1);
	cr_assert_eq(get_order(0), MAX_ORDER + 1);
	cr_assert_eq(get_order(~0ul), MAX_ORDER + 1);
}
