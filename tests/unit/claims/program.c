/* SPDX-License-Identifier: MIT */
/*
 * program.c: the guest's roots: an ELF file with the symbols and the DWARF of a kvmap guest. Arrays that
 * tests unmap in part begin at a page.
 */
#include "agent/agent.h"
#include "agent/variables.h"
#include "arch/x86_64/percpu.h"
#include "mm/arch.h"
#include "mm/page/frames.h"
#include "mm/slab/slab.h"
#include "mm/vmalloc/vmalloc.h"

#define PAGE_ALIGNED __attribute__((aligned(4096)))

struct page *mem_map;
unsigned long max_pfn;
struct zone zones[MAX_NR_ZONES] PAGE_ALIGNED;
u32 nr_zones, nr_nodes;
bool fresh_is_zero;
struct memblock memblock;
struct rb_root vmap_area_root, free_vmap_area_root;
unsigned long vmap_highest;
u32 held_pages;
struct kmem_cache *kmem_caches[KMEM_CACHES_MAX];
u32 nr_kmem_caches;
bool slab_debug;
struct cpu_cache cpu_caches[NR_CPUS] PAGE_ALIGNED;
struct kmem_cache vmap_area_cache, vm_struct_cache;
u64 tlb_gen;
struct tlb_flush tlb_flush_log[TLB_FLUSH_LOG] PAGE_ALIGNED;
struct tlb_stats tlb_stats;
struct cpu cpus[NR_CPUS];
u32 arch_nr_cpus;
u32 vmalloc_policy;
struct agent agent PAGE_ALIGNED;
struct agent_variable agent_variables[KVMAP_VARIABLES_MAX] PAGE_ALIGNED;
u32 agent_nr_variables;
u32 agent_inside[KVMAP_CPUS_MAX];
u32 agent_opcode[KVMAP_CPUS_MAX];
