/* SPDX-License-Identifier: MIT */
/*
 * buddies.c: V4, of free buddy blocks: aligned, inside their zone, and never two buddies of one order, which must be one
 * block of the next order.
 */
#include "verify/check.h"

#include <inttypes.h>

static const struct claim_buddy_block *block_of(const struct check *check, const struct keyed *owner)
{
	return &check->facts->claims->free_buddy_blocks.items[OWNER_INDEX(owner->tag)];
}

void check_free_block(struct check *check, const struct keyed *owner)
{
	const struct claims *claims = check->facts->claims;
	const struct claim_buddy_block *block = block_of(check, owner);
	const struct claim_zone *zone = block->zone < claims->zone_count ? &claims->zones[block->zone] : NULL;
	uint64_t frames = owner_frames(owner);
	const char *wrong = NULL;
	struct finding *finding;

	if (block->order > MAX_ORDER)
		wrong = "an order that no block has";
	else if (block->pfn & (frames - 1))
		wrong = "not aligned to its size";
	else if (!zone || block->pfn < zone->start_pfn || block->pfn >= zone->end_pfn ||
		 zone->end_pfn - block->pfn < frames)
		wrong = "not inside its zone";
	if (!wrong)
		return;
	finding = finding_new_frame(check, block->pfn << KVMAP_PAGE_SHIFT);
	finding_claimed(finding, "free block of order %" PRIu32 " in zone %" PRIu32, block->order,
			block->zone);
	finding_found(finding, "%s", wrong);
	finding_where(finding, "frame 0x%" PRIx64, block->pfn);
}

void check_buddies(struct check *check, const struct keyed *owner, const struct keyed *next)
{
	const struct claim_buddy_block *block, *buddy;
	struct finding *finding;

	if (OWNER_KIND(owner->tag) != OWNER_FREE || OWNER_KIND(next->tag) != OWNER_FREE)
		return;
	block = block_of(check, owner);
	buddy = block_of(check, next);
	if (block->order >= MAX_ORDER || buddy->order != block->order || buddy->zone != block->zone ||
	    block->pfn & ((2ull << block->order) - 1) || buddy->pfn != block->pfn + (1ull << block->order))
		return;
	finding = finding_new_frame(check, block->pfn << KVMAP_PAGE_SHIFT);
	finding_claimed(finding,
			"free buddies are merged: frame 0x%" PRIx64 " begins a block of order %" PRIu32,
			block->pfn, block->order + 1);
	finding_found(finding, "two free blocks of order %" PRIu32 ", the other from frame 0x%" PRIx64,
		      block->order, buddy->pfn);
	finding_where(finding, "zones[%" PRIu32 "].free_area[%" PRIu32 "]", block->zone, block->order);
}
