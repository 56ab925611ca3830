/* SPDX-License-Identifier: MIT */
/*
 * counters.c: V13. The guest's counters against the host's own count of what the lists and tables hold.
 */
#include "verify/check.h"

#include <inttypes.h>
#include <stdio.h>

static void compare(struct check *check, uint64_t claimed, uint64_t counted, const char *name)
{
	struct finding *finding;

	check->result->checked++;
	if (claimed == counted)
		return;
	finding = finding_new(check, 0);
	finding_claimed(finding, "%" PRIu64, claimed);
	finding_found(finding, "%" PRIu64, counted);
	finding_where(finding, "%s", name);
}

/* As compare(), unless the counted structures were not all read. */
static void compare_read(struct check *check, unsigned int parts, uint64_t claimed, uint64_t counted,
			 const char *name)
{
	if (!check_lacks(check, parts))
		compare(check, claimed, counted, name);
}

/* As compare_read(), for a counter of a zone or a cache. */
#define COMPARE_OF(check, parts, claimed, counted, ...)                                                      \
	do {                                                                                                 \
		char name_[64];                                                                              \
		snprintf(name_, sizeof(name_), __VA_ARGS__);                                                 \
		compare_read(check, parts, claimed, counted, name_);                                         \
	} while (0)

static uint64_t fresh_frames(const struct claim_zone *zone)
{
	return zone->fresh_start < zone->fresh_end ? zone->fresh_end - zone->fresh_start : 0;
}

static void check_zone(struct check *check, uint32_t number)
{
	const struct claims *claims = check->facts->claims;
	const struct claim_zone *zone = &claims->zones[number];
	uint64_t blocks[MAX_ORDER + 1] = { 0 }, frames = fresh_frames(zone);

	for (size_t i = 0; i < claims->free_buddy_blocks.count; i++) {
		const struct claim_buddy_block *block = &claims->free_buddy_blocks.items[i];

		if (block->zone != number || block->order > MAX_ORDER)
			continue;
		blocks[block->order]++;
		frames += 1ull << block->order;
	}
	COMPARE_OF(check, PART_OWNERS, zone->free_pages, frames, "zones[%" PRIu32 "].free_pages", number);
	for (uint32_t order = 0; order < zone->orders && order <= MAX_ORDER; order++)
		COMPARE_OF(check, PART_OWNERS, zone->nr_free[order], blocks[order],
			   "zones[%" PRIu32 "].free_area[%" PRIu32 "].nr_free", number, order);
}

static uint64_t free_frames(const struct claims *claims)
{
	uint64_t frames = 0;

	for (size_t i = 0; i < claims->free_buddy_blocks.count; i++)
		if (claims->free_buddy_blocks.items[i].order <= MAX_ORDER)
			frames += 1ull << claims->free_buddy_blocks.items[i].order;
	for (uint32_t i = 0; i < claims->zone_count; i++)
		frames += fresh_frames(&claims->zones[i]);
	return frames;
}

static uint64_t table_pages(const struct facts *facts)
{
	uint64_t tables = 0;

	for (size_t i = 0; i < facts->tables.count; i++)
		tables += !i || facts->tables.items[i].key != facts->tables.items[i - 1].key;
	return tables;
}

static uint64_t allocated_pages(const struct claims *claims)
{
	uint64_t frames = 0;

	for (size_t i = 0; i < claims->pages.count; i++)
		if (claims->pages.items[i].owner == PAGE_KMALLOC && claims->pages.items[i].order <= MAX_ORDER)
			frames += 1ull << claims->pages.items[i].order;
	return frames;
}

static void check_caches(struct check *check)
{
	const struct claims *claims = check->facts->claims;
	uint64_t slabs = 0;

	for (uint32_t i = 0; i < claims->cache_count; i++) {
		const struct claim_cache *cache = &claims->caches[i];

		COMPARE_OF(check, PART_OWNERS, cache->nr_slabs, cache->frame_count, "cache %s: nr_slabs",
			   cache->name);
		COMPARE_OF(check, PART_OWNERS | PART_OBJECTS, cache->free_claimed, cache->free_objects,
			   "cache %s: free objects", cache->name);
		slabs += (uint64_t)cache->frame_count << cache->order;
	}
	compare_read(check, PART_OWNERS, claims->vm_stat[NR_SLAB_PAGES], slabs, "vm_stat[NR_SLAB_PAGES]");
}

static void check_areas(struct check *check)
{
	const struct claims *claims = check->facts->claims;
	uint64_t areas = 0, pages[2] = { 0 }, aliases = 0;

	for (size_t i = 0; i < claims->areas.count; i++) {
		const struct claim_area *area = &claims->areas.items[i];

		areas += area->state == AREA_LIVE;
		if (area->state == AREA_LIVE && area->flags & VM_MAP)
			aliases += area->nr_pages;
		pages[area->state == AREA_LIVE] += area->frame_count;
	}
	compare_read(check, PART_AREAS | PART_OWNERS, claims->vm_stat[NR_VMALLOC_PAGES], pages[true],
		     "vm_stat[NR_VMALLOC_PAGES]");
	compare_read(check, PART_AREAS | PART_OWNERS, claims->vm_stat[NR_LAZY_PAGES], pages[false],
		     "vm_stat[NR_LAZY_PAGES]");
	compare_read(check, PART_AREAS, claims->stats.allocations - claims->stats.frees, areas,
		     "vmalloc_stats: allocations - frees");
	compare_read(check, PART_AREAS | PART_OWNERS,
		     claims->stats.pages_mapped - claims->stats.pages_unmapped, pages[true] + aliases,
		     "vmalloc_stats: pages_mapped - pages_unmapped");
}

void check_counters(struct check *check)
{
	const struct claims *claims = check->facts->claims;

	for (uint32_t i = 0; i < claims->zone_count; i++)
		check_zone(check, i);
	compare_read(check, PART_OWNERS, claims->vm_stat[NR_FREE_PAGES], free_frames(claims),
		     "vm_stat[NR_FREE_PAGES]");
	compare(check, claims->vm_stat[NR_PAGETABLE_PAGES], table_pages(check->facts),
		"vm_stat[NR_PAGETABLE_PAGES]");
	compare_read(check, PART_OWNERS, claims->vm_stat[NR_HELD_PAGES], claims->held.frame_count,
		     "vm_stat[NR_HELD_PAGES]");
	compare_read(check, PART_STRUCT_PAGES, claims->vm_stat[NR_KMALLOC_PAGES], allocated_pages(claims),
		     "vm_stat[NR_KMALLOC_PAGES]");
	check_caches(check);
	check_objects_in_use(check);
	check_kept(check);
	check_areas(check);
	check_requested_all(check);
	check_watermarks(check);
}
