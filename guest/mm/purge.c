/* SPDX-License-Identifier: MIT */
/*
 * purge.c: unmapped ranges wait here for the flush that lets them be used again, so that one flush serves
 * many.
 *
 *            vfree()          purge: flush, then
 *   busy  ------------> lazy ------------------> free
 *
 * Frames: `strict` keeps them with their range until the flush. `lazy` has given them back at vfree():
 * another area may have one while a TLB still leads there. `eager` lets nothing wait.
 */
#include "kvmap/boot.h"
#include "mm/arch.h"
#include "mm/frames.h"
#include "mm/slab.h"
#include "mm/vmap.h"

/*
 * A purge comes when so much waits. The ranges bound what the one vfree() that purges pays for the others,
 * about 200 instructions each for the tree and the frame lists, while a flush shared by 64 is nearly nothing
 * to each. The pages bound the memory that lies idle under `strict`: 2 MiB and one area.
 */
#define LAZY_MAX_AREAS 64
#define LAZY_MAX_PAGES 512

/*
 * Up to so many pages are flushed one by one. On the slowest host measured (KVM without VT-x, 265 ns for each
 * guest instruction) a page costs 0.9 us for the INVLPG and 0.8 us for its loop, a full flush about 1.2 us
 * for each of two writes of CR4 and 1.3 us around them.
 */
#define FLUSH_SINGLE_PAGES 2

struct vmap_area *purge_vmap_area_list;

static u32 lazy_areas, lazy_pages; /* on the list */

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
		ranges[nr++] = (struct tlb_range){ va->va_start, vmap_mapped_end(va) };
	arch_flush_ranges(ranges, nr);
	vmalloc_stats.flush_range += nr;
	vmalloc_stats.flush_pages += lazy_pages;
}

/* No CPU reaches the range any more. */
static void lazy_release(struct vmap_area *va)
{
	struct vm_struct *vm = va->vm;

	if (vm->pages) {
		frames_free_chain(vm->pages, vm->nr_pages, va->unmapped);
		vm_stat[NR_QUARANTINE_PAGES] -= vm->nr_pages;
	}
	kmem_cache_free(&vm_struct_cache, vm);
	vmap_free_put(va);
}

u32 vmalloc_purge(void)
{
	struct vmap_area *va = purge_vmap_area_list;
	u32 purged = lazy_areas;

	if (!va)
		return 0;
	lazy_flush();
	vmalloc_stats.purges++;
	vmalloc_stats.areas_purged += lazy_areas;
	vmalloc_stats.pages_purged += lazy_pages;
	purge_vmap_area_list = NULL;
	lazy_areas = 0;
	lazy_pages = 0;
	while (va) {
		struct vmap_area *next = va->next;

		lazy_release(va);
		va = next;
	}
	return purged;
}

void vmap_lazy_add(struct vmap_area *va)
{
	struct vm_struct *vm = va->vm;

	lazy_areas++;
	lazy_pages += vm->nr_pages;
	if (vmalloc_policy == KVMAP_POLICY_LAZY) {
		frames_free_chain(vm->pages, vm->nr_pages, va->unmapped);
		vm->pages = 0;
		vm->nr_pages = 0;
	} else {
		vm_stat[NR_QUARANTINE_PAGES] += vm->nr_pages;
	}
	va->next = purge_vmap_area_list;
	purge_vmap_area_list = va;

	if (lazy_areas >= LAZY_MAX_AREAS || lazy_pages >= LAZY_MAX_PAGES ||
	    vmalloc_policy == KVMAP_POLICY_EAGER)
		vmalloc_purge();
}

struct vmap_area *vmap_lazy_find(unsigned long addr)
{
	struct vmap_area *va = purge_vmap_area_list;

	while (va && (addr < va->va_start || addr >= va->va_end))
		va = va->next;
	return va;
}
