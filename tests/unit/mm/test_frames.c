/* SPDX-License-Identifier: MIT */
/*
 * test_frames.c: the frame allocator's contract.
 */
#include "sim.h"

#include <criterion/criterion.h>
#include <string.h>

extern u32 held_pages;

Test(frames, boot_makes_a_fresh_zone_of_each_stretch_between_reserved_regions)
{
	static const u32 expected[][2] = { { 0x100, 0x200 }, { 0x2a1, 0x900 }, { 0xc00, 0xfff } };

	sim_boot(KVMAP_POLICY_STRICT);
	cr_assert_eq(nr_zones, 3);
	for (u32 i = 0; i < 3; i++) {
		cr_assert_eq(zones[i].start_pfn, expected[i][0]);
		cr_assert_eq(zones[i].end_pfn, expected[i][1]);
	}
	cr_assert_eq(frames_total_count(), 0x100 + 0x65f + 0x3ff);
	check_machine();
}

Test(frames, free_blocks_are_those_of_the_lists_and_those_that_fresh_frames_make)
{
	u32 nr_free[MAX_ORDER + 1], pfn;

	sim_boot(KVMAP_POLICY_STRICT);
	/* [0x100, 0x200), all fresh: one block of order 8. */
	zone_free_blocks(&zones[0], nr_free);
	for (unsigned int order = 0; order <= MAX_ORDER; order++)
		cr_expect_eq(nr_free[order], order == 8, "order %u", order);
	pfn = frames_alloc(3, PAGE_KMALLOC);
	cr_assert_neq(pfn, 0);
	for (u32 i = 0; i < nr_zones; i++) {
		u32 frames = 0;

		zone_free_blocks(&zones[i], nr_free);
		for (unsigned int order = 0; order <= MAX_ORDER; order++)
			frames += nr_free[order] << order;
		cr_expect_eq(frames, zones[i].free_pages, "zone %u", i);
	}
	frames_free(pfn);
}

Test(frames, frame_zero_is_never_managed)
{
	memset(&memblock, 0, sizeof(memblock));
	memblock.nr_memory = 1;
	memblock.memory[0].size = 16 * PAGE_SIZE;
	max_pfn = 16;
	frames_init();
	cr_assert_eq(nr_zones, 1);
	cr_assert_eq(zones[0].start_pfn, 1);
	cr_assert_eq(zones[0].free_pages, 15);
}

Test(frames, a_reserved_region_over_a_hole_is_kept_out_of_both_sides)
{
	memset(&memblock, 0, sizeof(memblock));
	memblock.nr_memory = 2;
	memblock.memory[0] = (struct memblock_region){ .base = 0x10000, .size = 0x10000 };
	memblock.memory[1] = (struct memblock_region){ .base = 0x30000, .size = 0x10000 };
	memblock.nr_reserved = 1;
	memblock.reserved[0] = (struct memblock_region){ .base = 0x1f000, .size = 0x12000 };
	frames_init();
	cr_assert_eq(nr_zones, 2);
	cr_assert_eq(zones[0].end_pfn, 0x1f);
	cr_assert_eq(zones[1].start_pfn, 0x31);
}

/* Whether a frame is zero. */
static bool is_zero(u32 pfn)
{
	const u64 *words = __va((u64)pfn << PAGE_SHIFT);
	u32 i = 0;

	while (i < PAGE_SIZE / sizeof(u64) && !words[i])
		i++;
	return i == PAGE_SIZE / sizeof(u64);
}

Test(frames, what_firmware_left_in_RAM_is_in_no_zeroed_frame)
{
	u32 pfn, nr = 0;

	sim_boot(KVMAP_POLICY_STRICT);
	fresh_is_zero = false;
	for (u32 z = 0; z < nr_zones; z++)
		for (pfn = zones[z].fresh_start; pfn < zones[z].fresh_end; pfn++)
			memset(__va((u64)pfn << PAGE_SHIFT), 0xf1, PAGE_SIZE);
	for (pfn = frames_alloc_chain_zeroed(300, PAGE_HELD); pfn; pfn = pfn_to_page(pfn)->next, nr++)
		cr_assert(is_zero(pfn), "frame %#x of a long chain", pfn);
	cr_assert_eq(nr, 300);
	for (u32 i = 0; i < 100; i++)
		cr_assert(is_zero(frames_alloc_zeroed(PAGE_HELD)), "single frame");
	for (u32 order = 1; order < 6; order++) {
		pfn = frames_alloc_gfp(__GFP_ZERO, order, PAGE_HELD);
		for (u32 i = 0; i < 1u << order; i++)
			cr_assert(is_zero(pfn + i), "order %u", order);
	}
	pfn = frames_alloc_chain_gfp(__GFP_ZERO | __GFP_DMA32, 100, PAGE_HELD);
	for (; pfn; pfn = pfn_to_page(pfn)->next)
		cr_assert(is_zero(pfn), "frame %#x below 4 GiB", pfn);
}

Test(frames, blocks_are_aligned_to_their_order_and_merge_again)
{
	u32 head[64], nr = 0;
	u64 before;

	sim_boot(KVMAP_POLICY_STRICT);
	before = frames_free_count();
	cr_assert_eq(frames_alloc(MAX_ORDER + 1, PAGE_HELD), 0);
	for (unsigned int round = 0; round < 5; round++) {
		for (unsigned int order = 0; order <= MAX_ORDER; order++) {
			u32 pfn = frames_alloc(order, PAGE_HELD);

			if (!pfn)
				continue; /* no buddy block of 4 MiB is left */
			cr_assert_eq(pfn % (1u << order), 0);
			cr_assert_eq(pfn_to_page(pfn)->owner, PAGE_HELD);
			cr_assert_eq(pfn_to_page(pfn)->order, order);
			before -= 1u << order;
			cr_assert_eq(frames_free_count(), before);
			head[nr++] = pfn;
		}
	}
	cr_assert_gt(nr, 30);
	while (nr--) {
		before += 1u << pfn_to_page(head[nr])->order;
		frames_free(head[nr]);
		cr_assert_eq(frames_free_count(), before);
	}
	check_machine();
}

Test(frames, a_chain_has_the_frames_that_were_asked_for_or_none_is_taken)
{
	u64 free_frames;
	u32 pfn, nr = 0;

	sim_boot(KVMAP_POLICY_STRICT);
	free_frames = frames_free_count();
	cr_assert_eq(frames_alloc_chain((u32)free_frames + 1, PAGE_HELD), 0);
	cr_assert_eq(frames_free_count(), free_frames);
	check_machine();

	pfn = frames_alloc_chain((u32)free_frames, PAGE_HELD);
	cr_assert_neq(pfn, 0);
	cr_assert_eq(frames_free_count(), 0);
	cr_assert_eq(frames_alloc(0, PAGE_HELD), 0);
	cr_assert_eq(frames_alloc_zeroed(PAGE_HELD), 0);
	frames_free_chain(pfn, (u32)free_frames, 77);
	for (u32 z = 0; z < nr_zones; z++)
		for (u32 i = zones[z].start_pfn; i < zones[z].end_pfn; i++)
			nr += pfn_to_page(i)->unmapped == 77;
	cr_assert_eq(nr, free_frames, "%u of %lu frames are stamped", nr, free_frames);
	check_machine();
}

Test(frames, used_frames_go_out_before_fresh_ones_and_for_zeros_the_other_way_round)
{
	u32 used, zeroed, fresh_start;

	sim_boot(KVMAP_POLICY_STRICT);
	used = frames_alloc_chain(4, PAGE_HELD);
	memset(__va((u64)used << PAGE_SHIFT), 0xaa, 4 * PAGE_SIZE);
	frames_free_chain(used, 4, 0);
	fresh_start = zones[2].fresh_start;

	zeroed = frames_alloc_zeroed(PAGE_HELD);
	cr_assert_eq(zeroed, fresh_start);
	fresh_start = zones[2].fresh_start; /* the CPU's list has taken more than the one */
	used = frames_alloc_chain(4, PAGE_HELD);
	cr_assert_eq(zones[2].fresh_start, fresh_start);
	frames_free_chain(used, 4, 0);
	frames_free(zeroed);
	check_machine();
}

Test(frames, zeroed_frames_are_zero_also_when_they_had_other_owners)
{
	u32 nr, pfn;

	sim_boot(KVMAP_POLICY_STRICT);
	nr = (u32)frames_free_count();
	pfn = frames_alloc_chain(nr, PAGE_HELD);
	for (u32 p = pfn; p; p = pfn_to_page(p)->next)
		memset(__va((u64)p << PAGE_SHIFT), 0xaa, PAGE_SIZE);
	frames_free_chain(pfn, nr, 0);

	pfn = frames_alloc_zeroed(PAGE_HELD);
	cr_assert_eq(*(u64 *)__va(((u64)pfn << PAGE_SHIFT) + 4088), 0);
	pfn = frames_alloc_chain_zeroed(nr - 1, PAGE_HELD);
	for (; pfn; pfn = pfn_to_page(pfn)->next, nr--)
		for (u64 offset = 0; offset < PAGE_SIZE; offset += 8)
			cr_assert_eq(*(u64 *)__va(((u64)pfn << PAGE_SHIFT) + offset), 0);
	cr_assert_eq(nr, 1);
}

Test(frames, fragmenting_holds_the_share_asked_for_and_scatters_what_comes_next)
{
	u32 pfn, neighbours = 0, last = 0;

	sim_boot(KVMAP_POLICY_STRICT);
	cr_assert_eq(frames_fragment(60, 4ul << 20, 7), 1024 * 60 / 100);
	cr_assert_eq(vm_stat_sum(NR_HELD_PAGES), 1024 * 60 / 100);
	check_machine();
	for (pfn = frames_alloc_chain(256, PAGE_HELD); pfn; last = pfn, pfn = pfn_to_page(pfn)->next)
		neighbours += pfn == last + 1;
	cr_assert_lt(neighbours, 64, "%u of 256 frames follow their neighbour", neighbours);
}

Test(frames, fragmenting_more_than_there_is_takes_what_there_is)
{
	u64 before;

	sim_boot(KVMAP_POLICY_STRICT);
	before = frames_free_count();
	cr_assert_eq(frames_fragment(50, ~0ul, 1), before / 2);
	check_machine();
	cr_assert_eq(frames_fragment(0, ~0ul, 1), 0);
	cr_assert_eq(frames_fragment(200, ~0ul, 1), before - before / 2);
	cr_assert_eq(frames_free_count(), 0);
	cr_assert_eq(frames_fragment(100, 4096, 1), 0);
	check_machine();
}
