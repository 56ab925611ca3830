/* SPDX-License-Identifier: MIT */
/*
 * leaf_index.h: some of the leaves by their GPA, to find one that shares a frame with another leaf.
 *
 * Zero-initialised; leaves are added, then leaf_index_sort() once, then any number of searches.
 */
#ifndef VMM_VERIFY_LEAF_INDEX_H
#define VMM_VERIFY_LEAF_INDEX_H

#include "verify/facts.h"

struct leaf_index {
	struct keyed_array leaves; /* by GPA; tag: index into facts.leaves */
	uint32_t *reaching;        /* by place in leaves: the leaf up to there that ends last */
};

/* -1 if memory is out. `leaf`: index into facts.leaves. */
int leaf_index_add(struct leaf_index *index, const struct facts *facts, size_t leaf);
int leaf_index_sort(struct leaf_index *index, const struct facts *facts);
void leaf_index_destroy(struct leaf_index *index);

/* A leaf of the index that shares a frame with this one, or NULL. */
const struct leaf *leaf_index_find(const struct leaf_index *index, const struct facts *facts,
				   const struct leaf *leaf);

/* The GVA at which `other` maps the first frame that it shares with `leaf`. */
uint64_t leaf_shared_gva(const struct leaf *other, const struct leaf *leaf);

#endif
