/* SPDX-License-Identifier: MIT */
/*
 * guards.c: V3. The guard of each live area has no present leaf, at whatever level.
 */
#include "verify/check.h"

#include <inttypes.h>

static void check_guard(struct check *check, const struct claim_area *area, uint64_t gva)
{
	const struct leaf *leaf = facts_leaf_at(check->facts, gva);
	struct finding *finding;

	if (!leaf)
		return;
	finding = finding_new_pages(check, gva,
				    &(struct finding_pages){ gva, KVMAP_PAGE_SIZE, "guard", leaf->rights,
							     .group = group_of_area(area) });
	finding_claimed(finding, "guard page, not mapped");
	finding_found(finding, "GPA 0x%" PRIx64 ", level %u, %s", leaf->gpa + (gva - leaf->gva), leaf->level,
		      RIGHTS_TEXT(leaf->rights));
	finding_where_area(finding, check, area);
}

void check_guards(struct check *check)
{
	const struct claims *claims = check->facts->claims;

	for (size_t i = 0; i < claims->areas.count; i++) {
		const struct claim_area *area = &claims->areas.items[i];

		if (area->state != AREA_LIVE)
			continue;
		check->result->checked++;
		for (uint64_t left = KVMAP_GUARD_PAGES; left; left--)
			check_guard(check, area, area->va_end - left * KVMAP_PAGE_SIZE);
	}
}
