/* SPDX-License-Identifier: MIT */
/*
 * nodes.h: memory that is nearer to some CPUs than to others: each node has a span of addresses, zones and
 * CPUs of its own. Who names no node means that of the CPU that runs.
 */
#ifndef GUEST_MM_PAGE_NODES_H
#define GUEST_MM_PAGE_NODES_H

#include "kvmap/boot.h"
#include "mm/page/frames.h"
#include "mm/percpu.h"

/* The zones in the order in which a node's allocations try them: its own, high before low, then the others'.
 */
struct zonelist {
	u8 zones[MAX_NR_ZONES];
	u32 own;
};

extern struct zonelist zonelists[KVMAP_NODES_MAX];

/* Splits [0, max_pfn) into so many nodes (0 is 1), and gives each of nr_cpus CPUs one. Before frames_init().
 */
void nodes_init(u32 nodes, u32 nr_cpus);

/* The first frame of a node; of the number behind the last, none. */
u64 node_start_pfn(u32 node);

/* Fills zonelists; when the zones are known. */
void zonelists_init(void);

/*
 * gfp, and a preference for the node `nid`; with __GFP_THISNODE more than that. False if there is no such
 * node, and none other will do. With one node nothing is preferred, so that nothing takes the slow way for
 * it.
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

/* The ith zone, below nr_zones, that such a request tries on `node`, gfp_node(gfp); NULL if it must not use
 * it. */
static inline struct zone *zonelist_zone(gfp_t gfp, u32 node, u32 i)
{
	struct zone *zone = &zones[zonelists[node].zones[i]];

	if (zone->kind > gfp_highest_zone(gfp) || (gfp & __GFP_THISNODE && zone->numa_node != node))
		return NULL;
	return zone;
}

#endif
