/* SPDX-License-Identifier: MIT */
/*
 * page_alloc.h: frames for everyone: Linux's functions over frames.h. Blocks are PAGE_KMALLOC, as those of a
 * large kmalloc() are.
 */
#ifndef GUEST_MM_PAGE_PAGE_ALLOC_H
#define GUEST_MM_PAGE_PAGE_ALLOC_H

#include "mm/page/frames.h"
#include "mm/gfp.h"

/*
 * 2^order frames in one piece, aligned to their size; the struct page of the first. NULL when there are none,
 * when order is above MAX_ORDER, for __GFP_NOFAIL, and in an interrupt with __GFP_DIRECT_RECLAIM
 * (GFP_KERNEL): page_alloc_status() says which.
 */
struct page *alloc_pages(gfp_t gfp, unsigned int order);

/*
 * Fills the NULL entries among pages[0..nr) with single frames; returns how many entries in a row, from the
 * first, have one now.
 */
unsigned long alloc_pages_bulk(gfp_t gfp, unsigned long nr, struct page **pages);

/* Takes back a block of that order. What is no such block is refused with nothing changed. */
void __free_pages(struct page *page, unsigned int order);

/* The same by address in the direct map; 0 is no memory, and freeing it does nothing. */
unsigned long __get_free_pages(gfp_t gfp, unsigned int order);
void free_pages(unsigned long addr, unsigned int order);

/* Why the last of these was refused: enum kvmap_status; KVMAP_OK when it was not. */
u32 page_alloc_status(void);

/* The page in the direct map. */
void *page_address(const struct page *page);

/* 0 .. MAX_ORDER for what alloc_pages() can give; of size 0: MAX_ORDER + 1, as of what is too large. */
unsigned int get_order(unsigned long size);

#endif
