/* SPDX-License-Identifier: MIT */
/*
 * vmap_free.c: the free tree: free ranges by address, augmented with the largest size in each subtree, so
 * that one descent finds the lowest range that is large enough.
 */
#include "mm/arch.h"
#include "mm/shortage.h"
#include "mm/slab/slab.h"
#include "mm/vmalloc/vmap.h"

struct rb_root free_vmap_area_root;
struct spinlock free_vmap_area_lock;
struct kmem_cache vmap_area_cache = { .name = "vmap_area", .object_size = sizeof(struct vmap_area) };

static inline struct vmap_area *area_of(struct rb_node *node)
{
	return container_of(node, struct vmap_area, rb_node);
}

static inline unsigned long subtree_max(struct rb_node *node)
{
	return node ? area_of(node)->subtree_max_size : 0;
}

static bool subtree_update(struct rb_node *node)
{
	struct vmap_area *va = area_of(node);
	unsigned long max = va->va_end - va->va_start;
	unsigned long left = subtree_max(node->rb_left), right = subtree_max(node->rb_right);
	bool changed;

	if (max < left)
		max = left;
	if (max < right)
		max = right;
	changed = va->subtree_max_size != max;
	va->subtree_max_size = max;
	return changed;
}

static void range_resized(struct vmap_area *va)
{
	lockdep_assert_held(&free_vmap_area_lock);
	rb_propagate(&va->rb_node, subtree_update);
}

bool vmap_free_init(unsigned long start, unsigned long end)
{
	struct vmap_area *va = kmem_cache_alloc(&vmap_area_cache);

	if (!va)
		return false;
	va->va_start = start;
	va->va_end = end;
	va->next = NULL;
	va->unmapped = 0;
	va->allocated = 0;
	rb_insert(&free_vmap_area_root, &va->rb_node, NULL, &free_vmap_area_root.rb_node, subtree_update);
	return true;
}

/* First fit: the lowest range of at least `size` bytes. */
static struct vmap_area *lowest_fit(unsigned long size)
{
	struct rb_node *node = free_vmap_area_root.rb_node;

	lockdep_assert_held(&free_vmap_area_lock);
	if (subtree_max(node) < size)
		return NULL;
	for (;;) {
		struct vmap_area *va = area_of(node);

		if (subtree_max(node->rb_left) >= size)
			node = node->rb_left;
		else if (va->va_end - va->va_start >= size)
			return va;
		else
			node = node->rb_right;
	}
}

/* Takes the first `size` bytes of a free range that has at least as many. */
static struct vmap_area *take_from(struct vmap_area *range, unsigned long size, u32 *status)
{
	struct vmap_area *va;

	lockdep_assert_held(&free_vmap_area_lock);
	if (range->va_end - range->va_start == size) {
		rb_erase(&free_vmap_area_root, &range->rb_node, subtree_update);
		va = range;
	} else {
		va = kmem_cache_alloc(&vmap_area_cache);
		if (!va) {
			*status = KVMAP_REFUSED_NO_MEMORY;
			return NULL;
		}
		va->va_start = range->va_start;
		va->va_end = va->va_start + size;
		va->unmapped = range->unmapped;
		range->va_start = va->va_end;
		range_resized(range);
	}
	va->next = NULL;
	if (unlikely(log_is_on()))
		arch_log_range(va->va_start, va->va_end, true);
	return va;
}

struct vmap_area *vmap_free_take(unsigned long size, u32 *status)
{
	struct vmap_area *range, *va = NULL;

	*status = KVMAP_REFUSED_NO_SPACE;
	spin_lock(&free_vmap_area_lock);
	range = lowest_fit(size);
	if (range)
		va = take_from(range, size, status);
	spin_unlock(&free_vmap_area_lock);
	return va;
}

/* Merges `va` into the adjacent `range`. free_vmap_area_lock must be held. */
static void range_absorb(struct vmap_area *range, struct vmap_area *va)
{
	lockdep_assert_held(&free_vmap_area_lock);
	if (va->va_start == range->va_end)
		range->va_end = va->va_end;
	else
		range->va_start = va->va_start;
	if (range->unmapped < va->unmapped)
		range->unmapped = va->unmapped;
	kmem_cache_free(&vmap_area_cache, va);
}

/* Links a range into the free tree, or merges it with its neighbours. free_vmap_area_lock must be held. */
static void free_put(struct vmap_area *va)
{
	struct rb_node **link = &free_vmap_area_root.rb_node, *parent = NULL;
	struct vmap_area *below = NULL, *above = NULL; /* adjacent free ranges */

	lockdep_assert_held(&free_vmap_area_lock);
	if (unlikely(log_is_on()))
		arch_log_range(va->va_start, va->va_end, false);
	while (*link) {
		parent = *link;
		if (va->va_start < area_of(parent)->va_start) {
			above = area_of(parent);
			link = &parent->rb_left;
		} else {
			below = area_of(parent);
			link = &parent->rb_right;
		}
	}
	if (below && below->va_end != va->va_start)
		below = NULL;
	if (above && above->va_start != va->va_end)
		above = NULL;

	if (below && above) {
		rb_erase(&free_vmap_area_root, &above->rb_node, subtree_update);
		range_absorb(below, va);
		range_absorb(below, above);
		range_resized(below);
	} else if (below || above) {
		range_absorb(below ? below : above, va);
		range_resized(below ? below : above);
	} else {
		va->next = NULL;
		va->allocated = 0;
		rb_insert(&free_vmap_area_root, &va->rb_node, parent, link, subtree_update);
	}
}

/* Takes `size` bytes from `start` on, inside the range: splits off the front, and puts it back. */
static struct vmap_area *take_inside(struct vmap_area *range, unsigned long start, unsigned long size,
				     u32 *status)
{
	struct vmap_area *front, *va;

	if (range->va_start == start)
		return take_from(range, size, status);
	front = take_from(range, start - range->va_start, status);
	if (!front)
		return NULL;
	va = take_from(range, size, status);
	free_put(front);
	return va;
}

static struct vmap_area *take_aligned(unsigned long size, unsigned long align, u32 *status)
{
	struct vmap_area *range = lowest_fit(size);
	unsigned long start = range ? ALIGN_UP(range->va_start, align) : 0;

	if (range && (start > range->va_end || range->va_end - start < size)) {
		range = lowest_fit(size + align - PAGE_SIZE);
		start = range ? ALIGN_UP(range->va_start, align) : 0;
	}
	return range ? take_inside(range, start, size, status) : NULL;
}

struct vmap_area *vmap_free_take_aligned(unsigned long size, unsigned long align, u32 *status)
{
	struct vmap_area *va;

	*status = KVMAP_REFUSED_NO_SPACE;
	spin_lock(&free_vmap_area_lock);
	va = take_aligned(size, align, status);
	spin_unlock(&free_vmap_area_lock);
	return va;
}

/* The free range that begins at `at`, or NULL. free_vmap_area_lock must be held. */
static struct vmap_area *free_range_at(unsigned long at)
{
	struct rb_node *node = free_vmap_area_root.rb_node;

	lockdep_assert_held(&free_vmap_area_lock);
	while (node && area_of(node)->va_start != at)
		node = at < area_of(node)->va_start ? node->rb_left : node->rb_right;
	return node ? area_of(node) : NULL;
}

struct vmap_area *vmap_free_take_at(unsigned long at, unsigned long size, u32 *status)
{
	struct vmap_area *range, *va = NULL;

	*status = KVMAP_REFUSED_NO_SPACE;
	spin_lock(&free_vmap_area_lock);
	range = free_range_at(at);
	if (range && range->va_end - at >= size)
		va = take_from(range, size, status);
	spin_unlock(&free_vmap_area_lock);
	return va;
}

void vmap_free_put(struct vmap_area *va)
{
	spin_lock(&free_vmap_area_lock);
	free_put(va);
	spin_unlock(&free_vmap_area_lock);
}

unsigned long vmalloc_largest_free(void)
{
	unsigned long largest;

	spin_lock(&free_vmap_area_lock);
	largest = subtree_max(free_vmap_area_root.rb_node);
	spin_unlock(&free_vmap_area_lock);
	return largest;
}
