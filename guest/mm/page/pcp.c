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
#include "mm/page/watermark.h"

#define PCP_BATCH 64
#define PCP_HIGH  128

/* Frames that one operation frees of a list: each may merge ten times, at about 30 instructions. */
#define PCP_FREED 32

u32 pcp_free_max = PCP_CHAIN;

u32 pcp_lowest_kind;

/* The first frame of that type. */
static u32 pcp_lowest_pfn;

void pcp_disable(void)
{
	pcp_free_max = 0;
}

void pcp_set_lowest_kind(u32 kind)
{
	static const u32 first[ZONE_TYPES] = { 0, ZONE_DMA_END_PFN, ZONE_DMA32_END_PFN };

	WRITE_ONCE(pcp_lowest_kind, kind);
	WRITE_ONCE(pcp_lowest_pfn, first[kind]);
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

	if (this_cpu_cache()->may_use_reserve)
		return; /* not for requests that come later */
	chain_init(&chain);
	taken = zero ? chain_take_zero(&chain, fresh_batch(), PAGE_PCP)
		     : chain_take(&chain, PCP_BATCH, PAGE_PCP, 0, WMARK_MIN);
	if (unlikely(taken && chain.lowest_kind < READ_ONCE(pcp_lowest_kind)))
		pcp_set_lowest_kind(chain.lowest_kind);
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

/* Frees PCP_FREED frames and what is above PCP_HIGH. Returns `next`. */
static __attribute__((noinline)) u32 pcp_shrink(struct per_cpu_pages *pcp, u32 next)
{
	pcp->first = zones_free_chain(pcp->first, pcp->nr - PCP_HIGH + PCP_FREED, 0);
	pcp->nr = PCP_HIGH - PCP_FREED;
	return next;
}

u32 pcp_free_chain(u32 first, u32 nr, u64 stamp)
{
	struct per_cpu_pages *pcp = pcp_of(false);
	u32 pfn = first, left = nr, lowest = ~0u;
	struct page *page;

	do {
		if (pfn < lowest)
			lowest = pfn;
		page = pfn_to_page(pfn);
		WRITE_ONCE(page->owner, PAGE_PCP);
		if (stamp)
			page->unmapped = stamp;
		pfn = page->next;
	} while (--left);
	if (unlikely(lowest < READ_ONCE(pcp_lowest_pfn)))
		return zones_free_chain(first, nr, 0);
	page->next = pcp->first;
	pcp->first = first;
	pcp->nr += nr;
	return likely(pcp->nr <= PCP_HIGH) ? pfn : pcp_shrink(pcp, pfn);
}

u32 pcp_count(void)
{
	return pcp_of(false)->nr + pcp_of(true)->nr;
}

bool pcp_drain_cpu(struct cpu_cache *cpu)
{
	struct per_cpu_pages *lists[] = { &cpu->pcp, &cpu->pcp_zero };
	bool found = cpu->pcp.nr || cpu->pcp_zero.nr;

	for (u32 i = 0; i < ARRAY_SIZE(lists); i++) {
		if (lists[i]->nr)
			zones_free_chain(lists[i]->first, lists[i]->nr, 0);
		*lists[i] = (struct per_cpu_pages){ 0 };
	}
	return found;
}

void pcp_drain(void)
{
	pcp_drain_cpu(this_cpu_cache());
}
