/* SPDX-License-Identifier: MIT */
/*
 * object.h: the requested size of what kmalloc() returned. Private to mm/slab.
 *
 * Each size has two classes, so that the size costs no memory. Objects of the first were requested with
 * exactly their size. Objects of the second (kmem_cache.slack) have at least one byte more than was
 * requested, and the number of these bytes, the slack, in their last bytes. With slab_debug there is only the
 * first class, and the word that links free objects has the requested size of allocated ones.
 */
#ifndef GUEST_MM_SLAB_OBJECT_H
#define GUEST_MM_SLAB_OBJECT_H

#include "kvmap/claims.h"
#include "mm/gfp.h"
#include "mm/mm_types.h"
#include "mm/slab/slab.h"

/* object_size: of a class with slack. requested: less than that. */
static inline void object_record(void *object, u32 object_size, unsigned long requested)
{
	u32 slack = object_size - (u32)requested;
	u8 *end = (u8 *)object + object_size;

	if (likely(slack < KMALLOC_SLACK_LONG)) {
		end[-1] = (u8)slack;
	} else {
		end[-1] = KMALLOC_SLACK_LONG;
		((u16 *)(void *)end)[-2] = (u16)slack;
	}
}

/* An object or block that kmalloc() returned. */
struct kmalloc_memory {
	struct kmem_cache *cache; /* NULL: a buddy block */
	struct page *page;        /* the first */
	unsigned long size, requested;
};

/* False: the address is not the start of an object or block. */
bool kmalloc_memory_at(const void *object, struct kmalloc_memory *out);

/*
 * Resizes memory in place, if possible: then the bytes between the two requested sizes are zero if gfp has
 * __GFP_ZERO and the size grows.
 */
bool kmalloc_resize(const void *object, const struct kmalloc_memory *memory, unsigned long size, gfp_t gfp);

/* kmalloc() for a public function, whose caller it is. */
void *kmalloc_for_caller(unsigned long size, gfp_t gfp, const void *caller);

#endif
