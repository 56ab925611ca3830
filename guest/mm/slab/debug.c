/* SPDX-License-Identifier: MIT */
/*
 * debug.c: poison and redzones of kmalloc's objects.
 */
#include "mm/slab/debug.h"

#include "kvmap/claims.h"
#include "kvmap/status.h"

bool slab_debug;
struct spinlock slab_debug_lock;

/* By CPU: the first found since its last kmalloc_damage(). */
static struct kmalloc_damage damages[NR_CPUS];

/* Bytes of the smallest redzone. */
#define REDZONE_MIN 8

/* Power-of-two sizes keep their alignment. */
unsigned long debug_size(unsigned long size)
{
	unsigned long with = size & (size - 1) ? size + REDZONE_MIN : 2 * size;

	return with > KMALLOC_MAX_CACHE_SIZE ? KMALLOC_MAX_CACHE_SIZE : with;
}

/* The requested size of an allocated object, the link of a free one: 0 or an address. */
static u64 *word_of(const struct kmem_cache *cache, const void *object)
{
	return (u64 *)((unsigned long)object + cache->link);
}

unsigned long debug_requested(const struct kmem_cache *cache, const void *object)
{
	u64 word = *word_of(cache, object);

	return word <= cache->object_size ? word : 0;
}

/* The bytes [from, object_size) must be `expected`. */
static void check_bytes(const struct kmem_cache *cache, const void *object, unsigned long from, u8 expected,
			u32 status)
{
	struct kmalloc_damage *damage = &damages[arch_cpu()];
	const u8 *bytes = object;

	while (from < cache->object_size && bytes[from] == expected)
		from++;
	if (from == cache->object_size || damage->status)
		return;
	from = ALIGN_DOWN(from, sizeof(u64));
	damage->status = status;
	damage->object = (unsigned long)object;
	damage->size = cache->object_size;
	damage->address = (unsigned long)object + from;
	damage->expected = expected * 0x0101010101010101ul;
	__builtin_memcpy(&damage->found, bytes + from, sizeof(damage->found));
}

static void redzone_make(const struct kmem_cache *cache, void *object, unsigned long size)
{
	*word_of(cache, object) = size;
	__builtin_memset((u8 *)object + size, KMALLOC_REDZONE, cache->object_size - size);
}

void debug_alloc(const struct kmem_cache *cache, void *object, unsigned long size)
{
	check_bytes(cache, object, 0, KMALLOC_POISON, KVMAP_FAILED_FREED_WRITTEN);
	redzone_make(cache, object, size);
}

bool debug_free(const struct kmem_cache *cache, void *object)
{
	unsigned long size = debug_requested(cache, object);

	if (!size)
		return false;
	check_bytes(cache, object, size, KMALLOC_REDZONE, KVMAP_FAILED_REDZONE_WRITTEN);
	__builtin_memset(object, KMALLOC_POISON, cache->object_size);
	*word_of(cache, object) = 0;
	return true;
}

void debug_resize(const struct kmem_cache *cache, void *object, unsigned long size)
{
	check_bytes(cache, object, debug_requested(cache, object), KMALLOC_REDZONE,
		    KVMAP_FAILED_REDZONE_WRITTEN);
	redzone_make(cache, object, size);
}

struct kmalloc_damage kmalloc_damage(void)
{
	struct kmalloc_damage *damage = &damages[arch_cpu()], found = *damage;

	*damage = (struct kmalloc_damage){ 0 };
	return found;
}
