/* SPDX-License-Identifier: MIT */
/*
 * kvmalloc.h: memory that is physically contiguous if possible. Linux's functions.
 *
 * vmalloc_status() has the reason of a refusal.
 */
#ifndef GUEST_MM_VMALLOC_KVMALLOC_H
#define GUEST_MM_VMALLOC_KVMALLOC_H

#include "mm/gfp.h"

/*
 * kmalloc() without reclaim, then vmalloc(). Up to a page, and without __GFP_DIRECT_RECLAIM, kmalloc() only.
 */
void *kvmalloc(unsigned long size, gfp_t gfp);
void *kvzalloc(unsigned long size, gfp_t gfp);
/* nr elements of `size` bytes; a product that overflows is refused. */
void *kvmalloc_array(unsigned long nr, unsigned long size, gfp_t gfp);
void *kvcalloc(unsigned long nr, unsigned long size, gfp_t gfp);
/*
 * Memory of the NUMA node `nid` if it has enough, contiguous or not, else of another one; with __GFP_THISNODE only of that
 * node; NUMA_NO_NODE: no preference.
 */
void *kvmalloc_node(unsigned long size, gfp_t gfp, int nid);

/*
 * Resizes memory of kmalloc(), vmalloc() or kvmalloc(): vrealloc() for an area, else krealloc(), or a move to
 * an area. addr NULL: kvmalloc(); size 0: kvfree(), and NULL.
 */
void *kvrealloc(const void *addr, unsigned long size, gfp_t gfp);

/* Frees memory of kmalloc(), vmalloc() or kvmalloc(). NULL is allowed and does nothing. */
void kvfree(const void *addr);

#endif
