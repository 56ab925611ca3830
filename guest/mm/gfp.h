/* SPDX-License-Identifier: MIT */
/*
 * gfp.h: the flags of kvmap/gfp.h, and nodes.
 */
#ifndef GUEST_MM_GFP_H
#define GUEST_MM_GFP_H

#include "kvmap/gfp.h"
#include "lib/types.h"

typedef u32 gfp_t;

/* Not for callers: one more than the node that a ..._node() function was asked for, 0: none. */
#define GFP_NODE_SHIFT 28
#define GFP_NODE_MASK  (15u << GFP_NODE_SHIFT)

/* It fails rather than have what waits flushed. Of kmalloc() and alloc_pages(), for kvmalloc(). */
#define __GFP_NORETRY 0x10000u

/* May what waits for a flush be flushed for it? */
static inline bool gfp_may_purge(gfp_t gfp)
{
	return (gfp & (__GFP_DIRECT_RECLAIM | __GFP_NORETRY)) == __GFP_DIRECT_RECLAIM;
}

/* What a request can say about where its frames lie. */
#define GFP_PLACE (__GFP_DMA | __GFP_DMA32 | __GFP_THISNODE | GFP_NODE_MASK)

/* No preference. */
#define NUMA_NO_NODE (-1)

#endif
