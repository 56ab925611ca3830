/* SPDX-License-Identifier: MIT */
/*
 * test_zones.c: the order of zones, watermarks, lowmem_reserve, the reserve, and the numbers of a refusal.
 */
#include "sim.h"

#include "mm/interrupt.h"
#include "mm/page/nodes.h"
#include "mm/page/watermark.h"
#include "mm/shortage.h"
#include "mm/vmalloc/kvmalloc.h"
#include "mm/warn.h"

#include <criterion/criterion.h>
#include <string.h>

/*
 * The machine of sim.h, whose last zone (0xc00 to 0xfff) is as if it lay above 16 MiB: 1023 frames of DMA32
 * and 1887 of DMA.
 */
static void boot_two_kinds(void)
{
	sim_boot(KVMAP_POLICY_STRICT);
	vmalloc_purge();
	cr_assert_eq(nr_zones, 3);
	zones[2].kind = ZONE_DMA32;
	watermarks_init();
	zonelists_init();
}

static bool is_low(u32 pfn)
{
	return pfn < 0xc00;
}

Test(zones, watermarks_are_linux_s)
{
	sim_boot(KVMAP_POLICY_STRICT);
	/* 2910 frames: sqrt(16 * 11640 KiB) = 431 KiB = 107 frames, of all three stretches together */
	for (u32 i = 0; i < 3; i++) {
		cr_expect_eq(zones[i].watermark[WMARK_MIN], 107);
		cr_expect_eq(zones[i].watermark[WMARK_LOW], 107 * 5 / 4);
	}
	for (u32 i = 0; i < 3; i++)
		for (u32 highest = 0; highest < ZONE_TYPES; highest++)
			cr_expect_eq(zones[i].lowmem_reserve[highest], 0, "there is one type");
}

Test(zones, a_low_zone_keeps_frames_for_requests_that_need_it)
{
	boot_two_kinds();
	cr_expect_eq(zones[1].lowmem_reserve[ZONE_DMA], 0);
	cr_expect_eq(zones[1].lowmem_reserve[ZONE_DMA32], 1023 / 256);
	cr_expect_eq(zones[0].watermark[WMARK_MIN], 107 * 1887 / 2910);
	cr_expect_eq(zones[2].watermark[WMARK_MIN], 107 * 1023 / 2910);
	cr_expect_eq(zones[1].lowmem_reserve[ZONE_NORMAL], zones[1].lowmem_reserve[ZONE_DMA32]);
	cr_expect_eq(zones[2].lowmem_reserve[ZONE_NORMAL], 0);
	cr_expect_gt(zones_available(GFP_DMA) + zones_available(GFP_DMA32 | __GFP_HIGH), zones_available(0));
}

Test(zones, ordinary_requests_leave_low_zones_alone_fresh_or_used)
{
	struct page *low, *pages[64];

	boot_two_kinds();
	/* Used frames of the low zone are no better than fresh ones of the other. */
	low = alloc_pages(GFP_DMA, 5);
	cr_assert(is_low(page_to_pfn(low)));
	__free_pages(low, 5);
	for (u32 i = 0; i < 64; i++) {
		pages[i] = alloc_pages(GFP_DMA, 0);
		cr_assert(is_low(page_to_pfn(pages[i])));
	}
	for (u32 i = 0; i < 64; i++)
		__free_pages(pages[i], 0);
	pcp_set_lowest_kind(ZONE_DMA32);
	vmalloc_purge();
	for (u32 i = 0; i < 900; i++) {
		struct page *page = alloc_pages(i % 2 ? GFP_KERNEL : GFP_KERNEL | __GFP_ZERO, 0);

		cr_assert(!is_low(page_to_pfn(page)), "request %u got frame %#x", i, page_to_pfn(page));
	}
}

Test(zones, zeroed_frames_of_a_better_zone_are_cleared_before_a_fresh_low_one_is_taken)
{
	u32 nr, pfn;

	boot_two_kinds();
	pcp_drain();
	nr = (u32)zone_available(&zones[2], ZONE_NORMAL, WMARK_LOW);
	pfn = frames_alloc_chain(nr, PAGE_HELD);
	for (u32 p = pfn; p; p = pfn_to_page(p)->next) {
		cr_assert(!is_low(p));
		memset(__va((u64)p << PAGE_SHIFT), 0xaa, PAGE_SIZE);
	}
	zones[2].fresh_start = zones[2].fresh_end; /* none is left that was never used */
	zones[2].free_pages = 0;
	frames_free_chain(pfn, nr, 0);
	pfn = frames_alloc_chain_zeroed(3, PAGE_HELD);
	for (u32 p = pfn; p; p = pfn_to_page(p)->next) {
		cr_assert(!is_low(p));
		cr_assert_eq(*(u64 *)__va((u64)p << PAGE_SHIFT), 0);
	}
}

/* Single frames that requests with these flags get until they are refused. */
static u64 take_all(gfp_t gfp)
{
	u64 nr = 0;

	while (alloc_pages(gfp, 0))
		nr++;
	return nr;
}

Test(zones, the_reserve_is_for_requests_of_high_priority)
{
	u64 reserve;

	sim_boot(KVMAP_POLICY_STRICT);
	reserve = zones[0].watermark[WMARK_MIN];
	cr_assert_gt(reserve, 90);
	take_all(GFP_KERNEL);
	cr_assert_eq(vm_stat_sum(NR_FREE_PAGES), reserve);
	cr_assert_null(alloc_pages(GFP_NOWAIT, 0));
	cr_assert_null(kmalloc(8192, GFP_KERNEL));
	cr_assert_null(vmalloc(PAGE_SIZE));
	cr_assert_not_null(kmalloc(8192, GFP_ATOMIC));
	cr_assert_not_null(__vmalloc(PAGE_SIZE, GFP_KERNEL | __GFP_HIGH));
	cr_assert_null(alloc_pages(GFP_KERNEL, 0), "no frame of the reserve stays on a list of the CPU");
	irq_enter();
	cr_assert_not_null(kmalloc(64, GFP_ATOMIC));
	irq_exit();
	cr_assert_gt(take_all(GFP_ATOMIC), reserve - 10);
	cr_assert_eq(vm_stat_sum(NR_FREE_PAGES), 0);
	check_machine();
}

Test(zones, both_limits_of_the_address_at_once_are_refused_everywhere)
{
	const gfp_t both = GFP_KERNEL | __GFP_DMA | __GFP_DMA32;
	struct page *pages[2] = { NULL, NULL };
	void *object;

	sim_boot(KVMAP_POLICY_STRICT);
	object = kmalloc(100, GFP_KERNEL);
	cr_expect_null(alloc_pages(both, 0));
	cr_expect_eq(page_alloc_status(), KVMAP_REFUSED_FLAGS);
	cr_expect_eq(alloc_pages_bulk(both, 2, pages), 0);
	cr_expect_null(kmalloc(64, both));
	cr_expect_eq(kmalloc_status(), KVMAP_REFUSED_FLAGS);
	cr_expect_null(kzalloc(64, both));
	cr_expect_null(kcalloc(2, 8, both));
	cr_expect_null(kmalloc(1ul << 20, both));
	cr_expect_null(kmalloc_node(64, both, 0));
	cr_expect_null(krealloc(object, 50, both));
	cr_expect_null(krealloc(object, 500, both));
	cr_expect_eq(kmalloc_status(), KVMAP_REFUSED_FLAGS);
	cr_expect_null(kvmalloc(64, both));
	cr_expect_null(kvmalloc(64ul << 10, both));
	cr_expect_eq(vmalloc_status(), KVMAP_REFUSED_FLAGS);
	cr_expect_null(kvzalloc(64ul << 10, both));
	cr_expect_null(kvrealloc(object, 50, both));
	cr_expect_null(kvrealloc(object, 64ul << 10, both));
	cr_expect_null(__vmalloc(64, both));
	cr_expect_null(vmalloc_huge(4ul << 20, both));
	cr_expect_null(vrealloc(NULL, 64, both));
	cr_expect_eq(vmalloc_status(), KVMAP_REFUSED_FLAGS);
	cr_expect_not_null(kmalloc(64, GFP_KERNEL | __GFP_DMA));
	check_machine();
}

/* Frames of the zones' free lists and fresh ranges, counted one by one, and the largest of their blocks. */
static u64 recount(u32 *largest)
{
	u64 frames = 0;

	*largest = 0;
	for (u32 i = 0; i < nr_zones; i++) {
		for (u32 pfn = zones[i].start_pfn; pfn < zones[i].fresh_start; pfn++) {
			if (pfn_to_page(pfn)->owner != PAGE_FREE)
				continue;
			frames += 1u << pfn_to_page(pfn)->order;
			if (pfn_to_page(pfn)->order + 1u > *largest)
				*largest = pfn_to_page(pfn)->order + 1u;
		}
		frames += zones[i].fresh_end - zones[i].fresh_start;
		for (u32 order = 0; order <= MAX_ORDER; order++)
			for (u32 pfn = zones[i].fresh_start; pfn < zones[i].fresh_end; pfn++)
				if (!(pfn % (1u << order)) && pfn + (1u << order) <= zones[i].fresh_end &&
				    order + 1 > *largest)
					*largest = order + 1;
	}
	return frames;
}

static void expect_numbers(u32 order)
{
	struct refusal refusal;
	u64 free = 0, reserved;
	u32 largest;

	for (u32 i = 0; i < nr_zones; i++)
		free += zones[i].free_pages;
	reserved = free < 107 ? free : 107;
	cr_assert(refusal_take(&refusal));
	cr_assert_eq(refusal.status, KVMAP_REFUSED_NO_MEMORY);
	cr_expect_eq(refusal.limits.free, recount(&largest));
	cr_expect_eq(refusal.limits.largest, largest);
	cr_expect_eq(refusal.limits.order, order);
	cr_expect_eq(refusal.limits.reserved, reserved);
	cr_expect_eq(refusal.limits.injected, 0);
	cr_expect_eq(refusal.limits.withheld, 0);
}

Test(zones, a_small_stretch_may_be_emptied_while_its_zone_has_enough)
{
	struct page *page;
	u32 last = 0;

	sim_boot(KVMAP_POLICY_STRICT);
	/* Blocks of 1M: one in the first stretch, as large as itself, four at most in the last one. */
	cr_assert_eq(zones[0].end_pfn - zones[0].start_pfn, 0x100);
	while ((page = alloc_pages(GFP_KERNEL, 7)))
		last = page_to_pfn(page) < 0x400 ? page_to_pfn(page) : last;
	cr_assert_neq(last, 0, "the first stretch gave a block");
	check_machine();
}

Test(zones, a_refusal_says_which_zone_keeps_the_block_that_is_free)
{
	struct refusal refusal;
	struct page *block;
	u64 kept;

	boot_two_kinds();
	block = alloc_pages(GFP_KERNEL | __GFP_DMA, 7);
	take_all(GFP_KERNEL);
	take_all(GFP_KERNEL | __GFP_DMA);
	__free_pages(block, 7);
	kept = zones[0].watermark[WMARK_MIN] + zones[0].lowmem_reserve[ZONE_NORMAL];
	cr_assert_lt(zones[0].free_pages + zones[1].free_pages, kept + 128);
	refusal_take(&refusal);
	cr_assert_null(alloc_pages(GFP_KERNEL, 7));
	cr_assert(refusal_take(&refusal));
	cr_expect_eq(refusal.limits.largest, 8);
	cr_expect_eq(refusal.limits.withheld, 1 + ZONE_DMA);
	cr_expect_eq(refusal.limits.withheld_node, 1);
	cr_expect_eq(refusal.limits.limit, kept);
	cr_assert_null(alloc_pages(GFP_KERNEL, 8));
	cr_assert(refusal_take(&refusal));
	cr_expect_eq(refusal.limits.withheld, 0, "there is none of that order");
	cr_assert_not_null(alloc_pages(GFP_KERNEL | __GFP_DMA, 7), "it is for who needs that zone");
	check_machine();
}

Test(zones, a_refusal_counts_what_is_free)
{
	struct refusal refusal;

	sim_boot(KVMAP_POLICY_STRICT);
	frames_fragment(50, ~0ul, 3);
	cr_assert_null(kmalloc(1ul << 20, GFP_KERNEL));
	expect_numbers(8);
	cr_assert_null(alloc_pages(GFP_KERNEL, 9));
	expect_numbers(9);
	cr_assert_null(vmalloc(frames_total_count() * PAGE_SIZE));
	expect_numbers(0);
	cr_assert_null(vmalloc_huge(frames_total_count() * PAGE_SIZE, GFP_KERNEL));
	expect_numbers(0);

	cr_assert_null(kmalloc(5ul << 20, GFP_KERNEL));
	cr_assert(refusal_take(&refusal));
	cr_expect_eq(refusal.limits.which, KVMAP_LIMIT_KMALLOC);
	cr_expect_eq(refusal.limits.limit, 4ul << 20);
	cr_expect_eq(refusal.limits.wanted, 5ul << 20);
	cr_assert_null(vmalloc(1ul << 40));
	cr_assert(refusal_take(&refusal));
	cr_expect_eq(refusal.limits.which, KVMAP_LIMIT_MEMORY);
	cr_expect_eq(refusal.limits.limit, frames_total_count() * PAGE_SIZE);
	cr_assert_null(kmalloc_array(1ul << 40, 1ul << 40, GFP_KERNEL));
	cr_assert(refusal_take(&refusal));
	cr_expect_eq(refusal.limits.which, KVMAP_LIMIT_PRODUCT);
}

Test(zones, what_other_cpus_keep_is_drained_before_a_refusal)
{
	void *areas[32];
	u64 all;

	sim_boot(KVMAP_POLICY_STRICT);
	arch_nr_cpus = 2;
	all = frames_free_count();
	sim_cpu_stop();
	sim_cpu_start(1);
	for (u32 i = 0; i < 32; i++)
		areas[i] = vmalloc(8 * PAGE_SIZE);
	for (u32 i = 0; i < 32; i++)
		vfree(areas[i]);
	vmalloc_purge();
	for (u32 i = 0; i < 32; i++)
		areas[i] = vmalloc(PAGE_SIZE);
	for (u32 i = 0; i < 32; i++)
		kfree(kmalloc(64, GFP_KERNEL));
	for (u32 i = 0; i < 32; i++)
		vfree(areas[i]);
	sim_cpu_stop();
	sim_cpu_start(0);
	cr_assert_gt(cpu_caches[1].pcp.nr, 0);
	cr_assert_not_null(vmalloc((all - 24) * PAGE_SIZE), "only tables and slabs are not free");
	cr_assert_eq(cpu_caches[1].pcp.nr + cpu_caches[1].pcp_zero.nr, 0);
	check_machine();
}

Test(zones, deferred_areas_are_freed_in_parts)
{
	void *large, *small;

	sim_boot(KVMAP_POLICY_STRICT);
	large = vmalloc(700 * PAGE_SIZE);
	small = vmalloc(PAGE_SIZE);
	vfree_atomic(large);
	for (u32 i = 0; cpu_caches[0].lazy.deferred; i++) {
		u64 before = stats().pages_unmapped;

		vfree(small);
		cr_assert_leq(stats().pages_unmapped - before, 1 + DEFERRED_PAGES);
		check_machine();
		small = vmalloc(PAGE_SIZE);
		cr_assert_lt(i, 1 + 700 / DEFERRED_PAGES);
	}
	vfree(small);
	vmalloc_purge();
	check_machine();
	cr_assert_eq(stats().allocations, stats().frees);
	cr_assert_eq(vm_stat_sum(NR_VMALLOC_PAGES) + vm_stat_sum(NR_LAZY_PAGES), 0);
}
