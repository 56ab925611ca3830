/* SPDX-License-Identifier: MIT */
/*
 * rbtree_walk.h: in-order traversal of the guest's trees, for tests. NULL at the end.
 */
#ifndef TESTS_RBTREE_WALK_H
#define TESTS_RBTREE_WALK_H

#include "lib/rbtree.h"

static inline struct rb_node *rb_first(const struct rb_root *root)
{
	struct rb_node *node = root->rb_node;

	while (node && node->rb_left)
		node = node->rb_left;
	return node;
}

static inline struct rb_node *rb_next(const struct rb_node *node)
{
	struct rb_node *from = (struct rb_node *)node, *to = node->rb_right;

	if (to) {
		while (to->rb_left)
			to = to->rb_left;
		return to;
	}
	for (to = rb_parent(from); to && to->rb_right == from; to = rb_parent(from))
		from = to;
	return to;
}

#endif
