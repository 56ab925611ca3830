/* SPDX-License-Identifier: MIT */
/*
 * seen.c: V9, by what the host itself has seen at the last stop: which frame each page of the areas mapped. A frame or an
 * address that has another use now was unmapped in between, whatever its stamp says. For guests without an event log, which
 * tells more.
 */
#include "verify/check.h"

#include <inttypes.h>
#include <stdlib.h>

static const struct claim_area *area_at(const struct facts *facts, uint64_t gva)
{
	size_t i = keyed_find(&facts->live, gva + 1);
	const struct claim_area *area;

	if (!i)
		return NULL;
	area = &facts->claims->areas.items[facts->live.items[i - 1].tag];
	return gva < area->va_end ? area : NULL;
}

static void report(struct check *check, const struct seen_page *seen, uint64_t gen, uint64_t unmapped,
		   bool is_frame)
{
	const struct finding_pages pages = {
		.start = is_frame ? seen->gpa : seen->gva,
		.size = KVMAP_PAGE_SIZE,
		.cause = is_frame ? "frame stamp" : "range stamp",
		.gaps = true,
		.object = { OBJECT_OWN, 0, 0 },
	};
	struct finding *finding = finding_new_pages(check, pages.start, &pages);

	finding_claimed(finding, "the %s was last unmapped at clock %" PRIu64, is_frame ? "frame" : "address",
			unmapped);
	finding_found(finding, "the host has seen it mapped at clock %" PRIu64 ", and it is used again", gen);
	finding_where_gva(finding, check, seen->gva);
}

static void check_page(struct check *check, const struct seen_page *seen, uint64_t gen)
{
	const struct claim_page *page = claims_page(check->facts->claims, seen->gpa >> KVMAP_PAGE_SHIFT);
	const struct claim_area *area;

	/* Not freed since, or not used again. */
	if (!page || page->allocated <= gen || page->owner <= PAGE_FREE || page->owner == PAGE_PCP)
		return;
	if (page->unmapped <= gen)
		report(check, seen, gen, page->unmapped, true);
	area = area_at(check->facts, seen->gva);
	if (area && area->allocated > gen && area->unmapped <= gen)
		report(check, seen, gen, area->unmapped, false);
}

static int seen_take(const struct facts *facts, struct seen_pages *out)
{
	out->count = 0;
	out->generation = facts->claims->flush_generation;
	for (size_t i = 0; i < facts->leaves.count; i++) {
		const struct leaf *leaf = &facts->leaves.items[i];

		for (uint64_t offset = 0; leaf->role == LEAF_CLAIMED && offset < leaf_size(leaf);
		     offset += KVMAP_PAGE_SIZE) {
			const struct seen_page seen = { leaf->gva + offset, leaf->gpa + offset };

			if (array_push(out, seen) < 0)
				return -1;
		}
	}
	return 0;
}

void check_seen(struct check *check)
{
	struct seen_pages *seen = check->facts->input->seen;

	if (!seen)
		return;
	for (size_t i = 0; i < seen->count; i++)
		check_page(check, &seen->items[i], seen->generation);
	if (seen_take(check->facts, seen) < 0)
		check->no_memory = true;
}
