/* SPDX-License-Identifier: MIT */
/*
 * chain.c: many single frames at once, linked through page.next. These loops are most of what a large
 * vmalloc() costs: a frame passes through each once, runs of neighbouring frames go to and from the buddy
 * lists whole.
 */
#include "mm/arch.h"
#include "mm/buddy.h"
#include "mm/fail.h"

/* Appends the frames of a run whose struct pages have neither owner nor links. */
static void chain_add_run(struct chain *chain, u32 pfn, u32 nr, enum page_owner owner)
{
	struct page *page = pfn_to_page(pfn);
	struct page *end = page + nr;
	u32 clock = tlb_clock;

	*chain->end = pfn;
	do {
		page->owner = (u8)owner;
		page->handed = clock;
		page->next = ++pfn;
	} while (++page != end);
	chain->end = &page[-1].next;
	*chain->end = 0;
}

/* Appends up to nr blocks of order 0: their list becomes part of the chain as it is. */
static u32 chain_take_singles(struct chain *chain, struct zone *zone, u32 nr, enum page_owner owner)
{
	struct free_area *area = &zone->free_area[0];
	u32 taken = area->nr_free < nr ? area->nr_free : nr;
	struct page *page = NULL;
	u32 pfn = area->first, clock = tlb_clock, left;

	if (!taken)
		return 0;
	*chain->end = pfn;
	for (left = taken; left; left--) {
		page = pfn_to_page(pfn);
		page->owner = (u8)owner;
		page->prev = 0;
		page->handed = clock;
		pfn = page->next;
	}
	if (pfn)
		pfn_to_page(pfn)->prev = 0;
	area->first = pfn;
	area->nr_free -= taken;
	chain->end = &page->next;
	*chain->end = 0;
	return taken;
}

u32 chain_take_free(struct chain *chain, struct zone *zone, u32 nr, enum page_owner owner)
{
	u32 taken = chain_take_singles(chain, zone, nr, owner);
	unsigned int order;
	u32 pfn;

	while (taken < nr && (pfn = buddy_take(zone, 1, &order))) {
		u32 size = 1u << order;
		u32 used = size < nr - taken ? size : nr - taken;

		chain_add_run(chain, pfn, used, owner);
		buddy_free_run(zone, pfn + used, size - used);
		taken += used;
	}
	frames_count_free(zone, -(s64)taken);
	return taken;
}

u32 chain_take_fresh(struct chain *chain, struct zone *zone, u32 nr, enum page_owner owner)
{
	u32 taken = fresh_count(zone) < nr ? fresh_count(zone) : nr;

	if (!taken)
		return 0;
	chain_add_run(chain, zone->fresh_start, taken, owner);
	zone->fresh_start += taken;
	frames_count_free(zone, -(s64)taken);
	return taken;
}

u32 chain_take_all_fresh(struct chain *chain, u32 nr, enum page_owner owner)
{
	u32 taken = 0, i;

	for (i = nr_zones; i-- > 0 && taken < nr;)
		taken += chain_take_fresh(chain, &zones[i], nr - taken, owner);
	return taken;
}

u32 chain_take_all_free(struct chain *chain, u32 nr, enum page_owner owner)
{
	u32 taken = 0, i;

	for (i = nr_zones; i-- > 0 && taken < nr;)
		taken += chain_take_free(chain, &zones[i], nr - taken, owner);
	return taken;
}

u32 frames_alloc_chain(u32 nr, enum page_owner owner)
{
	struct chain chain;
	u32 taken;

	if (frames_free_count() < nr || should_fail())
		return 0;
	chain_init(&chain);
	taken = chain_take_all_free(&chain, nr, owner);
	if (taken < nr)
		chain_take_all_fresh(&chain, nr - taken, owner);
	return chain.first;
}

u32 frames_alloc_chain_zeroed(u32 nr, enum page_owner owner)
{
	struct chain chain;
	u32 taken;

	if (frames_free_count() < nr || should_fail())
		return 0;
	chain_init(&chain);
	taken = chain_take_all_fresh(&chain, nr, owner);
	if (taken < nr) {
		u32 *used = chain.end, pfn;

		chain_take_all_free(&chain, nr - taken, owner);
		for (pfn = *used; pfn; pfn = pfn_to_page(pfn)->next)
			__builtin_memset(__va((u64)pfn << PAGE_SHIFT), 0, PAGE_SIZE);
	}
	return chain.first;
}

/*
 * Takes the owners from the frames of a chain as far as their pfns follow each other; the length of that run,
 * at most nr. *next_out is the pfn behind it.
 */
static inline u32 run_release(u32 pfn, u32 nr, u32 stamp, bool stamped, u32 *next_out)
{
	struct page *page = pfn_to_page(pfn);
	u32 start = pfn, next;

	do {
		next = page->next;
		page->owner = PAGE_NONE;
		page->order = 0;
		page->cache = 0;
		page->next = 0;
		if (stamped)
			page->unmapped = stamp;
		page++;
		pfn++;
	} while (next == pfn && pfn - start < nr);
	*next_out = next;
	return pfn - start;
}

u32 frames_free_chain(u32 first, u32 nr, u32 stamp)
{
	struct zone *zone = zones;

	while (nr) {
		u32 next, run, most;

		if (!zone_holds(zone, first))
			zone = zone_of(first);
		most = zone->end_pfn - first < nr ? zone->end_pfn - first : nr;
		run = stamp ? run_release(first, most, stamp, true, &next)
			    : run_release(first, most, 0, false, &next);
		frames_count_free(zone, run);
		if (run == 1)
			buddy_free(zone, first, 0);
		else
			buddy_free_run(zone, first, run);
		nr -= run;
		first = next;
	}
	return first;
}
