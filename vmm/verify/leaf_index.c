/* SPDX-License-Identifier: MIT */
#include "verify/leaf_index.h"

#include "base/lower_bound.h"

#include <stdlib.h>

static uint64_t leaf_last(const struct leaf *leaf)
{
	return leaf->gpa + (leaf_size(leaf) - 1);
}

int leaf_index_add(struct leaf_index *index, const struct facts *facts, size_t leaf)
{
	struct keyed item = { .key = facts->leaves.items[leaf].gpa, .tag = (uint32_t)leaf };

	return array_push(&index->leaves, item);
}

int leaf_index_sort(struct leaf_index *index, const struct facts *facts)
{
	const struct leaf *leaves = facts->leaves.items;

	if (keyed_sort(&index->leaves) < 0)
		return -1;
	index->reaching = calloc(index->leaves.count + 1, sizeof(*index->reaching));
	if (!index->reaching)
		return -1;
	for (size_t i = 0; i < index->leaves.count; i++) {
		uint32_t before = index->reaching[i ? i - 1 : 0], here = index->leaves.items[i].tag;

		index->reaching[i] =
			i && leaf_last(&leaves[before]) >= leaf_last(&leaves[here]) ? before : here;
	}
	return 0;
}

void leaf_index_destroy(struct leaf_index *index)
{
	free(index->leaves.items);
	free(index->reaching);
	*index = (struct leaf_index){ 0 };
}

const struct leaf *leaf_index_find(const struct leaf_index *index, const struct facts *facts,
				   const struct leaf *leaf)
{
	const struct keyed *items = index->leaves.items;
	size_t behind = lower_bound(index->leaves.count, i, items[i].key <= leaf_last(leaf));
	const struct leaf *other = behind ? &facts->leaves.items[index->reaching[behind - 1]] : NULL;

	return other && leaf_last(other) >= leaf->gpa ? other : NULL;
}

uint64_t leaf_shared_gva(const struct leaf *other, const struct leaf *leaf)
{
	return other->gpa >= leaf->gpa ? other->gva : other->gva + (leaf->gpa - other->gpa);
}
