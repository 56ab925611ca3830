/* SPDX-License-Identifier: MIT */
/*
 * guards.c: V3. The last page of each live area's range has no present leaf, at whatever level.
 */
#include "verify/check.h"

#include <inttypes.h>

void check_guards(struct check *check)
{
	const struct claims *claims = check->facts->claims;

	for (size_t i = 0; i < claims->areas.count; i++) {
		const struct claim_area *area = &claims->areas.items[i];
		uint64_t guard = area->va_end - KVMAP_PAGE_SIZE;
		const struct leaf *leaf;
		struct finding *finding;

		if (area->state != AREA_LIVE)
			continue;
		check->result->checked++;
		leaf = facts_leaf_at(check->facts, guard);
		if (!leaf)
			continue;
		finding = finding_new(check, guard);
		finding_claimed(finding, "guard page, not mapped");
		finding_found(finding, "GPA 0x%" PRIx64 ", level %u, %s", leaf->gpa + (guard - leaf->gva),
			      leaf->level, RIGHTS_TEXT(leaf->rights));
		finding_where_area(finding, check, area);
	}
}
