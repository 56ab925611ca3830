/* SPDX-License-Identifier: MIT */
/*
 * program.c: the guest's roots and nothing else: an ELF file with the symbols and the DWARF of a kvmap guest.
 */
#include "agent/variables.h"
#include "arch/x86_64/percpu.h"
#include "mm/arch.h"
#include "mm/page/frames.h"
#include "mm/slab/slab.h"
#include "mm/vmalloc/vmalloc.h"

struct page *mem_map;
unsigned long max_pfn;
struct zone zones[MAX_NR_ZONES];
u32 nr_zones, nr_nodes;
struct memblock memblock;
struct rb_root vmap_area_root, free_vmap_area_root;
u32 held_pages;
struct kmem_cache *kmem_caches[KMEM_CACHES_MAX];
u32 nr_kmem_caches;
struct cpu_cache cpu_caches[NR_CPUS];
struct kmem_cache vmap_area_cache, vm_struct_cache;
u32 tlb_gen;
struct tlb_flush tlb_flush_log[TLB_FLUSH_LOG];
struct tlb_stats tlb_stats;
struct cpu cpus[NR_CPUS];
u32 arch_nr_cpus;
u32 vmalloc_policy;
struct agent_variable agent_variables[KVMAP_VARIABLES_MAX];
u32 agent_nr_variables;
u32 agent_inside[KVMAP_CPUS_MAX];

/* Something to name with a line. */
int program_function(int x);

int program_function(int x)
{
	return x + (int)max_pfn;
}
