/* SPDX-License-Identifier: MIT */
/*
 * sharing.c: V5. A frame of an area belongs to no other area, and is mapped nowhere but there and in the
 * direct map.
 *
 * A VM_MAP area maps frames that others own: live ones, and never anything that is free, waits for a flush,
 * or is a page table. That those are still the frames that it was given, V1 says.
 *
 * The leaves that map what is claimed (LEAF_CLAIMED) and the direct map's own are right by their role; each
 * other leaf is looked up among the frames of areas.
 */
#include "verify/check.h"

#include <inttypes.h>

static const struct claim_area *area_of(const struct check *check, const struct keyed *frame)
{
	return &check->facts->claims->areas.items[OWNER_INDEX(frame->tag)];
}

static void check_frames(struct check *check)
{
	const struct keyed_array *frames = &check->facts->area_frames;

	check->result->checked += frames->count;
	for (size_t i = 1; i < frames->count; i++) {
		const struct claim_area *first = area_of(check, &frames->items[i - 1]);
		const struct claim_area *second = area_of(check, &frames->items[i]);
		struct finding *finding;

		if (frames->items[i].key != frames->items[i - 1].key)
			continue;
		finding = finding_new_frame(check, frames->items[i].key << KVMAP_PAGE_SHIFT);
		finding_claimed(finding, "frame 0x%" PRIx64 " in one area", frames->items[i].key);
		if (first == second)
			finding_found(finding, "twice in its chain");
		else
			finding_found(finding, "also in the area at 0x%" PRIx64, first->va_start);
		finding_where_area(finding, check, second);
	}
}

static void check_alias(struct check *check, const struct leaf *leaf)
{
	const struct keyed *owner = owners_find(&check->facts->owners, leaf->gpa >> KVMAP_PAGE_SHIFT);
	struct finding *finding;

	check->result->checked++;
	switch (owner ? OWNER_KIND(owner->tag) : OWNER_FREE) {
	case OWNER_AREA:
	case OWNER_SLAB:
	case OWNER_HELD:
	case OWNER_KMALLOC: return;
	default: break;
	}
	finding = finding_new_pages(check, leaf->gpa,
				    &(struct finding_pages){ leaf->gva, leaf_size(leaf), "alias",
							     owner ? OWNER_KIND(owner->tag) : OWNER_FREE });
	finding_claimed(finding, "a frame with an owner that may map it, mapped again at 0x%" PRIx64,
			leaf->gva);
	finding_found(finding, owner && OWNER_KIND(owner->tag) == OWNER_LAZY ? "its owner has freed it"
									     : "it has no such owner");
	finding_where_gva(finding, check, leaf->gva);
}

void check_sharing(struct check *check)
{
	const struct facts *facts = check->facts;

	check_frames(check);
	for (size_t i = 0; i < facts->leaves.count; i++) {
		const struct leaf *leaf = &facts->leaves.items[i];
		const struct keyed *frame;
		struct finding *finding;

		if (leaf->role == LEAF_CLAIMED || leaf->role == LEAF_DIRECT)
			continue;
		if (leaf->role == LEAF_ALIAS) {
			check_alias(check, leaf);
			continue;
		}
		frame = facts_area_frame(facts, leaf->gpa, leaf_size(leaf));
		if (!frame)
			continue;
		finding = finding_new_pages(check, frame->key << KVMAP_PAGE_SHIFT,
					    &(struct finding_pages){ leaf->gva, leaf_size(leaf),
								     "frame of an area, mapped again",
								     leaf->rights });
		finding_claimed(finding, "mapped by page %" PRIu32 " of its area and the direct map only",
				frame->size);
		finding_found(finding, "mapped at 0x%" PRIx64 " too, %s", leaf->gva,
			      RIGHTS_TEXT(leaf->rights));
		finding_where_area(finding, check, area_of(check, frame));
	}
}
