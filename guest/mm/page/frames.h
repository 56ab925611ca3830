/* SPDX-License-Identifier: MIT */
/*
 * frames.h: the page frame allocator: buddy blocks over the zones of RAM.
 */
#ifndef GUEST_MM_PAGE_FRAMES_H
#define GUEST_MM_PAGE_FRAMES_H

#include "mm/gfp.h"
#include "mm/roots.h"

/*
 * Makes all RAM that no reserved region covers into zones of fresh frames. Called once, when memblock is
 * complete and sorted, and mem_map is mapped and zero.
 */
void frames_init(void);

/*
 * Allocates a buddy block of 2^order frames with undefined contents; returns the pfn of its head, 0 without
 * memory. Sets owner, order and allocated (tlb_gen) in the head.
 */
u32 frames_alloc(unsigned int order, enum page_owner owner);

/*
 * frames_alloc() from the zones that gfp allows, the highest first. __GFP_ZERO: zeroed contents; fresh frames
 * are not cleared again. Other flags have no effect here.
 */
u32 frames_alloc_gfp(gfp_t gfp, unsigned int order, enum page_owner owner);

/* frames_alloc(0, owner) with zeroed contents. */
u32 frames_alloc_zeroed(enum page_owner owner);

/*
 * Allocates nr single frames, chained through page.next; returns the pfn of the first, 0 (and allocates
 * nothing) if fewer are free. Takes frames of the free lists before fresh ones.
 */
u32 frames_alloc_chain(u32 nr, enum page_owner owner);

/*
 * frames_alloc_chain() with zeroed contents: takes fresh frames first, and clears only frames of the free
 * lists.
 */
u32 frames_alloc_chain_zeroed(u32 nr, enum page_owner owner);

/* frames_alloc_chain_gfp() with GFP_PLACE flags. */
u32 frames_alloc_chain_placed(gfp_t gfp, u32 nr, enum page_owner owner);

/*
 * frames_alloc_chain() or, with __GFP_ZERO, frames_alloc_chain_zeroed() from the zones that gfp selects
 * (GFP_PLACE). Other flags have no effect here.
 */
static inline u32 frames_alloc_chain_gfp(gfp_t gfp, u32 nr, enum page_owner owner)
{
	if (unlikely(gfp & GFP_PLACE))
		return frames_alloc_chain_placed(gfp, nr, owner);
	return gfp & __GFP_ZERO ? frames_alloc_chain_zeroed(nr, owner) : frames_alloc_chain(nr, owner);
}

/*
 * Frees a buddy block and merges it with free buddies. unmapped and vpn of its struct page keep their
 * values, as history for the host.
 */
void frames_free(u32 pfn);

/*
 * Frees nr single frames, at least 1, of the chain that starts at `first`. stamp: their new value of
 * unmapped, 0 = keep the old one. Returns the next pfn of the chain, 0 at its end.
 */
u32 frames_free_chain(u32 first, u32 nr, u64 stamp);

/*
 * frames_free_chain() for a chain that begins with buddy blocks, each linked by its head. *nr counts all
 * frames; if it ends inside a buddy block, all of the block is freed, and *nr grows accordingly.
 */
u32 frames_free_blocks(u32 first, u32 *nr, u64 stamp);

/* Managed frames, free or not. */
u64 frames_total_count(void);

/*
 * Frames that an ordinary request of this CPU could get now: neither the reserve nor other CPUs' lists count.
 */
u64 frames_free_count(void);

/* Free buddy blocks of each order, as they are without a lock. Fresh frames count as the blocks that they make. */
void zone_free_blocks(const struct zone *zone, u32 nr_free[MAX_ORDER + 1]);

/*
 * Allocates `bytes` of free memory, contiguous if possible, holds `percent` of its frames (chain held_pages)
 * and frees the others in pseudo-random order, so that later allocations are scattered. Returns the number of
 * frames held.
 */
u32 frames_fragment(unsigned int percent, u64 bytes, u64 seed);

#endif
