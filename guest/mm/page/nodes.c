/* SPDX-License-Identifier: MIT */
/*
 * nodes.c: assignment of memory and CPUs to NUMA nodes.
 */
#include "mm/page/nodes.h"

#include "mm/page/buddy.h"

u32 nr_nodes = 1;
struct zonelist zonelists[KVMAP_NODES_MAX];

void nodes_init(u32 nodes, u32 nr_cpus)
{
	if (nodes <= 1)
		return;
	nr_nodes = nodes;
	pcp_disable();
	for (u32 cpu = 0; cpu < nr_cpus; cpu++)
		cpu_caches[cpu].numa_node = cpu * nodes / nr_cpus;
}

u64 node_start_pfn(u32 node)
{
	if (node == nr_nodes)
		return ~0ul;
	return KVMAP_NODE_START(node, nr_nodes, max_pfn << PAGE_SHIFT) >> PAGE_SHIFT;
}

static u32 zones_append(struct zonelist *list, u32 nr, u32 node, bool own)
{
	for (u32 i = nr_zones; i-- > 0;)
		if ((zones[i].numa_node == node) == own)
			list->zones[nr++] = (u8)i;
	return nr;
}

void zonelists_init(void)
{
	for (u32 node = 0; node < nr_nodes; node++) {
		struct zonelist *list = &zonelists[node];

		zones_append(list, zones_append(list, 0, node, true), node, false);
	}
}
