/* SPDX-License-Identifier: MIT */
/*
 * test_rbtree.c: the tree alone, with the augmentation of free ranges.
 */
#include "../../rbtree_walk.h"
#include "sim.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#define NODES 300

static bool update(struct rb_node *node)
{
	struct vmap_area *va = container_of(node, struct vmap_area, rb_node);
	unsigned long old = va->subtree_max_size, max = va->va_end - va->va_start;
	const struct rb_node *child[2] = { node->rb_left, node->rb_right };

	for (int i = 0; i < 2; i++) {
		if (child[i] && container_of(child[i], struct vmap_area, rb_node)->subtree_max_size > max)
			max = container_of(child[i], struct vmap_area, rb_node)->subtree_max_size;
	}
	va->subtree_max_size = max;
	return max != old;
}

static void insert(struct rb_root *root, struct vmap_area *va)
{
	struct rb_node **link = &root->rb_node, *parent = NULL;

	while (*link) {
		parent = *link;
		link = va->va_start < container_of(parent, struct vmap_area, rb_node)->va_start
			       ? &parent->rb_left
			       : &parent->rb_right;
	}
	rb_insert(root, &va->rb_node, parent, link, update);
}

Test(rbtree, stays_ordered_balanced_and_augmented_through_random_insertions_and_removals)
{
	static struct vmap_area areas[NODES];
	static bool in[NODES];
	struct rb_root root = { NULL };
	u64 count = 0;

	srandom(1);
	for (int i = 0; i < NODES; i++) {
		areas[i].va_start = 1000ul * (unsigned int)(i + 1);
		areas[i].va_end = areas[i].va_start + 1 + (unsigned long)random() % 999;
	}
	for (int step = 0; step < 10000; step++) {
		/* mostly full, then mostly empty, then full again */
		int i = (int)(random() % NODES);
		bool growing = step / 2000 % 2 == 0;

		if (in[i] && (!growing || random() % 4 == 0)) {
			rb_erase(&root, &areas[i].rb_node, update);
			in[i] = false;
			count--;
		} else if (!in[i] && (growing || random() % 4 == 0)) {
			areas[i].subtree_max_size =
				(unsigned long)random() % 999; /* its old value does not matter */
			insert(&root, &areas[i]);
			in[i] = true;
			count++;
		} else if (in[i]) {
			areas[i].va_end = areas[i].va_start + 1 + (unsigned long)random() % 999;
			rb_propagate(&areas[i].rb_node, update);
		}
		cr_assert_eq(check_tree(&root, true), count);
	}
}

Test(rbtree, walks_in_order_in_both_directions)
{
	struct vmap_area areas[20] = { 0 };
	struct rb_root root = { NULL };
	struct rb_node *node;
	unsigned long expected = 0;

	cr_assert_null(rb_first(&root));
	for (unsigned long i = 0; i < 20; i++) {
		areas[i].va_start = i * 7 % 20;
		areas[i].va_end = areas[i].va_start + 1;
		insert(&root, &areas[i]);
	}
	for (node = rb_first(&root); node; node = rb_next(node))
		cr_assert_eq(container_of(node, struct vmap_area, rb_node)->va_start, expected++);
	cr_assert_eq(expected, 20);
}
