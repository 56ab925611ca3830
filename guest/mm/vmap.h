/* SPDX-License-Identifier: MIT */
/*
 * vmap.h: the ranges of the vmalloc space: which are free, which are busy, which wait for a flush.
 * Private to guest/mm.
 *
 * A struct vmap_area is in exactly one place: the free tree, the busy tree, or the lazy list.
 */
#ifndef GUEST_MM_VMAP_H
#define GUEST_MM_VMAP_H

#include "mm/vmalloc.h"

extern struct rb_root vmap_area_root, free_vmap_area_root;
extern struct vmap_area *purge_vmap_area_list;
extern struct kmem_cache vmap_area_cache, vm_struct_cache;

/* ---- vmap_free.c: the free tree ---- */

/* Everything in [start, end) becomes free. False without memory for its node. */
bool vmap_free_init(unsigned long start, unsigned long end);

/*
 * Takes the lowest free range of `size` bytes (page-aligned, not 0). Its vmap_area is in no tree; unmapped
 * tells when something in it was last mapped. NULL with *status KVMAP_REFUSED_NO_SPACE or
 * KVMAP_REFUSED_NO_MEMORY.
 */
struct vmap_area *vmap_free_take(unsigned long size, u32 *status);

/* Gives a range back, and its vmap_area with it. Merges it with its neighbours. Needs no memory, cannot fail.
 */
void vmap_free_put(struct vmap_area *va);

/* ---- vmap_busy.c: the busy tree ---- */

/*
 * End of the highest area that there ever was. Ranges are taken from the bottom up, so what is free below it
 * has been an area before.
 */
extern unsigned long vmap_highest;

void vmap_busy_insert(struct vmap_area *va);
void vmap_busy_remove(struct vmap_area *va);

/* The busy area whose range, guard page included, contains addr, or NULL. */
struct vmap_area *vmap_busy_find(unsigned long addr);

/* ---- purge.c: ranges that wait for a flush ---- */

/* `va` has just been unmapped: the list owns it now, and its vm. Purges when enough waits, or at once if
 * eager. */
void vmap_lazy_add(struct vmap_area *va);

/* The waiting area whose range contains addr, or NULL. */
struct vmap_area *vmap_lazy_find(unsigned long addr);

/* End of the pages that are or were mapped: the guard page follows. */
static inline unsigned long vmap_mapped_end(const struct vmap_area *va)
{
	return va->va_end - PAGE_SIZE;
}

#endif
