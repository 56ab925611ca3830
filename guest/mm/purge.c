/* SPDX-License-Identifier: MIT */
/*
 * purge.c: unmapped ranges wait here for the flush that lets them be used again, so that one flush serves
 * many. What was flushed is given back bit by bit, so that no vfree() pays for many others.
 *
 * Frames: `strict` keeps them with their range until the flush. `lazy` has given them back at vfree():
 * another area may have one while a TLB still leads there. `eager` lets nothing wait.
 */
#include "kvmap/boot.h"
#include "mm/arch.h"
#include "mm/frames.h"
#include "mm/vmap.h"

/*
 * A flush comes when so much waits: shared by 64 ranges it is nearly nothing to each. The pages bound the
 * memory that lies idle under `strict`: 2 MiB and one area.
 */
#define LAZY_MAX_AREAS 64
#define LAZY_MAX_PAGES 512

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

struct vmap_area *purge_vmap_area_list, *flushed_vmap_area_list;

static struct vmap_area *lazy_last; /* of purge_vmap_area_list */
static u32 lazy_areas, lazy_pages;  /* on it */

void vmap_flush(unsigned long start, unsigned long end)
{
	struct tlb_range range = { start, end };
	u64 pages = (end - start) >> PAGE_SHIFT;

	if (pages > FLUSH_SINGLE_PAGES) {
		arch_flush_ranges(NULL, 0);
		vmalloc_stats.flush_full++;
		return;
	}
	arch_flush_ranges(&range, 1);
	vmalloc_stats.flush_range++;
	vmalloc_stats.flush_pages += pages;
}

/* One round of flushes for all that waits. */
static void lazy_flush(void)
{
	struct tlb_range ranges[FLUSH_SINGLE_PAGES];
	const struct vmap_area *va;
	u32 nr = 0;

	if (lazy_pages > FLUSH_SINGLE_PAGES) {
		arch_flush_ranges(NULL, 0);
		vmalloc_stats.flush_full++;
		return;
	}
	for (va = purge_vmap_area_list; va; va = va->next)
		ranges[nr++] = vmap_flush_range(va);
	arch_flush_ranges(ranges, nr);
	vmalloc_stats.flush_range += nr;
	vmalloc_stats.flush_pages += lazy_pages;
}

/* No CPU reaches what waited any more. */
static void purge(void)
{
	lazy_flush();
	vmalloc_stats.purges++;
	vmalloc_stats.areas_purged += lazy_areas;
	vmalloc_stats.pages_purged += lazy_pages;
	lazy_last->next = flushed_vmap_area_list;
	flushed_vmap_area_list = purge_vmap_area_list;
	purge_vmap_area_list = NULL;
	lazy_areas = 0;
	lazy_pages = 0;
}

/* The first `nr` frames of a flushed range, which has so many. */
static void frames_release(const struct vmap_area *va, u32 nr)
{
	struct vm_struct *vm = va->vm;

	vm->pages = frames_free_chain(vm->pages, nr, va->unmapped);
	vm->nr_pages -= nr;
	vm_stat[NR_QUARANTINE_PAGES] -= nr;
}

static void flushed_release(u32 areas, u32 pages)
{
	struct vmap_area *va;

	while ((va = flushed_vmap_area_list) && areas) {
		u32 nr = va->vm->nr_pages;

		if (nr > pages) {
			frames_release(va, pages);
			return;
		}
		if (nr)
			frames_release(va, nr);
		pages -= nr;
		areas--;
		flushed_vmap_area_list = va->next;
		vmap_kept_put(va);
	}
}

void vmap_flushed_release(void)
{
	flushed_release(RELEASE_AREAS, RELEASE_PAGES);
}

u32 vmalloc_purge(void)
{
	u32 purged = lazy_areas;

	if (purged)
		purge();
	flushed_release(~0u, ~0u);
	vmap_kept_drain();
	return purged;
}

void vmap_lazy_add(struct vmap_area *va)
{
	struct vm_struct *vm = va->vm;
	u32 nr = vm->nr_pages;

	if (!vm->pages) {
		vm->nr_pages = 0; /* VM_MAP: the frames are others' */
	} else if (vmalloc_policy == KVMAP_POLICY_LAZY) {
		frames_free_chain(vm->pages, nr, va->unmapped);
		vm->pages = 0;
		vm->nr_pages = 0;
	} else {
		vm_stat[NR_QUARANTINE_PAGES] += nr;
	}
	va->state = VMAP_LAZY;
	va->next = purge_vmap_area_list;
	if (!lazy_areas)
		lazy_last = va;
	purge_vmap_area_list = va;
	lazy_areas++;
	lazy_pages += nr;

	if (lazy_areas >= LAZY_MAX_AREAS || lazy_pages >= LAZY_MAX_PAGES ||
	    vmalloc_policy == KVMAP_POLICY_EAGER)
		purge();
	if (flushed_vmap_area_list)
		flushed_release(RELEASE_AREAS, nr + RELEASE_PAGES);
}
