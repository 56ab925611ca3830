/* SPDX-License-Identifier: MIT */
/*
 * pcp.c: lists of single frames of this CPU, so that most small allocations need no lock. Two lists: used
 * frames, the latest freed first, and frames that contain zeros.
 *
 * Each list is bounded: at most PCP_HIGH frames of the first and PCP_BATCH of the second are unavailable to
 * other CPUs.
 */
#include "mm/arch.h"
#include "mm/page/buddy.h"
#include "mm/page/nodes.h"

#define PCP_BATCH 64
#define PCP_HIGH  128

u32 pcp_free_max = PCP_CHAIN;

void pcp_disable(void)
{
	pcp_free_max = 0;
}

static inline struct per_cpu_pages *pcp_of(bool zero)
{
	struct cpu_cache *cache = this_cpu_cache();

	return zero ? &cache->pcp_zero : &cache->pcp;
}

/*
 * Sets the owner of the first nr frames of a chain that has at least nr. Returns the next pfn; *last_out: the
 * last of the nr frames.
 */
static inline u32 frames_set_owner(u32 pfn, u32 nr, enum page_owner owner, struct page **last_out)
{
	u64 gen = READ_ONCE(tlb_gen);
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
 * Number of fresh frames up to a multiple of PCP_BATCH, so that fresh frames taken later are aligned, and can
 * be freed as whole buddy blocks.
 */
static u32 fresh_batch(void)
{
	const struct zone *first = &zones[zonelists[this_cpu_cache()->numa_node].zones[0]];

	return PCP_BATCH - READ_ONCE(first->fresh_start) % PCP_BATCH;
}

/* Prepends a batch from the zones. */
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
	pcp->first = frames_set_owner(first, nr, owner, &last);
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
	pcp->first = frames_set_owner(pcp->first, nr, owner, &last);
	pcp->nr -= nr;
	last->next = 0;
	chain->end = &last->next;
	return nr;
}

u32 pcp_free_chain(u32 first, u32 nr, u64 stamp)
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
