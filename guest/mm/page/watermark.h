/* SPDX-License-Identifier: MIT */
/*
 * watermark.h: how many frames of a zone a request leaves free. Linux's watermarks and lowmem_reserve.
 *
 * Zones are tried in the order of the zonelist while they have more than WMARK_LOW, then while they have more
 * than WMARK_MIN. Frames below WMARK_MIN are a reserve for requests with __GFP_HIGH (GFP_ATOMIC).
 * lowmem_reserve keeps frames of low zones for requests that no other zone satisfies.
 */
#ifndef GUEST_MM_PAGE_WATERMARK_H
#define GUEST_MM_PAGE_WATERMARK_H

#include "mm/fail_alloc.h"
#include "mm/page/nodes.h"

/* Sets watermark[] and lowmem_reserve[] of all zones. Called when all zones are known. */
void watermarks_init(void);

/* Frames of the zone above a watermark, for requests whose highest zone type is `highest`. */
static inline u64 zone_available(const struct zone *zone, u32 highest, enum zone_watermarks mark)
{
	u64 kept = (u64)zone->watermark[mark] + zone->lowmem_reserve[highest],
	    free = READ_ONCE(zone->free_pages);

	return free > kept ? free - kept : 0;
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
