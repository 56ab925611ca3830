/* SPDX-License-Identifier: MIT */
/*
 * trees.c: the red-black trees of vmap_areas, walked in order with a stack of bounded depth.
 *
 * A node is entered only from the node that it names as its parent, and the two children of a node must
 * differ. So each node is entered at most once, whatever the pointers are, and no cycle can be followed.
 */
#include "claims/reader.h"

#include <stdlib.h>

/* More than the depth of any red-black tree whose nodes fit into 2^52 bytes. */
#define DEPTH_MAX 128

struct tree_node {
	struct claim_rb_node rb;
	unsigned int depth;             /* in the tree; the root's is 0 */
	struct vmap_area_fields fields; /* busy tree only */
	uint64_t state;                 /* of the vmap_area; busy tree only */
};

struct tree {
	enum claim_root root;
	bool busy;
	uint64_t *root_out;
	typeof(((struct claims *)0)->busy_tree) *out;
};

static unsigned int tree_part(const struct tree *tree)
{
	return tree->busy ? PART_AREAS : PART_FREE_RANGES;
}

/* GVA of the vmap_area whose rb_node a link points to. */
static uint64_t vmap_area_of_link(const struct reader *reader, uint64_t link)
{
	return link ? link - reader->layout->types[MEMBER_vmap_area_rb_node].offset : 0;
}

static void node_decode(const struct reader *reader, const struct tree *tree, uint64_t gva,
			const uint8_t *copy, struct tree_node *node)
{
	const struct claims_layout *layout = reader->layout;
	const uint8_t *links = copy + layout->types[MEMBER_vmap_area_rb_node].offset;
	uint64_t parent_color = layout_value(layout, MEMBER_rb_node___rb_parent_color, links);

	node->rb = (struct claim_rb_node){
		.vmap_area = gva,
		.va_start = layout_value(layout, MEMBER_vmap_area_va_start, copy),
		.va_end = layout_value(layout, MEMBER_vmap_area_va_end, copy),
		.parent = vmap_area_of_link(reader, parent_color & ~1ull),
		.left = vmap_area_of_link(reader, layout_value(layout, MEMBER_rb_node_rb_left, links)),
		.right = vmap_area_of_link(reader, layout_value(layout, MEMBER_rb_node_rb_right, links)),
		.black = parent_color & 1,
	};
	if (tree->busy) {
		area_decode(reader, AREA_LIVE, gva, copy, &node->fields);
		node->state = layout_value(layout, MEMBER_vmap_area_state, copy);
		node->rb.vm = node->state == VMAP_BLOCK ? 0 : node->fields.vm;
	} else {
		node->rb.subtree_max_size = layout_value(layout, MEMBER_vmap_area_subtree_max_size, copy);
	}
}

/*
 * A node of the busy tree. A lazily freed one is read from its list instead: V8 then finds the range missing
 * if it is on no list.
 */
static void busy_take(struct reader *reader, const struct tree_node *node)
{
	struct claim_cached_range range = { node->rb.va_start, node->rb.va_end, node->rb.vmap_area };
	struct vmap_area_fields deferred;

	switch (node->state) {
	case VMAP_LAZY: break;
	case VMAP_CACHED: (void)reader_push(reader, &reader->out->cached_ranges, range); break;
	case VMAP_LIVE: area_take(reader, &node->fields); break;
	case VMAP_BLOCK: vmap_block_take(reader, &node->fields); break;
	case VMAP_DEFERRED:
		deferred = node->fields;
		deferred.area.deferred = true;
		area_take(reader, &deferred);
		break;
	default:
		reader_cut(reader, PART_AREAS, "V8", node->rb.vmap_area, node->state,
			   "%s: node in an unknown state", layout_root_name(ROOT_vmap_area_root));
	}
}

/* Reads the node at `gva`, reached from `parent`; false and a damage if there is none. */
static bool node_enter(struct reader *reader, const struct tree *tree, uint64_t gva, uint64_t parent,
		       struct tree_node *node)
{
	const char *name = layout_root_name(tree->root);
	uint8_t copy[CLAIM_STRUCTURE_MAX];

	if (gva % 8 || !reader->nodes_left || !reader_structure(reader, TYPE_vmap_area, gva, copy)) {
		reader_cut(reader, tree_part(tree), "V8",
			   parent ? parent : reader->layout->roots[tree->root].gva, gva,
			   "%s: link does not point to a vmap_area in RAM", name);
		return false;
	}
	reader->nodes_left--;
	node_decode(reader, tree, gva, copy, node);
	if (node->rb.parent != parent) {
		reader_cut(reader, tree_part(tree), "V8", gva, node->rb.parent,
			   "%s: node does not name the parent it was reached from", name);
		return false;
	}
	if (node->rb.left && node->rb.left == node->rb.right)
		reader_cut(reader, tree_part(tree), "V8", gva, node->rb.left,
			   "%s: both children are one node", name);
	return true;
}

/* Pushes the node at gva and its chain of left children. Returns the new top. */
static unsigned int tree_descend(struct reader *reader, const struct tree *tree, uint64_t gva,
				 uint64_t parent, unsigned int depth, struct tree_node *stack,
				 unsigned int top)
{
	for (; gva; depth++, top++) {
		if (depth == DEPTH_MAX) {
			reader_cut(reader, tree_part(tree), "V8", parent, gva, "%s: deeper than %d nodes",
				   layout_root_name(tree->root), DEPTH_MAX);
			return top;
		}
		if (!node_enter(reader, tree, gva, parent, &stack[top]))
			return top;
		stack[top].depth = depth;
		parent = gva;
		gva = stack[top].rb.left;
	}
	return top;
}

static void tree_walk(struct reader *reader, const struct tree *tree)
{
	struct tree_node stack[DEPTH_MAX], node;
	unsigned int top;

	*tree->root_out = vmap_area_of_link(reader, reader_root(reader, tree->root, "V8"));
	top = tree_descend(reader, tree, *tree->root_out, 0, 0, stack, 0);
	while (top && !reader->out_of_memory) {
		node = stack[--top];
		if (!reader_push(reader, tree->out, node.rb))
			return;
		if (tree->busy)
			busy_take(reader, &node);
		if (node.rb.right != node.rb.left)
			top = tree_descend(reader, tree, node.rb.right, node.rb.vmap_area, node.depth + 1,
					   stack, top);
	}
}

static int area_compare(const void *a, const void *b)
{
	const struct claim_area *left = a, *right = b;

	if (left->va_start != right->va_start)
		return left->va_start < right->va_start ? -1 : 1;
	return left->vmap_area < right->vmap_area ? -1 : left->vmap_area > right->vmap_area;
}

/* The verifier reports an unordered tree; claims_area_at needs the areas by address in any case. */
static void areas_sort(struct claims *claims)
{
	for (size_t i = 1; i < claims->areas.count; i++)
		if (claims->areas.items[i].va_start < claims->areas.items[i - 1].va_start) {
			qsort(claims->areas.items, claims->areas.count, sizeof(*claims->areas.items),
			      area_compare);
			return;
		}
}

void read_busy_tree(struct reader *reader)
{
	struct claims *out = reader->out;
	const struct tree busy = { ROOT_vmap_area_root, true, &out->busy_root, &out->busy_tree };

	out->vmap_highest = reader_root(reader, ROOT_vmap_highest, "V8");
	tree_walk(reader, &busy);
	areas_sort(out);
	for (size_t i = 0; i < reader->unmapped.count; i++)
		(void)reader_push(reader, &out->areas, reader->unmapped.items[i]);
	free(reader->unmapped.items);
	reader->unmapped.items = NULL;
	reader->unmapped.count = reader->unmapped.capacity = 0;
}

void read_free_tree(struct reader *reader)
{
	struct claims *out = reader->out;
	const struct tree unused = { ROOT_free_vmap_area_root, false, &out->free_root, &out->free_tree };

	tree_walk(reader, &unused);
}
