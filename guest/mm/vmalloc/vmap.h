/* SPDX-License-Identifier: MIT */
/*
 * vmap.h: free, busy and lazily freed ranges of the vmalloc space. Private to mm/vmalloc.
 *
 * A struct vmap_area is in the free tree or in the busy tree. Each tree has a lock, which the functions take;
 * a range that was taken or claimed belongs to the caller. Ranges of common sizes stay in the busy tree, so
 * that the cost does not depend on the number of areas:
 *
 *           vmalloc()        vfree()          flush            frames freed
 *   free ------------> live ---------> lazy ---------> flushed ------------------> cached
 *     ^                 ^                                 |                        |  |
 *     |                 +---------------------------------|-------- vmalloc() -----+  |
 *     +---------------------------------------------------+---- if too many ----------+
 */
#ifndef GUEST_MM_VMALLOC_VMAP_H
#define GUEST_MM_VMALLOC_VMAP_H

#include "mm/interrupt.h"
#include "mm/locks.h"
#include "mm/percpu.h"
#include "mm/vmalloc/vmalloc.h"

struct request; /* mm/warn.h */

extern struct kmem_cache vmap_area_cache, vm_struct_cache;

/* ---- vmap_free.c: the free tree ---- */

/* Makes [start, end) free. False without memory for its vmap_area. */
bool vmap_free_init(unsigned long start, unsigned long end);

/*
 * Takes the lowest free range of `size` bytes (page-aligned, not 0). Its vmap_area is in no tree; its
 * `unmapped` is the tlb_gen at which a part of it was last unmapped. NULL with *status KVMAP_REFUSED_NO_SPACE
 * or KVMAP_REFUSED_NO_MEMORY.
 */
struct vmap_area *vmap_free_take(unsigned long size, u32 *status);

/* Frees a range and its vmap_area; merges it with its neighbours. Needs no memory and cannot fail. */
void vmap_free_put(struct vmap_area *va);

/*
 * vmap_free_take() for a range that begins at a multiple of `align`, a power of two; not necessarily the
 * lowest.
 */
struct vmap_area *vmap_free_take_aligned(unsigned long size, unsigned long align, u32 *status);

/*
 * Takes `size` bytes from `at` on, where a free range must begin. NULL and *status as vmap_free_take()
 * otherwise.
 */
struct vmap_area *vmap_free_take_at(unsigned long at, unsigned long size, u32 *status);

/* ---- vmap_busy.c: the busy tree: every range that is not free ---- */

/*
 * End of the highest range ever used. Ranges are taken lowest first, so every free range below it was used
 * before.
 */
extern unsigned long vmap_highest;

void vmap_busy_insert(struct vmap_area *va);
void vmap_busy_remove(struct vmap_area *va);

/* The busy range that contains addr, guard page included, or NULL. vmap_area_lock must be held. */
struct vmap_area *vmap_busy_find(unsigned long addr);

/* vmap_busy_find() without the lock, for the report of a fault whose interrupted code may hold it. */
struct vmap_area *vmap_busy_find_racy(unsigned long addr);

/* ---- vmap_cached.c: cached ranges of this CPU; no lock ---- */

/*
 * Takes a cached range of nr_pages pages and a guard page, with its vm_struct, in the busy tree; NULL if
 * there is none.
 */
struct vmap_area *vmap_cached_take(u32 nr_pages);

/* Caches a range whose vm has no frames, or frees it if many of its size are cached. */
void vmap_cached_put(struct vmap_area *va);

/* Frees all cached ranges of a CPU: this one, or one that arch_hold_cpu() holds. False if there were none. */
bool vmap_cached_drain(struct cpu_cache *cpu);

/* ---- vmap_range.c: ranges of areas ---- */

/*
 * A range of nr_pages pages and a guard page, with a vm_struct that has no frames yet; NULL and *status on
 * failure. The caller must end with vmap_range_live() or vmap_range_undo().
 */
struct vmap_area *vmap_range_take(u32 nr_pages, u32 *status);

/* vmap_range_take() for a range that begins at a multiple of `align` bytes, a power of two. */
struct vmap_area *vmap_range_take_aligned(u32 nr_pages, unsigned long align, u32 *status);

/* Makes the range an area. */
void vmap_range_live(struct vmap_area *va);

/* Returns the range to where it was taken from. */
void vmap_range_undo(struct vmap_area *va);

/*
 * Splits a live area after nr_pages pages, fewer than it has, and a guard page. Returns the rest as a range
 * with a vm_struct, VMAP_LAZY with its `lead`, on no list; NULL without memory. The caller moves the pages.
 */
struct vmap_area *vmap_range_split(struct vmap_area *va, u32 nr_pages);

/* Extends a live area by `more`, a range taken from its end on, and frees the vmap_area of `more`. */
void vmap_range_grown(struct vmap_area *va, struct vmap_area *more);

/* The live area that begins at addr; NULL and *status if there is none. */
struct vmap_area *vmap_range_at(unsigned long addr, u32 *status);

/* vmap_range_at() for areas that mostly have no frames of their own: searches the busy tree at once. */
struct vmap_area *vmap_range_search(unsigned long addr, u32 *status);

/*
 * vmap_range_at() without waiting for a lock. If the area must be searched for and the tree's lock is taken,
 * *status is KVMAP_REFUSED_INTERRUPT.
 */
struct vmap_area *vmap_range_at_atomic(unsigned long addr, u32 *status);

/*
 * Changes the state of a live area, which makes it the caller's to unmap. False if it is no longer live:
 * another CPU has freed it.
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

/* Sets vmalloc_status(), counts the refusal and records it for a warning. */
void vmalloc_refuse(u32 status, const void *addr, const void *caller);

/*
 * vmalloc_refuse() of a request for `bytes`, at most vmalloc_largest, with its numbers. caller NULL: without
 * a warning.
 */
void vmalloc_refuse_request(u32 status, unsigned long bytes, gfp_t gfp, const void *addr, const void *caller);

/* vmalloc_refuse() with the numbers of the request. */
void vmalloc_refuse_as(u32 status, const void *addr, const void *caller, const struct request *request);

/* vmalloc_refuse() of a product that does not fit in 64 bits. */
void vmalloc_refuse_product(const void *caller);

static inline void vmalloc_done(void)
{
	this_cpu_cache()->vmalloc_status = KVMAP_OK;
}

/* Refuses in an interrupt. */
static inline bool vmalloc_refuse_in_interrupt(const void *addr, const void *caller)
{
	if (likely(!in_interrupt()))
		return false;
	vmalloc_refuse(KVMAP_REFUSED_INTERRUPT, addr, caller);
	return true;
}

/* Bytes of managed memory, the size limit of an area. */
extern u64 vmalloc_largest;

/* Pages of an area of `size` bytes, at most vmalloc_largest. */
static inline u32 area_pages(unsigned long size)
{
	return (u32)(ALIGN_UP(size, PAGE_SIZE) >> PAGE_SHIFT);
}

/* Order and pages of a block that vmalloc_huge() maps by one leaf. */
#define VMAP_HUGE_ORDER 9
#define VMAP_HUGE_PAGES (1u << VMAP_HUGE_ORDER)

/* ---- frames of other owners ---- */

/*
 * FRAMES_SUM() of all these pages; nr is not 0. Computed by what requests a mapping, not by what makes it.
 *
 * With s(i) the sum of the first i + 1 pointers, and S the sum of all s(i), the sum of pointer i times 2i + 1 is
 * (2 nr + 1) s(nr - 1) - 2 S. A pointer is mem_map plus its frame number, in units of struct page, and the 2i + 1 add
 * up to nr * nr.
 */
static inline u64 frames_sum(struct page *const *pages, u32 nr)
{
	struct page *const *end = pages + nr;
	u64 sum = 0, sums = 0, n = nr;

	if (nr % 2)
		sum = sums = (u64)*pages++;
	for (; pages != end; pages += 2) {
		sum += (u64)pages[0];
		sums += sum;
		sum += (u64)pages[1];
		sums += sum;
	}
	return (2 * n + 1) * sum - 2 * sums - n * n * (u64)mem_map;
}

/* ---- vmalloc.c ---- */

/* Stores the reference to the area in the struct page of its first frame, for vmap_range_at(). */
void vmap_area_refer(const struct vmap_area *va);

/* Whether an area can have these flags; enum kvmap_status. */
u32 vmalloc_gfp_status(gfp_t gfp);

/*
 * vmalloc() for all variants. gfp: as for __vmalloc(), already validated; flags: further vm_struct.flags;
 * caller: recorded as the area's caller.
 */
void *vmalloc_area(unsigned long size, gfp_t gfp, unsigned long flags, const void *caller);

/* ---- vmap_block.c: vmap blocks: small mappings of vm_map_ram() ---- */

extern struct kmem_cache vmap_block_cache;

/*
 * vm_map_ram() of 1 to VMAP_BLOCK_PAGES_MAX pages. Falls back to vmap_ram_area() without memory or space for
 * a new vmap block.
 */
void *vmap_block_map(struct page *const *pages, u32 nr, const void *caller);

/* vmap.c: vm_map_ram() as an area. */
void *vmap_ram_area(struct page *const *pages, u32 nr, const void *caller);

/* The vmap block that contains addr, which may belong to any CPU; NULL if there is none. */
struct vmap_block *vmap_block_at(unsigned long addr);

/* vm_unmap_ram() of nr pages at addr, which is in the vmap block. */
void vmap_block_unmap(struct vmap_block *block, unsigned long addr, u32 nr);

/* The mapping, live or not, whose pages or guard page contain addr, and its start; NULL if there is none. */
struct vmap_block_map *vmap_block_find(struct vmap_block *block, unsigned long addr,
				       unsigned long *start_out);

/* Why addr, in the vmap block, is refused by functions that free areas; enum kvmap_status. */
u32 vmap_block_status(struct vmap_block *block, unsigned long addr);

/* Returns a flushed vmap block to this CPU's cached ones, or frees it if there are enough. */
void vmap_block_put(struct vmap_area *va);

/* Frees the cached vmap blocks of a CPU, as vmap_cached_drain(). False if there were none. */
bool vmap_blocks_drain(struct cpu_cache *cpu);

/* Lazily frees the vmap block that the CPU, this one or a held one, maps in, if it has no live mapping. */
void vmap_block_retire_idle(struct cpu_cache *cpu);

/*
 * Unmaps and flushes pages of an executable area, under every policy: until the flush a CPU could run what the
 * next owner of the frames writes. Returns the stamp.
 */
u64 vmap_unmap_executable(unsigned long start, u32 nr, bool huge);

/* Unmaps an area that the caller has claimed. An executable one is flushed. */
void vmap_area_unmap(struct vmap_area *va);

/* vmap_area_unmap(), and lazily frees the area. */
void vmap_area_free(struct vmap_area *va);
/* vmap_area_free() of a deferred area: vmap_lazy_add_deferred(). */
void vmap_area_free_deferred(struct vmap_area *va);

/*
 * Shrinks a live or deferred area to nr pages, fewer than it has: unmaps the rest and makes it a range of its
 * own, which the caller queues. Its first page becomes the area's guard. NULL without memory.
 */
struct vmap_area *vmap_area_cut(struct vmap_area *va, u32 nr);

/* ---- vfree_atomic.c: areas to be freed later ---- */

/* Slow path of vmap_deferred_run(). */
u32 vmap_deferred_free(struct vmap_lazy *lazy, u32 areas, u32 pages);

/*
 * Frees up to `areas` areas of a CPU's deferred list and up to `pages` pages, the last area in part; returns
 * the number of areas. No lock must be held; not in an interrupt.
 */
static inline u32 vmap_deferred_run(struct vmap_lazy *lazy, u32 areas, u32 pages)
{
	return unlikely(READ_ONCE(lazy->deferred)) ? vmap_deferred_free(lazy, areas, pages) : 0;
}

/*
 * Deferred areas and pages that a CPU frees with each operation on areas, so that no operation pays for all.
 * A 2M leaf counts as one page.
 */
#define DEFERRED_AREAS 4
#define DEFERRED_PAGES 64

/* ---- purge.c: lazily freed ranges ---- */

/*
 * Lazily frees `va`, which the caller has claimed and unmapped. Flushes when a threshold is reached, or at
 * once under `eager`, and frees a bounded number of flushed ranges.
 */
void vmap_lazy_add(struct vmap_area *va);

/*
 * vmap_lazy_add() that frees at most as many flushed pages as the range has: another operation pays for it.
 */
void vmap_lazy_add_deferred(struct vmap_area *va);

/* vmap_lazy_add() for a vmap block whose slots were all used and unmapped. */
void vmap_lazy_add_block(struct vmap_area *va);

/* Flushes at least this range, at once and on every CPU. Lazily freed ranges stay queued. */
void vmap_flush(unsigned long start, unsigned long end);

/*
 * Frees the areas of all CPUs' deferred lists, flushes all lazily freed ranges and frees them. False if there were
 * none. *areas_out: ranges flushed.
 */
bool vmap_purge_all(u32 *areas_out);

/*
 * Flushes everything that any CPU has unmapped, and frees no more than a vfree() does. Flushed ranges stay on
 * the lists of each CPU, which finds by flushed_gen that they need no other flush.
 */
void vmap_flush_unmapped(void);

/*
 * Frees up to `pages` pages, or a few more, of this CPU's lazily freed ranges and deferred areas. False if it had none.
 */
bool vmap_reclaim(u32 pages);

/* Frees some ranges of this CPU's flushed_list. */
void vmap_flushed_release(void);

/*
 * The addresses to flush for a lazily freed range, including pages that have become a neighbour's guard page.
 */
static inline struct tlb_range vmap_flush_range(const struct vmap_area *va)
{
	return (struct tlb_range){
		.start = va->va_start - (va->lead ? KVMAP_GUARD_SIZE : 0),
		.end = va->va_end - (va->shrunk > va->allocated ? 0 : KVMAP_GUARD_SIZE),
	};
}

/* Bytes of a range for nr_pages pages and the guard. */
static inline unsigned long vmap_range_size(u32 nr_pages)
{
	return ((unsigned long)nr_pages + KVMAP_GUARD_PAGES) * PAGE_SIZE;
}

/* Pages of a range without the guard. */
static inline u32 vmap_pages(const struct vmap_area *va)
{
	return (u32)((va->va_end - va->va_start) >> PAGE_SHIFT) - KVMAP_GUARD_PAGES;
}

/* End of the pages that are or were mapped, and start of the guard. */
static inline unsigned long vmap_mapped_end(const struct vmap_area *va)
{
	return va->va_end - KVMAP_GUARD_SIZE;
}

#endif
