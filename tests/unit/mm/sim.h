/* SPDX-License-Identifier: MIT */
/*
 * sim.h: a machine of 16 MiB beneath the memory manager: RAM with a hole, and one CPU with a TLB that never
 * forgets a translation by itself. Below vmalloc everything is the kernel's own code, page tables included.
 */
#ifndef TESTS_UNIT_MM_SIM_H
#define TESTS_UNIT_MM_SIM_H

#include "kvmap/boot.h"
#include "kvmap/layout.h"
#include "mm/arch.h"
#include "mm/buddy.h"
#include "mm/frames.h"
#include "mm/kmalloc.h"
#include "mm/page_alloc.h"
#include "mm/slab.h"
#include "mm/vmap.h"

#define SIM_RAM_END (16ul << 20)

/* Boots it once per process. */
void sim_boot(u32 policy);

/* Pages of the vmalloc range, from its start, that the TLB covers; the tests use no others. */
#define SIM_TLB_PAGES 65536

/* pfn + 1 that the CPU uses for page number n of the vmalloc range, by its TLB; 0 = not cached. */
extern u32 sim_tlb[SIM_TLB_PAGES];

/* May the CPU write to that page, by its TLB? */
extern bool sim_tlb_writable[SIM_TLB_PAGES];

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

/* vmalloc_stats_sum() */
struct vmalloc_stats stats(void);

/* Objects of a cache that are handed out. */
u64 objects_in_use(const struct kmem_cache *cache);

/* What a refused call must leave as it was. Which free frames a CPU keeps is none of it: they all go back. */
struct snapshot {
	struct zone zones[MAX_NR_ZONES]; /* without the locks, as all of it */
	struct kmem_cache caches[2];
	struct cpu_cache cpu; /* without what it says of its last request, and `refused` */
	struct rb_root busy, free;
	u32 clock;
};
void snapshot_take(struct snapshot *out);

#endif
