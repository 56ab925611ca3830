/* SPDX-License-Identifier: MIT */
/*
 * rbtree.h: red-black trees whose nodes are embedded in the objects they sort. Optionally augmented: each
 * node then has a value computed from itself and its children (such as the largest free range in its
 * subtree), which a callback maintains.
 *
 * struct rb_node has Linux's layout, so that tools for Linux's trees can read these.
 */
#ifndef GUEST_LIB_RBTREE_H
#define GUEST_LIB_RBTREE_H

#include <stdbool.h>

/* Low bit of __rb_parent_color: RB_RED or RB_BLACK; the other bits: the parent, 0 at the root. */
struct rb_node {
	unsigned long __rb_parent_color;
	struct rb_node *rb_right;
	struct rb_node *rb_left;
};

struct rb_root {
	struct rb_node *rb_node;
};

enum rb_color { RB_RED = 0, RB_BLACK = 1 };

static inline struct rb_node *rb_parent(const struct rb_node *node)
{
	return (struct rb_node *)(node->__rb_parent_color & ~1ul);
}

static inline bool rb_is_black(const struct rb_node *node)
{
	return node->__rb_parent_color & RB_BLACK;
}

/*
 * Recomputes the augmented value of `node` from the node and its children, whose values are correct. Returns
 * whether it changed. Trees without augmentation pass NULL.
 */
typedef bool (*rb_update_fn)(struct rb_node *node);

/*
 * Inserts `node` at *link, the empty child link of `parent` (NULL: the root) where the caller's search ended,
 * and rebalances.
 */
void rb_insert(struct rb_root *root, struct rb_node *node, struct rb_node *parent, struct rb_node **link,
	       rb_update_fn update);

/* Removes `node`. The node's own fields keep their values. */
void rb_erase(struct rb_root *root, struct rb_node *node, rb_update_fn update);

/* Updates the augmented values of `node` and its ancestors after its object has changed. */
void rb_propagate(struct rb_node *node, rb_update_fn update);

#endif
