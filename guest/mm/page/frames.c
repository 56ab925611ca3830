/* SPDX-License-Identifier: MIT */
/*
 * frames.c: buddy blocks from the zones, and single frames from this CPU's list (pcp.c).
 *
 * Fresh frames are zero and are never cleared; if RAM was not zero at boot they are cleared when they
 * are taken (fresh_is_zero). Requests for zeroed frames take them first, other requests
 * last.
 */
#include "mm/page/frames.h"

#include "mm/arch.h"
#include "mm/page/buddy.h"
#include "mm/page/nodes.h"
#include "mm/fail_alloc.h"

struct page *mem_map;
unsigned long max_pfn;
struct zone zones[MAX_NR_ZONES];
u32 nr_zones;
bool fresh_is_zero = true;
struct memblock memblock;

static void zone_add(u64 start, u64 end, enum zone_type kind, u32 node)
{
	struct zone *zone = &zones[nr_zones];

	if (start >= end || nr_zones == MAX_NR_ZONES)
		return;
	nr_zones++;
	zone->start_pfn = zone->fresh_start = (u32)start;
	zone->end_pfn = zone->fresh_end = (u32)end;
	zone->kind = kind;
	zone->numa_node = node;
	frames_count_free(zone, (s64)(end - start));
}

/* Makes [start, end), which lies on one NUMA node, into zones of fresh frames. */
static void node_zones_add(u64 start, u64 end, u32 node)
{
	static const u64 limits[ZONE_TYPES] = { ZONE_DMA_END_PFN, ZONE_DMA32_END_PFN, ~0ul };

	for (u32 kind = 0; kind < ZONE_TYPES && start < end; kind++) {
		u64 limit = end < limits[kind] ? end : limits[kind];

		zone_add(start, limit, kind, node);
		if (limit > start)
			start = limit;
	}
}

/* Makes [start, end) into zones. Ranges that need more than MAX_NR_ZONES zones are not used. */
static void zones_add(u64 start, u64 end)
{
	if (start == 0)
		start = 1; /* frame 0: pfn 0 ends chains */
	for (u32 node = 0; node < nr_nodes; node++) {
		u64 first = node_start_pfn(node), behind = node_start_pfn(node + 1);

		node_zones_add(start > first ? start : first, end < behind ? end : behind, node);
	}
}

void frames_init(void)
{
	u32 m = 0, r = 0;

	while (m < memblock.nr_memory) {
		u64 start = memblock.memory[m].base >> PAGE_SHIFT;
		u64 end = start + (memblock.memory[m].size >> PAGE_SHIFT);

		/*
		 * Merge adjacent regions: buddy blocks may span them, and buddies must not be in two zones.
		 */
		for (m++; m < memblock.nr_memory && memblock.memory[m].base >> PAGE_SHIFT == end; m++)
			end += memblock.memory[m].size >> PAGE_SHIFT;

		for (; r < memblock.nr_reserved && memblock.reserved[r].base >> PAGE_SHIFT < end; r++) {
			u64 hole = memblock.reserved[r].base >> PAGE_SHIFT;
			u64 hole_end = hole + (memblock.reserved[r].size >> PAGE_SHIFT);

			if (hole_end == hole)
				continue;
			zones_add(start, hole);
			if (hole_end > start)
				start = hole_end;
			if (hole_end > end)
				break; /* it may cover part of the next region, too */
		}
		zones_add(start, end);
	}
	zonelists_init();
}

/* Takes a buddy block of the free lists, or 0. */
static u32 zone_take_used(struct zone *zone, unsigned int order)
{
	u32 nr = 1u << order, pfn;
	unsigned int found;

	pfn = buddy_take(zone, order, &found);
	if (!pfn)
		return 0;
	pfn_to_page(pfn)->order = (u8)order;
	WRITE_ONCE(pfn_to_page(pfn)->owner, PAGE_HELD); /* so that the rest does not merge with it */
	buddy_free_run(zone, pfn + nr, (1u << found) - nr);
	return pfn;
}

/* Takes a fresh buddy block, or 0. */
static u32 zone_take_fresh(struct zone *zone, unsigned int order)
{
	u32 nr = 1u << order, pfn = ALIGN_UP(zone->fresh_start, nr), skipped;

	if (pfn > zone->fresh_end || zone->fresh_end - pfn < nr)
		return 0;
	skipped = pfn - zone->fresh_start;
	WRITE_ONCE(zone->fresh_start, pfn + nr);
	fresh_clear(pfn, nr);
	WRITE_ONCE(pfn_to_page(pfn)->owner, PAGE_HELD);
	buddy_free_run(zone, pfn - skipped, skipped);
	return pfn;
}

/* Allocates a buddy block from the zone; 0 if it has none. */
static u32 zone_alloc(struct zone *zone, unsigned int order, enum page_owner owner, bool fresh)
{
	struct page *page;
	u32 pfn;

	if (READ_ONCE(zone->free_pages) >> order == 0)
		return 0;
	spin_lock(&zone->lock);
	pfn = fresh ? zone_take_fresh(zone, order) : zone_take_used(zone, order);
	if (pfn) {
		page = pfn_to_page(pfn);
		WRITE_ONCE(page->owner, (u8)owner);
		page->order = (u8)order;
		page->allocated = READ_ONCE(tlb_gen);
		frames_count_free(zone, -(s64)(1u << order));
	}
	spin_unlock(&zone->lock);
	return pfn;
}

static u32 alloc_zeroed(gfp_t gfp, unsigned int order, enum page_owner owner)
{
	u32 node = gfp_node(gfp), pfn, i;
	struct zone *zone;

	for (i = 0; i < nr_zones; i++) {
		zone = zonelist_zone(gfp, node, i);
		pfn = zone ? zone_alloc(zone, order, owner, true) : 0;
		if (pfn)
			return pfn;
	}
	for (i = 0; i < nr_zones; i++) {
		zone = zonelist_zone(gfp, node, i);
		pfn = zone ? zone_alloc(zone, order, owner, false) : 0;
		if (!pfn)
			continue;
		__builtin_memset(__va((u64)pfn << PAGE_SHIFT), 0, PAGE_SIZE << order);
		return pfn;
	}
	return 0;
}

static u32 alloc_any(gfp_t gfp, unsigned int order, enum page_owner owner)
{
	u32 node = gfp_node(gfp);

	for (u32 i = 0; i < nr_zones; i++) {
		struct zone *zone = zonelist_zone(gfp, node, i);
		u32 pfn = zone ? zone_alloc(zone, order, owner, false) : 0;

		if (zone && !pfn)
			pfn = zone_alloc(zone, order, owner, true);
		if (pfn)
			return pfn;
	}
	return 0;
}

u32 frames_alloc_gfp(gfp_t gfp, unsigned int order, enum page_owner owner)
{
	if (order == 0 && likely(!(gfp & GFP_PLACE)))
		return gfp & __GFP_ZERO ? frames_alloc_chain_zeroed(1, owner) : frames_alloc_chain(1, owner);
	if (order > MAX_ORDER || should_fail_alloc())
		return 0;
	return gfp & __GFP_ZERO ? alloc_zeroed(gfp, order, owner) : alloc_any(gfp, order, owner);
}

u32 frames_alloc(unsigned int order, enum page_owner owner)
{
	return frames_alloc_gfp(0, order, owner);
}

u32 frames_alloc_zeroed(enum page_owner owner)
{
	return frames_alloc_chain_zeroed(1, owner);
}

void zones_free(u32 pfn)
{
	struct page *page = pfn_to_page(pfn);
	struct zone *zone = zone_of(pfn);
	unsigned int order = page->order;

	spin_lock(&zone->lock);
	WRITE_ONCE(page->head, PAGE_NONE);
	page->area = 0;
	frames_count_free(zone, (s64)1 << order);
	buddy_free(zone, pfn, order);
	spin_unlock(&zone->lock);
}

void frames_free(u32 pfn)
{
	struct page *page = pfn_to_page(pfn);

	if (page->order || unlikely(!pcp_free_max))
		return zones_free(pfn);
	page->cache = 0;
	pcp_free_chain(pfn, 1, 0);
}

u64 frames_total_count(void)
{
	u64 total = 0;
	u32 i;

	for (i = 0; i < nr_zones; i++)
		total += zones[i].end_pfn - zones[i].start_pfn;
	return total;
}

u64 frames_free_count(void)
{
	u64 total = pcp_count();
	u32 i;

	for (i = 0; i < nr_zones; i++)
		total += READ_ONCE(zones[i].free_pages);
	return total;
}
