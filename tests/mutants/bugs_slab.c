/* SPDX-License-Identifier: MIT */
/*
 * bugs_slab.c: the bugs of kvmap/bugs.h in slabs and objects.
 */
#include "bugs_parts.h"

#include "agent/variables.h"
#include "mm/arch.h"
#include "mm/slab/debug.h"
#include "mm/slab/kmalloc.h"
#include "mm/slab/slab.h"

static struct page *page_of(const void *object)
{
	return pfn_to_page((u32)(__pa(object) >> PAGE_SHIFT));
}

/* The first free object of kmalloc(), and its cache. */
static char *free_object(struct kmem_cache **cache_out)
{
	for (u32 i = 1; i <= KMALLOC_CLASSES; i++) {
		struct kmem_cache *cache = kmem_caches[i];

		if (!cache || !cache->partial)
			continue;
		*cache_out = cache;
		return (char *)__va((u64)cache->partial << PAGE_SHIFT) +
		       (pfn_to_page(cache->partial)->freelist - 1) * 8;
	}
	return NULL;
}

/* A write to the first word of a free object. */
u32 freed_written(void)
{
	struct kmem_cache *cache;
	char *object = free_object(&cache);

	if (!object)
		return KVMAP_REFUSED_NOT_AN_AREA;
	*(u64 *)(void *)object = 0;
	return KVMAP_OK;
}

/* The record of the script's first object says that it is free. */
u32 object_record(void)
{
	const char *object = (const char *)agent_variables[1].address;
	const struct kmem_cache *cache = kmem_caches[page_of(object)->cache];

	*(u64 *)(void *)(object + cache->link + KMALLOC_RECORD_OFFSET) = KMALLOC_RECORD(0);
	return KVMAP_OK;
}

/* A write to the word after the last object of a slab. */
u32 second_half(void)
{
	struct kmem_cache *cache;

	if (!free_object(&cache))
		return KVMAP_REFUSED_NOT_AN_AREA;
	((u64 *)__va((u64)cache->partial << PAGE_SHIFT))[(cache->last + cache->object_size) / 8] = 0;
	return KVMAP_OK;
}

/* A free list ends before its count. */
u32 free_link(void)
{
	struct kmem_cache *cache;
	char *object = free_object(&cache);

	if (!object)
		return KVMAP_REFUSED_NOT_AN_AREA;
	*(u64 *)(void *)(object + cache->link) = 0;
	return KVMAP_OK;
}

/* A write to the last byte of the script's first block of kmalloc(). */
u32 block_slack(void)
{
	char *block = (char *)agent_variables[1].address;

	block[(PAGE_SIZE << page_of(block)->order) - 1]++;
	return KVMAP_OK;
}
