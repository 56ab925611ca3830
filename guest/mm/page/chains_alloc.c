/* SPDX-License-Identifier: MIT */
/*
 * chains_alloc.c: allocating chains of single frames: from this CPU's lists, else from the zones.
 */
#include "mm/fail_alloc.h"
#include "mm/page/buddy.h"
#include "mm/page/nodes.h"

u32 frames_alloc_chain(u32 nr, enum page_owner owner)
{
	u32 first;

	if (should_fail_alloc())
		return 0;
	first = nr <= PCP_CHAIN ? pcp_alloc_chain(nr, owner, false) : 0;
	return likely(first) ? first : zones_alloc_chain(nr, owner, 0);
}

u32 frames_alloc_chain_zeroed(u32 nr, enum page_owner owner)
{
	u32 first;

	if (should_fail_alloc())
		return 0;
	first = nr <= PCP_CHAIN ? pcp_alloc_chain(nr, owner, true) : 0;
	return likely(first) ? first : zones_alloc_chain(nr, owner, __GFP_ZERO);
}

/* The per-CPU lists distinguish neither zones nor nodes. */
u32 frames_alloc_chain_placed(gfp_t gfp, u32 nr, enum page_owner owner)
{
	return should_fail_alloc() ? 0 : zones_alloc_chain(nr, owner, gfp & (GFP_PLACE | __GFP_ZERO));
}
