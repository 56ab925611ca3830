/* SPDX-License-Identifier: MIT */
/*
 * write_execute.c: V7, of frames that have several mappings: no frame is writable by one of them and executable by
 * another. The direct map of a frame does not count.
 */
#include "verify/check.h"

#include "base/lower_bound.h"

#include <inttypes.h>
#include <stdlib.h>

struct executables {
	struct keyed_array leaves; /* by GPA; tag: index into facts.leaves */
	uint32_t *reaching;        /* by place in leaves: the leaf up to there that ends last */
};

static const struct leaf *leaf_of(const struct check *check, uint32_t index)
{
	return &check->facts->leaves.items[index];
}

static uint64_t leaf_last(const struct leaf *leaf)
{
	return leaf->gpa + (leaf_size(leaf) - 1);
}

static int collect(struct check *check, struct executables *out)
{
	const struct facts *facts = check->facts;

	for (size_t i = 0; i < facts->leaves.count; i++) {
		const struct leaf *leaf = &facts->leaves.items[i];
		struct keyed item = { .key = leaf->gpa, .tag = (uint32_t)i };

		if (leaf->rights & RIGHT_X && leaf->role != LEAF_DIRECT && array_push(&out->leaves, item) < 0)
			return -1;
	}
	if (keyed_sort(&out->leaves) < 0)
		return -1;
	out->reaching = calloc(out->leaves.count + 1, sizeof(*out->reaching));
	if (!out->reaching)
		return -1;
	for (size_t i = 0; i < out->leaves.count; i++) {
		uint32_t before = out->reaching[i ? i - 1 : 0], here = out->leaves.items[i].tag;

		out->reaching[i] = i && leaf_last(leaf_of(check, before)) >= leaf_last(leaf_of(check, here))
					   ? before
					   : here;
	}
	return 0;
}

/* An executable leaf that shares a frame with this one, or NULL. */
static const struct leaf *executable_of(const struct check *check, const struct executables *executables,
					const struct leaf *leaf)
{
	const struct keyed *items = executables->leaves.items;
	size_t behind = lower_bound(executables->leaves.count, i, items[i].key <= leaf_last(leaf));
	const struct leaf *other = behind ? leaf_of(check, executables->reaching[behind - 1]) : NULL;

	return other && leaf_last(other) >= leaf->gpa ? other : NULL;
}

/* Whether an earlier rule of V7 has reported the leaf: it is executable too, or maps text. */
static bool is_reported(const struct check *check, const struct leaf *leaf)
{
	const struct facts *facts = check->facts;

	if (leaf->rights & RIGHT_X)
		return true;
	for (size_t i = 0; i < facts->segment_count; i++)
		if (!facts->segments[i].writable &&
		    overlaps(leaf->gpa, leaf_size(leaf), facts->segments[i].gpa,
			     page_round_up(facts->segments[i].memory_size, PAGE_4K)))
			return true;
	return false;
}

static void check_writable(struct check *check, const struct executables *executables,
			   const struct leaf *leaf)
{
	const struct leaf *other = executable_of(check, executables, leaf);
	struct finding *finding;

	if (!other || is_reported(check, leaf))
		return;
	finding = finding_new_pages(check, leaf->gva,
				    &(struct finding_pages){ leaf->gva, leaf_size(leaf),
							     "writable and executable by two mappings",
							     leaf->rights });
	finding_claimed(finding, "a frame that is writable or executable, not both");
	finding_found(finding, "GPA 0x%" PRIx64 " writable here, executable at 0x%" PRIx64, leaf->gpa,
		      other->gpa >= leaf->gpa ? other->gva : other->gva + (leaf->gpa - other->gpa));
	finding_where_gva(finding, check, leaf->gva);
}

void check_write_execute(struct check *check)
{
	const struct facts *facts = check->facts;
	struct executables executables = { 0 };

	if (collect(check, &executables) < 0) {
		check->no_memory = true;
	} else {
		for (size_t i = 0; i < facts->leaves.count; i++) {
			const struct leaf *leaf = &facts->leaves.items[i];

			if (leaf->rights & RIGHT_W && leaf->role != LEAF_DIRECT)
				check_writable(check, &executables, leaf);
		}
	}
	free(executables.leaves.items);
	free(executables.reaching);
}
