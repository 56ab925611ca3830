/* SPDX-License-Identifier: MIT */
/*
 * locks.h: every named lock of the memory manager, in lock order: a CPU that holds a lock must not take one
 * listed above it. A struct kmem_cache's lock ranks after page_table_lock, a struct zone's last
 * (docs/memory-manager.md).
 */
#ifndef GUEST_MM_LOCKS_H
#define GUEST_MM_LOCKS_H

#include "lib/spinlock.h"

extern struct spinlock
	cpu_drain_lock; /* mm/vmalloc: held while this CPU holds others, to free what they keep */
extern struct spinlock vmap_purge_lock; /* mm/vmalloc: serialises purges */
extern struct spinlock tlb_round_lock;  /* guest/arch: serialises TLB shootdowns */
extern struct spinlock
	vmap_area_lock; /* mm/vmalloc: the busy tree and vmap_highest. Each CPU's lazy.lock ranks before it */
extern struct spinlock free_vmap_area_lock; /* mm/vmalloc: the free tree */
extern struct spinlock page_table_lock;     /* guest/arch: allocation of missing page tables */
extern struct spinlock slab_debug_lock;     /* mm/slab: with slab_debug, poison and redzones of objects */

/* A row of lock_table: `nr` locks, `stride` bytes apart. */
struct lock_row {
	const char *name;
	struct spinlock *first; /* NULL: the locks of all kmem_caches */
	u32 nr;
	u32 stride;
};

/* In lock order. The host reads it by name. */
extern const struct lock_row lock_table[];
extern const u32 lock_table_rows;

/* *acquired_out: acquisitions of all locks of a row; *contended_out: those that had to wait. */
void lock_row_sum(const struct lock_row *row, u64 *acquired_out, u64 *contended_out);

#endif
