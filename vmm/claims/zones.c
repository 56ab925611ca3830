/* SPDX-License-Identifier: MIT */
/*
 * zones.c: zones and their free lists of buddy blocks.
 */
#include "claims/reader.h"

/* A pfn, raised to at_least and cut to RAM, so that loops up to it are bounded. */
static uint64_t zone_pfn(struct reader *reader, uint32_t zone, enum claim_type member, const char *name,
			 const uint8_t *copy, uint64_t at_least)
{
	uint64_t claimed = layout_value(reader->layout, member, copy), pfn = claimed;

	if (pfn < at_least)
		pfn = at_least;
	if (pfn > reader->frame_limit)
		pfn = reader->frame_limit;
	if (pfn != claimed)
		reader_cut_frames(reader, claimed, "V4", reader->layout->roots[ROOT_zones].gva, claimed,
				  "zones[%u].%s: out of order or beyond RAM", zone, name);
	return pfn;
}

/*
 * Each buddy block must point back to the one before it. So none is met twice in one list, and a cycle ends
 * at the first block. frame_limit bounds all lists together.
 */
static void free_list_read(struct reader *reader, uint32_t zone, uint32_t order, uint64_t first)
{
	const struct claims_layout *layout = reader->layout;
	uint64_t address = layout->roots[ROOT_zones].gva;
	uint8_t copy[CLAIM_STRUCTURE_MAX];
	uint64_t pfn = first, before = 0;

	while (pfn) {
		struct claim_buddy_block block = { .pfn = pfn, .order = order, .zone = zone };

		if (pfn >= reader->frame_limit ||
		    reader->out->free_buddy_blocks.count >= reader->frame_limit ||
		    !reader_struct_page(reader, pfn, copy)) {
			reader_cut_frames(
				reader, pfn, "V4", address, pfn,
				"zones[%u].free_area[%u]: list points beyond RAM, or has more frames than RAM",
				zone, order);
			return;
		}
		if (layout_value(layout, MEMBER_page_prev, copy) != before) {
			reader_cut(reader, PART_OWNERS, "V4", address, pfn,
				   "zones[%u].free_area[%u]: frame does not point back, or list has a cycle",
				   zone, order);
			return;
		}
		if (!reader_push(reader, &reader->out->free_buddy_blocks, block))
			return;
		before = pfn;
		pfn = layout_value(layout, MEMBER_page_next, copy);
	}
}

static void zone_read(struct reader *reader, uint32_t index, const uint8_t *copy)
{
	const struct claims_layout *layout = reader->layout;
	struct claim_zone *zone = &reader->out->zones[index];
	const struct type_member *areas = &layout->types[MEMBER_zone_free_area];

	zone->start_pfn = zone_pfn(reader, index, MEMBER_zone_start_pfn, "start_pfn", copy, 0);
	zone->fresh_start =
		zone_pfn(reader, index, MEMBER_zone_fresh_start, "fresh_start", copy, zone->start_pfn);
	zone->fresh_end =
		zone_pfn(reader, index, MEMBER_zone_fresh_end, "fresh_end", copy, zone->fresh_start);
	zone->end_pfn = zone_pfn(reader, index, MEMBER_zone_end_pfn, "end_pfn", copy, zone->fresh_end);
	zone->kind = (uint32_t)layout_value(layout, MEMBER_zone_kind, copy);
	zone->numa_node = (uint32_t)layout_value(layout, MEMBER_zone_numa_node, copy);
	zone->free_pages = layout_value(layout, MEMBER_zone_free_pages, copy);
	zone->orders = layout_elements(layout, TYPE_free_area, areas->size);
	for (uint32_t order = 0; order < zone->orders; order++) {
		const uint8_t *area =
			copy + areas->offset + (size_t)order * layout_size(layout, TYPE_free_area);

		zone->nr_free[order] = layout_value(layout, MEMBER_free_area_nr_free, area);
		free_list_read(reader, index, order, layout_value(layout, MEMBER_free_area_first, area));
	}
}

static void read_numa_nodes(struct reader *reader)
{
	uint64_t count = reader_root(reader, ROOT_nr_nodes, "V4");

	reader->out->numa_node_count = 1;
	if (count && count <= KVMAP_NODES_MAX)
		reader->out->numa_node_count = (uint32_t)count;
	else
		reader_damage(reader, "V4", reader->layout->roots[ROOT_nr_nodes].gva, count,
			      "nr_nodes: not 1 to %d", KVMAP_NODES_MAX);
}

void read_zones(struct reader *reader)
{
	const struct claim_root_location *root = &reader->layout->roots[ROOT_zones];
	struct claims *out = reader->out;
	uint64_t count = reader_root(reader, ROOT_nr_zones, "V4");
	uint32_t size = layout_size(reader->layout, TYPE_zone);
	uint32_t most = layout_elements(reader->layout, TYPE_zone, root->size);
	uint8_t copy[CLAIM_STRUCTURE_MAX];

	read_numa_nodes(reader);
	out->fresh_is_zero = reader_root(reader, ROOT_fresh_is_zero, "V4");
	if (count > most) {
		reader_cut(reader, PART_OWNERS, "V4", reader->layout->roots[ROOT_nr_zones].gva, count,
			   "nr_zones: more than fit into the array");
		count = most;
	}
	for (uint32_t i = 0; i < count; i++) {
		if (!reader_copy(reader, root->gva + (uint64_t)i * size, copy, size)) {
			reader_cut(reader, PART_OWNERS, "V4", root->gva, i, "zones[%u]: not mapped", i);
			return;
		}
		zone_read(reader, i, copy);
		out->zone_count = i + 1;
	}
}

uint32_t claims_numa_node(const struct claims *claims, uint64_t pfn, uint32_t *zone)
{
	for (uint32_t tries = 0; tries < claims->zone_count; tries++) {
		const struct claim_zone *at = &claims->zones[*zone];

		if (pfn >= at->start_pfn && pfn < at->end_pfn)
			return at->numa_node;
		*zone = (*zone + 1) % claims->zone_count;
	}
	return KVMAP_NODES_MAX;
}

void claims_numa_nodes(const struct claims *claims, const uint32_t *frames, size_t count,
		       uint32_t counts_out[KVMAP_NODES_MAX])
{
	uint32_t zone = 0;

	for (uint32_t numa_node = 0; numa_node < KVMAP_NODES_MAX; numa_node++)
		counts_out[numa_node] = 0;
	for (size_t i = 0; i < count; i++) {
		uint32_t numa_node = claims_numa_node(claims, frames[i], &zone);

		if (numa_node < KVMAP_NODES_MAX)
			counts_out[numa_node]++;
	}
}
