/* SPDX-License-Identifier: MIT */
/* V4: the frames of areas are in the zones and on the node that their requests allowed. */
#include "kvmap/gfp.h"
#include "world.h"

#include <criterion/criterion.h>
#include <string.h>

#define ON_NODE(node) (((node) + 1u) << GFP_NODE_SHIFT)

TestSuite(placement, .init = world_init, .fini = world_destroy);

/* Two nodes: zone 0 of the first, zone 1, which has all frames of areas, of the second. */
static void make_nodes(void)
{
	w.claims.max_pfn = w.claims.zones[1].end_pfn;
	w.claims.numa_node_count = 2;
	w.claims.zones[1].numa_node = 1;
}

/* All frames of areas are from 0x1000 on, where DMA ends. */
Test(placement, frames_above_the_zone_of_the_request_are_found)
{
	area(A)->gfp = GFP_KERNEL;
	area(B)->gfp = __GFP_DMA32;
	expect_findings("");
	area(B)->gfp = __GFP_DMA;
	expect_findings("V4");
	cr_expect_eq(w.verdict.results[4].findings, 1);
	cr_expect_eq(w.verdict.findings.items[0].pages, 2);
	cr_expect_eq(w.verdict.findings.items[0].address, 0x1002 * K4);
	cr_expect_not_null(strstr(w.verdict.findings.items[0].where, "'second'"));
}

Test(placement, frames_of_another_node_than_the_only_one_are_found)
{
	make_nodes();
	area(C)->gfp = __GFP_THISNODE | ON_NODE(1);
	expect_findings("");
	area(C)->gfp = __GFP_THISNODE | ON_NODE(0);
	expect_findings("V4");
	cr_expect_eq(w.verdict.findings.items[0].address, 0x1004 * K4);
	cr_expect_eq(w.verdict.fallback_frames, 0);
}

Test(placement, frames_of_another_node_than_the_preferred_one_are_counted)
{
	make_nodes();
	area(B)->gfp = ON_NODE(1);
	expect_findings("");
	cr_expect_eq(w.verdict.fallback_frames, 0);
	area(B)->gfp = ON_NODE(0);
	area(C)->gfp = ON_NODE(0);
	expect_findings("");
	cr_expect_eq(w.verdict.fallback_frames, 3);
}

/* The node of the CPU, which is not recorded. */
Test(placement, without_a_named_node_all_frames_are_of_one)
{
	make_nodes();
	area(B)->gfp = __GFP_THISNODE;
	expect_findings("");
	w.claims.zones[1].end_pfn = w.claims.zones[1].fresh_end = 0x1006;
	cr_assert_eq(verify(&w.input, &w.verdict, &(struct error){ 0 }), 0);
	for (size_t i = 0; i < w.verdict.findings.count; i++)
		if (strstr(w.verdict.findings.items[i].claimed, "requested from node 1 only"))
			return;
	cr_assert_fail("frame 0x1006 is on no node");
}

Test(placement, a_lazily_freed_area_has_no_request_any_more)
{
	area(L)->gfp = __GFP_DMA;
	expect_findings("");
}
