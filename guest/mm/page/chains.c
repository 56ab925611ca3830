/* SPDX-License-Identifier: MIT */
/*
 * chains.c: allocating and freeing chains of single frames, linked through page.next. These loops are most of
 * the cost of a large vmalloc(): each visits a frame once, and runs of adjacent frames move to and from the
 * buddy lists as a whole.
 */
#include "mm/arch.h"
#include "mm/page/buddy.h"
#include "mm/page/nodes.h"
#include "mm/fail_alloc.h"

/* Most frames that are moved while a zone's lock is held, at about 20 instructions each. */
#define LOCKED_FRAMES 256

/* Appends a run of frames whose struct pages have neither owner nor links. */
static void chain_add_run(struct chain *chain, u32 pfn, u32 nr, enum page_owner owner)
{
	struct page *page = pfn_to_page(pfn);
	struct page *end = page + nr;
	u64 gen = READ_ONCE(tlb_gen);

	*chain->end = pfn;
	do {
		WRITE_ONCE(page->owner, (u8)owner);
		page->allocated = gen;
		page->next = ++pfn;
	} while (++page != end);
	chain->end = &page[-1].next;
	*chain->end = 0;
}

/* Appends up to nr buddy blocks of order 0: their list becomes part of the chain. */
static u32 chain_take_singles(struct chain *chain, struct zone *zone, u32 nr, enum page_owner owner)
{
	struct free_area *area = &zone->free_area[0];
	u32 taken = area->nr_free < nr ? area->nr_free : nr;
	struct page *page = NULL;
	u32 pfn = area->first, left;
	u64 gen = READ_ONCE(tlb_gen);

	if (!taken)
		return 0;
	*chain->end = pfn;
	for (left = taken; left; left--) {
		page = pfn_to_page(pfn);
		WRITE_ONCE(page->owner, (u8)owner);
		page->prev = 0;
		page->allocated = gen;
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

/* Smallest order of buddy blocks that are taken whole; longer runs cost less per frame. */
#define RUN_ORDER 3

static u32 chain_take_runs(struct chain *chain, struct zone *zone, u32 nr, enum page_owner owner)
{
	unsigned int order = MAX_ORDER, found;
	u32 taken = 0, pfn;

	while (nr - taken >= 1u << RUN_ORDER) {
		unsigned int fits = 31 - (unsigned int)__builtin_clz(nr - taken);

		if (order > fits)
			order = fits;
		pfn = buddy_take(zone, order, &found);
		if (pfn) {
			chain_add_run(chain, pfn, 1u << order, owner);
			buddy_free_run(zone, pfn + (1u << order), (1u << found) - (1u << order));
			taken += 1u << order;
		} else if (order-- == RUN_ORDER) {
			break;
		}
	}
	return taken;
}

static u32 chain_take_free(struct chain *chain, struct zone *zone, u32 nr, enum page_owner owner)
{
	u32 taken = 0;
	unsigned int order;
	u32 pfn;

	if (zone->free_pages == fresh_count(zone))
		return 0; /* as at boot: all lists are empty */
	if (nr > PCP_CHAIN)
		taken = chain_take_runs(chain, zone, nr, owner);
	taken += chain_take_singles(chain, zone, nr - taken, owner);
	while (taken < nr && (pfn = buddy_take(zone, 1, &order))) {
		u32 size = 1u << order;
		u32 used = size < nr - taken ? size : nr - taken;

		chain_add_run(chain, pfn, used, owner);
		buddy_free_run(zone, pfn + used, size - used);
		taken += used;
	}
	return taken;
}

static u32 chain_take_fresh(struct chain *chain, struct zone *zone, u32 nr, enum page_owner owner)
{
	u32 taken = fresh_count(zone) < nr ? fresh_count(zone) : nr;

	if (!taken)
		return 0;
	fresh_clear(zone->fresh_start, taken);
	chain_add_run(chain, zone->fresh_start, taken, owner);
	WRITE_ONCE(zone->fresh_start, zone->fresh_start + taken);
	return taken;
}

/* In parts, so that other CPUs can take the lock in between. */
u32 zone_take(struct chain *chain, struct zone *zone, u32 nr, enum page_owner owner, bool fresh)
{
	u32 total = 0, taken, piece;

	while (total < nr) {
		piece = nr - total < LOCKED_FRAMES ? nr - total : LOCKED_FRAMES;
		spin_lock(&zone->lock);
		taken = fresh ? chain_take_fresh(chain, zone, piece, owner)
			      : chain_take_free(chain, zone, piece, owner);
		frames_count_free(zone, -(s64)taken);
		spin_unlock(&zone->lock);
		total += taken;
		if (taken < piece)
			break;
	}
	return total;
}

/* From the zones [from, to) of the zonelist of this CPU's NUMA node. */
static u32 zones_take(struct chain *chain, u32 nr, enum page_owner owner, bool fresh, u32 from, u32 to)
{
	const struct zonelist *list = &zonelists[this_cpu_cache()->numa_node];
	u32 taken = 0;

	for (; from < to && taken < nr; from++) {
		struct zone *zone = &zones[list->zones[from]];

		if (READ_ONCE(zone->free_pages))
			taken += zone_take(chain, zone, nr - taken, owner, fresh);
	}
	return taken;
}

u32 chain_take_all_fresh(struct chain *chain, u32 nr, enum page_owner owner)
{
	return zones_take(chain, nr, owner, true, 0, nr_zones);
}

u32 chain_take_all_free(struct chain *chain, u32 nr, enum page_owner owner)
{
	return zones_take(chain, nr, owner, false, 0, nr_zones);
}

u32 chain_take_near(struct chain *chain, u32 nr, enum page_owner owner)
{
	u32 own = zonelists[this_cpu_cache()->numa_node].own;
	u32 taken = zones_take(chain, nr, owner, false, 0, own);

	if (likely(taken == nr))
		return taken;
	taken += zones_take(chain, nr - taken, owner, true, 0, own);
	if (own == nr_zones)
		return taken;
	taken += zones_take(chain, nr - taken, owner, false, own, nr_zones);
	return taken + zones_take(chain, nr - taken, owner, true, own, nr_zones);
}

u32 chain_finish(const struct chain *chain, u32 taken, u32 nr)
{
	if (taken == nr)
		return chain->first;
	if (taken)
		zones_free_chain(chain->first, taken, 0);
	return 0;
}

/* Whether nr frames are free; the first zone alone mostly has enough. */
static inline bool are_free(u32 nr)
{
	const struct zone *first = &zones[zonelists[this_cpu_cache()->numa_node].zones[0]];

	return likely(READ_ONCE(first->free_pages) >= nr) || frames_free_count() >= nr;
}

/* Slow path: this CPU's list has too few frames. */
static __attribute__((noinline)) u32 zones_alloc_chain(u32 nr, enum page_owner owner)
{
	struct chain chain;
	u32 taken;

	if (!are_free(nr))
		return 0;
	chain_init(&chain);
	taken = chain_take_near(&chain, nr, owner);
	if (likely(taken == nr))
		return chain.first;
	taken += pcp_take(&chain, nr - taken, owner, false);
	taken += pcp_take(&chain, nr - taken, owner, true);
	return chain_finish(&chain, taken, nr);
}

u32 frames_alloc_chain(u32 nr, enum page_owner owner)
{
	u32 first;

	if (should_fail_alloc())
		return 0;
	first = nr <= PCP_CHAIN ? pcp_alloc_chain(nr, owner, false) : 0;
	return likely(first) ? first : zones_alloc_chain(nr, owner);
}

static void chain_clear(u32 pfn)
{
	for (; pfn; pfn = pfn_to_page(pfn)->next)
		__builtin_memset(__va((u64)pfn << PAGE_SHIFT), 0, PAGE_SIZE);
}

static __attribute__((noinline)) u32 zones_alloc_chain_zeroed(u32 nr, enum page_owner owner)
{
	struct chain chain;
	u32 taken, *used;

	if (!are_free(nr))
		return 0;
	chain_init(&chain);
	taken = chain_take_all_fresh(&chain, nr, owner);
	if (likely(taken == nr))
		return chain.first;
	taken += pcp_take(&chain, nr - taken, owner, true);
	used = chain.end;
	taken += chain_take_all_free(&chain, nr - taken, owner);
	taken += pcp_take(&chain, nr - taken, owner, false);
	if (taken == nr)
		chain_clear(*used);
	return chain_finish(&chain, taken, nr);
}

u32 frames_alloc_chain_zeroed(u32 nr, enum page_owner owner)
{
	u32 first;

	if (should_fail_alloc())
		return 0;
	first = nr <= PCP_CHAIN ? pcp_alloc_chain(nr, owner, true) : 0;
	return likely(first) ? first : zones_alloc_chain_zeroed(nr, owner);
}

/*
 * Clears the owners of frames of a chain while their pfns are consecutive; returns the length of that run, at
 * most nr. *next_out: the next pfn of the chain.
 */
static inline u32 run_release(u32 pfn, u32 nr, u64 stamp, bool stamped, u32 *next_out)
{
	struct page *page = pfn_to_page(pfn);
	u32 start = pfn, next;

	do {
		next = page->next;
		WRITE_ONCE(page->head, PAGE_NONE);
		page->area = 0;
		if (stamped)
			page->unmapped = stamp;
		page++;
		pfn++;
	} while (next == pfn && pfn - start < nr);
	*next_out = next;
	return pfn - start;
}

/*
 * Frees up to nr frames of the chain, in runs, while they belong to the zone; returns how many. *first_out:
 * the next pfn of the chain.
 */
static u32 zone_free_runs(struct zone *zone, u32 first, u32 nr, u64 stamp, u32 *first_out)
{
	u32 freed = 0;

	do {
		u32 room = zone->end_pfn - first, most = room < nr - freed ? room : nr - freed, next, run;

		run = stamp ? run_release(first, most, stamp, true, &next)
			    : run_release(first, most, 0, false, &next);
		if (run == 1)
			buddy_free(zone, first, 0);
		else
			buddy_free_run(zone, first, run);
		freed += run;
		first = next;
	} while (freed < nr && zone_holds(zone, first));
	*first_out = first;
	return freed;
}

u32 zones_free_chain(u32 first, u32 nr, u64 stamp)
{
	struct zone *zone = zones;

	while (nr) {
		u32 freed;

		if (!zone_holds(zone, first))
			zone = zone_of(first);
		spin_lock(&zone->lock);
		freed = zone_free_runs(zone, first, nr < LOCKED_FRAMES ? nr : LOCKED_FRAMES, stamp, &first);
		frames_count_free(zone, freed);
		spin_unlock(&zone->lock);
		nr -= freed;
	}
	return first;
}

u32 frames_free_chain(u32 first, u32 nr, u64 stamp)
{
	return nr <= pcp_free_max ? pcp_free_chain(first, nr, stamp) : zones_free_chain(first, nr, stamp);
}
