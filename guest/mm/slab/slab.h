/* SPDX-License-Identifier: MIT */
/*
 * slab.h: objects of one size. A cache is a variable with a name and an object_size (8 bytes at least, a
 * multiple of 8); nothing else is needed to make one.
 *
 * Free objects are in lists, linked through their first words: one of each CPU, from which it takes and to
 * which it gives without asking anybody, and one of each slab, for what a CPU has too many of. A slab whose
 * objects have all come back to it is empty. A cache with gives_back keeps a few of those and gives the
 * others back; one without keeps all its slabs for good, so that an object of it never becomes anything else:
 * who looks at one without a lock may find that it is free, or somebody else's, but always one of its kind.
 */
#ifndef GUEST_MM_SLAB_SLAB_H
#define GUEST_MM_SLAB_SLAB_H

#include "mm/fail_alloc.h"
#include "mm/percpu.h"

/*
 * Whether objects are poisoned when they are free, and kfree() looks for what is freed twice in every list.
 * Set before the first allocation or never.
 */
extern bool slab_debug;
#define POISON_FREE 0x6b

/* The slow ways: the CPU's list is empty, or has grown to the cache's limit. */
void *kmem_cache_refill(struct kmem_cache *cache);
void kmem_cache_drain(struct kmem_cache *cache, struct kmem_list *list);

/* Gives back every empty slab, and what this CPU keeps makes more of them. Frames that were given back. */
u32 kmem_reclaim(void);

/*
 * Is it in one of the cache's lists? It looks at those of all CPUs, so that none may use the cache meanwhile:
 * with slab_debug, slab_debug_lock keeps kmalloc and kfree away.
 */
bool kmem_cache_has_free(struct kmem_cache *cache, const void *object);

/* The first object of a list; NULL if it is empty. */
static inline void *kmem_list_take(struct kmem_list *list)
{
	void **object = list->free;

	if (unlikely(!object))
		return NULL;
	list->free = *object;
	list->nr--;
	return object;
}

static inline void kmem_list_add(struct kmem_list *list, void *object)
{
	*(void **)object = list->free;
	list->free = object;
	list->nr++;
}

/* An object with undefined contents, NULL if its cache is empty and there is no frame to enlarge it. */
static inline void *kmem_cache_alloc(struct kmem_cache *cache)
{
	void *object;

	if (should_fail_alloc())
		return NULL;
	/* A cache without a number has list 0, which is always empty. */
	object = kmem_list_take(&this_cpu_cache()->objects[READ_ONCE(cache->index)]);
	return likely(object) ? object : kmem_cache_refill(cache);
}

static inline void kmem_cache_free(struct kmem_cache *cache, void *object)
{
	struct kmem_list *list = &this_cpu_cache()->objects[cache->index];

	kmem_list_add(list, object);
	if (unlikely(list->nr > cache->limit))
		kmem_cache_drain(cache, list);
}

#endif
