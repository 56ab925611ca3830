/* SPDX-License-Identifier: MIT */
/*
 * gfp.h: allocation flags (kvmap/gfp.h), and flags internal to the memory manager.
 */
#ifndef GUEST_MM_GFP_H
#define GUEST_MM_GFP_H

#include "kvmap/gfp.h"
#include "kvmap/limits.h"
#include "lib/types.h"

#include <assert.h>

typedef u32 gfp_t;

/* Internal: kmalloc() and alloc_pages() for kvmalloc() fail rather than reclaim memory. */
#define __GFP_NORETRY 0x10000u

static_assert(KVMAP_NODES_MAX <= GFP_NODE_MASK >> GFP_NODE_SHIFT, "1 + the last node fits its bits");
static_assert(!(KVMAP_GFP_ALL & (__GFP_NORETRY | GFP_NODE_MASK)), "internal flags have bits of their own");

/* Whether the allocation may reclaim memory before it fails. */
static inline bool gfp_may_reclaim(gfp_t gfp)
{
	return (gfp & (__GFP_DIRECT_RECLAIM | __GFP_NORETRY)) == __GFP_DIRECT_RECLAIM;
}

/* The flags that restrict or prefer zones and nodes. */
#define GFP_PLACE (__GFP_DMA | __GFP_DMA32 | __GFP_THISNODE | GFP_NODE_MASK)

/* Whether the flags limit the address in two ways, which exclude each other. */
static inline bool gfp_zones_conflict(gfp_t gfp)
{
	return (gfp & (__GFP_DMA | __GFP_DMA32)) == (__GFP_DMA | __GFP_DMA32);
}

/* No preferred node. */
#define NUMA_NO_NODE (-1)

#endif
