/* SPDX-License-Identifier: MIT */
#include "verify/facts.h"

#include "base/array.h"
#include "base/lower_bound.h"

#include <stdlib.h>

static int claim_frames(struct facts *facts)
{
	const struct keyed_array *list = &facts->owners.list;

	if (!facts->claims)
		return 0;
	if (owners_collect(facts->claims, &facts->owners) < 0)
		return -1;
	for (size_t i = 0; i < list->count; i++) {
		enum owner_kind kind = OWNER_KIND(list->items[i].tag);

		if ((kind == OWNER_AREA || kind == OWNER_LAZY) &&
		    array_push(&facts->area_frames, list->items[i]) < 0)
			return -1;
	}
	return 0;
}

int facts_build(struct facts *facts, const struct verify_input *input)
{
	*facts = (struct facts){ .input = input, .view = input->view, .claims = input->claims };
	if (input->symbols)
		facts->segment_count = symbols_segments(input->symbols, &facts->segments);
	if (facts_scan(facts) == 0 && claim_frames(facts) == 0 && facts_name_leaves(facts) == 0)
		return 0;
	facts_destroy(facts);
	return -1;
}

void facts_destroy(struct facts *facts)
{
	free(facts->leaves.items);
	free(facts->tables.items);
	free(facts->damages.items);
	free(facts->live.items);
	owners_destroy(&facts->owners);
	free(facts->area_frames.items);
}

size_t facts_leaf_from(const struct facts *facts, uint64_t gva)
{
	const struct leaf *leaves = facts->leaves.items;

	return lower_bound(facts->leaves.count, i, leaves[i].gva + (leaf_size(&leaves[i]) - 1) < gva);
}

const struct leaf *facts_leaf_at(const struct facts *facts, uint64_t gva)
{
	size_t i = facts_leaf_from(facts, gva);

	return i < facts->leaves.count && facts->leaves.items[i].gva <= gva ? &facts->leaves.items[i] : NULL;
}

const struct keyed *facts_area_frame(const struct facts *facts, uint64_t gpa, uint64_t size)
{
	uint64_t pfn = gpa >> KVMAP_PAGE_SHIFT;
	size_t i = keyed_find(&facts->area_frames, pfn);

	if (i == facts->area_frames.count ||
	    facts->area_frames.items[i].key - pfn >= size >> KVMAP_PAGE_SHIFT)
		return NULL;
	return &facts->area_frames.items[i];
}

const struct keyed *facts_table(const struct facts *facts, uint64_t gpa, uint64_t size)
{
	size_t i = keyed_find(&facts->tables, gpa);

	return i < facts->tables.count && facts->tables.items[i].key - gpa < size ? &facts->tables.items[i]
										  : NULL;
}

bool facts_maps_text(const struct facts *facts, const struct leaf *leaf)
{
	for (size_t i = 0; i < facts->segment_count; i++) {
		const struct symbols_segment *segment = &facts->segments[i];

		if (!segment->writable && overlaps(leaf->gpa, leaf_size(leaf), segment->gpa,
						   page_round_up(segment->memory_size, PAGE_4K)))
			return true;
	}
	return false;
}
