/* SPDX-License-Identifier: MIT */
/*
 * chains.c: chains of frames through struct page.next, of areas, caches and held_pages.
 */
#include "claims/reader.h"

bool reader_struct_page(struct reader *reader, uint64_t pfn, uint8_t *out)
{
	/* Does not wrap: read_mem_map has checked it for all pfns below frame_limit. */
	uint64_t gva = reader->mem_map + pfn * layout_size(reader->layout, TYPE_page);

	return reader_structure(reader, TYPE_page, gva, out);
}

bool reader_lacks_pages(struct reader *reader, uint64_t pfn)
{
	uint8_t copy[CLAIM_STRUCTURE_MAX];

	return reader->out->unread & PART_STRUCT_PAGES &&
	       (!reader->frame_limit ||
		(pfn < reader->frame_limit && !reader_struct_page(reader, pfn, copy)));
}

/* Appends pfn; false and a damage if the chain ends here. */
static bool chain_take(struct reader *reader, struct chain *chain, uint64_t pfn)
{
	if (pfn >= reader->frame_limit) {
		reader_cut_frames(reader, pfn, chain->invariant, chain->address, pfn,
				  "%s: chain has a frame beyond RAM", chain->name);
		return false;
	}
	if (!reader->frames_left) {
		reader_cut(reader, PART_OWNERS, chain->invariant, chain->address, pfn,
			   "%s: all chains together hold more frames than there are", chain->name);
		return false;
	}
	reader->frames_left--;
	if (!reader_push(reader, &reader->out->frames, (uint32_t)pfn))
		return false;
	chain->frame_count++;
	if (chain->frame_count > chain->nr_claimed) {
		reader_cut(reader, PART_OWNERS, chain->invariant, chain->address, pfn,
			   "%s: chain is longer than %llu frames", chain->name,
			   (unsigned long long)chain->nr_claimed);
		return false;
	}
	return true;
}

/* The frames of a buddy block after its first. */
static bool chain_take_buddy_block(struct reader *reader, struct chain *chain, uint64_t first,
				   const uint8_t *copy)
{
	uint64_t order = layout_value(reader->layout, MEMBER_page_order, copy);

	if (order > MAX_ORDER) {
		reader_cut(reader, PART_OWNERS, chain->invariant, chain->address, first,
			   "%s: a buddy block of order %llu, which is impossible", chain->name,
			   (unsigned long long)order);
		return false;
	}
	for (uint64_t pfn = first + 1; pfn < first + (1ull << order); pfn++)
		if (!chain_take(reader, chain, pfn))
			return false;
	return true;
}

/* Brent's algorithm finds cycles: the frame at each power of two is saved, and met again in a cycle. */
void reader_chain(struct reader *reader, struct chain *chain)
{
	uint8_t copy[CLAIM_STRUCTURE_MAX];
	uint64_t pfn = chain->first, saved = 0, save_at = 1;

	chain->first_frame = reader->out->frames.count;
	chain->frame_count = 0;
	while (pfn) {
		if (!chain_take(reader, chain, pfn))
			return;
		if (chain->frame_count >= save_at) {
			saved = pfn;
			save_at *= 2;
		}
		if (!reader_struct_page(reader, pfn, copy)) {
			reader_cut_frames(reader, pfn, chain->invariant, chain->address, pfn,
					  "%s: struct page of the chain is not mapped", chain->name);
			return;
		}
		if (chain->buddy_blocks && !chain_take_buddy_block(reader, chain, pfn, copy))
			return;
		pfn = layout_value(reader->layout, MEMBER_page_next, copy);
		if (pfn && pfn == saved) {
			reader_cut(reader, PART_OWNERS, chain->invariant, chain->address, pfn,
				   "%s: chain has a cycle", chain->name);
			return;
		}
	}
	if (chain->nr_claimed != CHAIN_TO_END && chain->frame_count < chain->nr_claimed)
		reader_damage(reader, chain->invariant, chain->address, chain->frame_count,
			      "%s: chain ends before its %llu frames", chain->name,
			      (unsigned long long)chain->nr_claimed);
}

void read_held(struct reader *reader)
{
	struct chain chain = {
		.invariant = "V4",
		.name = "held_pages",
		.address = reader->layout->roots[ROOT_held_pages].gva,
		.first = reader_root(reader, ROOT_held_pages, "V4"),
		.nr_claimed = CHAIN_TO_END,
	};

	reader_chain(reader, &chain);
	reader->out->held.first_frame = chain.first_frame;
	reader->out->held.frame_count = chain.frame_count;
}
