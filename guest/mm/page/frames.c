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
#include "mm/page/watermark.h"
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
	watermarks_init();
	if (nr_zones)
		pcp_set_lowest_kind(zones[nr_zones - 1].kind);
}

/* Takes a buddy block of the free lists, or 0. */
static u32 zone_take_used(struct zone *zone, unsigned int order)
{
	unsigned int found;
	u32 pfn;

	lockdep_assert_held(&zone->lock);
	pfn = buddy_take(zone, order, &found);
	if (!pfn)
		return 0;
	buddy_expand(zone, pfn, order, found);
	return pfn;
}

/* Takes a fresh buddy block, or 0. */
static u32 zone_take_fresh(struct zone *zone, unsigned int order)
{
	u32 nr = 1u << order, pfn = ALIGN_UP(zone->fresh_start, nr), skipped;

	lockdep_assert_held(&zone->lock);
	if (pfn > zone->fresh_end || zone->fresh_end - pfn < nr)
		return 0;
	skipped = pfn - zone->fresh_start;
	WRITE_ONCE(zone->fresh_start, pfn + nr);
	fresh_clear(pfn, nr);
	buddy_free_run(zone, pfn - skipped, skipped);
	return pfn;
}

/* Allocates a buddy block from the zone; 0 if it has none. */
static inline u32 zone_alloc(struct zone *zone, unsigned int order, enum page_owner owner, bool fresh)
{
	struct page *page;
	u32 pfn;

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

/*
 * zone_alloc() of what the zone prefers: used blocks for ordinary requests, fresh ones for zeroed contents.
 * Not inlined: gcc computes the address of a zone whose index it has again and again.
 */
static __attribute__((noinline)) u32 zone_alloc_any(struct zone *zone, unsigned int order,
						    enum page_owner owner, bool zero)
{
	u32 pfn = zone_alloc(zone, order, owner, zero);

	if (pfn)
		return pfn;
	pfn = zone_alloc(zone, order, owner, !zero);
	if (pfn && zero)
		__builtin_memset(__va((u64)pfn << PAGE_SHIFT), 0, PAGE_SIZE << order);
	return pfn;
}

/* zones_alloc() where the first zone has no such block, or gfp names zones. */
static __attribute__((noinline)) u32 zones_alloc_slow(gfp_t gfp, unsigned int order, enum page_owner owner)
{
	u32 node = gfp_node(gfp), highest = gfp_highest_zone(gfp), pfn = 0;
	enum zone_watermarks lowest = watermark_lowest();

	for (u32 mark = WMARK_LOW; !pfn && mark >= lowest; mark--) {
		for (u32 i = 0; i < nr_zones && !pfn; i++) {
			struct zone *zone = zonelist_zone(gfp, node, i);

			if (zone && zone_available(zone, highest, mark) >> order)
				pfn = zone_alloc_any(zone, order, owner, gfp & __GFP_ZERO);
		}
		if (!mark)
			break;
	}
	return pfn;
}

static inline u32 zones_alloc(gfp_t gfp, unsigned int order, enum page_owner owner)
{
	struct zone *first = &zones[zonelists[this_cpu_cache()->numa_node].zones[0]];
	u32 pfn = 0;

	if (likely(!(gfp & GFP_PLACE)) && zone_available(first, ZONE_NORMAL, WMARK_LOW) >> order)
		pfn = zone_alloc_any(first, order, owner, gfp & __GFP_ZERO);
	return likely(pfn) ? pfn : zones_alloc_slow(gfp, order, owner);
}

u32 frames_alloc_gfp(gfp_t gfp, unsigned int order, enum page_owner owner)
{
	if (order == 0 && likely(!(gfp & GFP_PLACE)))
		return gfp & __GFP_ZERO ? frames_alloc_chain_zeroed(1, owner) : frames_alloc_chain(1, owner);
	if (order > MAX_ORDER || should_fail_alloc())
		return 0;
	return zones_alloc(gfp, order, owner);
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
	if (unlikely(zone->kind > READ_ONCE(pcp_lowest_kind)))
		pcp_set_lowest_kind(zone->kind);
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
	return zones_available(0) + pcp_count();
}
