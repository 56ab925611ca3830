/* SPDX-License-Identifier: MIT */
/*
 * reclaim.h: what mm/page and mm/slab call before an allocation fails. Implemented by mm/vmalloc, whose
 * lazily freed areas hold most of what can be reclaimed.
 */
#ifndef GUEST_MM_RECLAIM_H
#define GUEST_MM_RECLAIM_H

#include "lib/types.h"

/*
 * Frees up to `pages` pages, or a few more, of what this CPU has lazily freed, after a TLB flush: the first attempt, so
 * that a request pays for no more than it needs. False: there was nothing.
 */
bool reclaim_pages(u32 pages);

/*
 * Frees what all CPUs keep, everything that is lazily freed, after a TLB flush, and empty slabs. False: there was
 * nothing of these.
 */
bool reclaim_memory(void);

#endif
