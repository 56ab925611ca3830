/* SPDX-License-Identifier: MIT */
/*
 * claims_caches.c: the caches of objects that the memory manager keeps its own structures in.
 */
#include "inspect/claims_reader.h"

#include <string.h>

#define PAGE_BYTES 4096

/* The guest's string, escaped, as far as it can be read. */
static void name_read(struct reader *reader, uint64_t gva, struct claim_cache *cache)
{
	char text[sizeof(cache->name)] = "";

	for (size_t i = 0; i < sizeof(text) - 1; i++)
		if (!reader_copy(reader, gva + i, &text[i], 1) || !text[i]) {
			text[i] = '\0';
			break;
		}
	text_escape(text, strlen(text), cache->name, sizeof(cache->name));
}

/* Each free object holds the pointer to the next. The cache's pages bound how many there can be. */
static void free_objects_count(struct reader *reader, enum claim_root root, struct claim_cache *cache,
			       uint64_t object)
{
	uint64_t most = cache->frame_count * (PAGE_BYTES / cache->object_size);
	uint64_t place = reader->layout->roots[root].gva;
	uint8_t next[8];

	for (; object; object = layout_number(next, sizeof(next))) {
		if (cache->free_objects == most) {
			reader_damage(reader, "V4", place, object,
				      "%s: more free objects than its pages hold", layout_root_name(root));
			return;
		}
		if (object % 8 || !reader_copy(reader, object, next, sizeof(next))) {
			reader_damage(reader, "V4", place, object, "%s: free list leads out of RAM",
				      layout_root_name(root));
			return;
		}
		cache->free_objects++;
	}
}

static void cache_read(struct reader *reader, enum claim_root root, struct claim_cache *cache)
{
	const struct claims_layout *layout = reader->layout;
	uint8_t copy[CLAIM_STRUCTURE_MAX];
	struct chain chain = { .invariant = "V4",
			       .name = layout_root_name(root),
			       .address = layout->roots[root].gva };

	if (!reader_root_copy(reader, root, "V4", copy, layout_size(layout, TYPE_kmem_cache)))
		return;
	name_read(reader, layout_value(layout, MEMBER_kmem_cache_name, copy), cache);
	cache->object_size = (uint32_t)layout_value(layout, MEMBER_kmem_cache_object_size, copy);
	cache->nr_pages = (uint32_t)layout_value(layout, MEMBER_kmem_cache_nr_pages, copy);
	cache->nr_in_use = (uint32_t)layout_value(layout, MEMBER_kmem_cache_nr_in_use, copy);
	chain.first = layout_value(layout, MEMBER_kmem_cache_pages, copy);
	chain.nr_claimed = cache->nr_pages;
	reader_chain(reader, &chain);
	cache->first_frame = chain.first_frame;
	cache->frame_count = chain.frame_count;
	if (cache->object_size < 8 || cache->object_size > PAGE_BYTES) {
		reader_damage(reader, "V4", chain.address, cache->object_size,
			      "%s: objects of that size cannot be", chain.name);
		return;
	}
	free_objects_count(reader, root, cache, layout_value(layout, MEMBER_kmem_cache_free, copy));
}

void read_caches(struct reader *reader)
{
	cache_read(reader, ROOT_vmap_area_cache, &reader->out->caches[0]);
	cache_read(reader, ROOT_vm_struct_cache, &reader->out->caches[1]);
}
