/* SPDX-License-Identifier: MIT */
/*
 * vmalloc.h: virtually contiguous memory over scattered frames, each area followed by a guard page.
 */
#ifndef GUEST_MM_VMALLOC_VMALLOC_H
#define GUEST_MM_VMALLOC_VMALLOC_H

#include "kvmap/operation.h"
#include "mm/arch.h"
#include "mm/explain.h"
#include "mm/gfp.h"
#include "mm/roots.h"

/* Called once after frames_init(). */
void vmalloc_init(u32 policy);

/*
 * NULL on failure; vmalloc_status() says why. size in bytes, rounded up to pages. Linux's contracts. In an
 * interrupt all that makes, maps, resizes or unmaps an area is refused, whatever its flags; but for vfree().
 */
void *vmalloc(unsigned long size);
void *vzalloc(unsigned long size);

/*
 * The same with a say in the frames: __GFP_DMA or __GFP_DMA32 (not both), __GFP_ZERO, and without
 * __GFP_DIRECT_RECLAIM (GFP_ATOMIC, GFP_NOWAIT) nothing is flushed for it. __GFP_NOFAIL and unknown flags are
 * refused.
 */
void *__vmalloc(unsigned long size, gfp_t gfp);

/* Zero, and marked as fit to be mapped to users (VM_USERMAP). */
void *vmalloc_user(unsigned long size);

/* Frames below 4 GiB. */
void *vmalloc_32(unsigned long size);

/*
 * __vmalloc() with 2M leaves: of 2M or more, the area begins at a multiple of 2M, and as many of its first
 * pages as there are blocks of 2M for are mapped so. The rest is as vmalloc() has it. vrealloc() moves such
 * areas whenever their number of pages changes.
 */
void *vmalloc_huge(unsigned long size, gfp_t gfp);

/* Frames of that node as far as it has some. */
void *vmalloc_node(unsigned long size, int node);
void *vzalloc_node(unsigned long size, int node);

/* nr elements of `size` bytes; a product that does not fit is refused. vcalloc(): all of it zero. */
void *vmalloc_array(unsigned long nr, unsigned long size);
void *vcalloc(unsigned long nr, unsigned long size);

/*
 * Makes an area `size` bytes; its contents stay as far as both sizes go. Smaller, it stays where it is, and
 * what it loses is freed; larger, it stays there if the range behind it is free, else it moves. With
 * __GFP_ZERO what it gains is zero. Of NULL: __vmalloc(). To size 0: vfree(), and NULL. Otherwise NULL is a
 * refusal (see vmalloc_status()), and the area is as it was; an area that may not be written is refused.
 */
void *vrealloc(const void *addr, unsigned long size, gfp_t gfp);

/* NULL is allowed and does nothing. A pointer to no area is refused with nothing changed; see
 * vmalloc_status(). */
void vfree(const void *addr);

/*
 * vfree() from wherever: no lock, no flush, no frame given back. The area is marked, and stays mapped until
 * the CPU that freed it frees or makes another in a task, or somebody purges. In an interrupt vfree() does
 * the same. An interrupt between a request and its vmalloc_status() puts that back, as a signal's handler
 * does with errno.
 */
void vfree_atomic(const void *addr);

/* Why the last vmalloc/vzalloc/vfree was refused: enum kvmap_status; KVMAP_OK when it was not. */
u32 vmalloc_status(void);

/*
 * Frees what vfree_atomic() has left, flushes every range that waits, on any CPU's list, and lets ranges and
 * frames be used again; this CPU keeps no range for the next area of its size. Returns the number of ranges
 * that waited. Not in an interrupt.
 */
u32 vmalloc_purge(void);

/*
 * reclaim_memory() after an attempt that failed with `status`: if no range was free, it frees the cached
 * ranges, too.
 */
bool vmalloc_reclaim(u32 status);

/* ---- frames that somebody else owns ---- */

/*
 * Maps `count` frames in the order of pages[], with a guard page behind them. They stay their owner's, who
 * must not free them before vunmap(). NULL on failure. flags: VM_READONLY or 0.
 */
void *vmap(struct page *const *pages, u32 count, unsigned long flags, enum pgprot prot);

/* Unmaps what vmap() mapped; NULL is allowed. Anything else is refused, see vmalloc_status(). */
void vunmap(const void *addr);

/* As vmap(), for mappings that come and go. `count` at the unmapping must be the same. */
void *vm_map_ram(struct page *const *pages, u32 count, int node);
void vm_unmap_ram(const void *addr, u32 count);

/* When it returns, no CPU has a translation left of anything that was unmapped. */
void vm_unmap_aliases(void);

/* ---- from addresses ---- */

/* The page frame that an address of the vmalloc range is mapped to; NULL if none. */
struct page *vmalloc_to_page(const void *addr);

/* The live area that contains addr (its guard page included), or NULL. */
struct vm_struct *find_vm_area(const void *addr);

#endif
