/* SPDX-License-Identifier: MIT */
/*
 * debug.h: kmalloc() with slab_debug. A free object is poison in every word; its link lies elsewhere
 * (kmem_cache.link). After the requested size of an allocated object is a redzone, up to the end of the
 * object. Only an object of the largest class may have none. Callers hold slab_debug_lock,
 * which protects the contents of objects: it is not held while one is taken from a list or put on one.
 */
#ifndef GUEST_MM_SLAB_DEBUG_H
#define GUEST_MM_SLAB_DEBUG_H

#include "mm/slab/kmalloc.h"
#include "mm/slab/slab.h"

/* Size of the class for an object of `size` bytes with its redzone. */
unsigned long debug_size(unsigned long size);

/* The object is about to be allocated: checks its poison, and makes its redzone. */
void debug_alloc(const struct kmem_cache *cache, void *object, unsigned long size);

/* The object is about to be freed: checks its redzone, and poisons it. False: it is free already. */
bool debug_free(const struct kmem_cache *cache, void *object);

/* The requested size of an allocated object; 0: it is free. */
unsigned long debug_requested(const struct kmem_cache *cache, const void *object);

/* Changes the requested size; the object must be large enough for it. */
void debug_resize(const struct kmem_cache *cache, void *object, unsigned long size);

#endif
