/* SPDX-License-Identifier: MIT */
/*
 * debug.c: poison and redzones of kmalloc's objects.
 */
#include "mm/slab/debug.h"

#include "kvmap/claims.h"
#include "kvmap/status.h"
#include "mm/arch.h"

bool slab_debug;
struct spinlock slab_debug_lock;

/* By CPU: the first found since its last kmalloc_damage(). */
static struct kmalloc_damage damages[NR_CPUS];

/* Bytes of the smallest redzone in an object. */
#define REDZONE_MIN 8

/* So that half of it and the two words of its object fit into the same bytes of the slab's second half. */
#define OBJECT_MIN (4 * sizeof(u64))

/* Bytes of a link and a record. */
#define WORDS_SIZE (KMALLOC_RECORD_OFFSET + sizeof(u64))

/* Power-of-two sizes keep their alignment. */
unsigned long debug_size(unsigned long size)
{
	unsigned long with = size & (size - 1) ? size + REDZONE_MIN : 2 * size;

	if (with < OBJECT_MIN)
		return OBJECT_MIN;
	return with > KMALLOC_MAX_CACHE_SIZE ? KMALLOC_MAX_CACHE_SIZE : with;
}

u32 debug_link_offset(const struct kmem_cache *cache, u32 half)
{
	return half + cache->object_size / 2;
}

static unsigned long slab_size(const struct kmem_cache *cache)
{
	return PAGE_SIZE << cache->order;
}

static u8 *slab_start(const struct kmem_cache *cache, const void *object)
{
	return (u8 *)object - __pa(object) % slab_size(cache);
}

static u64 *record_of(const struct kmem_cache *cache, const void *object)
{
	return (u64 *)((unsigned long)object + cache->link + KMALLOC_RECORD_OFFSET);
}

static bool record_valid(const struct kmem_cache *cache, u64 record)
{
	return KMALLOC_RECORD_IS_VALID(record) && KMALLOC_RECORD_SIZE(record) <= cache->object_size;
}

bool debug_record_doubtful(const struct kmem_cache *cache, const void *object)
{
	u64 record = *record_of(cache, object);

	return !record_valid(cache, record) || !KMALLOC_RECORD_SIZE(record);
}

/* ---- damage ---- */

static void damage_note(const void *object, unsigned long size, u32 status, const void *word, u64 expected)
{
	struct kmalloc_damage *damage = &damages[arch_cpu()];

	if (damage->status)
		return;
	damage->status = status;
	damage->object = (unsigned long)object;
	damage->size = size;
	damage->address = (unsigned long)word;
	damage->expected = expected;
	__builtin_memcpy(&damage->found, word, sizeof(damage->found));
}

/* The bytes [bytes, end), which are the object's, must be `expected`. end: a multiple of 8. */
static void check_bytes(const void *object, unsigned long size, const u8 *bytes, const u8 *end, u8 expected,
			u32 status)
{
	while (bytes < end && *bytes == expected)
		bytes++;
	if (bytes < end)
		damage_note(object, size, status, (const u8 *)ALIGN_DOWN((unsigned long)bytes, sizeof(u64)),
			    KMALLOC_WORD_OF(expected));
}

static void check_and_repair(const struct kmem_cache *cache, const void *object, u8 *bytes, const u8 *end,
			     u32 status)
{
	check_bytes(object, cache->object_size, bytes, end, KMALLOC_REDZONE, status);
	__builtin_memset(bytes, KMALLOC_REDZONE, (unsigned long)(end - bytes));
}

/* The redzones outside of the object. */
static void check_outside(const struct kmem_cache *cache, void *object, u32 status)
{
	u8 *slab = slab_start(cache, object), *words = (u8 *)object + cache->link;
	bool last = (u8 *)object == slab + cache->last;

	if (last)
		check_and_repair(cache, object, (u8 *)object + cache->object_size, slab + cache->link,
				 status);
	check_and_repair(cache, object, words + WORDS_SIZE,
			 last ? slab + slab_size(cache) : words + cache->object_size, status);
}

/* The redzone in the object after `size` bytes. */
static void check_inside(const struct kmem_cache *cache, void *object, unsigned long size)
{
	check_bytes(object, cache->object_size, (u8 *)object + size, (u8 *)object + cache->object_size,
		    KMALLOC_REDZONE, KVMAP_FAILED_REDZONE_WRITTEN);
}

/* ---- slabs ---- */

void debug_slab_new(const struct kmem_cache *cache, void *slab)
{
	__builtin_memset(slab, KMALLOC_POISON, cache->last + cache->object_size);
	__builtin_memset((u8 *)slab + cache->last + cache->object_size, KMALLOC_REDZONE,
			 slab_size(cache) - cache->last - cache->object_size);
	for (u32 at = 0; at <= cache->last; at += cache->object_size)
		*record_of(cache, (u8 *)slab + at) = KMALLOC_RECORD(0);
}

bool debug_link_valid(const struct kmem_cache *cache, void *object)
{
	u8 *next = *kmem_link(object, cache->link), *slab = slab_start(cache, object);

	if (!next)
		return true;
	return next != object && next >= slab && next <= slab + cache->last &&
	       (unsigned long)(next - slab) % cache->object_size == 0 && debug_record_doubtful(cache, next);
}

bool debug_link_check(const struct kmem_cache *cache, void *object, u32 nr)
{
	void **link = kmem_link(object, cache->link);

	if ((*link != NULL) == (nr > 1) && debug_link_valid(cache, object))
		return true;
	damage_note(object, cache->object_size, KVMAP_FAILED_FREED_WRITTEN, link, 0);
	*link = NULL;
	return false;
}

/* ---- objects ---- */

/* Whether a word of the object is poison: false for one that was filled with anything else. */
static bool has_poison(const struct kmem_cache *cache, const void *object)
{
	const u64 *words = object;

	for (u32 i = 0; i < cache->object_size / sizeof(*words); i++)
		if (words[i] == KMALLOC_WORD_OF(KMALLOC_POISON))
			return true;
	return false;
}

unsigned long debug_requested(const struct kmem_cache *cache, const void *object)
{
	u64 record = *record_of(cache, object);

	return record_valid(cache, record) ? KMALLOC_RECORD_SIZE(record) : cache->object_size;
}

static void redzone_make(const struct kmem_cache *cache, void *object, unsigned long size)
{
	*record_of(cache, object) = KMALLOC_RECORD(size);
	__builtin_memset((u8 *)object + size, KMALLOC_REDZONE, cache->object_size - size);
}

/* The record must be valid, or the damage is noted. */
static void check_record(const struct kmem_cache *cache, const void *object, unsigned long size, u32 status)
{
	if (!record_valid(cache, *record_of(cache, object)))
		damage_note(object, cache->object_size, status, record_of(cache, object),
			    KMALLOC_RECORD(size));
}

/* All bytes of a free object but its link. */
static void check_free(const struct kmem_cache *cache, void *object)
{
	const u64 *record = record_of(cache, object);

	check_bytes(object, cache->object_size, object, (u8 *)object + cache->object_size, KMALLOC_POISON,
		    KVMAP_FAILED_FREED_WRITTEN);
	if (*record != KMALLOC_RECORD(0))
		damage_note(object, cache->object_size, KVMAP_FAILED_FREED_WRITTEN, record,
			    KMALLOC_RECORD(0));
	check_outside(cache, object, KVMAP_FAILED_FREED_WRITTEN);
}

void debug_slab_free(const struct kmem_cache *cache, void *slab, void *first)
{
	u32 left = cache->per_slab;

	for (u32 at = 0; at <= cache->last; at += cache->object_size)
		check_free(cache, (u8 *)slab + at);
	while (first && debug_link_check(cache, first, left--))
		first = *kmem_link(first, cache->link);
}

void debug_alloc(const struct kmem_cache *cache, void *object, unsigned long size)
{
	check_free(cache, object);
	redzone_make(cache, object, size);
}

bool debug_free(const struct kmem_cache *cache, void *object, bool listed)
{
	u64 *record = record_of(cache, object);

	if (!debug_record_doubtful(cache, object)) {
		check_inside(cache, object, KMALLOC_RECORD_SIZE(*record));
	} else if (*record == KMALLOC_RECORD(0) && has_poison(cache, object)) {
		return false;
	} else if (listed) {
		check_record(cache, object, 0, KVMAP_FAILED_FREED_WRITTEN);
		*record = KMALLOC_RECORD(0);
		return false;
	} else {
		damage_note(object, cache->object_size, KVMAP_FAILED_REDZONE_WRITTEN, record,
			    KMALLOC_RECORD(cache->object_size));
	}
	check_outside(cache, object, KVMAP_FAILED_REDZONE_WRITTEN);
	__builtin_memset(object, KMALLOC_POISON, cache->object_size);
	*record = KMALLOC_RECORD(0);
	return true;
}

void debug_resize(const struct kmem_cache *cache, void *object, unsigned long size)
{
	check_record(cache, object, cache->object_size, KVMAP_FAILED_REDZONE_WRITTEN);
	check_inside(cache, object, debug_requested(cache, object));
	check_outside(cache, object, KVMAP_FAILED_REDZONE_WRITTEN);
	redzone_make(cache, object, size);
}

static void check_block(const void *block, unsigned long requested, unsigned long size)
{
	check_bytes(block, size, (const u8 *)block + requested, (const u8 *)block + size, KMALLOC_REDZONE,
		    KVMAP_FAILED_REDZONE_WRITTEN);
}

void debug_block_alloc(void *block, unsigned long requested, unsigned long size)
{
	__builtin_memset((u8 *)block + requested, KMALLOC_REDZONE, size - requested);
}

void debug_block_free(void *block, unsigned long requested, unsigned long size)
{
	if (requested)
		check_block(block, requested, size);
	__builtin_memset(block, KMALLOC_POISON, size);
}

void debug_block_resize(void *block, unsigned long from, unsigned long to, unsigned long size)
{
	check_block(block, from, size);
	debug_block_alloc(block, to, size);
}

struct kmalloc_damage kmalloc_damage(void)
{
	struct kmalloc_damage *damage = &damages[arch_cpu()], found = *damage;

	*damage = (struct kmalloc_damage){ 0 };
	return found;
}
