/* SPDX-License-Identifier: MIT */
/*
 * frames.c: blocks of frames from the zones.
 *
 * Fresh frames are known to be zero and are never cleared; who needs zeros takes them first, everyone else
 * last.
 */
#include "mm/frames.h"

#include "mm/arch.h"
#include "mm/buddy.h"

struct page *mem_map;
unsigned long max_pfn;
struct zone zones[MAX_NR_ZONES];
u32 nr_zones;
struct memblock memblock;
u64 vm_stat[NR_VM_STAT_ITEMS];

/* Makes [start, end) a zone of fresh frames. What is beyond MAX_NR_ZONES stretches of RAM is left alone. */
static void zone_add(u64 start, u64 end)
{
	struct zone *zone = &zones[nr_zones];

	if (start == 0)
		start = 1; /* frame 0: pfn 0 ends the chains */
	if (start >= end || nr_zones == MAX_NR_ZONES)
		return;
	nr_zones++;
	zone->start_pfn = zone->fresh_start = (u32)start;
	zone->end_pfn = zone->fresh_end = (u32)end;
	frames_count_free(zone, (s64)(end - start));
}

void frames_init(void)
{
	u32 m = 0, r = 0;

	while (m < memblock.nr_memory) {
		u64 start = memblock.memory[m].base >> PAGE_SHIFT;
		u64 end = start + (memblock.memory[m].size >> PAGE_SHIFT);

		/* Regions that touch are one stretch: blocks may span them, and buddies must not lie in two
		 * zones. */
		for (m++; m < memblock.nr_memory && memblock.memory[m].base >> PAGE_SHIFT == end; m++)
			end += memblock.memory[m].size >> PAGE_SHIFT;

		for (; r < memblock.nr_reserved && memblock.reserved[r].base >> PAGE_SHIFT < end; r++) {
			u64 hole = memblock.reserved[r].base >> PAGE_SHIFT;
			u64 hole_end = hole + (memblock.reserved[r].size >> PAGE_SHIFT);

			if (hole_end == hole)
				continue;
			zone_add(start, hole);
			if (hole_end > start)
				start = hole_end;
			if (hole_end > end)
				break; /* it may cover part of the next stretch too */
		}
		zone_add(start, end);
	}
}

/* A block of a zone, its head without owner, or 0. */
static u32 zone_take_block(struct zone *zone, unsigned int order)
{
	u32 nr = 1u << order, pfn;
	unsigned int found;

	pfn = buddy_take(zone, order, &found);
	if (pfn) {
		pfn_to_page(pfn)->order = (u8)order;
		pfn_to_page(pfn)->owner = PAGE_HELD; /* so that the rest does not merge with it */
		buddy_free_run(zone, pfn + nr, (1u << found) - nr);
		return pfn;
	}

	pfn = ALIGN_UP(zone->fresh_start, nr);
	if (pfn > zone->fresh_end || zone->fresh_end - pfn < nr)
		return 0;
	found = pfn - zone->fresh_start;
	zone->fresh_start = pfn + nr;
	pfn_to_page(pfn)->owner = PAGE_HELD;
	buddy_free_run(zone, pfn - found, found);
	return pfn;
}

u32 frames_alloc(unsigned int order, enum page_owner owner)
{
	u32 i;

	if (order > MAX_ORDER)
		return 0;
	for (i = nr_zones; i-- > 0;) {
		u32 pfn = zone_take_block(&zones[i], order);

		if (pfn) {
			struct page *page = pfn_to_page(pfn);

			page->owner = (u8)owner;
			page->order = (u8)order;
			page->handed = tlb_clock;
			frames_count_free(&zones[i], -(s64)(1u << order));
			return pfn;
		}
	}
	return 0;
}

u32 frames_alloc_zeroed(enum page_owner owner)
{
	struct chain chain;
	u32 pfn;

	chain_init(&chain);
	if (chain_take_all_fresh(&chain, 1, owner))
		return chain.first;
	pfn = frames_alloc(0, owner);
	if (pfn)
		__builtin_memset(__va((u64)pfn << PAGE_SHIFT), 0, PAGE_SIZE);
	return pfn;
}

void frames_free(u32 pfn)
{
	struct page *page = pfn_to_page(pfn);
	struct zone *zone = zone_of(pfn);
	unsigned int order = page->order;

	page->owner = PAGE_NONE;
	page->order = 0;
	page->next = 0;
	frames_count_free(zone, (s64)1 << order);
	buddy_free(zone, pfn, order);
}

u64 frames_total_count(void)
{
	u64 total = 0;
	u32 i;

	for (i = 0; i < nr_zones; i++)
		total += zones[i].end_pfn - zones[i].start_pfn;
	return total;
}

u64 frames_free_count(void)
{
	return vm_stat[NR_FREE_PAGES];
}
