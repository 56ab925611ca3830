/* SPDX-License-Identifier: MIT */
/*
 * vmap_cached.c: flushed ranges of common sizes, cached with their vm_struct in the busy tree. Making an area
 * from one needs no search, no allocation and no rebalancing.
 */
#include "mm/slab/slab.h"
#include "mm/vmalloc/vmap.h"

struct vmap_area *vmap_cached_take(u32 nr_pages)
{
	struct cpu_cache *cpu = this_cpu_cache();
	struct vmap_cached *cached;
	struct vmap_area *va;

	if (nr_pages > VMAP_CACHED_PAGES)
		return NULL;
	cached = &cpu->cached[nr_pages];
	va = cached->first;
	if (unlikely(!va)) {
		if (!READ_ONCE(cpu->lazy.flushed_list))
			return NULL;
		vmap_flushed_release();
		va = cached->first;
		if (!va)
			return NULL;
	}
	cached->first = va->next;
	cached->nr--;
	return va;
}

static void range_free(struct vmap_area *va)
{
	vmap_busy_remove(va);
	kmem_cache_free(&vm_struct_cache, va->vm);
	vmap_free_put(va);
}

void vmap_cached_put(struct vmap_area *va)
{
	u32 nr_pages = vmap_pages(va);
	struct vmap_cached *cached = this_cpu_cache()->cached;

	if (nr_pages > VMAP_CACHED_PAGES || va->lead || cached[nr_pages].nr >= VMAP_CACHED_MAX) {
		range_free(va);
		return;
	}
	cached += nr_pages;
	WRITE_ONCE(va->state, VMAP_CACHED);
	va->next = cached->first;
	cached->first = va;
	cached->nr++;
}

bool vmap_cached_drain(struct cpu_cache *cpu)
{
	bool found = false;

	for (u32 i = 0; i <= VMAP_CACHED_PAGES; i++) {
		struct vmap_cached *cached = &cpu->cached[i];

		found |= cached->nr;
		while (cached->first) {
			struct vmap_area *va = cached->first;

			cached->first = va->next;
			range_free(va);
		}
		cached->nr = 0;
	}
	return found;
}
