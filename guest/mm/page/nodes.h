/* SPDX-License-Identifier: MIT */
/*
 * nodes.h: NUMA nodes: each has a range of addresses, zones, and CPUs. Allocations prefer the node of the CPU
 * that runs unless they name another.
 */
#ifndef GUEST_MM_PAGE_NODES_H
#define GUEST_MM_PAGE_NODES_H

#include "kvmap/boot.h"
#include "mm/page/frames.h"
#include "mm/percpu.h"

/*
 * Indices in zones[] in the order in which a node's allocations try them: its own zones, high addresses
 * before low, then the others'.
 */
struct zonelist {
	u8 zones[MAX_NR_ZONES];
};

extern struct zonelist zonelists[KVMAP_NODES_MAX];

/*
 * Splits [0, max_pfn) into `nodes` nodes (0 means 1), and assigns each of nr_cpus CPUs to one. Called before
 * frames_init().
 */
void nodes_init(u32 nodes, u32 nr_cpus);

/* The first frame of a node; no frame has a pfn as high as node_start_pfn(nr_nodes). */
u64 node_start_pfn(u32 node);

/* Fills zonelists. Called when all zones are known. */
void zonelists_init(void);

/*
 * Adds a preference for node `nid` to *gfp; with __GFP_THISNODE it is a requirement. False if no such node
 * exists and *gfp requires it. Does nothing with one node, so that requests keep their fast paths.
 */
static inline bool gfp_on_node(gfp_t *gfp, int nid)
{
	if (nid < 0)
		return true;
	if ((u32)nid >= nr_nodes)
		return !(*gfp & __GFP_THISNODE);
	if (nr_nodes > 1)
		*gfp |= ((gfp_t)nid + 1) << GFP_NODE_SHIFT;
	return true;
}

static inline u32 gfp_node(gfp_t gfp)
{
	return gfp >> GFP_NODE_SHIFT ? (gfp >> GFP_NODE_SHIFT) - 1 : this_cpu_cache()->numa_node;
}

static inline u32 gfp_highest_zone(gfp_t gfp)
{
	return gfp & __GFP_DMA ? ZONE_DMA : gfp & __GFP_DMA32 ? ZONE_DMA32 : ZONE_NORMAL;
}

/*
 * Zone i (below nr_zones) of the zonelist of `node`, which is gfp_node(gfp); NULL if gfp does not allow it.
 */
static inline struct zone *zonelist_zone(gfp_t gfp, u32 node, u32 i)
{
	struct zone *zone = &zones[zonelists[node].zones[i]];

	if (zone->kind > gfp_highest_zone(gfp) || (gfp & __GFP_THISNODE && zone->numa_node != node))
		return NULL;
	return zone;
}

#endif
