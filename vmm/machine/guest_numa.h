/* SPDX-License-Identifier: MIT */
/*
 * guest_numa.h: binds the guest's NUMA nodes to the host's.
 */
#ifndef VMM_MACHINE_GUEST_NUMA_H
#define VMM_MACHINE_GUEST_NUMA_H

#include "machine/guest_memory.h"

/*
 * Binds the memory of guest node n (KVMAP_NODE_START) to a node of the host, n modulo their number, before it
 * is touched. Returns the number of host nodes used; 0 if none, with the reason in *why_not_out.
 */
unsigned int guest_numa_bind(const struct guest_memory *memory, unsigned int nodes, const char **why_not_out);

#endif
