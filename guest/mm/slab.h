/* SPDX-License-Identifier: MIT */
/*
 * slab.h: objects of one size, cut from single frames. Their frames stay with the cache.
 */
#ifndef GUEST_MM_SLAB_H
#define GUEST_MM_SLAB_H

#include "mm/mm_types.h"

/* An object with undefined contents, NULL if its cache is empty and there is no frame to enlarge it. */
void *kmem_cache_alloc(struct kmem_cache *cache);

void kmem_cache_free(struct kmem_cache *cache, void *object);

#endif
