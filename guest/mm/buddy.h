/* SPDX-License-Identifier: MIT */
/*
 * buddy.h: a zone's free blocks, and its fresh range. Private to guest/mm/frames*.c, buddy.c and fragment.c.
 *
 * None of these keep zone->free_pages and NR_FREE_PAGES: their callers count once for many frames.
 */
#ifndef GUEST_MM_BUDDY_H
#define GUEST_MM_BUDDY_H

#include "mm/frames.h"

/* The zone of a managed frame. */
struct zone *zone_of(u32 pfn);

static inline bool zone_holds(const struct zone *zone, u32 pfn)
{
	return pfn - zone->start_pfn < zone->end_pfn - zone->start_pfn;
}

/* Frees a block, merging it with its buddy as long as that is free too. Its struct pages have no owner any
 * more. */
void buddy_free(struct zone *zone, u32 pfn, unsigned int order);

/* Frees any run of frames, in the largest blocks that alignment allows. */
void buddy_free_run(struct zone *zone, u32 pfn, u32 nr);

/*
 * Takes the smallest free block of at least `order` off its list; its head, 0 if there is none. *order_out is
 * its order. It has no owner then; what is not needed of it goes back by buddy_free_run() once the rest has
 * an owner.
 */
u32 buddy_take(struct zone *zone, unsigned int order, unsigned int *order_out);

static inline u32 fresh_count(const struct zone *zone)
{
	return zone->fresh_end - zone->fresh_start;
}

static inline void frames_count_free(struct zone *zone, s64 nr)
{
	zone->free_pages += (u64)nr;
	vm_stat[NR_FREE_PAGES] += (u64)nr;
}

/*
 * A chain that is being made: `first` its first frame (0: empty yet), `end` where the next frame's pfn is to
 * be written.
 */
struct chain {
	u32 first;
	u32 *end;
};

static inline void chain_init(struct chain *chain)
{
	chain->first = 0;
	chain->end = &chain->first;
}

/* Append up to nr single frames of the zone, counted; return how many. The chain ends with 0 after each. */
u32 chain_take_free(struct chain *chain, struct zone *zone, u32 nr, enum page_owner owner);
u32 chain_take_fresh(struct chain *chain, struct zone *zone, u32 nr, enum page_owner owner);

/* Appends up to nr fresh frames of all zones; returns how many. */
u32 chain_take_all_fresh(struct chain *chain, u32 nr, enum page_owner owner);
/* Appends up to nr frames of all zones' free lists; returns how many. */
u32 chain_take_all_free(struct chain *chain, u32 nr, enum page_owner owner);

#endif
