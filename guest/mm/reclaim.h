/* SPDX-License-Identifier: MIT */
/*
 * reclaim.h: what mm/page and mm/slab call before an allocation fails. Implemented by mm/vmalloc, whose
 * lazily freed areas hold most of what can be reclaimed.
 */
#ifndef GUEST_MM_RECLAIM_H
#define GUEST_MM_RECLAIM_H

#include <stdbool.h>

/* Frees what is lazily freed, after a TLB flush, and empty slabs. False: there was nothing of either. */
bool reclaim_memory(void);

#endif
