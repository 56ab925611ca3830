/* SPDX-License-Identifier: MIT */
/*
 * slab.h: objects of one size. A cache is a variable with a name and an object_size (at least 8, a multiple
 * of 8); it needs no other initialisation.
 *
 * Free objects are on lists, linked through their first words (kmem_cache.link): one list per CPU, which needs
 * no lock, and the freelist of each slab. A slab is empty when all its objects are in its freelist. A cache with
 * frees_empty_slabs keeps a few empty slabs and frees the others. A cache without keeps all slabs, so that an
 * object's memory never changes its type: code that reads an object without a lock may see a free or
 * reallocated one, but always one of this cache.
 */
#ifndef GUEST_MM_SLAB_SLAB_H
#define GUEST_MM_SLAB_SLAB_H

#include "mm/fail_alloc.h"
#include "mm/gfp.h"
#include "mm/percpu.h"

/*
 * Whether kmalloc's free objects are poisoned, and allocated ones have a redzone (debug.h). Set before the
 * first allocation or never.
 */
extern bool slab_debug;

/* Slow paths: this CPU's list is empty, or longer than the cache's limit. */
void *kmem_cache_refill(struct kmem_cache *cache);
void kmem_cache_drain(struct kmem_cache *cache, struct kmem_list *list);

/*
 * An object of a slab of the NUMA node that gfp names, with __GFP_THISNODE of no other; NULL without memory.
 * Uses the slabs, not the CPU's list, whose objects lie on any node.
 */
void *kmem_cache_alloc_node(struct kmem_cache *cache, gfp_t gfp);

/*
 * Moves the free objects of a CPU, this one or one that arch_hold_cpu() holds, to their slabs, and frees all
 * empty slabs. False if there was nothing of either.
 */
bool kmem_drain_cpu(struct cpu_cache *cpu);

/* The word of a free object that links it to the next one. */
static inline void **kmem_link(void *object, u32 link)
{
	return (void **)((char *)object + link);
}

/* Removes the first object of a list; NULL if it is empty. link: of its cache. */
static inline void *kmem_list_take(struct kmem_list *list, u32 link)
{
	void *object = list->free;

	if (unlikely(!object))
		return NULL;
	list->free = *kmem_link(object, link);
	list->nr--;
	return object;
}

static inline void kmem_list_add(struct kmem_list *list, void *object, u32 link)
{
	*kmem_link(object, link) = list->free;
	list->free = object;
	list->nr++;
}

/* Allocates an object with undefined contents; NULL without memory. Not for kmalloc's classes. */
static inline void *kmem_cache_alloc(struct kmem_cache *cache)
{
	void *object;

	if (should_fail_alloc())
		return NULL;
	/* An uninitialised cache has list 0, which is always empty. */
	object = kmem_list_take(&this_cpu_cache()->objects[READ_ONCE(cache->index)], 0);
	return likely(object) ? object : kmem_cache_refill(cache);
}

static inline void kmem_cache_free(struct kmem_cache *cache, void *object)
{
	struct kmem_list *list = &this_cpu_cache()->objects[cache->index];

	kmem_list_add(list, object, cache->link);
	if (unlikely(list->nr > cache->limit))
		kmem_cache_drain(cache, list);
}

#endif
