/* SPDX-License-Identifier: MIT */
/*
 * facts_frames.c: who claims which frame, from all of the guest's lists, sorted by frame.
 */
#include "base/array.h"
#include "verify/facts.h"

uint64_t owner_frames(const struct keyed *owner)
{
	enum owner_kind kind = OWNER_KIND(owner->tag);

	return kind == OWNER_AREA || kind == OWNER_LAZY ? 1 : owner->size;
}

static int add_owner(struct facts *facts, enum owner_kind kind, size_t index, uint64_t pfn, uint64_t size)
{
	struct keyed owner = {
		.key = pfn,
		.size = size < UINT32_MAX ? (uint32_t)size : UINT32_MAX,
		.tag = OWNER_TAG(kind, index),
	};

	return array_push(&facts->owners, owner);
}

struct span {
	uint64_t start, end; /* frames, end exclusive */
};

/* Whole frames, sorted by insertion, those that touch or overlap merged. Returns how many are left. */
static unsigned int merge_regions(const struct claim_region *regions, unsigned int count, struct span *out)
{
	unsigned int merged = 0;

	for (unsigned int i = 0; i < count; i++) {
		uint64_t last = regions[i].size - 1, base = regions[i].base;
		unsigned int place = merged;
		struct span span;

		if (!regions[i].size || last > UINT64_MAX - base)
			continue;
		span = (struct span){ base >> KVMAP_PAGE_SHIFT, ((base + last) >> KVMAP_PAGE_SHIFT) + 1 };
		for (; place && out[place - 1].start > span.start; place--)
			out[place] = out[place - 1];
		out[place] = span;
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

/* Reserved regions overlap (low memory and a module in it) and reach into holes; only what is RAM counts. */
static int claim_reserved(struct facts *facts)
{
	struct span reserved[16];
	unsigned int count = merge_regions(facts->claims->reserved, facts->claims->reserved_count, reserved);

	for (unsigned int r = 0; r < count; r++)
		for (unsigned int m = 0; m < facts->memory_count; m++) {
			uint64_t start = reserved[r].start, end = reserved[r].end;

			if (start < facts->memory[m].start)
				start = facts->memory[m].start;
			if (end > facts->memory[m].end)
				end = facts->memory[m].end;
			if (start < end && add_owner(facts, OWNER_RESERVED, 0, start, end - start) < 0)
				return -1;
		}
	return 0;
}

static void claim_memory(struct facts *facts)
{
	struct span memory[16];

	facts->memory_count = merge_regions(facts->claims->memory, facts->claims->memory_count, memory);
	for (unsigned int i = 0; i < facts->memory_count; i++) {
		facts->memory[i].start = memory[i].start;
		facts->memory[i].end = memory[i].end;
	}
}

static int claim_free(struct facts *facts)
{
	const struct claims *claims = facts->claims;

	for (size_t i = 0; i < claims->free_blocks.count; i++) {
		const struct claim_free_block *block = &claims->free_blocks.items[i];
		uint64_t frames = block->order <= MAX_ORDER ? 1ull << block->order : 1;

		if (add_owner(facts, OWNER_FREE, i, block->pfn, frames) < 0)
			return -1;
	}
	for (uint32_t i = 0; i < claims->zone_count; i++) {
		const struct claim_zone *zone = &claims->zones[i];

		if (zone->fresh_start < zone->fresh_end && add_owner(facts, OWNER_FRESH, i, zone->fresh_start,
								     zone->fresh_end - zone->fresh_start) < 0)
			return -1;
	}
	return 0;
}

/* As in memory[], which does not hold frames of reserved regions apart. */
static bool is_reserved(const struct keyed_array *reserved, uint64_t pfn)
{
	for (size_t i = 0; i < reserved->count; i++)
		if (pfn - reserved->items[i].key < reserved->items[i].size)
			return true;
	return false;
}

/*
 * What only its struct page claims. Page tables made by the boot lie inside reserved regions, which own them.
 * Runs when only those are claimed.
 */
static int claim_by_pages(struct facts *facts)
{
	struct keyed_array reserved = facts->owners;
	const struct claims *claims = facts->claims;
	struct keyed ranges[16 * 16];

	if (reserved.count > sizeof(ranges) / sizeof(ranges[0]))
		reserved.count = sizeof(ranges) / sizeof(ranges[0]);
	for (size_t i = 0; i < reserved.count; i++)
		ranges[i] = reserved.items[i];
	reserved.items = ranges; /* the original moves as it grows */
	for (size_t i = 0; i < claims->pages.count; i++) {
		const struct claim_page *page = &claims->pages.items[i];

		if ((page->owner != PAGE_TABLE || is_reserved(&reserved, page->pfn)) &&
		    page->owner != PAGE_KMALLOC)
			continue;
		if (add_owner(facts, page->owner == PAGE_TABLE ? OWNER_TABLE : OWNER_KMALLOC, 0, page->pfn,
			      page->order <= MAX_ORDER ? 1ull << page->order : 1) < 0)
			return -1;
	}
	return 0;
}

/* A chain of blocks of 2^order frames. */
static int claim_chain(struct facts *facts, enum owner_kind kind, size_t index, size_t first, size_t count,
		       uint32_t order)
{
	for (size_t i = 0; i < count; i++) {
		bool of_area = kind == OWNER_AREA || kind == OWNER_LAZY;

		if (add_owner(facts, kind, index, facts->claims->frames.items[first + i],
			      of_area ? i : 1ull << order) < 0)
			return -1;
	}
	return 0;
}

static int claim_chains(struct facts *facts)
{
	const struct claims *claims = facts->claims;

	for (size_t i = 0; i < claims->areas.count; i++) {
		const struct claim_area *area = &claims->areas.items[i];

		if (claim_chain(facts, area->state == AREA_LIVE ? OWNER_AREA : OWNER_LAZY, i,
				area->first_frame, area->frame_count, 0) < 0)
			return -1;
	}
	for (uint32_t i = 0; i < claims->cache_count; i++)
		if (claim_chain(facts, OWNER_SLAB, i, claims->caches[i].first_frame,
				claims->caches[i].frame_count, claims->caches[i].order) < 0)
			return -1;
	return claim_chain(facts, OWNER_HELD, 0, claims->held.first_frame, claims->held.frame_count, 0);
}

static int copy_area_frames(struct facts *facts)
{
	for (size_t i = 0; i < facts->owners.count; i++) {
		enum owner_kind kind = OWNER_KIND(facts->owners.items[i].tag);

		if ((kind == OWNER_AREA || kind == OWNER_LAZY) &&
		    array_push(&facts->area_frames, facts->owners.items[i]) < 0)
			return -1;
	}
	return 0;
}

int facts_claim_frames(struct facts *facts)
{
	if (!facts->claims)
		return 0;
	claim_memory(facts);
	if (claim_reserved(facts) < 0 || claim_by_pages(facts) < 0 || claim_free(facts) < 0 ||
	    claim_chains(facts) < 0 || keyed_sort(&facts->owners) < 0)
		return -1;
	return copy_area_frames(facts);
}

const struct keyed *facts_owner(const struct facts *facts, uint64_t pfn)
{
	size_t i = keyed_find(&facts->owners, pfn + 1);

	/* Where claims overlap, which V4 says, one of them. */
	if (!i || pfn - facts->owners.items[i - 1].key >= owner_frames(&facts->owners.items[i - 1]))
		return NULL;
	return &facts->owners.items[i - 1];
}
