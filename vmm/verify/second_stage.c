/* SPDX-License-Identifier: MIT */
/*
 * second_stage.c: V10, as far as it is seen: every GPA that the guest maps lies in a memory slot.
 */
#include "verify/check.h"

#include <inttypes.h>

void check_second_stage(struct check *check)
{
	const struct facts *facts = check->facts;

	check_not_seen(
		check,
		"the second stage is not read by this version's sources; only the slots were compared");
	for (size_t i = 0; i < facts->leaves.count; i++) {
		const struct leaf *leaf = &facts->leaves.items[i];
		struct finding *finding;

		check->result->checked++;
		if (view_region(facts->view, leaf->gpa, leaf_size(leaf)))
			continue;
		finding = finding_new(check, leaf->gva);
		finding_claimed(finding, "maps memory of this machine");
		finding_found(finding, "GPA 0x%" PRIx64 ", 0x%" PRIx64 " bytes: not all of it is in a slot",
			      leaf->gpa, leaf_size(leaf));
		finding_where_gva(finding, check, leaf->gva);
	}
}
