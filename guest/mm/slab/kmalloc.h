/* SPDX-License-Identifier: MIT */
/*
 * kmalloc.h: physically contiguous memory of any size up to 4 MiB, in the direct map. Linux's functions.
 *
 * Up to KMALLOC_MAX_CACHE_SIZE an object of the smallest class that holds the size: 8, 16, 32, 64, 96, 128,
 * 192, 256, 512 bytes, 1, 2, 4, 8 KiB, aligned to its class if that is a power of two. Above, and with
 * __GFP_DMA or
 * __GFP_DMA32 always, a block of whole frames. Unlike Linux's, kmalloc(0) is refused.
 */
#ifndef GUEST_MM_SLAB_KMALLOC_H
#define GUEST_MM_SLAB_KMALLOC_H

#include "mm/gfp.h"

#define KMALLOC_MAX_CACHE_SIZE 8192ul
#define KMALLOC_MAX_SIZE       (4ul << 20)

/*
 * From here on every object takes the way on which slab_debug and should_fail_alloc() are asked. Before the
 * first.
 */
void kmalloc_watch(void);

/*
 * NULL on failure; kmalloc_status() says why. In an interrupt what has __GFP_DIRECT_RECLAIM (GFP_KERNEL) is
 * refused.
 */
void *kmalloc(unsigned long size, gfp_t gfp);
void *kzalloc(unsigned long size, gfp_t gfp);
/* nr elements; a product that does not fit is refused. */
void *kmalloc_array(unsigned long nr, unsigned long size, gfp_t gfp);
void *kcalloc(unsigned long nr, unsigned long size, gfp_t gfp);
/*
 * Memory of the NUMA node `nid` if it has enough, else of another one; with __GFP_THISNODE only of that node;
 * NUMA_NO_NODE: no preference. With several nodes whole pages, since the objects of a slab may lie on any
 * node.
 */
void *kmalloc_node(unsigned long size, gfp_t gfp, int nid);

/*
 * Makes it `size` bytes, moved if need be; its contents stay as far as both sizes go. Of NULL: kmalloc(). To
 * size 0: kfree(), and NULL. On failure NULL, and the old memory stays.
 */
void *krealloc(const void *object, unsigned long size, gfp_t gfp);

/*
 * NULL is allowed and does nothing. What is no start of allocated memory is refused with nothing changed.
 * Memory that was freed before is seen at once if it is a block of frames or the CPU freed nothing else of
 * its class in between, otherwise only with slab_debug.
 */
void kfree(const void *object);

/* Bytes that may be used, which can be more than were asked for; 0 if it is none of kmalloc's. */
unsigned long ksize(const void *object);

/* Why a request was refused since this was asked last: enum kvmap_status, KVMAP_OK if none was. */
u32 kmalloc_status(void);

/* With slab_debug: */
struct kmalloc_damage {
	unsigned long address; /* of the first word written after its memory was freed; 0 = none seen */
	u64 expected, found;
};

/* What the last kmalloc() found in the memory that it handed out. It is forgotten by asking. */
struct kmalloc_damage kmalloc_damage(void);

#endif
