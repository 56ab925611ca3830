/* SPDX-License-Identifier: MIT */
/*
 * facts_roles.c: what each leaf is.
 */
#include "base/array.h"
#include "verify/facts.h"

static int sort_live(struct facts *facts)
{
	for (size_t i = 0; facts->claims && i < facts->claims->areas.count; i++) {
		const struct claim_area *area = &facts->claims->areas.items[i];
		struct keyed item = { .key = area->va_start, .tag = (uint32_t)i };

		if (area->state == AREA_LIVE && array_push(&facts->live, item) < 0)
			return -1;
	}
	return keyed_sort(&facts->live);
}

/* A 2M leaf in an area that may have such: all of it has to be the area's, and its frames those claimed. */
static enum leaf_role role_of_huge(const struct facts *facts, const struct claim_area *area, uint64_t index,
				   const struct leaf *leaf)
{
	uint64_t pages = leaf_size(leaf) >> KVMAP_PAGE_SHIFT, pfn = leaf->gpa >> KVMAP_PAGE_SHIFT;

	if (leaf->level != 2 || area->frame_count < pages || index > area->frame_count - pages)
		return LEAF_OTHER;
	for (uint64_t i = 0; i < pages; i++)
		if (facts->claims->frames.items[area->first_frame + index + i] != pfn + i)
			return LEAF_WRONG;
	return LEAF_CLAIMED;
}

static enum leaf_role role_in_area(const struct facts *facts, const struct claim_area *area,
				   const struct leaf *leaf)
{
	uint64_t offset = leaf->gva - area->va_start;
	uint64_t index = offset >> KVMAP_PAGE_SHIFT, size = area->va_end - area->va_start;

	if (area->va_end <= area->va_start || offset >= size)
		return LEAF_OTHER;
	if (leaf->level != 1)
		return area->flags & VM_HUGE ? role_of_huge(facts, area, index, leaf) : LEAF_OTHER;
	if (size - offset <= KVMAP_GUARD_SIZE)
		return LEAF_GUARD;
	if (area->flags & VM_MAP)
		return LEAF_ALIAS;
	if (index >= area->frame_count)
		return LEAF_OTHER;
	return leaf->gpa >> KVMAP_PAGE_SHIFT == facts->claims->frames.items[area->first_frame + index]
		       ? LEAF_CLAIMED
		       : LEAF_WRONG;
}

/* *next: the first live area above the leaf before; leaves and areas are both in order. */
static enum leaf_role role_of(const struct facts *facts, const struct leaf *leaf, size_t *next)
{
	if (leaf->gva >= KVMAP_IMAGE_BASE)
		return leaf->gva - KVMAP_IMAGE_BASE == leaf->gpa ? LEAF_IMAGE : LEAF_OTHER;
	if (leaf->gva < KVMAP_DIRECT_BASE || leaf->gva >= KVMAP_VMALLOC_END)
		return LEAF_OTHER;
	if (leaf->gva < KVMAP_VMALLOC_START)
		return leaf->gva - KVMAP_DIRECT_BASE == leaf->gpa ? LEAF_DIRECT : LEAF_OTHER;
	while (*next < facts->live.count && facts->live.items[*next].key <= leaf->gva)
		++*next;
	if (!*next)
		return LEAF_OTHER;
	return role_in_area(facts, &facts->claims->areas.items[facts->live.items[*next - 1].tag], leaf);
}

int facts_name_leaves(struct facts *facts)
{
	size_t next = 0;

	if (sort_live(facts) < 0)
		return -1;
	for (size_t i = 0; i < facts->leaves.count; i++)
		facts->leaves.items[i].role = (uint8_t)role_of(facts, &facts->leaves.items[i], &next);
	return 0;
}
