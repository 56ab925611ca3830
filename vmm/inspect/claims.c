/* SPDX-License-Identifier: MIT */
/*
 * claims.c: reads all that the guest's memory manager claims.
 */
#include "inspect/claims.h"
#include "inspect/claims_reader.h"

#include <inttypes.h>
#include <stdlib.h>

/* Some slack for what lies in the image itself. */
#define NODES_MIN 64

static void read_all(struct reader *reader)
{
	read_memblock(reader);
	read_mem_map(reader);
	read_zones(reader);
	read_trees(reader);
	read_held(reader);
	read_caches(reader);
	read_cpu_caches(reader);
	read_flushes(reader);
	read_policy(reader);
	read_variables(reader);
}

int claims_read(const struct view *view, const struct walk_mode *mode, const struct claims_layout *layout,
		struct claims *out, struct error *error)
{
	const struct claim_place *first = &layout->roots[ROOT_mem_map];
	struct claims claims = { 0 };
	struct reader reader = {
		.view = view,
		.mode = mode,
		.layout = layout,
		.out = &claims,
		.nodes_left = view_data_size(view) / layout_size(layout, TYPE_vmap_area) + NODES_MIN,
	};
	uint8_t probe[8];

	if (!reader_copy(&reader, first->gva, probe, first->size))
		return error_set(error, ERROR_GUEST, 0, first->gva,
				 "the guest's image is not mapped (0x%" PRIx64
				 ", `mem_map`): it has not booted, or "
				 "this is not its program",
				 first->gva);
	read_all(&reader);
	if (reader.out_of_memory) {
		claims_destroy(&claims);
		return error_set(error, ERROR_HOST, 0, 0, "out of memory for the guest's claims");
	}
	*out = claims;
	return 0;
}

void claims_destroy(struct claims *claims)
{
	free(claims->areas.items);
	free(claims->frames.items);
	free(claims->busy_nodes.items);
	free(claims->kept.items);
	free(claims->free_nodes.items);
	free(claims->pages.items);
	free(claims->free_blocks.items);
	free(claims->flushes.items);
	free(claims->variables.items);
	free(claims->damages.items);
	*claims = (struct claims){ 0 };
}

/* The live areas come first and are sorted. */
static size_t live_count(const struct claims *claims)
{
	size_t low = 0, high = claims->areas.count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (claims->areas.items[middle].state == AREA_LIVE)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool area_holds(const struct claim_area *area, uint64_t gva)
{
	return gva >= area->va_start && gva < area->va_end;
}

const struct claim_area *claims_area_at(const struct claims *claims, uint64_t gva)
{
	const struct claim_area *areas = claims->areas.items;
	size_t live = live_count(claims), low = 0, high = live;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (areas[middle].va_start <= gva)
			low = middle + 1;
		else
			high = middle;
	}
	if (low && area_holds(&areas[low - 1], gva))
		return &areas[low - 1];
	for (size_t i = live; i < claims->areas.count; i++)
		if (area_holds(&areas[i], gva))
			return &areas[i];
	return NULL;
}

uint64_t *claims_area_starts(const struct claims *claims, size_t *count_out)
{
	size_t count = claims ? claims->areas.count : 0;
	uint64_t *starts = calloc(count + 1, sizeof(*starts));

	*count_out = 0;
	for (size_t i = 0; starts && i < count; i++)
		if (claims->areas.items[i].state == AREA_LIVE)
			starts[(*count_out)++] = claims->areas.items[i].va_start;
	return starts;
}
