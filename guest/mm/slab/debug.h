/* SPDX-License-Identifier: MIT */
/*
 * debug.h: kmalloc() with slab_debug. A free object is poison in every word. After the requested size of an
 * allocated object is a redzone, up to the end of the object; so is the slack of a block. Links and records of
 * requested sizes lie in the second half of the slab (kmem_cache.link); all other bytes there are redzone. The
 * bytes between the last object and the first link are that object's, those after a record are of the record's
 * object. Free objects are only on the lists of their slabs, on no CPU's, so that a link must lead to
 * a free object of the same slab. Damage that was found is repaired, and reported once.
 *
 * Callers hold slab_debug_lock, except for slabs and links, which the cache's lock protects. It protects the
 * contents of objects: it is not held while one is taken from a list or put on one.
 */
#ifndef GUEST_MM_SLAB_DEBUG_H
#define GUEST_MM_SLAB_DEBUG_H

#include "mm/slab/kmalloc.h"
#include "mm/slab/slab.h"

/* Size of the class for an object of `size` bytes with its redzone. */
unsigned long debug_size(unsigned long size);

/* kmem_cache.link of a cache whose slabs have `half` bytes of objects. */
u32 debug_link_offset(const struct kmem_cache *cache, u32 half);

/* Fills a new slab: all its objects are free. */
void debug_slab_new(const struct kmem_cache *cache, void *slab);

/*
 * The slab, which is on no list any more, is about to be given back to the buddy allocator: checks all its objects,
 * which are free, and the freelist from its first object on.
 */
void debug_slab_free(const struct kmem_cache *cache, void *slab, void *first);

/*
 * The object is the first of its slab's freelist of nr objects. False: its link was overwritten; it is then
 * NULL, and the damage noted.
 */
bool debug_link_check(const struct kmem_cache *cache, void *object, u32 nr);

/* Whether the object's link leads to an object of the same slab that is free, or is NULL. */
bool debug_link_valid(const struct kmem_cache *cache, void *object);

/* The object is about to be allocated: checks its poison, and makes its redzone. */
void debug_alloc(const struct kmem_cache *cache, void *object, unsigned long size);

/* Whether the object's record is not one of an allocated object. */
bool debug_record_doubtful(const struct kmem_cache *cache, const void *object);

/*
 * The object is about to be freed: checks its redzone, and poisons it. False: it is free already. listed: it is in
 * its slab's freelist; needed if the record is doubtful.
 */
bool debug_free(const struct kmem_cache *cache, void *object, bool listed);

/* The requested size of an allocated object; of the object, if the record was overwritten. 0: it is free. */
unsigned long debug_requested(const struct kmem_cache *cache, const void *object);

/* Changes the requested size; the object must be large enough for it. */
void debug_resize(const struct kmem_cache *cache, void *object, unsigned long size);

/*
 * A block of `size` bytes, of which `requested` were requested (0: it is not kmalloc()'s): makes its redzone; checks it
 * and poisons the block; checks it and makes that of another requested size, at most `size`.
 */
void debug_block_alloc(void *block, unsigned long requested, unsigned long size);
void debug_block_free(void *block, unsigned long requested, unsigned long size);
void debug_block_resize(void *block, unsigned long from, unsigned long to, unsigned long size);

#endif
