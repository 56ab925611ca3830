/* SPDX-License-Identifier: MIT */
/*
 * rbtree.h: red-black trees whose nodes lie inside the objects they sort, optionally augmented: each node
 * then carries a value computed from itself and its children (the largest free range below it), kept right by
 * a callback.
 *
 * The node has Linux's shape, so that tools which read Linux's trees read these.
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
 * Recomputes the augmented value of `node` from the node itself and its children, which are right already.
 * Returns whether it changed. Trees that are not augmented pass NULL.
 */
typedef bool (*rb_update_fn)(struct rb_node *node);

/*
 * Puts `node` at *link, an empty link of `parent` (NULL: the root's) where the caller's search ended, and
 * rebalances.
 */
void rb_insert(struct rb_root *root, struct rb_node *node, struct rb_node *parent, struct rb_node **link,
	       rb_update_fn update);

/* Takes `node` out. The node's own fields are left as they were. */
void rb_erase(struct rb_root *root, struct rb_node *node, rb_update_fn update);

/* The object of `node` changed what its value is computed from: puts it and its ancestors right. */
void rb_propagate(struct rb_node *node, rb_update_fn update);

/* In order; NULL at the end. */
struct rb_node *rb_first(const struct rb_root *root);
struct rb_node *rb_next(const struct rb_node *node);

#endif
