/* SPDX-License-Identifier: MIT */
/*
 * chain_limited.c: single frames of the lower zones alone, for who can only reach those.
 */
#include "mm/arch.h"
#include "mm/buddy.h"

static void clear_from(u32 pfn)
{
	for (; pfn; pfn = pfn_to_page(pfn)->next)
		__builtin_memset(__va((u64)pfn << PAGE_SHIFT), 0, PAGE_SIZE);
}

/* How many zones, from the first, gfp allows; *free_out: frames free in them. Zones are in order of their
 * types. */
static u32 zones_allowed(gfp_t gfp, u64 *free_out)
{
	u32 highest = gfp & __GFP_DMA ? ZONE_DMA : ZONE_DMA32, i;

	*free_out = 0;
	for (i = 0; i < nr_zones && zones[i].kind <= highest; i++)
		*free_out += READ_ONCE(zones[i].free_pages);
	return i;
}

u32 frames_alloc_chain_limited(gfp_t gfp, u32 nr, enum page_owner owner)
{
	struct chain chain;
	u64 free;
	u32 allowed = zones_allowed(gfp, &free), taken = 0, i, *used;

	if (free < nr)
		return 0;
	chain_init(&chain);
	for (i = allowed; gfp & __GFP_ZERO && i-- > 0;)
		taken += zone_take(&chain, &zones[i], nr - taken, owner, true);
	used = chain.end;
	for (i = allowed; i-- > 0;)
		taken += zone_take(&chain, &zones[i], nr - taken, owner, false);
	if (gfp & __GFP_ZERO)
		clear_from(*used);
	for (i = allowed; i-- > 0;)
		taken += zone_take(&chain, &zones[i], nr - taken, owner, true);
	return chain_finish(&chain, taken, nr);
}
