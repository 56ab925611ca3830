/* SPDX-License-Identifier: MIT */
/*
 * picture_kmalloc.c: what kmalloc and its like have given out: objects in slabs, and blocks of page frames.
 */
#include "base/number.h"
#include "claims/owners.h"
#include "kvmap/layout.h"
#include "report/picture_parts.h"
#include "report/text.h"

#include <inttypes.h>

#define OBJECTS_SHOWN 12
/* Pages that an object of a slab can touch: the largest size class is 8K. */
#define OBJECT_PAGES 3

/* A live variable of the script, and the object or block that it holds. */
struct object {
	const char *name;
	const struct claim_variable *variable;
	const struct claim_cache *cache; /* of an object; NULL: a block of 2^order frames */
	uint32_t frames[OBJECT_PAGES];
	size_t frame_count;
	unsigned int order;
};

static struct picture_memory object_memory(const struct object *object)
{
	return (struct picture_memory){ object->frames, object->frame_count, object->order };
}

static struct picture_memory slab_memory(const struct claims *claims, const struct claim_cache *cache)
{
	return (struct picture_memory){ claims->frames.items + cache->first_frame, cache->frame_count,
					cache->order <= MAX_ORDER ? cache->order : 0 };
}

/* The cache whose slab has the frame; NULL: none. Only the first frame of a slab has a struct page that says so. */
static const struct claim_cache *cache_of(const struct claims *claims, uint64_t pfn)
{
	for (uint32_t i = 0; i < claims->cache_count; i++) {
		const struct claim_cache *cache = &claims->caches[i];
		uint64_t order = cache->order <= MAX_ORDER ? cache->order : 0;
		const struct claim_page *page = claims_page(claims, pfn >> order << order);

		if (page && page->owner == PAGE_SLAB && page->cache == cache->index && cache->object_size)
			return cache;
	}
	return NULL;
}

/* Whether the variable holds an object or a block. */
static bool object_find(const struct report_run *run, size_t index, struct object *out)
{
	const struct claim_variable *variable = &run->claims->variables.items[index];
	uint64_t gpa = variable->address - KVMAP_DIRECT_BASE, pfn = gpa >> KVMAP_PAGE_SHIFT, last;
	const struct claim_page *page;

	if (variable->state != VARIABLE_LIVE || pfn >= run->claims->max_pfn)
		return false;
	*out = (struct object){ .name = run->script->variables.items[index], .variable = variable };
	out->frames[0] = (uint32_t)pfn;
	out->frame_count = 1;
	page = claims_page(run->claims, pfn);
	if (page && page->owner == PAGE_KMALLOC && page->order <= MAX_ORDER) {
		out->order = page->order;
		return true;
	}
	out->cache = cache_of(run->claims, pfn);
	if (!out->cache)
		return false;
	last = (gpa + out->cache->object_size - 1) >> KVMAP_PAGE_SHIFT;
	while (out->frame_count < OBJECT_PAGES && pfn + out->frame_count <= last) {
		out->frames[out->frame_count] = (uint32_t)(pfn + out->frame_count);
		out->frame_count++;
	}
	return true;
}

/* Calls `use` for the first `most` objects and blocks. Returns the number of all. */
static size_t for_each_object(const struct report_run *run, size_t most,
			      void (*use)(void *context, const struct object *object), void *context)
{
	size_t found = 0;

	for (size_t i = 0; i < run->claims->variables.count && i < run->script->variables.count; i++) {
		struct object object;

		if (object_find(run, i, &object) && found++ < most)
			use(context, &object);
	}
	return found;
}

static void include_object(void *scale, const struct object *object)
{
	struct picture_memory memory = object_memory(object);

	picture_include(scale, &memory);
}

void picture_include_kmalloc(struct picture_scale *scale, const struct report_run *run)
{
	for_each_object(run, OBJECTS_SHOWN, include_object, scale);
	for (uint32_t i = 0; i < run->claims->cache_count; i++) {
		struct picture_memory memory = slab_memory(run->claims, &run->claims->caches[i]);

		picture_include(scale, &memory);
	}
}

/* ---- text ---- */

struct show {
	struct report *report;
	const struct report_run *run;
	const struct picture_scale *scale;
};

static void show_object(void *context, const struct object *object)
{
	const struct show *show = context;
	struct picture_memory memory = object_memory(object);
	char bytes[40], frames[40], kind[120], nodes[200];

	if (object->cache)
		snprintf(kind, sizeof(kind), "an object of %s", object->cache->name);
	else
		snprintf(kind, sizeof(kind), "a block of %s",
			 text_number_of(1ull << object->order, "frame", frames, sizeof(frames)));
	text_line(show->report, PAINT_PLAIN, 2, 6, "%s = 0x%016" PRIx64 ", %s: %s%s", object->name,
		  object->variable->address, number_bytes(object->variable->size, bytes, sizeof(bytes)), kind,
		  picture_nodes(show->run->claims, &memory, nodes, sizeof(nodes)));
	picture_bar(show->report, show->scale, &memory);
}

static void show_slabs(const struct show *show, const struct claim_cache *cache)
{
	struct picture_memory memory = slab_memory(show->run->claims, cache);
	uint64_t objects = claim_cache_objects(cache);
	char slabs[40], count[40], used[40], nodes[200];

	text_line(show->report, PAINT_PLAIN, 2, 6, "slabs of %s: %s, %s, %s in use%s", cache->name,
		  text_number_of(memory.count, "slab", slabs, sizeof(slabs)),
		  text_number_of(objects, "object", count, sizeof(count)),
		  text_count(objects > cache->free_objects ? objects - cache->free_objects : 0, used,
			     sizeof(used)),
		  picture_nodes(show->run->claims, &memory, nodes, sizeof(nodes)));
	picture_bar(show->report, show->scale, &memory);
}

static void show_text(struct show *show)
{
	const struct claims *claims = show->run->claims;
	size_t objects;
	bool any = for_each_object(show->run, 0, show_object, show);

	for (uint32_t i = 0; i < claims->cache_count; i++)
		any = any || claims->caches[i].frame_count;
	if (!any)
		return;
	text_heading(show->report, "kmalloc and slabs: objects and blocks -> frames");
	objects = for_each_object(show->run, OBJECTS_SHOWN, show_object, show);
	if (objects > OBJECTS_SHOWN)
		text_line(show->report, PAINT_FAINT, 2, 2, "... and %zu objects and blocks more",
			  objects - OBJECTS_SHOWN);
	for (uint32_t i = 0; i < claims->cache_count; i++)
		if (claims->caches[i].frame_count)
			show_slabs(show, &claims->caches[i]);
}

/* ---- JSON ---- */

static void emit_object(void *context, const struct object *object)
{
	const struct show *show = context;
	struct json_object *line = json_start(show->report, "object");
	struct picture_memory memory = object_memory(object);

	json_add_string(line, "variable", object->name);
	json_add_hex(line, "address", object->variable->address);
	json_add_number(line, "size", object->variable->size);
	json_add_string(line, "cache", object->cache ? object->cache->name : "");
	json_object_object_add(line, "frames", picture_json(show->run->claims, &memory));
	json_finish(show->report, line);
}

static void emit_slabs(const struct show *show, const struct claim_cache *cache)
{
	struct json_object *line = json_start(show->report, "slabs");
	struct picture_memory memory = slab_memory(show->run->claims, cache);

	json_add_string(line, "cache", cache->name);
	json_add_number(line, "slabs", memory.count);
	json_add_number(line, "object_size", cache->object_size);
	json_add_number(line, "objects", claim_cache_objects(cache));
	json_add_number(line, "free_objects", cache->free_objects);
	json_object_object_add(line, "frames", picture_json(show->run->claims, &memory));
	json_finish(show->report, line);
}

void picture_kmalloc(struct report *report, const struct report_run *run, const struct picture_scale *scale)
{
	struct show show = { report, run, scale };

	if (report->format == REPORT_TEXT) {
		show_text(&show);
		return;
	}
	for_each_object(run, SIZE_MAX, emit_object, &show);
	for (uint32_t i = 0; i < run->claims->cache_count; i++)
		if (run->claims->caches[i].frame_count)
			emit_slabs(&show, &run->claims->caches[i]);
}

/* ---- totals ---- */

void picture_kmalloc_count(const struct claims *claims, struct kmalloc_totals *out)
{
	*out = (struct kmalloc_totals){ 0 };
	for (uint32_t i = 0; i < claims->cache_count; i++) {
		const struct claim_cache *cache = &claims->caches[i];
		uint64_t objects = claim_cache_objects(cache);

		out->caches += cache->frame_count != 0;
		out->slabs += cache->frame_count;
		out->slab_frames += (uint64_t)cache->frame_count
				    << (cache->order <= MAX_ORDER ? cache->order : 0);
		out->objects += objects > cache->free_objects ? objects - cache->free_objects : 0;
	}
	for (size_t i = 0; i < claims->pages.count; i++) {
		const struct claim_page *page = &claims->pages.items[i];

		if (page->owner != PAGE_KMALLOC || page->order > MAX_ORDER)
			continue;
		out->blocks++;
		out->block_frames += 1ull << page->order;
	}
}
