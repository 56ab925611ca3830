/* SPDX-License-Identifier: MIT */
/*
 * buddy.h: a zone's free blocks, and its fresh range. Private to guest/mm/frames*.c, buddy.c and fragment.c.
 *
 * None of these keep zone->free_pages and NR_FREE_PAGES: their callers count once for many frames. All are
 * for who holds zone->lock, but for those that say that they take it. A struct page's owner is read by who
 * frees its neighbour, on any CPU: it is written by WRITE_ONCE(), and PAGE_FREE only under the lock.
 */
#ifndef GUEST_MM_PAGE_BUDDY_H
#define GUEST_MM_PAGE_BUDDY_H

#include "mm/page/frames.h"
#include "mm/percpu.h"

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
	WRITE_ONCE(zone->free_pages, zone->free_pages + (u64)nr);
	vm_stat_add(NR_FREE_PAGES, nr);
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

/* Appends up to nr single fresh frames of all zones, counted; returns how many. It takes the zones' locks. */
u32 chain_take_all_fresh(struct chain *chain, u32 nr, enum page_owner owner);
/* The same from all zones' free lists. */
u32 chain_take_all_free(struct chain *chain, u32 nr, enum page_owner owner);

/* The same from the node of this CPU, free lists before fresh frames, and then from the other nodes. */
u32 chain_take_near(struct chain *chain, u32 nr, enum page_owner owner);

/* The same from one zone, of its fresh frames or of its free lists. */
u32 zone_take(struct chain *chain, struct zone *zone, u32 nr, enum page_owner owner, bool fresh);

/*
 * `taken` of the nr frames that were wanted are in the chain: its first; 0, and they go back, if there were
 * fewer, because other CPUs were faster.
 */
u32 chain_finish(const struct chain *chain, u32 taken, u32 nr);

/* frames_free_chain(), to the zones and not to this CPU; it takes their locks. */
u32 zones_free_chain(u32 first, u32 nr, u32 stamp);
/* frames_free(), the same. */
void zones_free(u32 pfn);

/* ---- pcp.c: what this CPU keeps; no lock ---- */

/* Chains of at most so many frames come from there, and go there. */
#define PCP_CHAIN 8

/*
 * nr frames, at most PCP_CHAIN, chained; 0 if it has not so many and cannot get them from the zones. zero: of
 * those that are known to be zero.
 */
u32 pcp_alloc_chain(u32 nr, enum page_owner owner, bool zero);

/* Appends up to nr of its frames; returns how many. */
u32 pcp_take(struct chain *chain, u32 nr, enum page_owner owner, bool zero);

/* frames_free_chain() of at most PCP_CHAIN frames. */
u32 pcp_free_chain(u32 first, u32 nr, u32 stamp);

/* Frames of a chain that goes there when it is freed, at most: PCP_CHAIN, or 0 with several nodes. */
extern u32 pcp_free_most;

/* What is freed goes to the zones, which know the node of each frame. */
void pcp_takes_none(void);

/* Frames that it has. */
u32 pcp_count(void);

/* All of them back to the zones. */
void pcp_drain(void);

#endif
