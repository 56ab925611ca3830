/* SPDX-License-Identifier: MIT */
#include "inspect/frame_bits.h"

#include <stdlib.h>

int frame_index_open(struct frame_index *index, const struct view *view)
{
	*index = (struct frame_index){ .view = view,
				       .first_bit = calloc(view->region_count + 1, sizeof(uint64_t)) };
	if (!index->first_bit)
		return -1;
	for (unsigned int i = 0; i < view->region_count; i++) {
		index->first_bit[i] = index->bits;
		index->bits += view->regions[i].size / PAGE_4K;
	}
	return 0;
}

void frame_index_close(struct frame_index *index)
{
	free(index->first_bit);
}

uint64_t *frame_bits_new(const struct frame_index *index)
{
	return calloc(index->bits / 64 + 1, sizeof(uint64_t));
}

bool frame_bits_next(const struct frame_index *index, uint64_t gpa, uint64_t end, uint64_t *first_out,
		     uint64_t *count_out, uint64_t *next_out)
{
	unsigned int place = view_region_from(index->view, gpa);
	const struct view_region *region = &index->view->regions[place];
	uint64_t start, inside;

	if (gpa >= end || place == index->view->region_count || region->gpa >= end)
		return false;
	start = region->gpa > gpa ? region->gpa : gpa;
	inside = start - region->gpa;
	*count_out = (end - start < region->size - inside ? end - start : region->size - inside) / PAGE_4K;
	*first_out = index->first_bit[place] + inside / PAGE_4K;
	*next_out = start + *count_out * PAGE_4K;
	return true;
}

void frame_bits_set(uint64_t *bits, uint64_t *again, uint64_t first, uint64_t count)
{
	while (count) {
		uint64_t part = 64 - first % 64 < count ? 64 - first % 64 : count;
		uint64_t mask = (part == 64 ? ~0ull : (1ull << part) - 1) << first % 64;

		if (again)
			again[first / 64] |= bits[first / 64] & mask;
		bits[first / 64] |= mask;
		first += part;
		count -= part;
	}
}

uint64_t frame_bits_find(const uint64_t *bits, uint64_t first, uint64_t end)
{
	while (first < end) {
		uint64_t word = bits[first / 64] >> first % 64;

		if (word) {
			first += (unsigned int)__builtin_ctzll(word);
			return first < end ? first : end;
		}
		first += 64 - first % 64;
	}
	return end;
}
