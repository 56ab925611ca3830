/* SPDX-License-Identifier: MIT */
/*
 * space.c: V8. The two red-black trees of the vmalloc address space are valid, and busy, lazily freed, cached
 * and free ranges cover the address space without gap or overlap.
 *
 * A valid tree is sorted by address; its root is black; a red node has no red child; all paths from the root
 * to a missing child have the same number of black nodes. In the free tree, subtree_max_size of each node is
 * the size of the largest range of its subtree.
 */
#include "verify/check.h"

#include "base/array.h"

#include <inttypes.h>
#include <stdlib.h>

struct tree {
	const char *name;
	const struct claim_rb_node *nodes; /* in tree order */
	size_t count;
	uint64_t root;
	bool augmented; /* nodes have subtree_max_size */
};

/* A breadth-first traversal of a tree. An index of tree->count means: no such node. */
struct descent {
	struct check *check;
	const struct tree *tree;
	struct keyed_array by_gva; /* tag: index of the node */
	size_t *order;             /* indices in order of traversal: each node after its parent */
	size_t met;                /* number of items of order[] */
	uint32_t *blacks; /* by index: black nodes on the path from the root, inclusive; 0: not visited */
	uint32_t height;  /* black nodes of the first complete path; 0: none yet */
	bool uneven;      /* a path with another number was reported */
	bool is_cut;      /* not all nodes were read, which is a finding already */
};

static struct finding *report(struct check *check, const struct tree *tree, const struct claim_rb_node *node)
{
	struct finding *finding = finding_new_structure(check, node->va_start, node->vmap_area);

	finding_where(finding, "%s, node 0x%" PRIx64 ", 0x%" PRIx64 " to 0x%" PRIx64, tree->name,
		      node->vmap_area, node->va_start, node->va_end);
	return finding;
}

static void check_order(struct check *check, const struct tree *tree)
{
	for (size_t i = 0; i < tree->count; i++) {
		const struct claim_rb_node *node = &tree->nodes[i];
		struct finding *finding;

		check->result->checked++;
		if (node->va_start < KVMAP_VMALLOC_START || node->va_end > KVMAP_VMALLOC_END ||
		    node->va_start >= node->va_end || (node->va_start | node->va_end) % KVMAP_PAGE_SIZE) {
			finding = report(check, tree, node);
			finding_claimed(finding, "whole pages of the vmalloc range");
			finding_found(finding, "0x%" PRIx64 " to 0x%" PRIx64, node->va_start, node->va_end);
		}
		if (i && tree->nodes[i - 1].va_start >= node->va_start) {
			finding = report(check, tree, node);
			finding_claimed(finding, "ascending addresses");
			finding_found(finding, "after 0x%" PRIx64, tree->nodes[i - 1].va_start);
		}
	}
}

/* Index of the node at gva; tree->count if it is not in the tree. */
static size_t index_of(const struct descent *descent, uint64_t gva)
{
	size_t i = keyed_find(&descent->by_gva, gva);

	if (!gva || i == descent->by_gva.count || descent->by_gva.items[i].key != gva)
		return descent->tree->count;
	return descent->by_gva.items[i].tag;
}

/* Checks the number of black nodes of a path that ends at a missing child of `node`. */
static void path_ends(struct descent *descent, const struct claim_rb_node *node, uint32_t blacks)
{
	struct finding *finding;

	if (!descent->height)
		descent->height = blacks;
	if (descent->height == blacks || descent->uneven)
		return;
	descent->uneven = true;
	finding = report(descent->check, descent->tree, node);
	finding_claimed(finding, "%" PRIu32 " black nodes on every path", descent->height);
	finding_found(finding, "%" PRIu32 " on the path that ends here", blacks);
}

static void go_to_child(struct descent *descent, const struct claim_rb_node *node, uint32_t blacks,
			uint64_t gva)
{
	const struct tree *tree = descent->tree;
	size_t child = index_of(descent, gva);
	struct finding *finding;

	if (!gva) {
		path_ends(descent, node, blacks);
		return;
	}
	if (child == tree->count && descent->is_cut)
		return;
	if (child == tree->count || descent->blacks[child] || tree->nodes[child].parent != node->vmap_area) {
		finding = report(descent->check, tree, node);
		finding_claimed(finding, "child 0x%" PRIx64 ", whose parent it is", gva);
		finding_found(finding,
			      child == tree->count ? "no node of the tree" : "a node with another parent");
		return;
	}
	if (!node->black && !tree->nodes[child].black) {
		finding = report(descent->check, tree, node);
		finding_claimed(finding, "a red node has black children");
		finding_found(finding, "child 0x%" PRIx64 " is red", gva);
	}
	descent->blacks[child] = blacks + tree->nodes[child].black;
	descent->order[descent->met++] = child;
}

/* Traverses the tree level by level. order[] is the queue; check_maxima() uses its order. */
static void descend(struct descent *descent)
{
	const struct tree *tree = descent->tree;
	size_t root = index_of(descent, tree->root);
	struct finding *finding;

	if (root == tree->count)
		return; /* the reader of the claims has recorded the damage */
	if (!tree->nodes[root].black || tree->nodes[root].parent) {
		finding = report(descent->check, tree, &tree->nodes[root]);
		finding_claimed(finding, "the root is black and has no parent");
		finding_found(finding, "%s, parent 0x%" PRIx64, tree->nodes[root].black ? "black" : "red",
			      tree->nodes[root].parent);
	}
	/* A red root counts as black, since 0 means "not visited". */
	descent->blacks[root] = 1;
	descent->order[descent->met++] = root;
	for (size_t i = 0; i < descent->met; i++) {
		const struct claim_rb_node *node = &tree->nodes[descent->order[i]];
		uint32_t blacks = descent->blacks[descent->order[i]];

		go_to_child(descent, node, blacks, node->left);
		go_to_child(descent, node, blacks, node->right);
	}
}

static uint64_t claimed_max(const struct descent *descent, uint64_t gva)
{
	size_t i = index_of(descent, gva);

	return i < descent->tree->count ? descent->tree->nodes[i].subtree_max_size : 0;
}

/* Whether a child of the node was not read. */
static bool lacks_child(const struct descent *descent, const struct claim_rb_node *node)
{
	size_t none = descent->tree->count;

	return descent->is_cut && ((node->left && index_of(descent, node->left) == none) ||
				   (node->right && index_of(descent, node->right) == none));
}

/* Checks each node against the values of its children; if all nodes pass, all values are right. */
static void check_maxima(struct descent *descent)
{
	for (size_t i = 0; i < descent->met; i++) {
		const struct claim_rb_node *node = &descent->tree->nodes[descent->order[i]];
		uint64_t left = claimed_max(descent, node->left), right = claimed_max(descent, node->right);
		uint64_t max = node->va_end - node->va_start;
		struct finding *finding;

		max = max < left ? left : max;
		max = max < right ? right : max;
		if (node->subtree_max_size == max || lacks_child(descent, node))
			continue;
		finding = report(descent->check, descent->tree, node);
		finding_claimed(finding, "subtree_max_size 0x%" PRIx64, node->subtree_max_size);
		finding_found(finding, "0x%" PRIx64, max);
	}
}

static int descent_prepare(struct descent *descent)
{
	const struct tree *tree = descent->tree;

	descent->order = calloc(tree->count, sizeof(*descent->order));
	descent->blacks = calloc(tree->count, sizeof(*descent->blacks));
	if (!descent->order || !descent->blacks)
		return -1;
	for (size_t i = 0; i < tree->count; i++) {
		struct keyed item = { .key = tree->nodes[i].vmap_area, .tag = (uint32_t)i };

		if (array_push(&descent->by_gva, item) < 0)
			return -1;
	}
	return keyed_sort(&descent->by_gva);
}

static void check_tree(struct check *check, const struct tree *tree)
{
	struct descent descent = {
		.check = check,
		.tree = tree,
		.is_cut = check_lacks(check, tree->augmented ? PART_FREE_RANGES : PART_AREAS),
	};

	if (!tree->count)
		return;
	check_order(check, tree);
	if (descent_prepare(&descent) < 0) {
		check->no_memory = true;
	} else {
		descend(&descent);
		if (tree->augmented)
			check_maxima(&descent);
	}
	free(descent.by_gva.items);
	free(descent.order);
	free(descent.blacks);
}

enum span_kind { SPAN_BUSY, SPAN_LAZY, SPAN_FREE, SPAN_CACHED };

static const char *const span_names[] = { "busy", "lazily freed", "free", "cached" };

/* Tag of a range: enum span_kind in the upper 2 bits, index in its list below. */
#define SPAN_TAG(kind, index) ((uint32_t)(kind) << 30 | (uint32_t)(index))

static int collect_spans(const struct claims *claims, struct keyed_array *spans)
{
	for (size_t i = 0; i < claims->areas.count; i++) {
		enum span_kind kind = claims->areas.items[i].state == AREA_LIVE ? SPAN_BUSY : SPAN_LAZY;
		struct keyed span = { .key = claims->areas.items[i].va_start, .tag = SPAN_TAG(kind, i) };

		if (array_push(spans, span) < 0)
			return -1;
	}
	for (size_t i = 0; i < claims->free_tree.count; i++) {
		struct keyed span = { .key = claims->free_tree.items[i].va_start,
				      .tag = SPAN_TAG(SPAN_FREE, i) };

		if (array_push(spans, span) < 0)
			return -1;
	}
	for (size_t i = 0; i < claims->cached_ranges.count; i++) {
		struct keyed span = { .key = claims->cached_ranges.items[i].va_start,
				      .tag = SPAN_TAG(SPAN_CACHED, i) };

		if (array_push(spans, span) < 0)
			return -1;
	}
	return keyed_sort(spans);
}

static uint64_t span_end(const struct claims *claims, const struct keyed *span)
{
	uint32_t index = span->tag & 0x3fffffff;

	switch (span->tag >> 30) {
	case SPAN_FREE: return claims->free_tree.items[index].va_end;
	case SPAN_CACHED: return claims->cached_ranges.items[index].va_end;
	default: return claims->areas.items[index].va_end;
	}
}

static void report_gap(struct check *check, uint64_t start, uint64_t end)
{
	struct finding *finding = finding_new(check, start);

	finding_claimed(finding, "busy, lazily freed, cached or free");
	finding_found(finding, "0x%" PRIx64 " to 0x%" PRIx64 " is none of them", start, end);
	finding_where(finding, "the vmalloc range");
}

static void report_overlap(struct check *check, const struct keyed *one, const struct keyed *other,
			   uint64_t end)
{
	struct finding *finding = finding_new(check, other->key);

	finding_claimed(finding, "a %s range from 0x%" PRIx64, span_names[other->tag >> 30], other->key);
	finding_found(finding, "a %s range from 0x%" PRIx64 " to 0x%" PRIx64, span_names[one->tag >> 30],
		      one->key, end);
	finding_where_gva(finding, check, other->key);
}

static void check_complement(struct check *check, const struct keyed_array *spans)
{
	const struct claims *claims = check->facts->claims;
	const struct keyed *last = NULL;
	uint64_t end = KVMAP_VMALLOC_START;
	const bool is_cut = check_lacks(check, PART_AREAS | PART_FREE_RANGES);

	for (size_t i = 0; i < spans->count; i++) {
		const struct keyed *span = &spans->items[i];

		check->result->checked++;
		if (span->key > end && !is_cut)
			report_gap(check, end, span->key);
		if (last && span->key < end)
			report_overlap(check, last, span, end);
		if (span_end(claims, span) > end) {
			end = span_end(claims, span);
			last = span;
		}
	}
	if (end < KVMAP_VMALLOC_END && !is_cut)
		report_gap(check, end, KVMAP_VMALLOC_END);
}

/* Free ranges are in order of addresses, unless the tree is not. */
static void check_touching(struct check *check)
{
	const struct claims *claims = check->facts->claims;

	for (size_t i = 1; i < claims->free_tree.count; i++) {
		const struct claim_rb_node *below = &claims->free_tree.items[i - 1], *range = below + 1;
		struct finding *finding;

		if (below->va_end != range->va_start)
			continue;
		finding = finding_new(check, range->va_start);
		finding_claimed(finding, "free ranges that touch are one");
		finding_found(finding, "two: 0x%" PRIx64 " to here, and from here to 0x%" PRIx64,
			      below->va_start, range->va_end);
		finding_where(finding, "free_vmap_area_root, nodes 0x%" PRIx64 " and 0x%" PRIx64,
			      below->vmap_area, range->vmap_area);
	}
}

void check_space(struct check *check)
{
	const struct claims *claims = check->facts->claims;
	const struct tree busy = { "vmap_area_root", claims->busy_tree.items, claims->busy_tree.count,
				   claims->busy_root, false };
	const struct tree unused = { "free_vmap_area_root", claims->free_tree.items, claims->free_tree.count,
				     claims->free_root, true };
	struct keyed_array spans = { 0 };

	check_tree(check, &busy);
	check_tree(check, &unused);
	check_touching(check);
	check_deferred(check);
	check_requested_deferral(check);
	check_cached(check);
	if (collect_spans(claims, &spans) < 0)
		check->no_memory = true;
	else
		check_complement(check, &spans);
	free(spans.items);
}
