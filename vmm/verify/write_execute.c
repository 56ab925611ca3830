/* SPDX-License-Identifier: MIT */
/*
 * write_execute.c: V7, of frames that have several mappings: no frame is writable by one of them and executable by
 * another. The direct map of a frame does not count.
 */
#include "verify/check.h"
#include "verify/leaf_index.h"

#include <inttypes.h>

/* The leaves that count as executable mappings. */
static int collect(struct check *check, struct leaf_index *out)
{
	const struct facts *facts = check->facts;

	for (size_t i = 0; i < facts->leaves.count; i++) {
		const struct leaf *leaf = &facts->leaves.items[i];

		if (leaf->rights & RIGHT_X && leaf->role != LEAF_DIRECT && leaf_index_add(out, facts, i) < 0)
			return -1;
	}
	return leaf_index_sort(out, facts);
}

/* Whether an earlier rule of V7 has reported the leaf: it is executable too, or maps text. */
static bool is_reported(const struct check *check, const struct leaf *leaf)
{
	return leaf->rights & RIGHT_X || facts_maps_text(check->facts, leaf);
}

static void check_writable(struct check *check, const struct leaf_index *executables, const struct leaf *leaf)
{
	const struct leaf *other = leaf_index_find(executables, check->facts, leaf);
	struct finding *finding;

	if (!other || is_reported(check, leaf))
		return;
	finding = finding_new_pages(check, leaf->gva,
				    &(struct finding_pages){ leaf->gva, leaf_size(leaf),
							     "writable and executable by two mappings",
							     leaf->rights });
	finding_claimed(finding, "a frame that is writable or executable, not both");
	finding_found(finding, "GPA 0x%" PRIx64 " writable here, executable at 0x%" PRIx64, leaf->gpa,
		      leaf_shared_gva(other, leaf));
	finding_where_gva(finding, check, leaf->gva);
}

void check_write_execute(struct check *check)
{
	const struct facts *facts = check->facts;
	struct leaf_index executables = { 0 };

	if (collect(check, &executables) < 0) {
		check->no_memory = true;
	} else {
		for (size_t i = 0; i < facts->leaves.count; i++) {
			const struct leaf *leaf = &facts->leaves.items[i];

			if (leaf->rights & RIGHT_W && leaf->role != LEAF_DIRECT)
				check_writable(check, &executables, leaf);
		}
	}
	leaf_index_destroy(&executables);
}
