/* SPDX-License-Identifier: MIT */
/*
 * vmap_cached.c: flushed ranges of common sizes, kept with their vm_struct where they are in the busy tree. An
 * area made of one needs no search, no object and no rebalancing.
 */
#include "mm/slab/slab.h"
#include "mm/vmalloc/vmap.h"

/* Of one size. Four times what waits for one flush: what an alternation of bursts of vmalloc() and vfree()
 * needs. */
#define KEPT_MAX 256

struct vmap_area *vmap_kept_take(u32 nr_pages)
{
	struct cpu_cache *cpu = this_cpu_cache();
	struct vmap_kept *kept;
	struct vmap_area *va;

	if (nr_pages > VMAP_KEPT_PAGES)
		return NULL;
	kept = &cpu->kept[nr_pages];
	va = kept->first;
	if (unlikely(!va)) {
		if (!READ_ONCE(cpu->lazy.flushed_list))
			return NULL;
		vmap_flushed_release();
		va = kept->first;
		if (!va)
			return NULL;
	}
	kept->first = va->next;
	kept->nr--;
	return va;
}

static void range_free(struct vmap_area *va)
{
	vmap_busy_remove(va);
	kmem_cache_free(&vm_struct_cache, va->vm);
	vmap_free_put(va);
}

void vmap_kept_put(struct vmap_area *va)
{
	u32 nr_pages = vmap_pages(va);
	struct vmap_kept *kept = this_cpu_cache()->kept;

	if (nr_pages > VMAP_KEPT_PAGES || va->lead || kept[nr_pages].nr >= KEPT_MAX) {
		range_free(va);
		return;
	}
	kept += nr_pages;
	WRITE_ONCE(va->state, VMAP_KEPT);
	va->next = kept->first;
	kept->first = va;
	kept->nr++;
}

bool vmap_kept_drain(void)
{
	bool found = false;

	for (u32 i = 0; i <= VMAP_KEPT_PAGES; i++) {
		struct vmap_kept *kept = &this_cpu_cache()->kept[i];

		found |= kept->nr;
		while (kept->first) {
			struct vmap_area *va = kept->first;

			kept->first = va->next;
			range_free(va);
		}
		kept->nr = 0;
	}
	return found;
}
