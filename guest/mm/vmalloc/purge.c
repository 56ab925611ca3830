/* SPDX-License-Identifier: MIT */
/*
 * purge.c: unmapped ranges wait here for the flush that lets them be used again, so that one flush serves
 * many. What was flushed is given back bit by bit, so that no vfree() pays for many others.
 *
 * Frames: `strict` keeps them with their range until the flush. `lazy` has given them back at vfree():
 * another area may have one while a TLB still leads there. `eager` lets nothing wait.
 *
 * Each CPU has its own lists, and flushes for itself; one that is out of memory, or is told to, does it for
 * all. A full flush is one of every CPU for what every CPU had unmapped before: who comes later with that
 * needs no other (flushed_gen, as Linux's tlb_gen).
 */
#include "kvmap/boot.h"
#include "mm/arch.h"
#include "mm/page/buddy.h"
#include "mm/reclaim.h"
#include "mm/slab/slab.h"
#include "mm/vmalloc/vmap.h"

/*
 * A flush comes when so much waits: shared by 64 ranges it is nearly nothing to each. The pages bound the
 * memory that lies idle under `strict`: 2 MiB and one area.
 */
#define LAZY_MAX_AREAS 64
#define LAZY_MAX_PAGES 512

/*
 * With several CPUs more may wait on each, as in Linux, since a flush then interrupts them all: but on all
 * together not more than this part of the memory.
 */
#define LAZY_MEMORY_SHIFT 3

/*
 * What is given back at one time of what was flushed: so many ranges, and so many pages beyond those of the
 * area that is freed just then. About 30 instructions a page and 150 a range; less than that never comes in,
 * so that the list grows shorter with each vfree().
 */
#define RELEASE_AREAS 4
#define RELEASE_PAGES 128

/*
 * Up to so many pages are flushed one by one. On the slowest host measured (KVM without VT-x, 265 ns for each
 * guest instruction) a page costs 0.9 us for the INVLPG and 0.8 us for its loop, a full flush about 1.2 us
 * for each of two writes of CR4 and 1.3 us around them.
 */
#define FLUSH_SINGLE_PAGES 2

struct spinlock vmap_purge_lock;

/* What was unmapped at this tlb_gen or before has been flushed on every CPU. */
static u32 flushed_gen;

/* What one flush serves. */
struct batch {
	struct vmap_area *first, *last;
	u32 areas, pages;
};

static void flush_all(void)
{
	u32 begun = READ_ONCE(tlb_gen), old = READ_ONCE(flushed_gen);

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

/* Takes away what waits on a CPU's list, whose lock is held, in front of what the batch has. */
static void batch_take(struct batch *batch, struct vmap_lazy *lazy)
{
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

/* Does any CPU reach what was unmapped in blocks? Not under `eager`: there it is flushed at once. */
static bool vmap_blocks_unflushed(void)
{
	for (u32 cpu = 0; cpu < NR_CPUS; cpu++)
		if (READ_ONCE(cpu_caches[cpu].vmap_block_unmapped) > READ_ONCE(flushed_gen))
			return vmalloc_policy != KVMAP_POLICY_EAGER;
	return false;
}

/*
 * One round of flushes for all of the batch, and for what was unmapped in blocks before: frames that wait in
 * the batch may have been mapped there, too. When it returns, no CPU reaches any of it any more.
 */
static void batch_flush(const struct batch *batch)
{
	struct vmalloc_stats *stats = &this_cpu_cache()->stats;
	struct tlb_range ranges[FLUSH_SINGLE_PAGES];
	const struct vmap_area *va;
	u32 nr = 0;

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

/* Gives back the area's first nr frames, or a few more: blocks are whole. Returns how many. */
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

/* The first `nr` frames of a flushed range, which has so many. */
static void frames_release(const struct vmap_area *va, u32 nr)
{
	vm_stat_add(NR_LAZY_PAGES, -(s64)area_frames_free(va, nr));
}

/* Gives back so many ranges and pages of a list. */
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

void vmap_flushed_release(void)
{
	struct vmap_lazy *lazy = &this_cpu_cache()->lazy;

	spin_lock(&lazy->lock);
	flushed_release(&lazy->flushed_list, RELEASE_AREAS, RELEASE_PAGES);
	spin_unlock(&lazy->lock);
}

/* What a range on the list counts for. */
static u32 lazy_areas(const struct vmap_area *va)
{
	return va->state == VMAP_BLOCK ? va->vmap_block->nr : 1;
}

static u32 lazy_pages(const struct vmap_area *va)
{
	return va->state == VMAP_BLOCK ? 2 * VMAP_BLOCK_SLOTS : vmap_pages(va) + va->lead;
}

/*
 * What waits on a CPU's list, whose lock is held, and was flushed by another's flush: it waits no more. The
 * oldest is the last; behind an interrupt's, there may be an older one.
 */
static void lazy_settle(struct vmap_lazy *lazy)
{
	u32 gen = __atomic_load_n(&flushed_gen, __ATOMIC_ACQUIRE);
	struct vmalloc_stats *stats = &this_cpu_cache()->stats;
	struct vmap_area *va = lazy->purge_list, *next, **link = &lazy->purge_list;

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

/* Pages that may wait on each CPU's list. */
static u32 lazy_max_pages(void)
{
	u32 pages = LAZY_MAX_PAGES * (32 - (u32)__builtin_clz(arch_nr_cpus));
	u64 share = (vmalloc_largest >> (PAGE_SHIFT + LAZY_MEMORY_SHIFT)) / arch_nr_cpus;

	if (pages > share)
		pages = (u32)share;
	return pages > LAZY_MAX_PAGES ? pages : LAZY_MAX_PAGES;
}

/* It is time for a flush, and none of another CPU has served what waits. */
static bool is_flush_due(struct vmap_lazy *lazy)
{
	u32 max_pages;

	if (vmalloc_policy == KVMAP_POLICY_EAGER) {
		lazy_settle(lazy);
		return lazy->purge_list;
	}
	max_pages = lazy_max_pages();
	if (lazy->areas < LAZY_MAX_AREAS && lazy->pages < max_pages)
		return false;
	lazy_settle(lazy);
	return lazy->areas >= LAZY_MAX_AREAS || lazy->pages >= max_pages;
}

/* Flushes what this CPU has unmapped, unless another CPU has while this one waited for the lock. */
static void purge_own(struct vmap_lazy *lazy)
{
	struct batch batch = { 0 };

	spin_lock(&vmap_purge_lock);
	spin_lock(&lazy->lock);
	if (is_flush_due(lazy))
		batch_take(&batch, lazy);
	spin_unlock(&lazy->lock);
	if (batch.first) {
		batch_flush(&batch);
		spin_lock(&lazy->lock);
		batch.last->next = lazy->flushed_list;
		WRITE_ONCE(lazy->flushed_list, batch.first);
		spin_unlock(&lazy->lock);
	}
	spin_unlock(&vmap_purge_lock);
}

/* What a CPU has flushed and not given back, in front of a list. */
static struct vmap_area *flushed_take(struct vmap_lazy *lazy, struct vmap_area *list)
{
	struct vmap_area *first = lazy->flushed_list, *last = first;

	if (!first)
		return list;
	while (last->next)
		last = last->next;
	last->next = list;
	WRITE_ONCE(lazy->flushed_list, NULL);
	return first;
}

u32 vmap_purge_all(void)
{
	struct vmap_area *flushed = NULL;
	struct batch batch = { 0 };

	vmap_block_retire_idle();
	for (u32 cpu = 0; cpu < NR_CPUS; cpu++)
		vmap_deferred_run(&cpu_caches[cpu].lazy, ~0u);
	spin_lock(&vmap_purge_lock);
	for (u32 cpu = 0; cpu < NR_CPUS; cpu++) {
		struct vmap_lazy *lazy = &cpu_caches[cpu].lazy;

		/* Of its own CPU's making: what that adds from now on needs no flush of ours. */
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
	pcp_drain(); /* what was freed last is used first: behind what follows */
	flushed_release(&batch.first, ~0u, ~0u);
	pcp_drain();
	return batch.areas;
}

u32 vmalloc_purge(void)
{
	u32 areas = vmap_purge_all();

	vmap_cached_drain();
	vmap_blocks_drain();
	return areas;
}

bool reclaim_memory(void)
{
	u32 frames = kmem_reclaim();

	return vmap_purge_all() || frames;
}

bool vmalloc_reclaim(u32 status)
{
	bool found = reclaim_memory();

	if (status != KVMAP_REFUSED_NO_SPACE)
		return found;
	found |= vmap_cached_drain();
	return vmap_blocks_drain() || found;
}

/* Queues a range for so many areas and pages, and flushes or gives back what is due. */
static inline void lazy_queue(struct vmap_area *va, u32 areas, u32 pages)
{
	struct vmap_lazy *lazy = &this_cpu_cache()->lazy;

	spin_lock(&lazy->lock);
	va->next = lazy->purge_list;
	if (!va->next)
		lazy->purge_last = va;
	WRITE_ONCE(lazy->purge_list, va);
	lazy->areas += areas;
	lazy->pages += pages;
	if (unlikely(lazy->areas >= LAZY_MAX_AREAS || lazy->pages >= LAZY_MAX_PAGES ||
		     vmalloc_policy == KVMAP_POLICY_EAGER) &&
	    (vmalloc_policy == KVMAP_POLICY_EAGER || is_flush_due(lazy))) {
		spin_unlock(&lazy->lock);
		purge_own(lazy);
		spin_lock(&lazy->lock);
	}
	if (lazy->flushed_list)
		flushed_release(&lazy->flushed_list, RELEASE_AREAS, pages + RELEASE_PAGES);
	spin_unlock(&lazy->lock);
}

void vmap_lazy_add_block(struct vmap_area *va)
{
	lazy_queue(va, lazy_areas(va), lazy_pages(va));
}

void vmap_lazy_add(struct vmap_area *va)
{
	struct vm_struct *vm = va->vm;
	u32 nr = vm->nr_pages;

	if (!vm->pages)
		vm->nr_pages = 0; /* VM_MAP: the frames are others' */
	else if (vmalloc_policy == KVMAP_POLICY_LAZY)
		area_frames_free(va, nr);
	else
		vm_stat_add(NR_LAZY_PAGES, nr);
	lazy_queue(va, 1, nr);
}
