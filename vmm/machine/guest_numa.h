/* SPDX-License-Identifier: MIT */
/*
 * guest_numa.h: the guest's nodes on those of the host.
 */
#ifndef VMM_MACHINE_GUEST_NUMA_H
#define VMM_MACHINE_GUEST_NUMA_H

#include "machine/guest_memory.h"

/*
 * Binds the memory of guest node n (KVMAP_NODE_START) to a node of the host, n modulo their number, before it
 * is touched. Returns how many nodes of the host are used; 0 if none is bound, and why_not_out says why.
 */
unsigned int guest_numa_bind(const struct guest_memory *memory, unsigned int nodes, const char **why_not_out);

#endif
