/* SPDX-License-Identifier: MIT */
/*
 * krealloc.c: resizing what kmalloc() returned. With __GFP_ZERO all bytes beyond the requested size of before
 * are zero. Linux guarantees that only if each call has the flag, the first one included.
 */
#include "mm/arch.h"
#include "mm/page/page_alloc.h"
#include "mm/slab/debug.h"
#include "mm/slab/kmalloc.h"
#include "mm/slab/object.h"
#include "mm/warn.h"

#define CALLER __builtin_return_address(0)

/* An object of a class without slack: it cannot record a smaller size. The end is cleared now. */
static bool resize_exact(const struct kmem_cache *cache, void *object, unsigned long size)
{
	if (size > cache->object_size)
		return false;
	__builtin_memset((char *)object + size, 0, cache->object_size - size);
	return true;
}

static bool resize_debug(const struct kmem_cache *cache, void *object, unsigned long size)
{
	if (size > KMALLOC_MAX_CACHE_SIZE || debug_size(size) > cache->object_size)
		return false;
	spin_lock(&slab_debug_lock);
	debug_resize(cache, object, size);
	spin_unlock(&slab_debug_lock);
	return true;
}

static bool resize(void *object, const struct kmalloc_memory *memory, unsigned long size)
{
	const struct kmem_cache *cache = memory->cache;

	if (!cache) {
		if (size > memory->size)
			return false;
		memory->page->requested = (u32)size;
		return true;
	}
	if (slab_debug)
		return resize_debug(cache, object, size);
	if (!cache->slack)
		return resize_exact(cache, object, size);
	if (size >= cache->object_size)
		return false;
	object_record(object, cache->object_size, size);
	return true;
}

bool kmalloc_resize(const void *object, const struct kmalloc_memory *memory, unsigned long size, gfp_t gfp)
{
	if (!resize((void *)object, memory, size))
		return false;
	if (gfp & __GFP_ZERO && size > memory->requested)
		__builtin_memset((char *)object + memory->requested, 0, size - memory->requested);
	return true;
}

static void *refuse(u32 status, const void *object, const void *caller)
{
	refusal_record(status, (unsigned long)object, caller);
	this_cpu_cache()->kmalloc_status = status;
	return NULL;
}

void *krealloc(const void *object, unsigned long size, gfp_t gfp)
{
	struct kmalloc_memory memory;
	void *new;

	if (!object)
		return kmalloc_for_caller(size, gfp, CALLER);
	if (!size) {
		kfree(object);
		return NULL;
	}
	if (gfp_zones_conflict(gfp))
		return refuse(KVMAP_REFUSED_FLAGS, NULL, CALLER);
	if (!kmalloc_memory_at(object, &memory))
		return refuse(KVMAP_REFUSED_NOT_AN_AREA, object, CALLER);
	if (kmalloc_resize(object, &memory, size, gfp))
		return (void *)object;
	new = kmalloc_for_caller(size, gfp, CALLER);
	if (!new)
		return NULL;
	__builtin_memcpy(new, object, memory.requested < size ? memory.requested : size);
	kfree(object);
	return new;
}
