/* SPDX-License-Identifier: MIT */
/*
 * kmalloc.h: physically contiguous memory of up to 4 MiB, in the direct map. Linux's functions.
 *
 * Up to KMALLOC_MAX_CACHE_SIZE an object of the smallest size class that fits: 8, 16, 32, 64, 96, 128, 192,
 * 256, 512 bytes, 1, 2, 4, 8 KiB; aligned to its size if that is a power of two. Larger sizes, and all with
 * __GFP_DMA or __GFP_DMA32, get a buddy block. Unlike Linux's, kmalloc(0) is refused.
 */
#ifndef GUEST_MM_SLAB_KMALLOC_H
#define GUEST_MM_SLAB_KMALLOC_H

#include "mm/gfp.h"

#define KMALLOC_MAX_CACHE_SIZE 8192ul
#define KMALLOC_MAX_SIZE       (4ul << 20)

/*
 * Makes every allocation take the slow path, which checks slab_debug and should_fail_alloc(). Called before
 * the first allocation.
 */
void kmalloc_disable_fast_path(void);

/*
 * NULL on failure; kmalloc_status() has the reason. In an interrupt __GFP_DIRECT_RECLAIM (GFP_KERNEL) is
 * refused.
 */
void *kmalloc(unsigned long size, gfp_t gfp);
void *kzalloc(unsigned long size, gfp_t gfp);
/* nr elements of `size` bytes; a product that overflows is refused. */
void *kmalloc_array(unsigned long nr, unsigned long size, gfp_t gfp);
void *kcalloc(unsigned long nr, unsigned long size, gfp_t gfp);
/*
 * Memory of the NUMA node `nid` if it has enough, else of another one; with __GFP_THISNODE only of that node;
 * NUMA_NO_NODE: no preference.
 */
void *kmalloc_node(unsigned long size, gfp_t gfp, int nid);

/*
 * Resizes an object; moves it if necessary. The contents up to the smaller size are kept; with __GFP_ZERO all
 * bytes beyond the size that was requested before are zero. object NULL:
 * kmalloc(); size 0: kfree(), and NULL. NULL on failure; the object then keeps its size and contents.
 */
void *krealloc(const void *object, unsigned long size, gfp_t gfp);

/*
 * NULL is allowed and does nothing. Anything but the start of allocated memory is refused, and nothing
 * changes. A double free is detected if it is a buddy block, or if this CPU has freed nothing of the size
 * class in between; others only with slab_debug.
 */
void kfree(const void *object);

/*
 * Bytes of the object or block, at least the requested size; 0 if it is not memory of kmalloc(). Bytes beyond
 * the requested size are not the caller's, as on Linux.
 */
unsigned long ksize(const void *object);

/* Why a call was refused since the last kmalloc_status(): enum kvmap_status, or KVMAP_OK. */
u32 kmalloc_status(void);

/* Found with slab_debug. */
struct kmalloc_damage {
	u32 status;                 /* KVMAP_OK: none; KVMAP_FAILED_FREED_WRITTEN or _REDZONE_WRITTEN */
	unsigned long object, size; /* the object */
	unsigned long address;      /* of the first word that was written */
	u64 expected, found;
};

/* The first damage that this CPU found since the last call. */
struct kmalloc_damage kmalloc_damage(void);

#endif
