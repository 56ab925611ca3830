/* SPDX-License-Identifier: MIT */
/*
 * stray.c: V2. Nothing but the pages of live areas is mapped in the vmalloc range; in particular, no lazily
 * freed area has a mapping left. Guard pages are V3's, wrong frames V1's.
 */
#include "verify/check.h"

#include <inttypes.h>

void check_stray(struct check *check)
{
	const struct facts *facts = check->facts;
	size_t i = facts_leaf_from(facts, KVMAP_VMALLOC_START);

	for (; i < facts->leaves.count && facts->leaves.items[i].gva < KVMAP_VMALLOC_END; i++) {
		const struct leaf *leaf = &facts->leaves.items[i];
		const struct claim_area *area;
		struct finding *finding;

		check->result->checked++;
		if (leaf->role != LEAF_OTHER)
			continue;
		area = claims_area_at(facts->claims, leaf->gva);
		/* It may be a page of an area that was not read. */
		if (!area && check_lacks(check, PART_AREAS))
			continue;
		finding = finding_new_pages(
			check, leaf->gva,
			&(struct finding_pages){ leaf->gva, leaf_size(leaf), "stray", leaf->rights,
						 .group =
							 area ? group_of_area(area)
							      : group_of_table(leaf->gva, leaf_size(leaf)) });
		finding_claimed(finding, "no page here");
		finding_found(finding, "GPA 0x%" PRIx64 ", 0x%" PRIx64 " bytes, %s", leaf->gpa,
			      leaf_size(leaf), RIGHTS_TEXT(leaf->rights));
		finding_where_gva(finding, check, leaf->gva);
	}
}
