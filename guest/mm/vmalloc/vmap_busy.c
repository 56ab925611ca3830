/* SPDX-License-Identifier: MIT */
/*
 * vmap_busy.c: the busy tree: ranges that are not free, by address.
 */
#include "mm/vmalloc/vmap.h"

struct rb_root vmap_area_root;
struct spinlock vmap_area_lock;
unsigned long vmap_highest;

/* Links a range into the tree. vmap_area_lock must be held. */
static inline void busy_link(struct vmap_area *va)
{
	struct rb_node **link = &vmap_area_root.rb_node, *parent = NULL;

	lockdep_assert_held(&vmap_area_lock);
	while (*link) {
		parent = *link;
		if (va->va_start < container_of(parent, struct vmap_area, rb_node)->va_start)
			link = &parent->rb_left;
		else
			link = &parent->rb_right;
	}
	rb_insert(&vmap_area_root, &va->rb_node, parent, link, NULL);
	if (vmap_highest < va->va_end)
		WRITE_ONCE(vmap_highest, va->va_end);
}

void vmap_busy_insert(struct vmap_area *va)
{
	spin_lock(&vmap_area_lock);
	busy_link(va);
	spin_unlock(&vmap_area_lock);
}

/* Unlinks a range from the tree. vmap_area_lock must be held. */
static inline void busy_unlink(struct vmap_area *va)
{
	lockdep_assert_held(&vmap_area_lock);
	rb_erase(&vmap_area_root, &va->rb_node, NULL);
}

void vmap_busy_remove(struct vmap_area *va)
{
	spin_lock(&vmap_area_lock);
	busy_unlink(va);
	spin_unlock(&vmap_area_lock);
}

struct vmap_area *vmap_busy_find_racy(unsigned long addr)
{
	struct rb_node *node = vmap_area_root.rb_node;

	while (node) {
		struct vmap_area *va = container_of(node, struct vmap_area, rb_node);

		if (addr < va->va_start)
			node = node->rb_left;
		else if (addr >= va->va_end)
			node = node->rb_right;
		else
			return va;
	}
	return NULL;
}

struct vmap_area *vmap_busy_find(unsigned long addr)
{
	lockdep_assert_held(&vmap_area_lock);
	return vmap_busy_find_racy(addr);
}
