/* SPDX-License-Identifier: MIT */
/*
 * roots.h: the variables that lead to all state of the memory manager. The host finds them by name
 * (vmm/claims/layout.h). Each is defined in the room that maintains it; they are declared here so that the
 * rooms below it, and guest/arch, can read them.
 *
 * Further roots are declared by guest/agent (agent_variables, agent_nr_variables, agent_inside) and by
 * guest/arch (cpus, arch_nr_cpus).
 */
#ifndef GUEST_MM_ROOTS_H
#define GUEST_MM_ROOTS_H

#include "mm/mm_types.h"

/* mm/page */
extern struct page *mem_map;  /* indexed by pfn */
extern unsigned long max_pfn; /* exclusive */
extern struct memblock memblock;
extern struct zone zones[MAX_NR_ZONES];
extern u32 nr_zones, nr_nodes;
extern bool fresh_is_zero; /* whether fresh frames are zero before they are taken: RAM was at boot */
extern u32 held_pages;     /* first frame of the chain that `fragment` holds; 0 = none */

/*
 * mm/slab: by index, from 1 to nr_kmem_caches; NULL: the cache has allocated no object yet.
 */
extern struct kmem_cache *kmem_caches[KMEM_CACHES_MAX];
extern u32 nr_kmem_caches;

/* mm/vmalloc */
extern struct rb_root vmap_area_root, free_vmap_area_root;
extern u32 vmalloc_policy; /* enum kvmap_policy */

/* mm */
extern struct cpu_cache cpu_caches[NR_CPUS];

/* guest/arch */
extern u64 tlb_gen;
extern struct tlb_flush tlb_flush_log[TLB_FLUSH_LOG];
extern struct tlb_stats tlb_stats;

static inline struct page *pfn_to_page(u32 pfn)
{
	return &mem_map[pfn];
}

static inline u32 page_to_pfn(const struct page *page)
{
	return (u32)(page - mem_map);
}

#endif
