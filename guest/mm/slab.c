/* SPDX-License-Identifier: MIT */
/*
 * slab.c: the first word of a free object points to the next free one, of whichever page.
 */
#include "mm/slab.h"

#include "mm/arch.h"
#include "mm/frames.h"

static bool cache_grow(struct kmem_cache *cache)
{
	u32 pfn = frames_alloc(0, PAGE_SLAB), i;
	char *object;

	if (!pfn)
		return false;
	pfn_to_page(pfn)->next = cache->pages;
	cache->pages = pfn;
	cache->nr_pages++;
	vm_stat[NR_SLAB_PAGES]++;

	/* from the last to the first, so that objects are handed out in the order of their addresses */
	object = (char *)__va((u64)pfn << PAGE_SHIFT) + PAGE_SIZE / cache->object_size * cache->object_size;
	for (i = PAGE_SIZE / cache->object_size; i > 0; i--) {
		object -= cache->object_size;
		*(void **)object = cache->free;
		cache->free = object;
	}
	return true;
}

void *kmem_cache_alloc(struct kmem_cache *cache)
{
	void **object;

	if (unlikely(!cache->free) && !cache_grow(cache))
		return NULL;
	object = cache->free;
	cache->free = *object;
	cache->nr_in_use++;
	return object;
}

void kmem_cache_free(struct kmem_cache *cache, void *object)
{
	*(void **)object = cache->free;
	cache->free = object;
	cache->nr_in_use--;
}
