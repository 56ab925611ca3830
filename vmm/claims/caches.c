/* SPDX-License-Identifier: MIT */
/*
 * caches.c: kmem_caches, those of the kmalloc classes included, and their lists of free objects.
 */
#include "claims/reader.h"
#include "base/page.h"
#include "base/escape.h"
#include "kvmap/layout.h"

#include <string.h>

/* Copies the guest's string, escaped, up to its NUL or to the first unmapped byte. */
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

uint64_t claim_slab_bytes(const struct claim_cache *cache)
{
	return cache->link ? cache->link : PAGE_4K << cache->order;
}

uint64_t claim_cache_objects(const struct claim_cache *cache)
{
	return cache->object_size
		       ? claim_slab_bytes(cache) / cache->object_size * (uint64_t)cache->frame_count
		       : 0;
}

/* A list of free objects. */
struct free_list {
	uint64_t address;    /* GVA of the structure that has it */
	uint64_t first, nr;  /* as claimed */
	uint64_t start, end; /* range of valid objects */
};

/* The object lies in RAM. Notes its first word that is not poison. */
static void poison_check(struct reader *reader, const struct claim_cache *cache, uint64_t object)
{
	static const uint64_t poison = KMALLOC_POISON * 0x0101010101010101ull;
	struct claim_freed_write write = { .object = object,
					   .cache = (uint32_t)(cache - reader->out->caches) };
	uint64_t words[64];

	reader->out->poisoned_objects++;
	for (uint64_t at = 0; at < cache->object_size; at += sizeof(words)) {
		uint64_t left = cache->object_size - at, size = left < sizeof(words) ? left : sizeof(words);

		if (!reader_copy(reader, object + at, words, size))
			return;
		for (size_t i = 0; i < size / sizeof(*words); i++) {
			if (words[i] == poison)
				continue;
			write.address = object + at + i * sizeof(*words);
			write.value = words[i];
			if (reader->out->freed_writes.count < FREED_WRITES_MAX)
				(void)reader_push(reader, &reader->out->freed_writes, write);
			return;
		}
	}
}

/* Each free object holds the pointer to the next. There cannot be more than the cache's slabs hold. */
static void free_objects_count(struct reader *reader, struct claim_cache *cache, const struct free_list *list)
{
	uint64_t object;
	uint8_t next[8];

	cache->free_claimed += list->nr;
	for (object = list->first; object; object = layout_number(next, sizeof(next))) {
		if (cache->free_objects == claim_cache_objects(cache)) {
			reader_damage(reader, "V4", list->address, object,
				      "kmem_caches[%u]: more free objects than its slabs hold", cache->index);
			return;
		}
		if (object % 8 || object < list->start || object >= list->end ||
		    !reader_copy(reader, object + cache->link, next, sizeof(next))) {
			reader_damage(reader, "V4", list->address, object,
				      "kmem_caches[%u]: free list points outside %s", cache->index,
				      list->start ? "its slab" : "RAM");
			return;
		}
		cache->free_objects++;
		if (cache->link)
			poison_check(reader, cache, object);
	}
}

/* The lists of the slabs of a chain. */
static void slab_objects_count(struct reader *reader, struct claim_cache *cache, const struct chain *slabs)
{
	const struct claims_layout *layout = reader->layout;
	uint8_t copy[CLAIM_STRUCTURE_MAX];

	for (size_t i = 0; i < slabs->frame_count; i++) {
		uint64_t pfn = reader->out->frames.items[slabs->first_frame + i];
		struct free_list list = {
			.address = reader->mem_map + pfn * layout_size(layout, TYPE_page),
			.start = KVMAP_DIRECT_BASE + pfn * PAGE_4K,
		};
		uint64_t first;

		if (!reader_struct_page(reader, pfn, copy))
			continue;
		list.end = list.start + claim_slab_bytes(cache);
		first = layout_value(layout, MEMBER_page_freelist, copy);
		list.first = first ? list.start + (first - 1) * 8 : 0;
		list.nr = layout_value(layout, MEMBER_page_nr_objects, copy);
		free_objects_count(reader, cache, &list);
	}
}

static bool sizes_fit(const struct claim_cache *cache)
{
	return cache->object_size >= 8 && cache->order <= MAX_ORDER &&
	       (!cache->link || cache->link == PAGE_4K << cache->order >> 1) &&
	       cache->object_size <= claim_slab_bytes(cache);
}

static void cache_read(struct reader *reader, uint32_t index, uint64_t gva)
{
	const struct claims_layout *layout = reader->layout;
	struct claim_cache *cache = &reader->out->caches[reader->out->cache_count];
	struct chain partial = { .invariant = "V4", .name = "kmem_cache.partial", .address = gva };
	struct chain full = { .invariant = "V4", .name = "kmem_cache.full", .address = gva };
	uint8_t copy[CLAIM_STRUCTURE_MAX];

	if (!reader_structure(reader, TYPE_kmem_cache, gva, copy)) {
		reader_damage(reader, "V4", layout->roots[ROOT_kmem_caches].gva, gva,
			      "kmem_caches[%u]: not mapped", index);
		return;
	}
	reader->out->cache_count++;
	name_read(reader, layout_value(layout, MEMBER_kmem_cache_name, copy), cache);
	cache->index = index;
	cache->object_size = (uint32_t)layout_value(layout, MEMBER_kmem_cache_object_size, copy);
	cache->order = (uint32_t)layout_value(layout, MEMBER_kmem_cache_order, copy);
	cache->link = (uint32_t)layout_value(layout, MEMBER_kmem_cache_link, copy);
	cache->slack = layout_value(layout, MEMBER_kmem_cache_slack, copy);
	cache->nr_slabs = (uint32_t)layout_value(layout, MEMBER_kmem_cache_nr_slabs, copy);
	partial.first = layout_value(layout, MEMBER_kmem_cache_partial, copy);
	partial.nr_claimed = layout_value(layout, MEMBER_kmem_cache_nr_partial, copy);
	full.first = layout_value(layout, MEMBER_kmem_cache_full, copy);
	full.nr_claimed = cache->nr_slabs > partial.nr_claimed ? cache->nr_slabs - partial.nr_claimed : 0;
	/* No other chain is read in between, so that the two are contiguous in claims.frames. */
	reader_chain(reader, &partial);
	reader_chain(reader, &full);
	cache->first_frame = partial.first_frame;
	cache->frame_count = partial.frame_count + full.frame_count;
	if (!sizes_fit(cache)) {
		reader_damage(reader, "V4", gva, cache->object_size,
			      "kmem_caches[%u]: impossible size of objects or slabs", index);
		cache->object_size = cache->order = cache->link = 0;
		return;
	}
	slab_objects_count(reader, cache, &partial);
	slab_objects_count(reader, cache, &full);
}

static void cpu_list_count(struct reader *reader, struct claim_cache *cache, uint64_t gva,
			   const uint8_t *copy)
{
	const struct free_list list = {
		.address = gva,
		.first = layout_value(reader->layout, MEMBER_kmem_list_free, copy),
		.nr = layout_value(reader->layout, MEMBER_kmem_list_nr, copy),
		.end = UINT64_MAX,
	};

	free_objects_count(reader, cache, &list);
}

/* The CPU has one list for each index of a cache. */
void cpu_read_objects(struct reader *reader, uint64_t gva, const uint8_t *copy)
{
	const struct claims_layout *layout = reader->layout;
	const struct type_member *objects = &layout->types[MEMBER_cpu_cache_objects];
	uint32_t lists = layout_elements(layout, TYPE_kmem_list, objects->size);

	for (uint32_t i = 0; i < reader->out->cache_count; i++) {
		struct claim_cache *cache = &reader->out->caches[i];

		if (cache->index < lists && cache->object_size)
			cpu_list_count(reader, cache, gva,
				       copy + objects->offset +
					       (size_t)cache->index * layout_size(layout, TYPE_kmem_list));
	}
}

void read_caches(struct reader *reader)
{
	const struct claims_layout *layout = reader->layout;
	const struct claim_root_location *root = &layout->roots[ROOT_kmem_caches];
	uint64_t count = reader_root(reader, ROOT_nr_kmem_caches, "V4");
	uint64_t most = root->size / sizeof(uint64_t);
	uint8_t pointer[8];

	if (count >= most) {
		reader_damage(reader, "V4", layout->roots[ROOT_nr_kmem_caches].gva, count,
			      "nr_kmem_caches: more than fit into the array");
		count = most - 1;
	}
	for (uint32_t i = 1; i <= count; i++) {
		if (!reader_copy(reader, root->gva + i * sizeof(pointer), pointer, sizeof(pointer)))
			reader_damage(reader, "V4", root->gva, i, "kmem_caches[%u]: not mapped", i);
		else if (layout_number(pointer, sizeof(pointer)))
			cache_read(reader, i, layout_number(pointer, sizeof(pointer)));
	}
}
