/* SPDX-License-Identifier: MIT */
/*
 * buddy.h: free buddy blocks and fresh ranges of the zones, and per-CPU lists. Private to mm/page, except
 * pcp_drain() and pcp_drain_cpu().
 *
 * Callers must hold zone->lock, except where a function says that it takes the lock, and must update
 * zone->free_pages and NR_FREE_PAGES, once for many frames. CPUs that free a neighbour read a struct page's
 * owner without the lock: it is written with WRITE_ONCE(), and PAGE_FREE only with the lock held.
 */
#ifndef GUEST_MM_PAGE_BUDDY_H
#define GUEST_MM_PAGE_BUDDY_H

#include "mm/direct_map.h"
#include "mm/page/frames.h"
#include "mm/percpu.h"

/* The zone of a managed frame. */
struct zone *zone_of(u32 pfn);

static inline bool zone_holds(const struct zone *zone, u32 pfn)
{
	return pfn - zone->start_pfn < zone->end_pfn - zone->start_pfn;
}

/* Most frames are in this zone, or in one near it. */
static inline struct zone *zone_highest(void)
{
	return &zones[nr_zones - 1];
}

/*
 * Frees a buddy block and merges it with its buddy while that is free, too. Its struct pages must have no
 * owner.
 */
void buddy_free(struct zone *zone, u32 pfn, unsigned int order);

/* Frees a run of frames in the largest buddy blocks that alignment allows. */
void buddy_free_run(struct zone *zone, u32 pfn, u32 nr);

/*
 * Frees the end of a block that buddy_take() has removed, nr frames, when its start is not free: nothing of
 * it can be merged.
 */
void buddy_return(struct zone *zone, u32 pfn, u32 nr);
/* buddy_return() of all but the first 2^order of 2^found frames. Linux's expand(). */
void buddy_expand(struct zone *zone, u32 pfn, unsigned int order, unsigned int found);

/*
 * Removes the smallest free buddy block of at least `order` from its list; returns its head, 0 if there is
 * none. *order_out: its order. It has no owner; the caller gives its start one, and frees what it does not
 * need with buddy_return().
 */
u32 buddy_take(struct zone *zone, unsigned int order, unsigned int *order_out);

static inline u32 fresh_count(const struct zone *zone)
{
	return zone->fresh_end - zone->fresh_start;
}

/* Clears a run of fresh frames that are taken, unless they are zero. */
static inline void fresh_clear(u32 pfn, u32 nr)
{
	if (unlikely(!fresh_is_zero))
		__builtin_memset(__va((u64)pfn << PAGE_SHIFT), 0, (u64)nr << PAGE_SHIFT);
}

static inline void frames_count_free(struct zone *zone, s64 nr)
{
	WRITE_ONCE(zone->free_pages, zone->free_pages + (u64)nr);
	vm_stat_add(NR_FREE_PAGES, nr);
}

/*
 * A chain under construction. first: its first frame, 0 if empty; end: where to store the pfn of the next
 * frame; lowest_kind: the lowest zone type that frames were taken from.
 */
struct chain {
	u32 first;
	u32 *end;
	u32 lowest_kind;
};

static inline void chain_init(struct chain *chain)
{
	chain->first = 0;
	chain->end = &chain->first;
	chain->lowest_kind = ZONE_NORMAL;
}

/*
 * Appends up to nr single frames of the zones that gfp (GFP_PLACE) allows, and counts them as allocated;
 * returns how many. Takes frames of a zone only when those before it in the zonelist are down to the
 * watermark: first to WMARK_LOW, then to those below it, `lowest` the last. __GFP_ZERO: zeroed contents;
 * fresh frames are taken first in each zone, and only the others are cleared. Takes zone locks.
 */
u32 chain_take(struct chain *chain, u32 nr, enum page_owner owner, gfp_t gfp, enum zone_watermarks lowest);

/*
 * chain_take() of fresh frames of the first zone that has any available frame; so not of a worse zone while
 * that one only has used frames.
 */
u32 chain_take_zero(struct chain *chain, u32 nr, enum page_owner owner);

/* chain_take() of fresh frames of any zone, or of those of the free lists, down to WMARK_MIN. */
u32 chain_take_all(struct chain *chain, u32 nr, enum page_owner owner, bool fresh);

/*
 * Allocates a chain of nr frames of the zones, with gfp as for chain_take(), and of this CPU's lists if gfp
 * has no GFP_PLACE flag; 0, and nothing is allocated, if fewer are available.
 */
u32 zones_alloc_chain(u32 nr, enum page_owner owner, gfp_t gfp);

/*
 * Ends a chain that was to have nr frames and has `taken`: returns its first frame, or frees the chain and
 * returns 0 if it is too short because other CPUs have allocated meanwhile.
 */
u32 chain_finish(const struct chain *chain, u32 taken, u32 nr);

/* frames_free_chain() to the zones, not to this CPU's list. Takes zone locks. */
u32 zones_free_chain(u32 first, u32 nr, u64 stamp);
/* frames_free() to the zone, not to this CPU's list. Takes the zone lock. */
void zones_free(u32 pfn);

/* ---- pcp.c: lists of single frames of this CPU; no lock ---- */

/* Longest chain that is allocated from these lists, and freed to them. */
#define PCP_CHAIN 8

/*
 * Allocates a chain of nr frames, at most PCP_CHAIN; returns its first frame, 0 without memory. zero: the
 * frames must contain zeros.
 */
u32 pcp_alloc_chain(u32 nr, enum page_owner owner, bool zero);

/* Appends up to nr frames of a list; returns how many. */
u32 pcp_take(struct chain *chain, u32 nr, enum page_owner owner, bool zero);

/* frames_free_chain() for at most PCP_CHAIN frames. */
u32 pcp_free_chain(u32 first, u32 nr, u64 stamp);

/* Longest chain that is freed to this CPU's list: PCP_CHAIN; 0 with several NUMA nodes. */
extern u32 pcp_free_max;

/*
 * The zone type whose frames, and better ones, are freed to per-CPU lists: the best one, until allocations
 * had to take frames of a lower one. Others are freed to their zone, so that ordinary allocations leave them
 * alone.
 */
extern u32 pcp_lowest_kind;
void pcp_set_lowest_kind(u32 kind);

/* Disables freeing to per-CPU lists, since these do not distinguish NUMA nodes. */
void pcp_disable(void);

/* Frames on this CPU's lists. */
u32 pcp_count(void);

/*
 * Frees all frames of a CPU's lists to the zones: this CPU's, or one that arch_hold_cpu() holds. False if
 * there were none.
 */
bool pcp_drain_cpu(struct cpu_cache *cpu);
/* pcp_drain_cpu() of this CPU. */
void pcp_drain(void);

#endif
