/* SPDX-License-Identifier: MIT */
/*
 * vmalloc.h: virtually contiguous memory over scattered frames, each area followed by a guard page.
 */
#ifndef GUEST_MM_VMALLOC_H
#define GUEST_MM_VMALLOC_H

#include "kvmap/operation.h"
#include "mm/mm_types.h"

extern struct vmalloc_stats vmalloc_stats;
extern u32 vmalloc_policy; /* enum kvmap_policy */

/* Called once after frames_init(). */
void vmalloc_init(u32 policy);

/* NULL on failure; vmalloc_status() says why. size in bytes, rounded up to pages. Linux's contracts. */
void *vmalloc(unsigned long size);
void *vzalloc(unsigned long size);

/* NULL is allowed and does nothing. A pointer to no area is refused with nothing changed; see
 * vmalloc_status(). */
void vfree(const void *addr);

/* Why the last vmalloc/vzalloc/vfree was refused: enum kvmap_status; KVMAP_OK when it was not. */
u32 vmalloc_status(void);

/* Flushes every range that waits, and lets ranges and frames be used again. Returns the number of ranges. */
u32 vmalloc_purge(void);

/* The live area that contains addr (its guard page included), or NULL. */
struct vm_struct *find_vm_area(const void *addr);

struct vmalloc_address {
	u32 kind;            /* enum kvmap_fault_kind, or KVMAP_FAULT_NONE for an ordinary mapped page */
	unsigned long start; /* of the area, 0 if none */
	unsigned long size;  /* without its guard page */
	const void *caller;
};

/* What an address in the vmalloc range is, for fault reports. Takes no lock and allocates nothing. */
void vmalloc_explain(unsigned long addr, bool write, struct vmalloc_address *out);

#endif
