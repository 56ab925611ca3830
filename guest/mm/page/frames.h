/* SPDX-License-Identifier: MIT */
/*
 * frames.h: the frame allocator: buddy blocks over the zones of RAM.
 */
#ifndef GUEST_MM_PAGE_FRAMES_H
#define GUEST_MM_PAGE_FRAMES_H

#include "mm/gfp.h"
#include "mm/roots.h"

/*
 * Sets up zones from memblock: every RAM frame that no reserved region covers becomes fresh. Called once,
 * when mem_map lies in mapped, zeroed memory and memblock is filled and sorted.
 */
void frames_init(void);

/*
 * A block of 2^order frames for `owner`, its contents undefined; the pfn of the head, 0 when there is none.
 * Sets owner, order and allocated (tlb_gen) in the head.
 */
u32 frames_alloc(unsigned int order, enum page_owner owner);

/*
 * As frames_alloc(), from the zones that gfp allows: the highest first, a lower one when that has no such
 * block. With __GFP_ZERO all of it is zero (a fresh block is not cleared again). Other flags say nothing
 * here.
 */
u32 frames_alloc_gfp(gfp_t gfp, unsigned int order, enum page_owner owner);

/* As frames_alloc(0, owner), its contents zero (a fresh frame is not cleared again). */
u32 frames_alloc_zeroed(enum page_owner owner);

/*
 * nr single frames, chained through page.next; the pfn of the first, 0 when there are not so many free (then
 * none is taken). Uses what lies in the free lists first, fresh frames last.
 */
u32 frames_alloc_chain(u32 nr, enum page_owner owner);

/* As frames_alloc_chain(), all of them zero: fresh frames first, and only what came from the free lists is
 * cleared. */
u32 frames_alloc_chain_zeroed(u32 nr, enum page_owner owner);

/*
 * As either of the two, from where gfp says (GFP_PLACE), and from the zones themselves. With __GFP_ZERO all
 * of them zero; other flags say nothing here.
 */
u32 frames_alloc_chain_placed(gfp_t gfp, u32 nr, enum page_owner owner);

/* Returns a block, merging buddies. unmapped and vaddr in its struct page stay, as history for the host. */
void frames_free(u32 pfn);

/*
 * Returns nr single frames, at least one, chained from `first`, each stamped as unmapped at `stamp` (0: leave
 * the old stamp). The pfn behind them in the chain, 0 at its end.
 */
u32 frames_free_chain(u32 first, u32 nr, u32 stamp);

/*
 * As frames_free_chain() of a chain that begins with blocks, each of which is its first frame in the chain;
 * *nr counts all frames. A block of which only a part is asked for is given back whole, and *nr grows by the
 * rest.
 */
u32 frames_free_blocks(u32 first, u32 *nr, u32 stamp);

/* Frames under management, free or not. */
u64 frames_total_count(void);

/* Frames that this CPU could be handed out now: those that others keep (pcp) are not among them. */
u64 frames_free_count(void);

/*
 * `fragment`: takes `bytes` of free memory in one stretch if it can, keeps `percent` of its frames (chain
 * held_pages) and frees the others in a pseudo-random order, so that what is allocated next lies scattered.
 * Returns frames held.
 */
u32 frames_fragment(unsigned int percent, u64 bytes, u64 seed);

#endif
