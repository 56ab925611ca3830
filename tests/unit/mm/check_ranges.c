/* SPDX-License-Identifier: MIT */
/*
 * check_ranges.c: the trees and lists of vmalloc ranges.
 */
#include "check.h"

#include "../../rbtree_walk.h"

#include <criterion/criterion.h>

static unsigned long max_below(const struct rb_node *node)
{
	return node ? container_of(node, struct vmap_area, rb_node)->subtree_max_size : 0;
}

/* Returns the black height. */
static u32 check_node(const struct rb_node *node, const struct rb_node *parent, bool free, u64 *count,
		      unsigned long *end)
{
	const struct vmap_area *va;
	u32 left, right;

	if (!node)
		return 0;
	va = container_of(node, struct vmap_area, rb_node);
	cr_assert_eq(rb_parent(node), parent, "parent link");
	cr_assert(rb_is_black(node) || (parent && rb_is_black(parent)),
		  "a red node below red, or at the root");
	left = check_node(node->rb_left, node, free, count, end);
	cr_assert_geq(va->va_start, *end, "order of the tree");
	cr_assert_lt(va->va_start, va->va_end, "empty range");
	*end = va->va_end;
	(*count)++;
	right = check_node(node->rb_right, node, free, count, end);
	cr_assert_eq(left, right, "black height");
	if (free) {
		unsigned long max = va->va_end - va->va_start;

		max = max_below(node->rb_left) > max ? max_below(node->rb_left) : max;
		max = max_below(node->rb_right) > max ? max_below(node->rb_right) : max;
		cr_assert_eq(va->subtree_max_size, max, "subtree_max_size of %#lx", va->va_start);
	}
	return left + rb_is_black(node);
}

u64 check_tree(const struct rb_root *root, bool free)
{
	unsigned long end = 0;
	u64 count = 0;

	check_node(root->rb_node, NULL, free, &count, &end);
	return count;
}

void check_cover(struct census *census)
{
	struct rb_node *busy = rb_first(&vmap_area_root), *free = rb_first(&free_vmap_area_root);
	unsigned long at = KVMAP_VMALLOC_START, free_end = 0;

	while (at != KVMAP_VMALLOC_END) {
		if (free && container_of(free, struct vmap_area, rb_node)->va_start == at) {
			cr_assert_neq(free_end, at, "free neighbours at %#lx were not merged", at);
			at = free_end = container_of(free, struct vmap_area, rb_node)->va_end;
			free = rb_next(free);
			census->free_ranges++;
		} else {
			cr_assert(busy && container_of(busy, struct vmap_area, rb_node)->va_start == at,
				  "%#lx is in no range", at);
			at = container_of(busy, struct vmap_area, rb_node)->va_end;
			busy = rb_next(busy);
		}
	}
	cr_assert(!busy && !free, "ranges overlap");
}

/* Checks a list of lazily freed ranges, before or after their flush; returns how many have an area. */
static u64 check_lazy(struct census *census, const struct vmap_area *va, bool flushed)
{
	u64 count = 0;

	for (; va; va = va->next) {
		cr_assert_eq(sim_area(va->va_start), va);
		if (va->state == VMAP_BLOCK) {
			cr_assert_eq(va->vmap_block->dirty, VMAP_BLOCK_DIRTY);
			if (flushed)
				census->flushed_in_blocks += va->vmap_block->nr;
			continue;
		}
		cr_assert_eq(va->state, VMAP_LAZY);
		cr_assert(flushed || (va->vm->nr_pages == 0) ==
					     (vmalloc_policy == KVMAP_POLICY_LAZY || va->vm->flags & VM_MAP));
		own_chain(census, va->vm->pages, va->vm->nr_pages, PAGE_VMALLOC, va->vm->flags & VM_HUGE);
		count++;
	}
	return count;
}

static void check_cached(struct census *census, const struct cpu_cache *cache)
{
	for (u32 pages = 0; pages <= VMAP_CACHED_PAGES; pages++) {
		u32 nr = 0;

		for (const struct vmap_area *va = cache->cached[pages].first; va; va = va->next, nr++) {
			cr_assert_eq(va->state, VMAP_CACHED);
			cr_assert_eq(vmap_pages(va), pages);
			cr_assert(!va->vm->pages && !va->vm->nr_pages);
			cr_assert_eq(sim_area(va->va_start), va);
		}
		cr_assert_eq(cache->cached[pages].nr, nr);
		census->cached += nr;
	}
}

/* Checks a list of areas that vfree_atomic() freed; returns their number. */
static u64 check_deferred(const struct vmap_area *va)
{
	u64 count = 0;

	for (; va; va = va->next, count++) {
		cr_assert_eq(va->state, VMAP_DEFERRED);
		cr_assert_eq(sim_area(va->va_start), va);
	}
	return count;
}

void check_cpus(struct census *census)
{
	u64 deferred = 0;

	for (u32 cpu = 0; cpu < NR_CPUS; cpu++) {
		const struct vmap_lazy *lazy = &cpu_caches[cpu].lazy;

		census->lazy_areas += check_lazy(census, lazy->purge_list, false);
		census->flushed_areas += check_lazy(census, lazy->flushed_list, true);
		check_cached(census, &cpu_caches[cpu]);
		deferred += check_deferred(lazy->deferred);
	}
	cr_assert_eq(deferred, census->deferred, "%lu areas wait to be freed, the lists have %lu",
		     census->deferred, deferred);
}
