/* SPDX-License-Identifier: MIT */
/*
 * watermark.h: how many frames of a zone a request leaves free. Linux's watermarks and lowmem_reserve.
 *
 * Zones are tried in the order of the zonelist while they have more than WMARK_LOW, then while they have more
 * than WMARK_MIN. Frames below WMARK_MIN are a reserve for requests with __GFP_HIGH (GFP_ATOMIC).
 * lowmem_reserve keeps frames of low zones for requests that no other zone satisfies. All stretches of a zone count
 * together.
 */
#ifndef GUEST_MM_PAGE_WATERMARK_H
#define GUEST_MM_PAGE_WATERMARK_H

#include "mm/fail_alloc.h"
#include "mm/page/nodes.h"

/* Sets watermark[] and lowmem_reserve[] of all zones. Called when all zones are known. */
void watermarks_init(void);

/* Frames that requests whose highest zone type is `highest` leave free in all stretches of the zone together. */
static inline u64 zone_kept(const struct zone *zone, u32 highest, enum zone_watermarks mark)
{
	return (u64)zone->watermark[mark] + zone->lowmem_reserve[highest];
}

/* Frames of all stretches of the zone together, beyond `kept`. */
u64 stretches_available(const struct zone *zone, u64 kept);

/* Free frames of this stretch that may be taken: above a watermark, for requests whose highest zone type is `highest`. */
static inline u64 zone_available(const struct zone *zone, u32 highest, enum zone_watermarks mark)
{
	u64 kept = zone_kept(zone, highest, mark), free = READ_ONCE(zone->free_pages), together;

	if (likely(zone->nr_stretches == 1))
		return free > kept ? free - kept : 0;
	together = stretches_available(zone, kept);
	return free < together ? free : together;
}

/* The lowest watermark that a request with gfp may go down to in the end. */
static inline enum zone_watermarks gfp_watermark(gfp_t gfp)
{
	return gfp & __GFP_HIGH ? WMARK_NONE : WMARK_MIN;
}

/* The lowest watermark that requests of this CPU go down to. */
static inline enum zone_watermarks watermark_lowest(void)
{
	return this_cpu_cache()->may_use_reserve ? WMARK_NONE : WMARK_MIN;
}

/*
 * Between these, requests of this CPU may use the reserve: a further attempt for a request that gfp allows it
 * (__GFP_HIGH). False, and there must be no reserve_close(), for any other request.
 */
static inline bool reserve_open(gfp_t gfp)
{
	if (!(gfp & __GFP_HIGH) || READ_ONCE(fail_alloc_now))
		return false;
	this_cpu_cache()->may_use_reserve = 1;
	return true;
}

static inline void reserve_close(void)
{
	this_cpu_cache()->may_use_reserve = 0;
}

/*
 * Frames that an ordinary request of gfp's zones and node may take from the zones now; with __GFP_HIGH, the
 * reserve included.
 */
u64 zones_available(gfp_t gfp);

#endif
