/* SPDX-License-Identifier: MIT */
/*
 * memory_types.c: V7, of frames that have several mappings: all of them have the same memory type (SDM vol. 3A 12.12.4).
 *
 * Types are compared through the PAT of CPU 0, so that two indices of one type are the same. A leaf that has another type
 * than most is looked up among those of all other types; where all leaves have one type nothing is.
 */
#include "verify/check.h"
#include "verify/leaf_index.h"

#include "paging/memory_type.h"

#include <inttypes.h>
#include <string.h>

#define PAT_INDICES 8

struct types {
	const char *name[PAT_INDICES];     /* of each index */
	unsigned int type[PAT_INDICES];    /* the first index of the same type */
	unsigned int most;                 /* the type of most leaves */
	struct leaf_index of[PAT_INDICES]; /* the leaves of each type */
};

static unsigned int type_of(const struct types *types, const struct leaf *leaf)
{
	return types->type[leaf->pat_index % PAT_INDICES];
}

/* Returns whether there are leaves of several types. */
static bool count_types(const struct facts *facts, struct types *out)
{
	uint64_t pat = facts->view->cpu_count ? memory_type_pat(&facts->view->cpus[0]) : PAT_AT_RESET;
	size_t count[PAT_INDICES] = { 0 };

	for (unsigned int i = 0; i < PAT_INDICES; i++) {
		out->name[i] = memory_type(pat, i);
		while (strcmp(out->name[out->type[i]], out->name[i]) != 0)
			out->type[i]++;
	}
	for (size_t i = 0; i < facts->leaves.count; i++)
		count[type_of(out, &facts->leaves.items[i])]++;
	for (unsigned int i = 0; i < PAT_INDICES; i++)
		if (count[i] > count[out->most])
			out->most = i;
	return count[out->most] != facts->leaves.count;
}

static int sort_leaves(const struct facts *facts, struct types *out)
{
	for (size_t i = 0; i < facts->leaves.count; i++)
		if (leaf_index_add(&out->of[type_of(out, &facts->leaves.items[i])], facts, i) < 0)
			return -1;
	for (unsigned int i = 0; i < PAT_INDICES; i++)
		if (leaf_index_sort(&out->of[i], facts) < 0)
			return -1;
	return 0;
}

static void check_leaf(struct check *check, const struct types *types, const struct leaf *leaf)
{
	const struct leaf *other = NULL;
	struct finding *finding;

	for (unsigned int i = 0; i < PAT_INDICES && !other; i++)
		if (i != type_of(types, leaf))
			other = leaf_index_find(&types->of[i], check->facts, leaf);
	if (!other)
		return;
	finding = finding_new_pages(
		check, leaf->gva,
		&(struct finding_pages){ leaf->gva, leaf_size(leaf), "memory type", leaf->pat_index,
					 .group = group_of_table(leaf->gva, leaf_size(leaf)) });
	finding_claimed(finding, "one memory type for all mappings of a frame: %s, as at 0x%" PRIx64,
			types->name[type_of(types, other)], leaf_shared_gva(other, leaf));
	finding_found(finding, "GPA 0x%" PRIx64 ", %s", leaf->gpa, types->name[type_of(types, leaf)]);
	finding_where_gva(finding, check, leaf->gva);
}

void check_memory_types(struct check *check)
{
	const struct facts *facts = check->facts;
	struct types types = { 0 };

	if (!count_types(facts, &types))
		return;
	if (sort_leaves(facts, &types) < 0)
		check->no_memory = true;
	for (size_t i = 0; i < facts->leaves.count && !check->no_memory; i++)
		if (type_of(&types, &facts->leaves.items[i]) != types.most)
			check_leaf(check, &types, &facts->leaves.items[i]);
	for (unsigned int i = 0; i < PAT_INDICES; i++)
		leaf_index_destroy(&types.of[i]);
}
