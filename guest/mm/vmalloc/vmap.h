/* SPDX-License-Identifier: MIT */
/*
 * vmap.h: the ranges of the vmalloc space: which are free, which are busy, which wait for a flush.
 * Private to guest/mm.
 *
 * A struct vmap_area is either in the free tree or in the busy one. Each tree has a lock, which the functions
 * take; an area that has been taken or claimed is the caller's alone. Ranges of common sizes go through their
 * life without leaving the busy tree, so that it costs the same however many there are:
 *
 *           vmalloc()        vfree()          flush            frames given back
 *   free ------------> live ---------> lazy ---------> flushed ------------------> cached
 *     ^                 ^                                 |                        |  |
 *     |                 +---------------------------------|-------- vmalloc() -----+  |
 *     +---------------------------------------------------+---- when too many --------+
 */
#ifndef GUEST_MM_VMALLOC_VMAP_H
#define GUEST_MM_VMALLOC_VMAP_H

#include "mm/interrupt.h"
#include "mm/locks.h"
#include "mm/percpu.h"
#include "mm/vmalloc/vmalloc.h"

extern struct kmem_cache vmap_area_cache, vm_struct_cache;

/* ---- vmap_free.c: the free tree ---- */

/* Everything in [start, end) becomes free. False without memory for its node. */
bool vmap_free_init(unsigned long start, unsigned long end);

/*
 * Takes the lowest free range of `size` bytes (page-aligned, not 0). Its vmap_area is in no tree; unmapped
 * tells when something in it was last mapped. NULL with *status KVMAP_REFUSED_NO_SPACE or
 * KVMAP_REFUSED_NO_MEMORY.
 */
struct vmap_area *vmap_free_take(unsigned long size, u32 *status);

/* Gives a range back, and its vmap_area with it. Merges it with its neighbours. Needs no memory, cannot fail.
 */
void vmap_free_put(struct vmap_area *va);

/* The same for a range that begins at a multiple of `align`, a power of two; it need not be the lowest. */
struct vmap_area *vmap_free_take_aligned(unsigned long size, unsigned long align, u32 *status);

/*
 * Takes `size` bytes from `at` on, where a free range begins. NULL with *status as above if none does or it
 * is smaller.
 */
struct vmap_area *vmap_free_take_at(unsigned long at, unsigned long size, u32 *status);

/* ---- vmap_busy.c: the busy tree: every range that is not free ---- */

/*
 * End of the highest area that there ever was. Ranges are taken from the bottom up, so what is free below it
 * has been an area before.
 */
extern unsigned long vmap_highest;

void vmap_busy_insert(struct vmap_area *va);
void vmap_busy_remove(struct vmap_area *va);

/* The range, of whatever state, that contains addr, guard page included; or NULL. Under vmap_area_lock. */
struct vmap_area *vmap_busy_find(unsigned long addr);

/* ---- vmap_cached.c: ranges to be used again as they are, of each CPU; no lock ---- */

/* A range of so many pages and its guard, in the busy tree, with its vm_struct; NULL if none is kept. */
struct vmap_area *vmap_cached_take(u32 nr_pages);

/* Keeps a range whose vm has no frames, or makes it free if there are many of its size. */
void vmap_cached_put(struct vmap_area *va);

/* Makes all of this CPU's free. False: there was none. */
bool vmap_cached_drain(void);

/* ---- vmap_range.c: a range for an area, from wherever there is one ---- */

/*
 * A range of nr_pages and a guard, with its vm_struct, which has no frames yet; NULL and *status. It ends
 * with one of the two below.
 */
struct vmap_area *vmap_range_take(u32 nr_pages, u32 *status);

/* The same for a range that begins at a multiple of `align` bytes, a power of two. */
struct vmap_area *vmap_range_take_aligned(u32 nr_pages, unsigned long align, u32 *status);

/* It is an area now. */
void vmap_range_live(struct vmap_area *va);

/* It is not: back to where it came from. */
void vmap_range_undo(struct vmap_area *va);

/*
 * Cuts a live area behind nr pages, fewer than it has, and a guard page. What is behind that: a range with a
 * vm_struct, VMAP_LAZY with its lead and on no list yet; NULL without memory. The pages are the caller's.
 */
struct vmap_area *vmap_range_split(struct vmap_area *va, u32 nr_pages);

/* `more`, taken from where the live area ends, is its own from now on; it is gone itself. */
void vmap_range_grown(struct vmap_area *va, struct vmap_area *more);

/* The live area that begins at addr; or NULL and *status why there is none. */
struct vmap_area *vmap_range_at(unsigned long addr, u32 *status);

/* The same for one that most likely has no frames of its own: from the busy tree at once. */
struct vmap_area *vmap_range_search(unsigned long addr, u32 *status);

/*
 * The same without waiting for a lock. Where the area has to be searched for, and the tree is being changed,
 * *status is KVMAP_REFUSED_INTERRUPT.
 */
struct vmap_area *vmap_range_at_atomic(unsigned long addr, u32 *status);

/*
 * Makes the area the caller's to unmap: VMAP_LAZY from here on. False if another CPU was faster, as it is
 * where one area is freed twice.
 */
static inline bool vmap_claim_as(struct vmap_area *va, enum vmap_area_state state)
{
	u32 live = VMAP_LIVE;

	return __atomic_compare_exchange_n(&va->state, &live, state, false, __ATOMIC_ACQ_REL,
					   __ATOMIC_RELAXED);
}

static inline bool vmap_claim(struct vmap_area *va)
{
	return vmap_claim_as(va, VMAP_LAZY);
}

/* Why the last call was refused: sets vmalloc_status(), and counts it if it was. */
void vmalloc_refuse(u32 status, const void *addr, const void *caller);

static inline void vmalloc_done(void)
{
	this_cpu_cache()->vmalloc_status = KVMAP_OK;
}

/* Refuses, if this is an interrupt. */
static inline bool vmalloc_refuse_in_interrupt(const void *addr, const void *caller)
{
	if (likely(!in_interrupt()))
		return false;
	vmalloc_refuse(KVMAP_REFUSED_INTERRUPT, addr, caller);
	return true;
}

/* Bytes of memory under management: no area can be larger. */
extern u64 vmalloc_largest;

/* ---- vmalloc.c ---- */

/* Makes the area's first frame tell whose it is, for vmap_range_at(). */
void vmap_area_refer(const struct vmap_area *va);

/* Single frames for an area, as gfp wants them, in a chain; 0: there are not so many. */
u32 vmalloc_frames(u32 nr, gfp_t gfp);

/* Can gfp be met at all? enum kvmap_status. */
u32 vmalloc_gfp_status(gfp_t gfp);

/*
 * vmalloc() for all of its kinds. gfp as for __vmalloc(), and right; flags: of vm_struct, besides those that
 * follow from it; caller: whose area it is.
 */
void *vmalloc_area(unsigned long size, gfp_t gfp, unsigned long flags, const void *caller);

/* ---- vmap_block.c: small mappings of vm_map_ram(), many in one range ---- */

extern struct kmem_cache vmap_block_cache;

/*
 * vm_map_ram() of 1 to VMAP_BLOCK_MOST pages: vmap_ram_area() if there is no room and no memory for a new
 * block.
 */
void *vmap_block_map(struct page *const *pages, u32 nr, const void *caller);

/* vmap.c: vm_map_ram() that makes an area. */
void *vmap_ram_area(struct page *const *pages, u32 nr, const void *caller);

/* The block that addr, whosever it is, lies in; NULL if it is in none. */
struct vmap_block *vmap_block_at(unsigned long addr);

/* vm_unmap_ram() of so many pages at addr, which is in the block. */
void vmap_block_unmap(struct vmap_block *block, unsigned long addr, u32 nr);

/* The mapping, live or not, whose pages or guard addr is, and where it begins; NULL if there is none there.
 */
struct vmap_block_map *vmap_block_find(struct vmap_block *block, unsigned long addr,
				       unsigned long *start_out);

/* Why addr, in the block, is no area for who takes no mapping of vm_map_ram(); enum kvmap_status. */
u32 vmap_block_status(struct vmap_block *block, unsigned long addr);

/* All of it was flushed: it is for this CPU to use again, or free if that has enough. */
void vmap_block_put(struct vmap_area *va);

/* Makes the empty ones of this CPU free. False: there was none. */
bool vmap_blocks_drain(void);

/* If nothing is mapped any more in the block that this CPU maps in, all of it waits for its flush. */
void vmap_block_retire_idle(void);

/* Unmaps an area that the caller has claimed, and lets it wait for its flush. */
void vmap_area_free(struct vmap_area *va);

/* ---- vfree_atomic.c: areas that wait to be freed ---- */

/* The slow way of vmap_deferred_run(). */
u32 vmap_deferred_free(struct vmap_lazy *lazy, u32 most);

/*
 * Frees up to `most` of the areas that vfree_atomic() has left on a CPU's list, and returns how many. With no
 * lock held, and not in an interrupt.
 */
static inline u32 vmap_deferred_run(struct vmap_lazy *lazy, u32 most)
{
	return unlikely(READ_ONCE(lazy->deferred)) ? vmap_deferred_free(lazy, most) : 0;
}

/* With each operation on areas a CPU frees so many of those that wait: no one pays for all. */
#define DEFERRED_AREAS 4

/* ---- purge.c: ranges that wait for a flush ---- */

/*
 * `va`, which the caller has claimed, has just been unmapped: its range and frames are handed out again when
 * they may be. Flushes when enough waits, or at once if eager, and gives back a bounded part of what was
 * flushed.
 */
void vmap_lazy_add(struct vmap_area *va);

/* The same of a block of which all was used and unmapped. */
void vmap_lazy_add_block(struct vmap_area *va);

/* Flushes a range, and perhaps more, at once and on every CPU. What waits goes on waiting. */
void vmap_flush(unsigned long start, unsigned long end);

/* vmalloc_purge() that costs only by what waits: ranges that are kept stay so. */
u32 vmap_purge_all(void);

/* Gives back some of what this CPU has flushed and not yet given back. */
void vmap_flushed_release(void);

/* What has to be flushed of a range that waits: pages that it shared with others, too. */
static inline struct tlb_range vmap_flush_range(const struct vmap_area *va)
{
	return (struct tlb_range){
		.start = va->va_start - (va->lead ? PAGE_SIZE : 0),
		.end = va->va_end - (va->shrunk > va->allocated ? 0 : PAGE_SIZE),
	};
}

/* Pages without the guard. */
static inline u32 vmap_pages(const struct vmap_area *va)
{
	return (u32)((va->va_end - va->va_start) >> PAGE_SHIFT) - 1;
}

/* End of the pages that are or were mapped: the guard page follows. */
static inline unsigned long vmap_mapped_end(const struct vmap_area *va)
{
	return va->va_end - PAGE_SIZE;
}

#endif
