/* SPDX-License-Identifier: MIT */
/*
 * sim.h: a machine of 16 MiB beneath the memory manager: RAM with a hole, and CPUs whose TLBs never forget a
 * translation by themselves. Below vmalloc everything is the kernel's own code, page tables included.
 */
#ifndef TESTS_UNIT_MM_SIM_H
#define TESTS_UNIT_MM_SIM_H

#include "kvmap/boot.h"
#include "kvmap/layout.h"
#include "mm/arch.h"
#include "mm/locks.h"
#include "mm/page/buddy.h"
#include "mm/page/frames.h"
#include "mm/slab/kmalloc.h"
#include "mm/page/page_alloc.h"
#include "mm/slab/slab.h"
#include "mm/vmalloc/vmap.h"

#define SIM_RAM_END (16ul << 20)

/* Boots it once per process. */
void sim_boot(u32 policy);

/* Pages of the vmalloc range, from its start, that the TLB covers; the tests use no others. */
#define SIM_TLB_PAGES 65536

/* CPU 0 runs from the start; others are threads. */
#define SIM_CPUS 8

struct sim_cpu {
	u32 state; /* enum cpu_state */
	u32 asked; /* a round of flushes waits for it */
	u32 nr_used;
	u32 tlb[SIM_TLB_PAGES]; /* pfn + 1 that it uses for page number n of the vmalloc range; 0 = not cached
				 */
	bool writable[SIM_TLB_PAGES];
	u32 used[SIM_TLB_PAGES]; /* numbers of the pages cached */
};

extern struct sim_cpu sim_cpus[SIM_CPUS];

#define sim_tlb          sim_cpus[sim_number].tlb
#define sim_tlb_writable sim_cpus[sim_number].writable

/* The thread is that CPU from now on, until it stops. One that has stopped flushes when it starts again. */
void sim_cpu_start(u32 number);
void sim_cpu_stop(void);

/* How often the host was told to take the log of flushes. */
extern u64 sim_log_taken;

/* Answers other CPUs. */
void sim_poll(void);

/* An access of the CPU to 8 bytes of the vmalloc range; false if it faults. */
bool sim_read(unsigned long va, u64 *value_out);
bool sim_write(unsigned long va, u64 value);

/* Takes frames away until only nr are free. They count as held. */
void sim_leave_free(u64 nr);
/* Gives them back. */
void sim_release_held(void);

/* Everything that the manager knows, compared with everything else; fails the test that runs. */
void check_machine(void);
/* The same for a tree alone, with the augmented values if `free`; counts its nodes. */
u64 check_tree(const struct rb_root *root, bool free);

/* A counter of pages, summed over all CPUs. */
u64 vm_stat_sum(enum vm_stat_item item);

/* vmalloc_stats_sum() */
struct vmalloc_stats stats(void);

/* The page frame of an address of the direct map. */
static inline struct page *virt_to_page(const void *addr)
{
	return mem_map + (__pa(addr) >> PAGE_SHIFT);
}

/* pfn that an address of the vmalloc range is mapped to; 0 if none. */
static inline unsigned long vmalloc_to_pfn(const void *addr)
{
	const struct page *page = vmalloc_to_page(addr);

	return page ? page_to_pfn(page) : 0;
}

/* Allocated objects of a cache. */
u64 objects_in_use(const struct kmem_cache *cache);

/* What a refused call must leave as it was. Which free frames a CPU keeps is none of it: they all go back. */
struct snapshot {
	struct zone zones[MAX_NR_ZONES]; /* without the locks, as all of it */
	struct kmem_cache caches[2];
	struct cpu_cache cpu; /* without what it says of its last request, `refused`, kmalloc_quick */
	struct rb_root busy, free;
	u32 clock;
};
void snapshot_take(struct snapshot *out);

#endif
