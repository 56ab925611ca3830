/* SPDX-License-Identifier: MIT */
#include "claims/owners.h"

#include "base/array.h"
#include "base/lower_bound.h"
#include "kvmap/layout.h"

#include <stdlib.h>

const char *owner_kind_name(enum owner_kind kind)
{
	static const char *const names[OWNER_KINDS] = {
		[OWNER_FREE] = "a free block",          [OWNER_FRESH] = "a fresh range",
		[OWNER_RESERVED] = "a reserved region", [OWNER_TABLE] = "a page table",
		[OWNER_AREA] = "a live area",           [OWNER_LAZY] = "a lazily freed area",
		[OWNER_SLAB] = "an object cache",       [OWNER_HELD] = "held_pages",
		[OWNER_KMALLOC] = "an allocated block", [OWNER_PCP] = "a CPU's frame cache",
	};

	return names[kind];
}

const char *page_owner_name(const struct claim_page *page)
{
	static const char *const names[] = { "no owner", "free", "page table", "slab",
					     "vmalloc",  "held", "kmalloc",    "kept by a CPU" };
	unsigned int owner = page ? page->owner : PAGE_NONE;

	return owner < sizeof(names) / sizeof(names[0]) ? names[owner] : "no such owner";
}

const struct claim_page *claims_page(const struct claims *claims, uint64_t pfn)
{
	const struct claim_page *pages = claims->pages.items;
	size_t found = lower_bound(claims->pages.count, i, pages[i].pfn < pfn);

	return found < claims->pages.count && pages[found].pfn == pfn ? &pages[found] : NULL;
}

bool claims_in_area_buddy_block(const struct claims *claims, uint64_t pfn)
{
	for (unsigned int order = 1; order <= MAX_ORDER; order++) {
		uint64_t first = pfn >> order << order;
		const struct claim_page *page = first != pfn ? claims_page(claims, first) : NULL;

		if (page && page->owner == PAGE_VMALLOC && page->order == order)
			return true;
	}
	return false;
}

uint64_t owner_frames(const struct keyed *owner)
{
	enum owner_kind kind = OWNER_KIND(owner->tag);

	return kind == OWNER_AREA || kind == OWNER_LAZY ? 1 : owner->size;
}

struct collector {
	const struct claims *claims;
	struct owners *owners;
};

static int add_owner(struct collector *collector, enum owner_kind kind, size_t index, uint64_t pfn,
		     uint64_t size)
{
	struct keyed owner = {
		.key = pfn,
		.size = size < UINT32_MAX ? (uint32_t)size : UINT32_MAX,
		.tag = OWNER_TAG(kind, index),
	};

	return array_push(&collector->owners->list, owner);
}

struct span {
	uint64_t start, end; /* frames, end exclusive */
};

/* The regions in whole frames, sorted; those that touch or overlap are merged. Returns their number. */
static unsigned int merge_regions(const struct claim_region *regions, unsigned int count, struct span *out)
{
	unsigned int merged = 0;

	for (unsigned int i = 0; i < count; i++) {
		uint64_t last = regions[i].size - 1, base = regions[i].base;
		unsigned int at = merged;
		struct span span;

		if (!regions[i].size || last > UINT64_MAX - base)
			continue;
		span = (struct span){ base >> KVMAP_PAGE_SHIFT, ((base + last) >> KVMAP_PAGE_SHIFT) + 1 };
		for (; at && out[at - 1].start > span.start; at--)
			out[at] = out[at - 1];
		out[at] = span;
		merged++;
	}
	count = merged;
	merged = 0;
	for (unsigned int i = 0; i < count; i++) {
		if (!merged || out[i].start > out[merged - 1].end)
			out[merged++] = out[i];
		else if (out[i].end > out[merged - 1].end)
			out[merged - 1].end = out[i].end;
	}
	return merged;
}

/*
 * Claims the RAM of the reserved regions. Regions may overlap (low memory and a module in it) and extend into
 * holes.
 */
static int claim_reserved(struct collector *collector)
{
	struct span reserved[KVMAP_MEMBLOCK_REGIONS_MAX];
	unsigned int count =
		merge_regions(collector->claims->reserved, collector->claims->reserved_count, reserved);

	for (unsigned int r = 0; r < count; r++)
		for (unsigned int m = 0; m < collector->owners->memory_count; m++) {
			uint64_t start = reserved[r].start, end = reserved[r].end;

			if (start < collector->owners->memory[m].start)
				start = collector->owners->memory[m].start;
			if (end > collector->owners->memory[m].end)
				end = collector->owners->memory[m].end;
			if (start < end && add_owner(collector, OWNER_RESERVED, 0, start, end - start) < 0)
				return -1;
		}
	return 0;
}

static void claim_memory(struct collector *collector)
{
	struct span memory[KVMAP_MEMBLOCK_REGIONS_MAX];

	collector->owners->memory_count =
		merge_regions(collector->claims->memory, collector->claims->memory_count, memory);
	for (unsigned int i = 0; i < collector->owners->memory_count; i++) {
		collector->owners->memory[i].start = memory[i].start;
		collector->owners->memory[i].end = memory[i].end;
	}
}

static int claim_free(struct collector *collector)
{
	const struct claims *claims = collector->claims;

	for (size_t i = 0; i < claims->free_buddy_blocks.count; i++) {
		const struct claim_buddy_block *block = &claims->free_buddy_blocks.items[i];
		uint64_t frames = block->order <= MAX_ORDER ? 1ull << block->order : 1;

		if (add_owner(collector, OWNER_FREE, i, block->pfn, frames) < 0)
			return -1;
	}
	for (uint32_t i = 0; i < claims->zone_count; i++) {
		const struct claim_zone *zone = &claims->zones[i];

		if (zone->fresh_start < zone->fresh_end &&
		    add_owner(collector, OWNER_FRESH, i, zone->fresh_start,
			      zone->fresh_end - zone->fresh_start) < 0)
			return -1;
	}
	return 0;
}

static bool is_reserved(const struct keyed_array *reserved, uint64_t pfn)
{
	for (size_t i = 0; i < reserved->count; i++)
		if (pfn - reserved->items[i].key < reserved->items[i].size)
			return true;
	return false;
}

/*
 * Claims the frames whose only claim is their struct page. Page tables made during boot belong to their
 * reserved regions. The list must contain the reserved regions and nothing else.
 */
static int claim_by_pages(struct collector *collector)
{
	struct keyed_array reserved = collector->owners->list;
	const struct claims *claims = collector->claims;
	/* claim_reserved() cuts each region to each piece of RAM. */
	struct keyed ranges[KVMAP_MEMBLOCK_REGIONS_MAX * KVMAP_MEMBLOCK_REGIONS_MAX];

	if (reserved.count > sizeof(ranges) / sizeof(ranges[0]))
		reserved.count = sizeof(ranges) / sizeof(ranges[0]);
	for (size_t i = 0; i < reserved.count; i++)
		ranges[i] = reserved.items[i];
	reserved.items = ranges; /* add_owner() may reallocate the list */
	for (size_t i = 0; i < claims->pages.count; i++) {
		const struct claim_page *page = &claims->pages.items[i];

		if ((page->owner != PAGE_TABLE || is_reserved(&reserved, page->pfn)) &&
		    page->owner != PAGE_KMALLOC)
			continue;
		if (add_owner(collector, page->owner == PAGE_TABLE ? OWNER_TABLE : OWNER_KMALLOC, 0,
			      page->pfn, page->order <= MAX_ORDER ? 1ull << page->order : 1) < 0)
			return -1;
	}
	return 0;
}

/* Claims a chain of `count` buddy blocks of 2^order frames, from claims.frames[first] on. */
static int claim_chain(struct collector *collector, enum owner_kind kind, size_t index, size_t first,
		       size_t count, uint32_t order)
{
	for (size_t i = 0; i < count; i++) {
		bool of_area = kind == OWNER_AREA || kind == OWNER_LAZY;

		if (add_owner(collector, kind, index, collector->claims->frames.items[first + i],
			      of_area ? i : 1ull << order) < 0)
			return -1;
	}
	return 0;
}

static int claim_chains(struct collector *collector)
{
	const struct claims *claims = collector->claims;

	for (size_t i = 0; i < claims->areas.count; i++) {
		const struct claim_area *area = &claims->areas.items[i];

		if (claim_chain(collector, area->state == AREA_LIVE ? OWNER_AREA : OWNER_LAZY, i,
				area->first_frame, area->frame_count, 0) < 0)
			return -1;
	}
	for (uint32_t i = 0; i < claims->cache_count; i++)
		if (claim_chain(collector, OWNER_SLAB, i, claims->caches[i].first_frame,
				claims->caches[i].frame_count, claims->caches[i].order) < 0)
			return -1;
	if (claim_chain(collector, OWNER_HELD, 0, claims->held.first_frame, claims->held.frame_count, 0) < 0)
		return -1;
	return claim_chain(collector, OWNER_PCP, 0, claims->pcp.first_frame, claims->pcp.frame_count, 0);
}

int owners_collect(const struct claims *claims, struct owners *out)
{
	struct collector collector = { claims, out };

	*out = (struct owners){ 0 };
	claim_memory(&collector);
	if (claim_reserved(&collector) < 0 || claim_by_pages(&collector) < 0 || claim_free(&collector) < 0 ||
	    claim_chains(&collector) < 0)
		return -1;
	return keyed_sort(&out->list);
}

void owners_destroy(struct owners *owners)
{
	free(owners->list.items);
	*owners = (struct owners){ 0 };
}

const struct keyed *owners_find(const struct owners *owners, uint64_t pfn)
{
	size_t i = keyed_find(&owners->list, pfn + 1);

	if (!i || pfn - owners->list.items[i - 1].key >= owner_frames(&owners->list.items[i - 1]))
		return NULL;
	return &owners->list.items[i - 1];
}
