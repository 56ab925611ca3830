/* SPDX-License-Identifier: MIT */
/*
 * page_alloc.h: Linux's page allocator functions. Buddy blocks are PAGE_KMALLOC, like those of a large
 * kmalloc().
 */
#ifndef GUEST_MM_PAGE_PAGE_ALLOC_H
#define GUEST_MM_PAGE_PAGE_ALLOC_H

#include "mm/page/frames.h"
#include "mm/gfp.h"

/*
 * Allocates 2^order contiguous frames, aligned to their size; returns the struct page of the first. NULL if
 * there is no such buddy block, if order is above MAX_ORDER, with __GFP_NOFAIL or both of __GFP_DMA and
 * __GFP_DMA32, and in an interrupt with __GFP_DIRECT_RECLAIM (GFP_KERNEL); page_alloc_status() has the
 * reason.
 */
struct page *alloc_pages(gfp_t gfp, unsigned int order);

/*
 * Allocates a single frame for each NULL entry of pages[0..nr). Returns the number of leading entries that
 * are not NULL.
 */
unsigned long alloc_pages_bulk(gfp_t gfp, unsigned long nr, struct page **pages);

/* Frees a buddy block of that order. Anything else is refused, and nothing changes. */
void __free_pages(struct page *page, unsigned int order);

/* The same by direct-map address; freeing 0 does nothing. */
void free_pages(unsigned long addr, unsigned int order);

/* Why the last of these calls was refused: enum kvmap_status, or KVMAP_OK. */
u32 page_alloc_status(void);

/* The address of the page in the direct map. */
void *page_address(const struct page *page);

#endif
