/* SPDX-License-Identifier: MIT */
/*
 * chains.c: allocating and freeing chains of single frames, linked through page.next. These loops are most of
 * the cost of a large vmalloc(): each visits a frame once, and runs of adjacent frames move to and from the
 * buddy lists as a whole.
 */
#include "mm/arch.h"
#include "mm/page/buddy.h"
#include "mm/page/watermark.h"

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

	lockdep_assert_held(&zone->lock);
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

/*
 * Appends blocks of a low order, as long as nr has room for a whole one: most frames of fragmented memory that are
 * in no block of order 0. Each costs some instructions a frame more than a block of order 0 does.
 */
static __attribute__((noinline)) u32 chain_take_small(struct chain *chain, struct zone *zone,
						      unsigned int order, u32 nr, enum page_owner owner)
{
	struct free_area *area = &zone->free_area[order];
	u32 blocks = area->nr_free < nr >> order ? area->nr_free : nr >> order;
	u32 pfn = area->first, next, left, *end = chain->end;
	u64 gen = READ_ONCE(tlb_gen);

	if (!blocks)
		return 0;
	for (left = blocks; left; left--) {
		struct page *page = pfn_to_page(pfn);
		const struct page *behind = page + (1u << order);

		next = page->next;
		*end = pfn;
		page->head = 0;
		page->prev = 0;
		do {
			WRITE_ONCE(page->owner, (u8)owner);
			page->allocated = gen;
			page->next = ++pfn;
		} while (++page != behind);
		end = &page[-1].next;
		pfn = next;
	}
	*end = 0;
	chain->end = end;
	if (pfn)
		pfn_to_page(pfn)->prev = 0;
	area->first = pfn;
	area->nr_free -= blocks;
	return blocks << order;
}

/* Smallest order of buddy blocks that are taken whole; longer runs cost less per frame. */
#define RUN_ORDER 3

static u32 chain_take_runs(struct chain *chain, struct zone *zone, u32 nr, enum page_owner owner)
{
	unsigned int order = MAX_ORDER, found;
	u32 taken = 0, pfn;

	lockdep_assert_held(&zone->lock);
	while (nr - taken >= 1u << RUN_ORDER) {
		unsigned int fits = 31 - (unsigned int)__builtin_clz(nr - taken);

		if (order > fits)
			order = fits;
		pfn = buddy_take(zone, order, &found);
		if (pfn) {
			chain_add_run(chain, pfn, 1u << order, owner);
			buddy_expand(zone, pfn, order, found);
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
	for (order = 1; order < RUN_ORDER && nr - taken >= 2; order++)
		taken += chain_take_small(chain, zone, order, nr - taken, owner);
	while (taken < nr && (pfn = buddy_take(zone, 1, &order))) {
		u32 size = 1u << order;
		u32 used = size < nr - taken ? size : nr - taken;

		chain_add_run(chain, pfn, used, owner);
		buddy_return(zone, pfn + used, size - used);
		taken += used;
	}
	return taken;
}

static u32 chain_take_fresh(struct chain *chain, struct zone *zone, u32 nr, enum page_owner owner)
{
	u32 taken = fresh_count(zone) < nr ? fresh_count(zone) : nr;

	lockdep_assert_held(&zone->lock);
	if (!taken)
		return 0;
	fresh_clear(zone->fresh_start, taken);
	chain_add_run(chain, zone->fresh_start, taken, owner);
	WRITE_ONCE(zone->fresh_start, zone->fresh_start + taken);
	return taken;
}

/* In parts, so that other CPUs can take the lock in between. */
static inline u32 zone_take(struct chain *chain, struct zone *zone, u32 nr, enum page_owner owner, bool fresh)
{
	u32 total = 0, taken, piece;

	if (fresh ? READ_ONCE(zone->fresh_start) == zone->fresh_end
		  : READ_ONCE(zone->free_pages) == zone->fresh_end - READ_ONCE(zone->fresh_start))
		return 0;
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
	if (total && zone->kind < chain->lowest_kind)
		chain->lowest_kind = zone->kind;
	return total;
}

static void clear_from(u32 pfn)
{
	for (; pfn; pfn = pfn_to_page(pfn)->next)
		__builtin_memset(__va((u64)pfn << PAGE_SHIFT), 0, PAGE_SIZE);
}

/* Frames of the free lists first and fresh ones last, or, with zeroed contents, fresh ones first. */
static u32 zone_take_any(struct chain *chain, struct zone *zone, u32 nr, enum page_owner owner, bool zero)
{
	u32 taken = zone_take(chain, zone, nr, owner, zero), *second = chain->end;

	if (likely(taken == nr))
		return taken;
	taken += zone_take(chain, zone, nr - taken, owner, !zero);
	if (zero)
		clear_from(*second);
	return taken;
}

static inline u32 at_most(u64 available, u32 nr)
{
	return available < nr ? (u32)available : nr;
}

/*
 * chain_take() where the first zone of this CPU has enough; 0 if it has not. It may take fewer than nr, if
 * other CPUs do so at the same time.
 */
static inline u32 take_from_first(struct chain *chain, u32 nr, enum page_owner owner, gfp_t gfp)
{
	struct zone *first = &zones[zonelists[this_cpu_cache()->numa_node].zones[0]];

	if (unlikely(gfp & GFP_PLACE) || zone_available(first, ZONE_NORMAL, WMARK_LOW) < nr)
		return 0;
	return zone_take_any(chain, first, nr, owner, gfp & __GFP_ZERO);
}

static __attribute__((noinline)) u32 chain_take_slow(struct chain *chain, u32 nr, enum page_owner owner,
						     gfp_t gfp, enum zone_watermarks lowest)
{
	u32 node = gfp_node(gfp), highest = gfp_highest_zone(gfp), taken = 0;

	for (u32 mark = WMARK_LOW; taken < nr && mark >= lowest; mark--) {
		for (u32 i = 0; i < nr_zones && taken < nr; i++) {
			struct zone *zone = zonelist_zone(gfp, node, i);
			u64 available = zone ? zone_available(zone, highest, mark) : 0;

			if (available)
				taken += zone_take_any(chain, zone, at_most(available, nr - taken), owner,
						       gfp & __GFP_ZERO);
		}
		if (!mark)
			break;
	}
	return taken;
}

u32 chain_take(struct chain *chain, u32 nr, enum page_owner owner, gfp_t gfp, enum zone_watermarks lowest)
{
	u32 taken = take_from_first(chain, nr, owner, gfp);

	return likely(taken == nr) ? nr : taken + chain_take_slow(chain, nr - taken, owner, gfp, lowest);
}

u32 chain_take_zero(struct chain *chain, u32 nr, enum page_owner owner)
{
	u32 node = this_cpu_cache()->numa_node;

	for (u32 mark = WMARK_LOW; mark >= WMARK_MIN; mark--)
		for (u32 i = 0; i < nr_zones; i++) {
			struct zone *zone = zonelist_zone(0, node, i);
			u64 available = zone_available(zone, ZONE_NORMAL, mark);

			if (available)
				return zone_take(chain, zone, at_most(available, nr), owner, true);
		}
	return 0;
}

u32 chain_take_all(struct chain *chain, u32 nr, enum page_owner owner, bool fresh)
{
	u32 taken = 0;

	for (u32 i = 0; i < nr_zones && taken < nr; i++) {
		struct zone *zone = zonelist_zone(0, this_cpu_cache()->numa_node, i);

		taken += zone_take(chain, zone,
				   at_most(zone_available(zone, ZONE_NORMAL, WMARK_MIN), nr - taken), owner,
				   fresh);
	}
	return taken;
}

u32 chain_finish(const struct chain *chain, u32 taken, u32 nr)
{
	if (taken == nr)
		return chain->first;
	if (taken)
		zones_free_chain(chain->first, taken, 0);
	return 0;
}

/* zones_alloc_chain() where the first zone has too few frames. */
static __attribute__((noinline)) u32 alloc_chain_slow(struct chain *chain, u32 nr, enum page_owner owner,
						      gfp_t gfp)
{
	bool placed = gfp & GFP_PLACE;
	u32 taken, *used;

	if (zones_available(gfp) + (placed ? 0 : pcp_count()) < nr)
		return 0;
	taken = chain_take(chain, nr, owner, gfp, watermark_lowest());
	if (taken == nr || placed)
		return chain_finish(chain, taken, nr);
	taken += pcp_take(chain, nr - taken, owner, true);
	used = chain->end;
	taken += pcp_take(chain, nr - taken, owner, false);
	if (gfp & __GFP_ZERO)
		clear_from(*used);
	return chain_finish(chain, taken, nr);
}

u32 zones_alloc_chain(u32 nr, enum page_owner owner, gfp_t gfp)
{
	struct chain chain;
	u32 taken;

	chain_init(&chain);
	taken = take_from_first(&chain, nr, owner, gfp);
	if (likely(taken))
		return chain_finish(&chain, taken, nr);
	return alloc_chain_slow(&chain, nr, owner, gfp);
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
 * Frees single frames of the chain, up to nr, as long as each is not followed by its neighbour and cannot be
 * merged with its buddy: most frames where memory is fragmented. Returns how many; *first_out: the next pfn.
 */
static inline u32 zone_free_singles(struct zone *zone, u32 first, u32 nr, u64 stamp, u32 *first_out)
{
	struct free_area *area = &zone->free_area[0];
	u32 free = area->first, start = zone->start_pfn, size = zone->end_pfn - start, freed;
	struct page *pages = mem_map;

	lockdep_assert_held(&zone->lock);
	for (freed = 0; freed < nr; freed++) {
		struct page *page = &pages[first];
		const struct page *buddy = &pages[first ^ 1];
		u32 next = page->next;

		if (next == first + 1 || first - start >= size)
			break;
		if ((first ^ 1) - start < size && READ_ONCE(buddy->owner) == PAGE_FREE && !buddy->order)
			break;
		WRITE_ONCE(page->head, PAGE_FREE);
		page->prev = 0;
		if (stamp)
			page->unmapped = stamp;
		page->next = free;
		if (free)
			pages[free].prev = first;
		free = first;
		first = next;
	}
	area->first = free;
	area->nr_free += freed;
	*first_out = first;
	return freed;
}

/*
 * Frees up to nr frames of the chain, singly and in runs, while they belong to the zone; returns how many.
 * *first_out: the next pfn of the chain.
 */
static u32 zone_free_frames(struct zone *zone, u32 first, u32 nr, u64 stamp, u32 *first_out)
{
	u32 freed = 0;

	do {
		u32 room, most, next, run;

		if (pfn_to_page(first)->next != first + 1) {
			freed += zone_free_singles(zone, first, nr - freed, stamp, &first);
			if (freed == nr || !zone_holds(zone, first))
				break;
		}
		room = zone->end_pfn - first;
		most = room < nr - freed ? room : nr - freed;
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
	struct zone *zone = zone_highest();

	while (nr) {
		u32 freed;

		if (!zone_holds(zone, first))
			zone = zone_of(first);
		spin_lock(&zone->lock);
		freed = zone_free_frames(zone, first, nr < LOCKED_FRAMES ? nr : LOCKED_FRAMES, stamp, &first);
		frames_count_free(zone, freed);
		spin_unlock(&zone->lock);
		if (unlikely(zone->kind > READ_ONCE(pcp_lowest_kind)))
			pcp_set_lowest_kind(zone->kind);
		nr -= freed;
	}
	return first;
}

u32 frames_free_chain(u32 first, u32 nr, u64 stamp)
{
	return nr <= pcp_free_max ? pcp_free_chain(first, nr, stamp) : zones_free_chain(first, nr, stamp);
}
