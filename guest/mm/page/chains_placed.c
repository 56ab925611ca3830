/* SPDX-License-Identifier: MIT */
/*
 * chains_placed.c: chains of single frames from certain zones only, for requests that limit the address or
 * name a NUMA node.
 */
#include "mm/arch.h"
#include "mm/page/buddy.h"
#include "mm/fail_alloc.h"
#include "mm/page/nodes.h"

static void clear_from(u32 pfn)
{
	for (; pfn; pfn = pfn_to_page(pfn)->next)
		__builtin_memset(__va((u64)pfn << PAGE_SHIFT), 0, PAGE_SIZE);
}

static u64 frames_allowed(gfp_t gfp, u32 node)
{
	u64 free = 0;

	for (u32 i = 0; i < nr_zones; i++) {
		const struct zone *zone = zonelist_zone(gfp, node, i);

		free += zone ? READ_ONCE(zone->free_pages) : 0;
	}
	return free;
}

/* Takes fresh frames, which are zero, first for __GFP_ZERO, and last otherwise. */
static u32 take_zone(struct chain *chain, gfp_t gfp, struct zone *zone, u32 nr, enum page_owner owner)
{
	bool zero = gfp & __GFP_ZERO;
	u32 taken = zone_take(chain, zone, nr, owner, zero), *second = chain->end;

	taken += zone_take(chain, zone, nr - taken, owner, !zero);
	if (zero)
		clear_from(*second);
	return taken;
}

u32 frames_alloc_chain_placed(gfp_t gfp, u32 nr, enum page_owner owner)
{
	u32 node = gfp_node(gfp), taken = 0;
	struct chain chain;

	if (should_fail_alloc() || frames_allowed(gfp, node) < nr)
		return 0;
	chain_init(&chain);
	for (u32 i = 0; i < nr_zones && taken < nr; i++) {
		struct zone *zone = zonelist_zone(gfp, node, i);

		if (zone)
			taken += take_zone(&chain, gfp, zone, nr - taken, owner);
	}
	return chain_finish(&chain, taken, nr);
}
