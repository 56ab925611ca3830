/* SPDX-License-Identifier: MIT */
/*
 * purge.c: lazily freed ranges wait for a TLB flush before their addresses are reused, so that one flush
 * serves many. Flushed ranges are freed in small numbers, so that no vfree() pays for many others.
 *
 * Frames: `strict` keeps them with their range until the flush. `lazy` frees them in vfree(), so that another
 * area may get a frame which a TLB still maps. `eager` flushes in every vfree().
 *
 * Each CPU has lists of its own and flushes for itself; a CPU that reclaims or purges does it for all. A full
 * flush covers what any CPU had unmapped before it began: a CPU whose list it covers needs no other flush
 * (flushed_gen, like Linux's tlb_gen).
 */
#include "kvmap/boot.h"
#include "mm/arch.h"
#include "mm/page/buddy.h"
#include "mm/vmalloc/vmap.h"

/*
 * Flushed ranges, and pages beyond those of the area being freed, that one vfree() frees: about 150
 * instructions a range and 30 a page, 100 where each merges with its neighbours. This is more than one vfree() adds, so
 * the list shrinks.
 */
#define RELEASE_AREAS 4
#define RELEASE_PAGES 128

/*
 * Most pages that are flushed one by one. On the slowest host measured (KVM without VT-x, 265 ns per guest
 * instruction) a page costs 0.9 us for the INVLPG and 0.8 us for its loop, a full flush about 1.2 us for each
 * of two writes of CR4 and 1.3 us around them.
 */
#define FLUSH_SINGLE_PAGES 2

struct spinlock vmap_purge_lock;

/* Everything unmapped at this tlb_gen or before has been flushed on every CPU. */
static u64 flushed_gen;

/* Ranges that one flush covers. */
struct batch {
	struct vmap_area *first, *last;
	u32 areas, pages;
};

static void flush_all(void)
{
	u64 begun = READ_ONCE(tlb_gen), old = READ_ONCE(flushed_gen);

	arch_flush_ranges(NULL, 0);
	this_cpu_cache()->stats.flush_full++;
	while (old < begun && !__atomic_compare_exchange_n(&flushed_gen, &old, begun, false, __ATOMIC_RELEASE,
							   __ATOMIC_RELAXED))
		;
}

void vmap_flush(unsigned long start, unsigned long end)
{
	struct vmalloc_stats *stats = &this_cpu_cache()->stats;
	struct tlb_range range = { start, end };
	u64 pages = (end - start) >> PAGE_SHIFT;

	if (pages > FLUSH_SINGLE_PAGES) {
		flush_all();
		return;
	}
	arch_flush_ranges(&range, 1);
	stats->flush_range++;
	stats->flush_pages += pages;
}

/* Prepends a CPU's purge_list to the batch. lazy->lock must be held. */
static void batch_take(struct batch *batch, struct vmap_lazy *lazy)
{
	lockdep_assert_held(&lazy->lock);
	if (!lazy->purge_list)
		return;
	lazy->purge_last->next = batch->first;
	if (!batch->first)
		batch->last = lazy->purge_last;
	batch->first = lazy->purge_list;
	batch->areas += lazy->areas;
	batch->pages += lazy->pages;
	lazy->purge_list = NULL;
	lazy->areas = 0;
	lazy->pages = 0;
}

/*
 * Whether a TLB may still have translations of unmapped mappings in vmap blocks. False under `eager`, which
 * flushes these at once. vmap_purge_lock must be held.
 */
static bool vmap_blocks_unflushed(void)
{
	lockdep_assert_held(&vmap_purge_lock);
	for (u32 cpu = 0; cpu < NR_CPUS; cpu++)
		if (READ_ONCE(cpu_caches[cpu].vmap_block_unmapped) > READ_ONCE(flushed_gen))
			return vmalloc_policy != KVMAP_POLICY_EAGER;
	return false;
}

/*
 * Flushes the ranges of the batch, and everything unmapped in vmap blocks, which may have mapped the same
 * frames. Afterwards no TLB has translations of any of it. vmap_purge_lock must be held.
 */
static void batch_flush(const struct batch *batch)
{
	struct vmalloc_stats *stats = &this_cpu_cache()->stats;
	struct tlb_range ranges[FLUSH_SINGLE_PAGES];
	const struct vmap_area *va;
	u32 nr = 0;

	lockdep_assert_held(&vmap_purge_lock);
	stats->purges++;
	stats->areas_purged += batch->areas;
	stats->pages_purged += batch->pages;
	if (batch->pages > FLUSH_SINGLE_PAGES || vmap_blocks_unflushed()) {
		flush_all();
		return;
	}
	for (va = batch->first; va; va = va->next)
		ranges[nr++] = vmap_flush_range(va);
	arch_flush_ranges(ranges, nr);
	stats->flush_range += nr;
	stats->flush_pages += batch->pages;
}

/* Frees the area's first nr frames, or more if nr ends inside a buddy block. Returns how many. */
static u32 area_frames_free(const struct vmap_area *va, u32 nr)
{
	struct vm_struct *vm = va->vm;

	if (unlikely(vm->flags & VM_HUGE))
		vm->pages = frames_free_blocks(vm->pages, &nr, va->unmapped);
	else
		vm->pages = frames_free_chain(vm->pages, nr, va->unmapped);
	vm->nr_pages -= nr;
	return nr;
}

/* Frees the first nr frames of a flushed range that has at least nr. */
static void frames_release(const struct vmap_area *va, u32 nr)
{
	vm_stat_add(NR_LAZY_PAGES, -(s64)area_frames_free(va, nr));
}

/* Frees ranges of a list, at most `areas` ranges and `pages` pages. */
static void flushed_release(struct vmap_area **list, u32 areas, u32 pages)
{
	struct vmap_area *va;

	while ((va = *list) && areas) {
		u32 nr;

		if (va->state == VMAP_BLOCK) {
			areas--;
			WRITE_ONCE(*list, va->next);
			vmap_block_put(va);
			continue;
		}
		nr = va->vm->nr_pages;
		if (nr > pages) {
			if (pages)
				frames_release(va, pages);
			return;
		}
		if (nr)
			frames_release(va, nr);
		pages -= nr;
		areas--;
		WRITE_ONCE(*list, va->next);
		vmap_cached_put(va);
	}
}

/* Frees ranges of a CPU's flushed_list, as flushed_release(). lazy->lock must be held. */
static void flushed_list_release(struct vmap_lazy *lazy, u32 areas, u32 pages)
{
	lockdep_assert_held(&lazy->lock);
	flushed_release(&lazy->flushed_list, areas, pages);
}

void vmap_flushed_release(void)
{
	struct vmap_lazy *lazy = &this_cpu_cache()->lazy;

	spin_lock(&lazy->lock);
	flushed_list_release(lazy, RELEASE_AREAS, RELEASE_PAGES);
	spin_unlock(&lazy->lock);
}

/* Mappings that a range counts for. */
static u32 lazy_areas(const struct vmap_area *va)
{
	return va->state == VMAP_BLOCK ? va->vmap_block->nr : 1;
}

static u32 lazy_pages(const struct vmap_area *va)
{
	return va->state == VMAP_BLOCK ? 2 * VMAP_BLOCK_SLOTS : vmap_pages(va) + va->lead;
}

/*
 * Moves ranges of a purge_list that another CPU's full flush has covered to the flushed_list. lazy->lock must
 * be held. The last range is the oldest, except where an interrupt has queued one.
 */
static void lazy_skip_flushed(struct vmap_lazy *lazy)
{
	u64 gen = __atomic_load_n(&flushed_gen, __ATOMIC_ACQUIRE);
	struct vmalloc_stats *stats = &this_cpu_cache()->stats;
	struct vmap_area *va = lazy->purge_list, *next, **link = &lazy->purge_list;

	lockdep_assert_held(&lazy->lock);
	if (!va || lazy->purge_last->unmapped > gen)
		return;
	for (; va; va = next) {
		next = va->next;
		if (va->unmapped > gen) {
			lazy->purge_last = va;
			WRITE_ONCE(*link, va);
			link = &va->next;
			continue;
		}
		lazy->areas -= lazy_areas(va);
		lazy->pages -= lazy_pages(va);
		stats->areas_purged += lazy_areas(va);
		stats->pages_purged += lazy_pages(va);
		va->next = lazy->flushed_list;
		WRITE_ONCE(lazy->flushed_list, va);
	}
	WRITE_ONCE(*link, NULL);
}

/*
 * Whether the thresholds are reached, not counting ranges that another CPU's flush has covered. lazy->lock must
 * be held.
 */
static bool is_flush_due(struct vmap_lazy *lazy)
{
	u64 max_pages;

	lockdep_assert_held(&lazy->lock);
	if (vmalloc_policy == KVMAP_POLICY_EAGER) {
		lazy_skip_flushed(lazy);
		return lazy->purge_list;
	}
	max_pages = lazy_max_pages(vmalloc_largest >> PAGE_SHIFT, arch_nr_cpus);
	if (lazy->areas < LAZY_MAX_AREAS && lazy->pages < max_pages)
		return false;
	lazy_skip_flushed(lazy);
	return lazy->areas >= LAZY_MAX_AREAS || lazy->pages >= max_pages;
}

/* Prepends a flushed batch to a CPU's flushed_list. lazy->lock must be held. */
static void flushed_add(struct vmap_lazy *lazy, const struct batch *batch)
{
	lockdep_assert_held(&lazy->lock);
	batch->last->next = lazy->flushed_list;
	WRITE_ONCE(lazy->flushed_list, batch->first);
}

/*
 * Flushes this CPU's purge_list, unless another CPU's flush has covered it while this one waited for the
 * lock. at_once: whether or not a threshold is reached.
 */
static void purge_own(struct vmap_lazy *lazy, bool at_once)
{
	struct batch batch = { 0 };

	spin_lock(&vmap_purge_lock);
	spin_lock(&lazy->lock);
	if (at_once)
		lazy_skip_flushed(lazy);
	if (at_once || is_flush_due(lazy))
		batch_take(&batch, lazy);
	spin_unlock(&lazy->lock);
	if (batch.first) {
		batch_flush(&batch);
		spin_lock(&lazy->lock);
		flushed_add(lazy, &batch);
		spin_unlock(&lazy->lock);
	}
	spin_unlock(&vmap_purge_lock);
}

/* Prepends a CPU's flushed_list to `list`; returns the new first range. lazy->lock must be held. */
static struct vmap_area *flushed_take(struct vmap_lazy *lazy, struct vmap_area *list)
{
	struct vmap_area *first = lazy->flushed_list, *last = first;

	lockdep_assert_held(&lazy->lock);
	if (!first)
		return list;
	while (last->next)
		last = last->next;
	last->next = list;
	WRITE_ONCE(lazy->flushed_list, NULL);
	return first;
}

bool vmap_purge_all(u32 *areas_out)
{
	struct vmap_area *flushed = NULL;
	struct batch batch = { 0 };
	bool found;

	vmap_block_retire_idle(this_cpu_cache());
	for (u32 cpu = 0; cpu < NR_CPUS; cpu++)
		vmap_deferred_run(&cpu_caches[cpu].lazy, ~0u, ~0u);
	spin_lock(&vmap_purge_lock);
	for (u32 cpu = 0; cpu < NR_CPUS; cpu++) {
		struct vmap_lazy *lazy = &cpu_caches[cpu].lazy;

		/*
		 * Read without the lock: only that CPU adds ranges, and later ones need not be purged here.
		 */
		if (!READ_ONCE(lazy->purge_list) && !READ_ONCE(lazy->flushed_list))
			continue;
		spin_lock(&lazy->lock);
		batch_take(&batch, lazy);
		flushed = flushed_take(lazy, flushed);
		spin_unlock(&lazy->lock);
	}
	if (batch.first || vmap_blocks_unflushed())
		batch_flush(&batch);
	spin_unlock(&vmap_purge_lock);
	if (batch.first)
		batch.last->next = flushed;
	else
		batch.first = flushed;
	found = batch.first;
	/* Frames freed last are allocated first; drained, so that the frames freed here come after them. */
	pcp_drain();
	flushed_release(&batch.first, ~0u, ~0u);
	pcp_drain();
	*areas_out = batch.areas;
	return found;
}

void vmap_flush_unmapped(void)
{
	struct vmap_lazy *lazy = &this_cpu_cache()->lazy;
	bool waiting;

	vmap_block_retire_idle(this_cpu_cache());
	vmap_deferred_run(lazy, DEFERRED_AREAS, DEFERRED_PAGES);
	spin_lock(&vmap_purge_lock);
	waiting = vmap_blocks_unflushed();
	for (u32 cpu = 0; !waiting && cpu < NR_CPUS; cpu++)
		waiting = READ_ONCE(cpu_caches[cpu].lazy.purge_list);
	if (waiting)
		flush_all();
	spin_unlock(&vmap_purge_lock);
	spin_lock(&lazy->lock);
	lazy_skip_flushed(lazy);
	flushed_list_release(lazy, RELEASE_AREAS, RELEASE_PAGES);
	spin_unlock(&lazy->lock);
}

/* Frames that this CPU has freed and not allocated again. Only differences mean something. */
static u64 own_frames_freed(void)
{
	return this_cpu_cache()->vm_stat[NR_FREE_PAGES] + pcp_count();
}

static void flushed_reclaim(struct vmap_lazy *lazy, u32 pages)
{
	spin_lock(&lazy->lock);
	flushed_list_release(lazy, pages, pages);
	spin_unlock(&lazy->lock);
}

bool vmap_reclaim(u32 pages)
{
	struct vmap_lazy *lazy = &this_cpu_cache()->lazy;
	bool found =
		READ_ONCE(lazy->deferred) || READ_ONCE(lazy->purge_list) || READ_ONCE(lazy->flushed_list);
	u64 start = own_frames_freed(), freed;

	flushed_reclaim(lazy, pages);
	freed = own_frames_freed() - start;
	if (freed < pages)
		vmap_deferred_run(lazy, pages, pages - (u32)freed);
	freed = own_frames_freed() - start;
	if (freed < pages) {
		purge_own(lazy, true);
		flushed_reclaim(lazy, pages - (u32)freed);
	}
	return found;
}

/* Prepends a range to a CPU's purge_list. lazy->lock must be held. */
static inline void purge_list_add(struct vmap_lazy *lazy, struct vmap_area *va, u32 areas, u32 pages)
{
	lockdep_assert_held(&lazy->lock);
	va->next = lazy->purge_list;
	if (!va->next)
		lazy->purge_last = va;
	WRITE_ONCE(lazy->purge_list, va);
	lazy->areas += areas;
	lazy->pages += pages;
}

/*
 * Queues a range that counts for `areas` ranges and `pages` pages; flushes and frees what is due, at most
 * `released` ranges, and `beyond` pages more than its own.
 */
static inline void lazy_queue(struct vmap_area *va, u32 areas, u32 pages, u32 released, u32 beyond)
{
	struct vmap_lazy *lazy = &this_cpu_cache()->lazy;

	spin_lock(&lazy->lock);
	purge_list_add(lazy, va, areas, pages);
	if (unlikely(lazy->areas >= LAZY_MAX_AREAS || lazy->pages >= LAZY_MAX_PAGES ||
		     vmalloc_policy == KVMAP_POLICY_EAGER) &&
	    (vmalloc_policy == KVMAP_POLICY_EAGER || is_flush_due(lazy))) {
		spin_unlock(&lazy->lock);
		purge_own(lazy, false);
		spin_lock(&lazy->lock);
	}
	if (lazy->flushed_list)
		flushed_list_release(lazy, released, pages + beyond);
	spin_unlock(&lazy->lock);
}

void vmap_lazy_add_block(struct vmap_area *va)
{
	lazy_queue(va, lazy_areas(va), lazy_pages(va), RELEASE_AREAS, RELEASE_PAGES);
}

/* Frees the area's frames or, if they wait for the flush with it, counts them. Returns how many. */
static inline u32 frames_queue(struct vmap_area *va)
{
	struct vm_struct *vm = va->vm;
	u32 nr = vm->nr_pages;

	if (!vm->pages)
		vm->nr_pages = 0; /* VM_MAP: the frames have other owners */
	else if (vmalloc_policy == KVMAP_POLICY_LAZY)
		area_frames_free(va, nr);
	else
		vm_stat_add(NR_LAZY_PAGES, nr);
	return nr;
}

void vmap_lazy_add(struct vmap_area *va)
{
	lazy_queue(va, 1, frames_queue(va), RELEASE_AREAS, RELEASE_PAGES);
}

void vmap_lazy_add_deferred(struct vmap_area *va)
{
	lazy_queue(va, 1, frames_queue(va), RELEASE_AREAS / 2, 0);
}
