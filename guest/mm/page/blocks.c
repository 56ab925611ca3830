/* SPDX-License-Identifier: MIT */
/*
 * blocks.c: freeing chains that begin with buddy blocks.
 */
#include "mm/page/frames.h"

/* Sets the unmapping stamp of every frame of the block. Unrolled by eight: blocks of 2M have 512 frames. */
static void buddy_block_stamp(struct page *page, u64 stamp)
{
	const struct page *end = page + (1u << page->order);

	for (; page + 8 <= end; page += 8) {
		page[0].unmapped = stamp;
		page[1].unmapped = stamp;
		page[2].unmapped = stamp;
		page[3].unmapped = stamp;
		page[4].unmapped = stamp;
		page[5].unmapped = stamp;
		page[6].unmapped = stamp;
		page[7].unmapped = stamp;
	}
	for (; page < end; page++)
		page->unmapped = stamp;
}

u32 frames_free_blocks(u32 first, u32 *nr, u64 stamp)
{
	u32 freed = 0;

	while (freed < *nr) {
		struct page *page = pfn_to_page(first);
		u32 frames = 1u << page->order, next = page->next;

		if (frames == 1)
			return frames_free_chain(first, *nr - freed, stamp);
		if (stamp)
			buddy_block_stamp(page, stamp);
		frames_free(first);
		freed += frames;
		first = next;
	}
	*nr = freed;
	return first;
}
