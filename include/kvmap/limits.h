/* SPDX-License-Identifier: MIT */
/*
 * limits.h: sizes of the guest's arrays of which the host holds copies; guest and host dimension theirs with
 * these names. The host refuses a guest file with larger ones.
 */
#ifndef KVMAP_LIMITS_H
#define KVMAP_LIMITS_H

#define KVMAP_CPUS_MAX             64
#define KVMAP_NODES_MAX            8  /* NUMA nodes */
#define KVMAP_ZONES_MAX            32 /* zones[] */
#define KVMAP_MEMBLOCK_REGIONS_MAX 16 /* memblock.memory[], memblock.reserved[] */
#define KVMAP_KMEM_CACHES_MAX      32 /* kmem_caches[]; index 0 is unused */

#endif
