/* SPDX-License-Identifier: MIT */
/*
 * page_alloc.c: Linux's alloc_pages() family.
 */
#include "mm/page/page_alloc.h"

#include "kvmap/operation.h"
#include "mm/arch.h"
#include "mm/interrupt.h"
#include "mm/page/watermark.h"
#include "mm/percpu.h"
#include "mm/reclaim.h"
#include "mm/warn.h"

#define CALLER __builtin_return_address(0)

u32 page_alloc_status(void)
{
	return this_cpu_cache()->page_alloc_status;
}

static struct page *refuse(u32 status, gfp_t gfp, unsigned int order, const void *caller)
{
	this_cpu_cache()->page_alloc_status = status;
	refusal_record_request(status, 0, caller,
			       &(struct request){ .bytes = order < 52 ? PAGE_SIZE << order : ~0ul,
						  .gfp = gfp,
						  .contiguous = true,
						  .which = KVMAP_LIMIT_ALLOC_PAGES,
						  .limit = PAGE_SIZE << MAX_ORDER });
	return NULL;
}

static inline void count_allocated(u32 pfn, unsigned int order)
{
	pfn_to_page(pfn)->requested = 0;
	vm_stat_add(NR_KMALLOC_PAGES, 1 << order);
	this_cpu_cache()->buddy_blocks_sum += BUDDY_BLOCK_WEIGHT(order, pfn);
}

static inline void count_freed(u32 pfn, unsigned int order)
{
	vm_stat_add(NR_KMALLOC_PAGES, -(1 << order));
	this_cpu_cache()->buddy_blocks_sum -= BUDDY_BLOCK_WEIGHT(order, pfn);
}

/* Further attempts: with the reserve, then with reclaimed memory; 0 without memory. */
static __attribute__((noinline)) u32 alloc_again(gfp_t gfp, unsigned int order)
{
	u32 pfn = 0;

	if (reserve_open(gfp)) {
		pfn = frames_alloc_gfp(gfp, order, PAGE_KMALLOC);
		reserve_close();
	}
	if (!pfn && gfp_may_reclaim(gfp) && !order && reclaim_pages(1))
		pfn = frames_alloc_gfp(gfp, order, PAGE_KMALLOC);
	if (!pfn && gfp_may_reclaim(gfp) && reclaim_memory())
		pfn = frames_alloc_gfp(gfp, order, PAGE_KMALLOC);
	return pfn;
}

struct page *alloc_pages(gfp_t gfp, unsigned int order)
{
	u32 pfn;

	if (unlikely(gfp & (__GFP_NOFAIL | __GFP_DMA))) {
		if (gfp & __GFP_NOFAIL)
			return refuse(KVMAP_REFUSED_NOFAIL, gfp, order, CALLER);
		if (gfp_zones_conflict(gfp))
			return refuse(KVMAP_REFUSED_FLAGS, gfp, order, CALLER);
	}
	if (unlikely(order > MAX_ORDER))
		return refuse(KVMAP_REFUSED_TOO_LARGE, gfp, order, CALLER);
	if (unlikely(in_interrupt()) && gfp & __GFP_DIRECT_RECLAIM)
		return refuse(KVMAP_REFUSED_INTERRUPT, gfp, order, CALLER);
	pfn = frames_alloc_gfp(gfp, order, PAGE_KMALLOC);
	if (unlikely(!pfn))
		pfn = alloc_again(gfp, order);
	if (unlikely(!pfn))
		return refuse(KVMAP_REFUSED_NO_MEMORY, gfp, order, CALLER);
	this_cpu_cache()->page_alloc_status = KVMAP_OK;
	count_allocated(pfn, order);
	return pfn_to_page(pfn);
}

static unsigned long count_missing(struct page *const *pages, unsigned long nr)
{
	unsigned long missing = 0;

	while (nr--)
		missing += !*pages++;
	return missing;
}

/* Stores the frames of a chain in the NULL entries, of which there are as many. */
static void chain_store(u32 pfn, struct page **pages)
{
	for (; pfn; pages++) {
		struct page *page = pfn_to_page(pfn);

		if (*pages)
			continue;
		count_allocated(pfn, 0);
		pfn = page->next;
		page->next = 0;
		*pages = page;
	}
}

unsigned long alloc_pages_bulk(gfp_t gfp, unsigned long nr, struct page **pages)
{
	unsigned long missing = count_missing(pages, nr), i;
	u32 first;

	if (!missing)
		return nr;
	/* alloc_pages() below refuses what this condition excludes. */
	first = missing == (u32)missing && !(gfp & __GFP_NOFAIL) && !gfp_zones_conflict(gfp) &&
				!(in_interrupt() && gfp & __GFP_DIRECT_RECLAIM)
			? frames_alloc_chain_gfp(gfp, (u32)missing, PAGE_KMALLOC)
			: 0;
	if (likely(first)) {
		chain_store(first, pages);
		this_cpu_cache()->page_alloc_status = KVMAP_OK;
		return nr;
	}
	/* As many as are free. */
	for (i = 0; i < nr; i++) {
		if (!pages[i])
			pages[i] = alloc_pages(gfp, 0);
		if (!pages[i])
			break;
	}
	return i;
}

/* Frame 0 is never allocated. */
static bool is_page(const struct page *page)
{
	return page > mem_map && page < mem_map + max_pfn;
}

/* The tail of a buddy block has no owner. */
static bool is_buddy_block(const struct page *page, unsigned int order)
{
	return is_page(page) && READ_ONCE(page->owner) == PAGE_KMALLOC && page->order == order;
}

void __free_pages(struct page *page, unsigned int order)
{
	if (unlikely(!is_buddy_block(page, order))) {
		this_cpu_cache()->page_alloc_status = KVMAP_REFUSED_NOT_AN_AREA;
		refusal_record(KVMAP_REFUSED_NOT_AN_AREA,
			       is_page(page) ? (unsigned long)page_address(page) : 0, CALLER);
		return;
	}
	this_cpu_cache()->page_alloc_status = KVMAP_OK;
	count_freed(page_to_pfn(page), order);
	frames_free(page_to_pfn(page));
}

void free_pages(unsigned long addr, unsigned int order)
{
	if (addr)
		__free_pages(mem_map + (__pa((const void *)addr) >> PAGE_SHIFT), order);
}

void *page_address(const struct page *page)
{
	return __va((u64)page_to_pfn(page) << PAGE_SHIFT);
}
