/* SPDX-License-Identifier: MIT */
/*
 * caches.c: kmem_caches, those of the kmalloc classes included, and their lists of free objects.
 */
#include "claims/reader.h"
#include "base/page.h"
#include "base/escape.h"
#include "kvmap/layout.h"

#include <inttypes.h>
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
	return PAGE_4K << cache->order >> (cache->link != 0);
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

/* ---- slab_debug ---- */

static void write_note(struct reader *reader, const struct claim_cache *cache, struct claim_debug_write write)
{
	write.cache = (uint32_t)(cache - reader->out->caches);
	if (reader->out->debug_writes.count < DEBUG_WRITES_MAX)
		(void)reader_push(reader, &reader->out->debug_writes, write);
}

/* The object lies in RAM. Notes its first word that is not poison, or its record. */
static void poison_check(struct reader *reader, const struct claim_cache *cache, uint64_t object)
{
	struct claim_debug_write write = { .object = object,
					   .kind = WRITE_FREED,
					   .expected = KMALLOC_WORD_OF(KMALLOC_POISON) };
	uint64_t words[64];

	reader->out->poisoned_objects++;
	for (uint64_t at = 0; at < cache->object_size; at += sizeof(words)) {
		uint64_t left = cache->object_size - at, size = left < sizeof(words) ? left : sizeof(words);

		if (!reader_copy(reader, object + at, words, size))
			return;
		for (size_t i = 0; i < size / sizeof(*words); i++) {
			if (words[i] == write.expected)
				continue;
			write.address = object + at + i * sizeof(*words);
			write.value = words[i];
			write_note(reader, cache, write);
			return;
		}
	}
	write.address = object + cache->link + KMALLOC_RECORD_OFFSET;
	write.expected = KMALLOC_RECORD(0);
	if (reader_copy(reader, write.address, &write.value, sizeof(write.value)) &&
	    KMALLOC_RECORD_IS_VALID(write.value) && write.value != write.expected)
		write_note(reader, cache, write);
}

/* Whether the word of a slab's second half is as it must be. Sets the object that it belongs to if it is not. */
static bool debug_word_fits(const struct claim_cache *cache, uint64_t slab, struct claim_debug_write *write)
{
	uint64_t last = claim_slab_bytes(cache) / cache->object_size - 1, offset = write->address - slab;
	uint64_t object = offset < cache->link ? last : (offset - cache->link) / cache->object_size;
	uint64_t at = offset < cache->link ? UINT64_MAX : (offset - cache->link) % cache->object_size;

	if (object <= last && at == 0)
		return true; /* the link is checked when it is followed */
	write->object = slab + (object < last ? object : last) * cache->object_size;
	write->kind = WRITE_BEYOND;
	write->expected = KMALLOC_WORD_OF(KMALLOC_REDZONE);
	if (object > last || at != KMALLOC_RECORD_OFFSET)
		return write->value == write->expected;
	write->kind = WRITE_RECORD;
	write->expected = KMALLOC_RECORD(cache->object_size);
	return KMALLOC_RECORD_IS_VALID(write->value) &&
	       KMALLOC_RECORD_SIZE(write->value) <= cache->object_size;
}

/* Notes the first redzone and the first record of each object that were written, after the last object. */
static void second_half_check(struct reader *reader, const struct claim_cache *cache, uint64_t slab)
{
	uint64_t half = claim_slab_bytes(cache), end = slab + 2 * half, words[64], size;
	struct claim_debug_write noted = { 0 };

	reader->out->redzoned_slabs++;
	for (uint64_t at = slab + half / cache->object_size * cache->object_size; at < end; at += size) {
		size = end - at < sizeof(words) ? end - at : sizeof(words);
		if (!reader_copy(reader, at, words, size))
			return;
		for (size_t i = 0; i < size / sizeof(*words); i++) {
			struct claim_debug_write write = { .address = at + i * sizeof(*words),
							   .value = words[i] };

			if (debug_word_fits(cache, slab, &write) ||
			    (write.object == noted.object && write.kind == noted.kind))
				continue;
			write_note(reader, cache, write);
			noted = write;
		}
	}
}

/* ---- lists ---- */

/* Where the reading of a list is. */
struct link {
	uint64_t previous, object; /* 0: none */
	uint64_t left;             /* objects that the list should have from here on */
	uint8_t next[8];           /* in the object, once it was read */
};

/*
 * Reads the link in the object. Reports where the list leaves its slab, or, with slab_debug, ends too early or too
 * late.
 */
static bool link_read(struct reader *reader, const struct claim_cache *cache, const struct free_list *list,
		      struct link *link)
{
	uint64_t object = link->object, previous = link->previous, left = link->left;
	uint64_t place = previous ? previous + cache->link : list->address;
	const char *outside = list->start ? "its slab" : "RAM";

	if (!cache->link) {
		if (!object)
			return true;
		if (object % 8 == 0 && object >= list->start && object < list->end &&
		    reader_copy(reader, object, link->next, sizeof(link->next)))
			return true;
		reader_cut(reader, PART_OBJECTS, "V4", list->address, object,
			   "kmem_caches[%u]: free list points outside %s", cache->index, outside);
		return false;
	}
	if (!object && !left)
		return true;
	if (object && left && object >= list->start && object <= list->end - cache->object_size &&
	    (object - list->start) % cache->object_size == 0 &&
	    reader_copy(reader, object + cache->link, link->next, sizeof(link->next)))
		return true;
	reader_cut(reader, PART_OBJECTS, "V4", place, object, "kmem_caches[%u]: free list %s %s 0x%" PRIx64,
		   cache->index,
		   !object ? "is too short"
		   : !left ? "is too long"
			   : "leaves its slab",
		   previous ? "after the object at" : "at its start:", previous ? previous : object);
	return false;
}

/* Each free object has the pointer to the next. There cannot be more than the cache's slabs hold. */
static void free_objects_count(struct reader *reader, struct claim_cache *cache, const struct free_list *list)
{
	struct link link = { .object = list->first, .left = list->nr };

	cache->free_claimed += list->nr;
	while (link_read(reader, cache, list, &link) && link.object) {
		if (cache->free_objects == claim_cache_objects(cache)) {
			reader_cut(reader, PART_OBJECTS, "V4", list->address, link.object,
				   "kmem_caches[%u]: more free objects than its slabs hold", cache->index);
			return;
		}
		cache->free_objects++;
		cache->free_sum += link.object;
		if (cache->link)
			poison_check(reader, cache, link.object);
		link.left--;
		link.previous = link.object;
		link.object = layout_number(link.next, sizeof(link.next));
	}
}

/* The lists of the slabs of a chain. Returns the number of empty slabs. */
static uint64_t slab_objects_count(struct reader *reader, struct claim_cache *cache,
				   const struct chain *slabs)
{
	const struct claims_layout *layout = reader->layout;
	uint64_t empty = 0;
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
		empty += list.nr == claim_slab_bytes(cache) / cache->object_size;
		free_objects_count(reader, cache, &list);
		if (cache->link)
			second_half_check(reader, cache, list.start);
	}
	return empty;
}

static bool sizes_fit(const struct claim_cache *cache)
{
	if (cache->object_size < 8 || cache->order > MAX_ORDER ||
	    cache->object_size > claim_slab_bytes(cache))
		return false;
	return !cache->link || (cache->object_size % 8 == 0 && cache->object_size >= 4 * sizeof(uint64_t) &&
				cache->link == claim_slab_bytes(cache) + cache->object_size / 2);
}

static void cache_read(struct reader *reader, uint32_t index, uint64_t gva)
{
	const struct claims_layout *layout = reader->layout;
	struct claim_cache *cache = &reader->out->caches[reader->out->cache_count];
	struct chain partial = { .invariant = "V4", .name = "kmem_cache.partial", .address = gva };
	struct chain full = { .invariant = "V4", .name = "kmem_cache.full", .address = gva };
	struct claim_count empty = { .kind = COUNT_EMPTY_SLABS, .index = reader->out->cache_count };
	uint8_t copy[CLAIM_STRUCTURE_MAX];

	if (!reader_structure(reader, TYPE_kmem_cache, gva, copy)) {
		reader_cut(reader, PART_OWNERS | PART_OBJECTS, "V4", layout->roots[ROOT_kmem_caches].gva, gva,
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
		reader_cut(reader, PART_OWNERS | PART_OBJECTS, "V4", gva, cache->object_size,
			   "kmem_caches[%u]: impossible size of objects or slabs", index);
		cache->object_size = cache->order = cache->link = 0;
		return;
	}
	empty.counted = slab_objects_count(reader, cache, &partial);
	empty.counted += slab_objects_count(reader, cache, &full);
	empty.claimed = layout_value(layout, MEMBER_kmem_cache_nr_empty, copy);
	empty.bound = claim_is_kmalloc(cache) ? EMPTY_SLABS_KEPT : UINT64_MAX;
	reader_count(reader, &empty);
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

	uint64_t before = cache->free_objects, limit = cpu_list_limit(cache->object_size);
	uint64_t slab = claim_slab_bytes(cache) / cache->object_size - 1;

	free_objects_count(reader, cache, &list);
	reader_count(reader,
		     &(struct claim_count){ COUNT_OBJECTS, reader_cpu(reader, gva),
					    (uint32_t)(cache - reader->out->caches), list.nr,
					    cache->free_objects - before, limit > slab ? limit : slab });
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

	reader->out->slab_debug = reader_root(reader, ROOT_slab_debug, "V12");
	if (count >= most) {
		reader_cut(reader, PART_OWNERS | PART_OBJECTS, "V4", layout->roots[ROOT_nr_kmem_caches].gva,
			   count, "nr_kmem_caches: more than fit into the array");
		count = most - 1;
	}
	for (uint32_t i = 1; i <= count; i++) {
		if (!reader_copy(reader, root->gva + i * sizeof(pointer), pointer, sizeof(pointer)))
			reader_cut(reader, PART_OWNERS | PART_OBJECTS, "V4", root->gva, i,
				   "kmem_caches[%u]: not mapped", i);
		else if (layout_number(pointer, sizeof(pointer)))
			cache_read(reader, i, layout_number(pointer, sizeof(pointer)));
	}
}
