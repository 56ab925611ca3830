/* SPDX-License-Identifier: MIT */
/*
 * map_direct.c: the direct map of a guest that says nothing, known by its shape: most of RAM, all at one
 * distance.
 */
#include "inspect/map.h"

#include "inspect/frame_bits.h"
#include "kvmap/layout.h"

/* Distances that are kept at a time. A direct map has far more bytes than whatever could push it out. */
#define CANDIDATES 64

struct candidate {
	uint64_t base, bytes;
};

/* The candidate of that distance; else the one with the fewest bytes, which gives way. */
static struct candidate *candidate_for(struct candidate *candidates, uint64_t base)
{
	struct candidate *least = candidates;

	for (unsigned int i = 0; i < CANDIDATES; i++) {
		if (candidates[i].bytes && candidates[i].base == base)
			return &candidates[i];
		if (candidates[i].bytes < least->bytes)
			least = &candidates[i];
	}
	*least = (struct candidate){ .base = base };
	return least;
}

/* Devices may be mapped in pieces that are larger than RAM. */
static uint64_t bytes_of_memory(const struct frame_index *index, uint64_t gpa, uint64_t size)
{
	uint64_t first, count, bytes = 0, end = gpa + size; /* an entry has 52 bits of address: no wrap */

	while (frame_bits_next(index, gpa, end, &first, &count, &gpa))
		bytes += count * PAGE_4K;
	return bytes;
}

static struct map_direct find_direct(const struct ranges *ranges, const struct view *view)
{
	struct candidate candidates[CANDIDATES] = { 0 };
	const struct candidate *most = candidates;
	struct frame_index index;

	if (frame_index_open(&index, view) < 0)
		return (struct map_direct){ 0 };
	for (size_t i = 0; i < ranges->count; i++) {
		const struct range *range = &ranges->items[i];
		uint64_t bytes;

		if (range->runs != 1 || range->rights & RIGHT_U)
			continue;
		bytes = bytes_of_memory(&index, range->gpa, range->size);
		if (bytes)
			candidate_for(candidates, range->gva - range->gpa)->bytes += bytes;
	}
	frame_index_close(&index);
	for (unsigned int i = 1; i < CANDIDATES; i++)
		if (candidates[i].bytes > most->bytes)
			most = &candidates[i];
	return (struct map_direct){ .found = most->bytes && most->bytes >= view_size(view) / 2,
				    .base = most->base,
				    .assumed = true };
}

struct map_direct map_direct(const struct ranges *ranges, const struct view *view,
			     const struct claims *claims)
{
	return claims ? (struct map_direct){ .found = true, .base = KVMAP_DIRECT_BASE }
		      : find_direct(ranges, view);
}
