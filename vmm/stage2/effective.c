/* SPDX-License-Identifier: MIT */
/*
 * effective.c: the effective TLB page size of the guest's mappings: the smaller of the guest's page and the
 * second stage's.
 */
#include "stage2/stage2.h"

#include "base/page.h"

/* GPA of the first leaf above gpa, which no leaf translates; `end` if there is none. */
static uint64_t next_leaf(const struct stage2 *stage2, uint64_t gpa, uint64_t end)
{
	size_t next = stage2_leaf_from(stage2, gpa + PAGE_4K);

	return next < stage2->leaves.count ? stage2->leaves.items[next].gpa : end;
}

/*
 * Adds the bytes of [gpa, end) to `bytes`, by the level of the leaf that backs them, [0] for none. Returns
 * the smallest level of these leaves; 0 without any.
 */
static unsigned int add_up(const struct stage2 *stage2, uint64_t gpa, uint64_t end, uint64_t bytes[4])
{
	unsigned int smallest = 0;

	while (gpa < end) {
		const struct stage2_leaf *leaf = stage2_leaf_at(stage2, gpa);
		uint64_t next = leaf ? leaf->gpa + page_level_size(leaf->level) : next_leaf(stage2, gpa, end);

		if (leaf && (!smallest || leaf->level < smallest))
			smallest = leaf->level;
		next = next < end ? next : end;
		bytes[leaf ? leaf->level : 0] += next - gpa;
		gpa = next;
	}
	return smallest;
}

unsigned int stage2_effective_add(const struct stage2 *stage2, uint64_t gpa, unsigned int level,
				  struct stage2_effective *out)
{
	unsigned int smallest = add_up(stage2, gpa, gpa + page_level_size(level), out->bytes[level]);

	if (smallest && smallest < level)
		out->splintered++;
	return smallest < level ? smallest : level;
}
