/* SPDX-License-Identifier: MIT */
/*
 * mappings.c: V1. Every page of every live area maps exactly the frame that the area claims, with its rights.
 */
#include "verify/check.h"

#include <inttypes.h>

/* The pages that hold that many bytes. */
static uint64_t pages_of(uint64_t bytes)
{
	return bytes / KVMAP_PAGE_SIZE + (bytes % KVMAP_PAGE_SIZE != 0);
}

/* Do the descriptions of an area agree with each other? */
static void check_shape(struct check *check, const struct claim_area *area)
{
	uint64_t pages = (uint64_t)area->nr_pages * KVMAP_PAGE_SIZE;
	struct finding *finding;

	if (area->addr != area->va_start || area->size != area->va_end - area->va_start) {
		finding = finding_new_structure(check, area->va_start, area->vmap_area);
		finding_claimed(finding, "vm_struct: 0x%" PRIx64 ", size 0x%" PRIx64, area->addr, area->size);
		finding_found(finding, "vmap_area: 0x%" PRIx64 " to 0x%" PRIx64, area->va_start,
			      area->va_end);
		finding_where_area(finding, check, area);
	} else if (area->size != pages + KVMAP_GUARD_SIZE) {
		finding = finding_new_structure(check, area->va_start, area->vmap_area);
		finding_claimed(finding, "%" PRIu32 " pages and a guard", area->nr_pages);
		finding_found(finding, "a range of 0x%" PRIx64 " bytes", area->size);
		finding_where_area(finding, check, area);
	}
	if (pages_of(area->requested_size) != area->nr_pages) {
		finding = finding_new_structure(check, area->va_start, area->vmap_area);
		finding_claimed(finding, "0x%" PRIx64 " bytes were requested", area->requested_size);
		finding_found(finding, "%" PRIu32 " pages", area->nr_pages);
		finding_where_area(finding, check, area);
	}
	/* A chain that could not be read to its end has its finding. */
	if (!(area->flags & VM_MAP) && area->frame_count != area->nr_pages &&
	    !check_lacks(check, PART_OWNERS)) {
		finding = finding_new_structure(check, area->va_start, area->vmap_area);
		finding_claimed(finding, "%" PRIu32 " pages", area->nr_pages);
		finding_found(finding, "a chain of %zu frames", area->frame_count);
		finding_where_area(finding, check, area);
	}
}

static unsigned int area_rights(const struct claim_area *area)
{
	if (!(area->flags & VM_READONLY))
		return RIGHT_R | RIGHT_W;
	return area->flags & VM_EXEC ? RIGHT_R | RIGHT_X : RIGHT_R;
}

/* `leaf` translates gva; NULL: nothing does. */
static void check_page(struct check *check, const struct claim_area *area, uint64_t gva, uint32_t pfn,
		       const struct leaf *leaf)
{
	unsigned int rights = area_rights(area);
	uint64_t gpa = leaf ? leaf->gpa + (gva - leaf->gva) : 0;
	struct finding *finding;

	if (leaf && (leaf->level == 1 || leaf->role == LEAF_CLAIMED) && leaf->rights == rights &&
	    gpa >> KVMAP_PAGE_SHIFT == pfn)
		return;
	finding = finding_new_pages(check, gva,
				    &(struct finding_pages){ gva, KVMAP_PAGE_SIZE, "page of an area",
							     leaf ? 1u + leaf->rights : 0,
							     .group = group_of_area(area) });
	finding_claimed(finding, "frame 0x%" PRIx32 ", 4K, %s", pfn, RIGHTS_TEXT(rights));
	if (leaf)
		finding_found(finding, "frame 0x%" PRIx64 ", %s, %s", gpa >> KVMAP_PAGE_SHIFT,
			      leaf->level == 1 ? "4K" : "a large page", RIGHTS_TEXT(leaf->rights));
	else
		finding_found(finding, "not mapped");
	finding_where_area(finding, check, area);
}

/* A VM_MAP area claims how many pages it maps, their rights, and a sum over their frames. */
static void check_alias_area(struct check *check, const struct claim_area *area)
{
	const struct facts *facts = check->facts;
	unsigned int rights = area_rights(area);
	uint64_t pages = 0, sum = 0;
	struct finding *finding;

	check_shape(check, area);
	for (size_t i = facts_leaf_from(facts, area->va_start); i < facts->leaves.count; i++) {
		const struct leaf *leaf = &facts->leaves.items[i];

		if (leaf->gva >= area->va_end)
			break;
		if (leaf->role != LEAF_ALIAS)
			continue;
		pages++;
		sum += FRAMES_SUM((leaf->gva - area->va_start) >> KVMAP_PAGE_SHIFT,
				  leaf->gpa >> KVMAP_PAGE_SHIFT);
		if (leaf->rights == rights)
			continue;
		finding = finding_new_pages(check, leaf->gva,
					    &(struct finding_pages){ leaf->gva, KVMAP_PAGE_SIZE,
								     "page of an alias", leaf->rights,
								     .group = group_of_area(area) });
		finding_claimed(finding, "4K, %s", RIGHTS_TEXT(rights));
		finding_found(finding, "4K, %s", RIGHTS_TEXT(leaf->rights));
		finding_where_area(finding, check, area);
	}
	check->result->checked += pages;
	if (pages == area->nr_pages && sum == area->frames_sum)
		return;
	finding = finding_new_structure(check, area->va_start, area->vmap_area);
	finding_claimed(finding, "%" PRIu32 " pages, sum of their frames 0x%" PRIx64, area->nr_pages,
			area->frames_sum);
	finding_found(finding, "%" PRIu64 " pages, sum 0x%" PRIx64, pages, sum);
	finding_where_area(finding, check, area);
}

static void check_area(struct check *check, const struct claim_area *area)
{
	const struct facts *facts = check->facts;
	size_t next = facts_leaf_from(facts, area->va_start);

	check_shape(check, area);
	for (size_t i = 0; i < area->frame_count; i++) {
		uint64_t gva = area->va_start + i * KVMAP_PAGE_SIZE;
		const struct leaf *leaf = NULL;

		while (next < facts->leaves.count &&
		       facts->leaves.items[next].gva + (leaf_size(&facts->leaves.items[next]) - 1) < gva)
			next++;
		if (next < facts->leaves.count && facts->leaves.items[next].gva <= gva)
			leaf = &facts->leaves.items[next];
		check_page(check, area, gva, facts->claims->frames.items[area->first_frame + i], leaf);
	}
	check->result->checked += area->frame_count;
}

/* The struct page has the page number, modulo 2^32. */
static bool was_mapped_at(const struct claim_page *page, uint64_t gva)
{
	return page->vaddr ? PAGE_VPN(page->vaddr) == PAGE_VPN(gva) : PAGE_VPN(gva) == 0;
}

/* The struct page of each frame names the address too. Frames and struct pages are both in order. */
static void check_addresses(struct check *check)
{
	const struct facts *facts = check->facts;
	const struct claims *claims = facts->claims;
	size_t next = 0;

	for (size_t i = 0; i < facts->area_frames.count; i++) {
		const struct keyed *frame = &facts->area_frames.items[i];
		const struct claim_area *area = &claims->areas.items[OWNER_INDEX(frame->tag)];
		uint64_t gva = area->va_start + (uint64_t)frame->size * KVMAP_PAGE_SIZE;
		struct finding *finding;

		while (next < claims->pages.count && claims->pages.items[next].pfn < frame->key)
			next++;
		if (area->state != AREA_LIVE || next == claims->pages.count ||
		    claims->pages.items[next].pfn != frame->key ||
		    was_mapped_at(&claims->pages.items[next], gva) ||
		    (claims->pages.items[next].owner == PAGE_NONE &&
		     claims_in_area_buddy_block(claims, frame->key)))
			continue;
		finding = finding_new_pages(check, gva,
					    &(struct finding_pages){ gva, KVMAP_PAGE_SIZE, "struct page", 0,
								     .group = group_of_area(area) });
		finding_claimed(finding, "struct page of frame 0x%" PRIx64 ": vaddr 0x%" PRIx64, frame->key,
				claims->pages.items[next].vaddr);
		finding_found(finding, "page %" PRIu32 " of the area's chain", frame->size);
		finding_where_area(finding, check, area);
	}
}

void check_mappings(struct check *check)
{
	const struct claims *claims = check->facts->claims;

	for (size_t i = 0; i < claims->areas.count; i++)
		if (claims->areas.items[i].state == AREA_LIVE) {
			if (claims->areas.items[i].flags & VM_MAP)
				check_alias_area(check, &claims->areas.items[i]);
			else
				check_area(check, &claims->areas.items[i]);
		}
	check_addresses(check);
	check_requested_areas(check);
}
