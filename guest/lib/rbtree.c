/* SPDX-License-Identifier: MIT */
/*
 * rbtree.c: insertion and removal as in Cormen et al., Introduction to Algorithms, chapter 13; a `left` flag
 * folds the mirrored halves of each case into one.
 */
#include "lib/rbtree.h"

#include <stddef.h>

static inline void set_parent(struct rb_node *node, struct rb_node *parent)
{
	node->__rb_parent_color = (unsigned long)parent | (node->__rb_parent_color & 1);
}

static inline void set_color(struct rb_node *node, enum rb_color color)
{
	node->__rb_parent_color = (node->__rb_parent_color & ~1ul) | color;
}

/* An empty leaf counts as black. */
static inline bool leaf_or_black(const struct rb_node *node)
{
	return !node || rb_is_black(node);
}

static inline struct rb_node **child_link(struct rb_node *node, bool left)
{
	return left ? &node->rb_left : &node->rb_right;
}

/* Makes `new` the child of `parent` (NULL: the root) in place of `old`. */
static inline void replace_child(struct rb_root *root, struct rb_node *parent, struct rb_node *old,
				 struct rb_node *new)
{
	if (!parent)
		root->rb_node = new;
	else
		*child_link(parent, parent->rb_left == old) = new;
}

/*
 * Rotates `top` down to the left (or right); its other child takes its place. The set of nodes below that
 * place does not change, so no augmented value above it does.
 */
static void rotate(struct rb_root *root, struct rb_node *top, bool left, rb_update_fn update)
{
	struct rb_node *riser = *child_link(top, !left);
	struct rb_node *between = *child_link(riser, left);
	struct rb_node *parent = rb_parent(top);

	*child_link(top, !left) = between;
	if (between)
		set_parent(between, top);
	*child_link(riser, left) = top;
	replace_child(root, parent, top, riser);
	set_parent(riser, parent);
	set_parent(top, riser);
	if (update) {
		update(top);
		update(riser);
	}
}

void rb_propagate(struct rb_node *node, rb_update_fn update)
{
	while (node && update(node))
		node = rb_parent(node);
}

void rb_insert(struct rb_root *root, struct rb_node *node, struct rb_node *parent, struct rb_node **link,
	       rb_update_fn update)
{
	node->rb_left = node->rb_right = NULL;
	node->__rb_parent_color = (unsigned long)parent | RB_RED;
	*link = node;
	if (update) {
		update(node);
		rb_propagate(parent, update);
	}

	/* Invariant: `node` is red; the only possible violation is that its parent is red too. */
	while (parent && !rb_is_black(parent)) {
		struct rb_node *grandparent = rb_parent(parent); /* a red node is never the root */
		bool left = parent == grandparent->rb_left;
		struct rb_node *uncle = *child_link(grandparent, !left);

		if (!leaf_or_black(uncle)) {
			set_color(parent, RB_BLACK);
			set_color(uncle, RB_BLACK);
			set_color(grandparent, RB_RED);
			node = grandparent;
			parent = rb_parent(node);
			continue;
		}
		if (node == *child_link(parent, !left)) {
			rotate(root, parent, left, update);
			parent = node;
		}
		set_color(parent, RB_BLACK);
		set_color(grandparent, RB_RED);
		rotate(root, grandparent, !left, update);
		break;
	}
	set_color(root->rb_node, RB_BLACK);
}

/*
 * Every path through `node` (NULL: an empty leaf of `parent`) has one black node too few. Restores the
 * balance.
 */
static void erase_rebalance(struct rb_root *root, struct rb_node *node, struct rb_node *parent,
			    rb_update_fn update)
{
	while (parent && leaf_or_black(node)) {
		bool left = node == parent->rb_left;
		struct rb_node *sibling =
			*child_link(parent, !left); /* not empty: its side has more black nodes */

		if (!rb_is_black(sibling)) {
			set_color(sibling, RB_BLACK);
			set_color(parent, RB_RED);
			rotate(root, parent, left, update);
			sibling = *child_link(parent, !left);
		}
		if (leaf_or_black(sibling->rb_left) && leaf_or_black(sibling->rb_right)) {
			set_color(sibling, RB_RED);
			node = parent;
			parent = rb_parent(node);
			continue;
		}
		if (leaf_or_black(*child_link(sibling, !left))) {
			set_color(*child_link(sibling, left), RB_BLACK);
			set_color(sibling, RB_RED);
			rotate(root, sibling, !left, update);
			sibling = *child_link(parent, !left);
		}
		set_color(sibling, rb_is_black(parent) ? RB_BLACK : RB_RED);
		set_color(parent, RB_BLACK);
		set_color(*child_link(sibling, !left), RB_BLACK);
		rotate(root, parent, left, update);
		return;
	}
	if (node)
		set_color(node, RB_BLACK);
}

/*
 * Removes a node with two children; its successor takes its place. Returns the parent of the successor's old
 * place; *child_out: the node now in that place.
 */
static struct rb_node *erase_inner(struct rb_root *root, struct rb_node *node, struct rb_node **child_out,
				   bool *black_out, rb_update_fn update)
{
	struct rb_node *next = node->rb_right, *parent, *child;

	while (next->rb_left)
		next = next->rb_left;
	child = next->rb_right;
	parent = rb_parent(next);
	*black_out = rb_is_black(next);
	*child_out = child;

	if (parent == node) {
		parent = next;
	} else {
		parent->rb_left = child;
		if (child)
			set_parent(child, parent);
		next->rb_right = node->rb_right;
		set_parent(next->rb_right, next);
	}
	next->rb_left = node->rb_left;
	set_parent(next->rb_left, next);
	replace_child(root, rb_parent(node), node, next);
	next->__rb_parent_color = node->__rb_parent_color;

	/*
	 * `next` still has the augmented value of its old place: update every ancestor below it before
	 * propagating.
	 */
	if (update) {
		struct rb_node *up;

		for (up = parent; up != next; up = rb_parent(up))
			update(up);
		update(next);
		rb_propagate(rb_parent(next), update);
	}
	return parent;
}

void rb_erase(struct rb_root *root, struct rb_node *node, rb_update_fn update)
{
	struct rb_node *parent, *child;
	bool black;

	if (node->rb_left && node->rb_right) {
		parent = erase_inner(root, node, &child, &black, update);
	} else {
		child = node->rb_left ? node->rb_left : node->rb_right;
		parent = rb_parent(node);
		black = rb_is_black(node);
		replace_child(root, parent, node, child);
		if (child)
			set_parent(child, parent);
		if (update)
			rb_propagate(parent, update);
	}
	if (black)
		erase_rebalance(root, child, parent, update);
}
