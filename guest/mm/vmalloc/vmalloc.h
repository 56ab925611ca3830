/* SPDX-License-Identifier: MIT */
/*
 * vmalloc.h: virtually contiguous memory over scattered frames; each area is followed by a guard page.
 */
#ifndef GUEST_MM_VMALLOC_VMALLOC_H
#define GUEST_MM_VMALLOC_VMALLOC_H

#include "kvmap/operation.h"
#include "mm/arch.h"
#include "mm/explain.h"
#include "mm/gfp.h"
#include "mm/roots.h"

/* Called once, after frames_init(). */
void vmalloc_init(u32 policy);

/*
 * Linux's contracts. size: bytes, rounded up to pages. NULL on failure; vmalloc_status() has the reason. In
 * an interrupt every function that makes, maps, resizes or unmaps an area is refused, whatever its flags,
 * except vfree().
 */
void *vmalloc(unsigned long size);
void *vzalloc(unsigned long size);

/*
 * vmalloc() with flags: __GFP_DMA or __GFP_DMA32 (not both), __GFP_ZERO; without __GFP_DIRECT_RECLAIM
 * (GFP_ATOMIC, GFP_NOWAIT) it does not reclaim memory. __GFP_NOFAIL and unknown flags are refused.
 */
void *__vmalloc(unsigned long size, gfp_t gfp);

/* Zeroed, and marked as mappable to user space (VM_USERMAP). */
void *vmalloc_user(unsigned long size);

/* Frames below 4 GiB. */
void *vmalloc_32(unsigned long size);

/*
 * __vmalloc() with 2M leaves: an area of 2M or more begins at a multiple of 2M, and as many of its first
 * pages as there are free buddy blocks of 2M are mapped by 2M leaves, the others by 4K pages. vrealloc()
 * moves such areas whenever their number of pages changes.
 */
void *vmalloc_huge(unsigned long size, gfp_t gfp);

/* Frames of NUMA node `node` as far as it has any. */
void *vmalloc_node(unsigned long size, int node);
void *vzalloc_node(unsigned long size, int node);

/* nr elements of `size` bytes; a product that overflows is refused. vcalloc(): zeroed. */
void *vmalloc_array(unsigned long nr, unsigned long size);
void *vcalloc(unsigned long nr, unsigned long size);

/*
 * Resizes an area; the contents up to the smaller size are kept. A smaller area stays in place, and the rest
 * is freed. A larger one stays in place if the range after it is free, else it moves. __GFP_ZERO: added bytes
 * are zero. addr NULL: __vmalloc(); size 0: vfree(), and NULL. Otherwise NULL is a refusal (see
 * vmalloc_status()), and the area does not change. Read-only areas are refused.
 */
void *vrealloc(const void *addr, unsigned long size, gfp_t gfp);

/*
 * NULL is allowed and does nothing. A pointer to no area is refused, and nothing changes; see
 * vmalloc_status().
 */
void vfree(const void *addr);

/*
 * vfree() in any context: takes no lock, does not flush, frees no frame. The area is marked, and stays mapped
 * until this CPU makes or frees another area outside of interrupts, or until a purge. In an interrupt vfree()
 * does the same. An interrupt handler must restore the vmalloc_status() of the interrupted code, as a signal
 * handler restores errno.
 */
void vfree_atomic(const void *addr);

/* Why the last call of these functions on this CPU was refused: enum kvmap_status, or KVMAP_OK. */
u32 vmalloc_status(void);

/*
 * Frees the areas of all CPUs' deferred lists, flushes all lazily freed ranges and frees them; frees this
 * CPU's cached ranges, too. Returns the number of ranges flushed. Not in an interrupt.
 */
u32 vmalloc_purge(void);

/*
 * Steps between the attempts of a function that makes or cuts areas. RECLAIM_RANGES frees the cached ranges of all CPUs,
 * whose objects may be what is missing.
 */
enum reclaim_step { RECLAIM_SOME, RECLAIM_ALL, RECLAIM_RANGES, RECLAIM_DONE };

/*
 * Takes steps from *step on until one has freed something, and advances *step. False: no attempt is left, and the
 * request is refused. status: why the last attempt failed; without a free range the cached ones are freed with
 * RECLAIM_ALL. pages: of the request.
 */
bool vmalloc_reclaim(enum reclaim_step *step, u32 status, u32 pages);

/* ---- frames with other owners ---- */

/*
 * Maps `count` frames in the order of pages[], followed by a guard page. The frames keep their owner, who
 * must not free them before vunmap(). NULL on failure. flags: VM_READONLY or 0.
 */
void *vmap(struct page *const *pages, u32 count, unsigned long flags, enum pgprot prot);

/* Unmaps an area of vmap(); NULL is allowed. Anything else is refused, see vmalloc_status(). */
void vunmap(const void *addr);

/* vmap() for short-lived mappings. vm_unmap_ram() needs the same `count`. */
void *vm_map_ram(struct page *const *pages, u32 count, int node);
void vm_unmap_ram(const void *addr, u32 count);

/* Afterwards no TLB has translations of anything that was unmapped before the call. */
void vm_unmap_aliases(void);

/* ---- lookup by address ---- */

/* The page frame that an address of the vmalloc range is mapped to; NULL if none. */
struct page *vmalloc_to_page(const void *addr);

/* The live area that contains addr (its guard page included), or NULL. */
struct vm_struct *find_vm_area(const void *addr);

#endif
