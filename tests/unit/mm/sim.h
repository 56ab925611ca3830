/* SPDX-License-Identifier: MIT */
/*
 * sim.h: a machine of 16 MiB below the memory manager: RAM with a hole, and CPUs whose TLBs evict nothing.
 * Below vmalloc everything is the kernel's own code, page tables included.
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

/*
 * Pages of the vmalloc range, from its start, that the TLB covers; the tests use no others. The test with the
 * most ranges, cached ones included, has about 4600 of them, each with its guard.
 */
#define SIM_TLB_PAGES (57344 + 8192 * KVMAP_GUARD_PAGES)

/* CPU 0 runs from the start; others are threads. */
#define SIM_CPUS 8

struct sim_cpu {
	u32 state; /* enum cpu_state */
	u32 asked; /* a TLB shootdown waits for it */
	u32 nr_used;
	/* pfn + 1 that the TLB has for page number n of the vmalloc range; 0 = none */
	u32 tlb[SIM_TLB_PAGES];
	bool writable[SIM_TLB_PAGES];
	u32 used[SIM_TLB_PAGES]; /* numbers of the pages cached */
};

extern struct sim_cpu sim_cpus[SIM_CPUS];

#define sim_tlb          sim_cpus[sim_number].tlb
#define sim_tlb_writable sim_cpus[sim_number].writable

/* Makes this thread the CPU until sim_cpu_stop(). A CPU that was stopped flushes when it starts again. */
void sim_cpu_start(u32 number);
void sim_cpu_stop(void);

/* How often the kernel requested that the host read the log. */
extern u64 sim_log_taken;

/*
 * lib/lock_check.h is on. A finding fails the test, unless that expects one: then lock_check_take() has it.
 */
extern bool sim_lock_finding_expected;

/* The context of this CPU for the checks of locks: set by tests of interrupts. */
extern _Thread_local bool sim_in_interrupt, sim_interrupts_off;

/* How often a CPU was to be held, and how often of these slab_debug_lock was taken. */
extern u64 sim_holds, sim_holds_locked;

/* Takes part in a TLB shootdown if one is pending. */
void sim_poll(void);

/* An access of the CPU to 8 bytes of the vmalloc range; false if it faults. */
bool sim_read(unsigned long va, u64 *value_out);
bool sim_write(unsigned long va, u64 value);

/* Where the next area begins after one of this many pages at addr and its guard. */
static inline unsigned long area_after(unsigned long addr, unsigned long pages)
{
	return addr + pages * PAGE_SIZE + KVMAP_GUARD_SIZE;
}

/* Whether a read faults in each page of the guard of an area or mapping of this many pages at addr. */
bool sim_guard_faults(unsigned long addr, unsigned long pages);

/* Allocates frames, which count as held, until only nr are free. */
void sim_leave_free(u64 nr);
/* Frees the held frames. */
void sim_release_held(void);

/* Compares everything that the memory manager claims; fails the test that runs. */
void check_machine(void);
/* Checks a tree, with its augmented values if `free`; returns its number of nodes. */
u64 check_tree(const struct rb_root *root, bool free);

/* A counter of pages, summed over all CPUs. */
u64 vm_stat_sum(enum vm_stat_item item);

/* vmalloc_stats_sum() */
struct vmalloc_stats stats(void);

/* vmap_busy_find() with its lock. */
struct vmap_area *sim_area(unsigned long addr);

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

/* What a refused call must not change. Frames and objects on per-CPU lists are freed first. */
struct snapshot {
	struct zone zones
		[MAX_NR_ZONES]; /* without the order of free blocks, and without locks, as everything here */
	struct kmem_cache caches[2];
	struct cpu_cache cpu; /* without the status of its last request, `refused`, kmalloc_fast_max */
	struct rb_root busy, free;
	u64 clock;
};
void snapshot_take(struct snapshot *out);

#endif
