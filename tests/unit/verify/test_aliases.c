/* SPDX-License-Identifier: MIT */
/* V1, V5: areas with VM_MAP, which map frames of other areas. */
#include "base/array.h"
#include "world.h"

#include <criterion/criterion.h>

#define LEAF (PTE_W | PTE_A | PTE_D | PTE_G | PTE_NX)

TestSuite(aliases, .init = world_init, .fini = world_destroy);

/* Adds a live VM_MAP area that maps two frames of area A. */
static struct claim_area *make_alias(uint32_t first, uint32_t second)
{
	struct claim_area alias = { .state = AREA_LIVE,
				    .va_start = AREA_END + K4,
				    .va_end = AREA_AFTER(AREA_END + K4, 2),
				    .addr = AREA_END + K4,
				    .size = 2 * K4 + KVMAP_GUARD_SIZE,
				    .requested_size = 2 * K4,
				    .flags = VM_MAP,
				    .nr_pages = 2,
				    .allocated = w.claims.flush_generation,
				    .frames_sum = FRAMES_SUM(0, FRAME_A) + FRAMES_SUM(1, 0x1007) };
	struct claim_cached_range gap = { AREA_END, AREA_END + K4 };

	cr_assert_eq(array_push(&w.claims.areas, alias), 0);
	cr_assert_eq(array_push(&w.claims.cached_ranges, gap), 0);
	tables_map(&w.tables, alias.va_start, first * K4, 1, LEAF);
	tables_map(&w.tables, alias.va_start + K4, second * K4, 1, LEAF);
	w.claims.free_tree.items[1].va_start = alias.va_end;
	w.claims.free_tree.items[0].subtree_max_size = w.claims.free_tree.items[1].subtree_max_size =
		KVMAP_VMALLOC_END - alias.va_end;
	w.claims.stats.allocations++;
	w.claims.stats.pages_mapped += 2;
	/* live areas come before lazily freed ones */
	w.claims.areas.items[w.claims.areas.count - 1] = w.claims.areas.items[w.claims.areas.count - 2];
	w.claims.areas.items[w.claims.areas.count - 2] = alias;
	return &w.claims.areas.items[w.claims.areas.count - 2];
}

Test(aliases, frames_may_be_mapped_again_by_an_area_with_VM_MAP)
{
	make_alias(FRAME_A, 0x1007);
	expect_findings("");
}

Test(aliases, aliases_in_another_order_than_claimed_are_found)
{
	make_alias(0x1007, FRAME_A);
	expect_findings("V1");
}

Test(aliases, an_alias_with_other_rights_than_claimed_is_found)
{
	make_alias(FRAME_A, 0x1007)->flags |= VM_READONLY;
	expect_findings("V1");
}

Test(aliases, an_alias_of_a_lazily_freed_frame_is_found)
{
	make_alias(FRAME_A, 0x1008);
	expect_findings("V1 V5");
}
