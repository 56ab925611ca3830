/* SPDX-License-Identifier: MIT */
/*
 * placement.c: V4, of the frames of areas: they are in the zones and on the node that the request allowed. A frame on another
 * node than a request prefers is counted, and no finding.
 */
#include "verify/check.h"

#include "kvmap/gfp.h"

#include <inttypes.h>

/* The frames that a request allows. */
struct limits {
	uint64_t end_pfn; /* exclusive */
	uint32_t node;    /* KVMAP_NODES_MAX: none is named */
	bool only_node;   /* __GFP_THISNODE: all frames are on one node, of that number if one is named */
};

static struct limits limits_of(const struct claims *claims, uint32_t gfp)
{
	uint32_t node = gfp >> GFP_NODE_SHIFT;

	return (struct limits){
		.end_pfn = gfp & __GFP_DMA     ? ZONE_DMA_END_PFN
			   : gfp & __GFP_DMA32 ? ZONE_DMA32_END_PFN
					       : UINT64_MAX,
		.node = node && node <= claims->numa_node_count ? node - 1 : KVMAP_NODES_MAX,
		.only_node = gfp & __GFP_THISNODE && claims->numa_node_count > 1,
	};
}

static void report(struct check *check, const struct claim_area *area, uint32_t pfn, const char *claimed,
		   uint32_t number, const char *cause)
{
	uint64_t gpa = (uint64_t)pfn << KVMAP_PAGE_SHIFT;
	struct finding *finding = finding_new_pages(
		check, gpa,
		&(struct finding_pages){ gpa, KVMAP_PAGE_SIZE, cause, number, .group = group_of_area(area),
					 .object = frame_object(gpa) });

	finding_claimed(finding, claimed, number);
	finding_found(finding, "frame 0x%" PRIx32, pfn);
	finding_where_area(finding, check, area);
}

static void check_area(struct check *check, const struct claim_area *area, const struct limits *allowed)
{
	const struct claims *claims = check->facts->claims;
	const uint32_t *frames = &claims->frames.items[area->first_frame];
	uint32_t zone = 0, node = allowed->node;

	for (size_t i = 0; i < area->frame_count; i++) {
		uint32_t on;

		if (frames[i] >= allowed->end_pfn)
			report(check, area, frames[i], "requested below frame 0x%" PRIx32,
			       (uint32_t)allowed->end_pfn, "zone of the request");
		on = claims_numa_node(claims, frames[i], &zone);
		if (node == KVMAP_NODES_MAX && allowed->only_node)
			node = on;
		if (node == KVMAP_NODES_MAX || on == node)
			continue;
		if (allowed->only_node)
			report(check, area, frames[i], "requested from node %" PRIu32 " only", node,
			       "node of the request");
		else
			check->verdict->fallback_frames++;
	}
	check->result->checked += area->frame_count;
}

void check_placement(struct check *check)
{
	const struct claims *claims = check->facts->claims;

	for (size_t i = 0; i < claims->areas.count; i++) {
		const struct claim_area *area = &claims->areas.items[i];
		struct limits allowed = limits_of(claims, area->gfp);

		if (area->state == AREA_LIVE && !(area->flags & VM_MAP) &&
		    (allowed.end_pfn != UINT64_MAX || allowed.node != KVMAP_NODES_MAX || allowed.only_node))
			check_area(check, area, &allowed);
	}
}
