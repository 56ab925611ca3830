/* SPDX-License-Identifier: MIT */
/*
 * shortage.c: what is free in the zones of a request that was refused.
 */
#include "mm/shortage.h"

#include "mm/fail_alloc.h"
#include "mm/page/buddy.h"
#include "mm/page/watermark.h"

/* 1 + the order of the zone's largest free block, among free lists and fresh frames; 0 if it has none. */
static u32 largest_block(const struct zone *zone)
{
	u32 fresh = READ_ONCE(zone->fresh_start);

	for (u32 order = MAX_ORDER + 1; order-- > 0;) {
		u32 nr = 1u << order, start = ALIGN_UP(fresh, nr);

		if (READ_ONCE(zone->free_area[order].nr_free) ||
		    (start < zone->fresh_end && zone->fresh_end - start >= nr))
			return order + 1;
	}
	return 0;
}

/* Whether the zone has a free block of `order` that the request may not take. */
static bool withholds(const struct zone *zone, gfp_t gfp, u32 largest, u32 order)
{
	return largest > order &&
	       zone_available(zone, gfp_highest_zone(gfp), gfp_watermark(gfp)) >> order == 0;
}

void memory_shortage(gfp_t gfp, struct kvmap_limits *out)
{
	u32 node = gfp_node(gfp), highest = gfp_highest_zone(gfp);

	for (u32 i = 0; i < nr_zones; i++) {
		const struct zone *zone = zonelist_zone(gfp, node, i);
		u32 largest = zone ? largest_block(zone) : 0;

		if (!zone)
			continue;
		out->free += READ_ONCE(zone->free_pages);
		out->fresh += fresh_count(zone);
		if (largest > out->largest)
			out->largest = (u8)largest;
		if (out->order && !out->withheld && withholds(zone, gfp, largest, out->order)) {
			out->withheld = (u8)(zone->kind + 1);
			out->withheld_node = (u8)(zone->numa_node + 1);
			out->limit = zone_kept(zone, highest, gfp_watermark(gfp));
		}
	}
	out->reserved = out->free - zones_available(gfp);
	out->zone = (u8)highest;
	out->node = gfp & __GFP_THISNODE ? (u8)(node + 1) : 0;
	out->injected = READ_ONCE(fail_alloc_now);
}
