/* SPDX-License-Identifier: MIT */
/*
 * kvmalloc.h: memory that need not be physically contiguous, but is where that is to be had. Linux's
 * functions.
 *
 * vmalloc_status() says why one of these was refused.
 */
#ifndef GUEST_MM_VMALLOC_KVMALLOC_H
#define GUEST_MM_VMALLOC_KVMALLOC_H

#include "mm/gfp.h"

/*
 * kmalloc() as far as it can without a purge, else vmalloc(). Not more than a page: kmalloc() or nothing, as
 * without __GFP_DIRECT_RECLAIM.
 */
void *kvmalloc(unsigned long size, gfp_t gfp);
void *kvzalloc(unsigned long size, gfp_t gfp);
/* nr elements; a product that does not fit is refused. */
void *kvmalloc_array(unsigned long nr, unsigned long size, gfp_t gfp);

/*
 * Makes what any of kmalloc(), vmalloc() and kvmalloc() gave `size` bytes: vrealloc() of an area, krealloc()
 * of anything else, moved to an area where that cannot. Of NULL: kvmalloc(). To size 0: kvfree(), and NULL.
 */
void *kvrealloc(const void *addr, unsigned long size, gfp_t gfp);

/* Frees what any of kmalloc(), vmalloc() and kvmalloc() gave. NULL is allowed and does nothing. */
void kvfree(const void *addr);

#endif
