/* SPDX-License-Identifier: MIT */
/*
 * pcp.c: single frames that a CPU keeps for itself, so that most allocations of a few pages ask nobody. Two
 * chains: those that had owners before, the newest first, and those that are known to be zero.
 *
 * They are bounded: a CPU keeps at most PCP_HIGH and PCP_BATCH frames of the two, which no other CPU can use.
 */
#include "mm/arch.h"
#include "mm/page/buddy.h"
#include "mm/page/nodes.h"

#define PCP_BATCH 64
#define PCP_HIGH  128

u32 pcp_free_most = PCP_CHAIN;

void pcp_takes_none(void)
{
	pcp_free_most = 0;
}

static inline struct per_cpu_pages *pcp_of(bool zero)
{
	struct cpu_cache *cache = this_cpu_cache();

	return zero ? &cache->pcp_zero : &cache->pcp;
}

/* Makes the first nr frames, which there are, the owner's; the pfn behind them, and *last_out the last. */
static inline u32 hand_out(u32 pfn, u32 nr, enum page_owner owner, struct page **last_out)
{
	u32 gen = READ_ONCE(tlb_gen);
	struct page *page;

	do {
		page = pfn_to_page(pfn);
		WRITE_ONCE(page->owner, (u8)owner);
		page->allocated = gen;
		pfn = page->next;
	} while (--nr);
	*last_out = page;
	return pfn;
}

/*
 * Fresh frames up to a multiple of a batch: what is taken fresh after them begins there, and goes back in
 * whole blocks.
 */
static u32 fresh_batch(void)
{
	const struct zone *first = &zones[zonelists[this_cpu_cache()->numa_node].zones[0]];

	return PCP_BATCH - READ_ONCE(first->fresh_start) % PCP_BATCH;
}

/* A batch from the zones, in front of what there is. */
static __attribute__((noinline)) void pcp_refill(struct per_cpu_pages *pcp, bool zero)
{
	struct chain chain;
	u32 taken;

	chain_init(&chain);
	taken = zero ? chain_take_all_fresh(&chain, fresh_batch(), PAGE_PCP)
		     : chain_take_near(&chain, PCP_BATCH, PAGE_PCP);
	*chain.end = pcp->first;
	pcp->first = chain.first;
	pcp->nr += taken;
}

u32 pcp_alloc_chain(u32 nr, enum page_owner owner, bool zero)
{
	struct per_cpu_pages *pcp = pcp_of(zero);
	struct page *last;
	u32 first;

	if (unlikely(pcp->nr < nr)) {
		pcp_refill(pcp, zero);
		if (pcp->nr < nr)
			return 0;
	}
	first = pcp->first;
	pcp->first = hand_out(first, nr, owner, &last);
	pcp->nr -= nr;
	last->next = 0;
	return first;
}

u32 pcp_take(struct chain *chain, u32 nr, enum page_owner owner, bool zero)
{
	struct per_cpu_pages *pcp = pcp_of(zero);
	struct page *last;

	if (nr > pcp->nr)
		nr = pcp->nr;
	if (!nr)
		return 0;
	*chain->end = pcp->first;
	pcp->first = hand_out(pcp->first, nr, owner, &last);
	pcp->nr -= nr;
	last->next = 0;
	chain->end = &last->next;
	return nr;
}

u32 pcp_free_chain(u32 first, u32 nr, u32 stamp)
{
	struct per_cpu_pages *pcp = pcp_of(false);
	u32 pfn = first, left = nr;
	struct page *page;

	do {
		page = pfn_to_page(pfn);
		WRITE_ONCE(page->owner, PAGE_PCP);
		if (stamp)
			page->unmapped = stamp;
		pfn = page->next;
	} while (--left);
	page->next = pcp->first;
	pcp->first = first;
	pcp->nr += nr;
	if (unlikely(pcp->nr > PCP_HIGH)) {
		pcp->first = zones_free_chain(pcp->first, pcp->nr - PCP_HIGH + PCP_BATCH, 0);
		pcp->nr = PCP_HIGH - PCP_BATCH;
	}
	return pfn;
}

u32 pcp_count(void)
{
	return pcp_of(false)->nr + pcp_of(true)->nr;
}

void pcp_drain(void)
{
	for (int zero = 0; zero < 2; zero++) {
		struct per_cpu_pages *pcp = pcp_of(zero);

		if (pcp->nr)
			zones_free_chain(pcp->first, pcp->nr, 0);
		*pcp = (struct per_cpu_pages){ 0 };
	}
}
