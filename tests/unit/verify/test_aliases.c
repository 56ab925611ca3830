/* SPDX-License-Identifier: MIT */
/* V1, V5: areas with VM_MAP, which map frames of other areas. */
#include "base/array.h"
#include "world.h"

#include <criterion/criterion.h>
#include <string.h>

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
	struct claim_cached_range gap = { .va_start = AREA_END, .va_end = AREA_END + K4 };

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

/* The rights of a mapping of one page, in its area's flags too. */
static void make_executable(struct claim_area *alias, uint64_t gva)
{
	uint64_t *entry = tables_entry(&w.tables, gva, 1);

	alias->flags |= VM_READONLY | VM_EXEC;
	*entry &= ~(PTE_W | PTE_D | PTE_NX);
}

Test(aliases, a_frame_that_one_mapping_may_write_and_another_execute_is_found)
{
	struct claim_area *alias = make_alias(FRAME_A, 0x1007);

	make_executable(alias, alias->va_start);
	make_executable(alias, alias->va_start + K4);
	expect_findings("V7");
	cr_assert_eq(w.verdict.findings.count, 1);
	cr_expect_eq(w.verdict.findings.items[0].address, AREA_A + K4);
	cr_expect_eq(w.verdict.findings.items[0].pages, 2);
	cr_expect_not_null(strstr(w.verdict.findings.items[0].where, "'first'"));
}

Test(aliases, a_frame_that_two_mappings_may_execute_and_the_direct_map_write_is_right)
{
	struct claim_area *alias = make_alias(FRAME_A, 0x1007), *owner = area(A);

	make_executable(alias, alias->va_start);
	make_executable(alias, alias->va_start + K4);
	for (unsigned int page = 0; page < 4; page++)
		make_executable(owner, AREA_A + page * K4);
	expect_findings("");
}

Test(aliases, an_alias_of_a_lazily_freed_frame_is_found)
{
	make_alias(FRAME_A, 0x1008);
	expect_findings("V1 V5");
}

Test(aliases, the_guard_of_an_alias_is_never_mapped)
{
	struct claim_area *alias = make_alias(FRAME_A, 0x1007);
	uint64_t guard = alias->va_end - KVMAP_GUARD_SIZE;

	tables_map(&w.tables, guard, LOW_GPA, 1, LEAF);
	expect_findings("V3");
	cr_expect_eq(w.verdict.results[3].findings, 1);
	cr_expect_eq(w.verdict.findings.items[0].address, guard);
}

Test(aliases, an_alias_with_other_pages_than_were_requested_is_found)
{
	make_alias(FRAME_A, 0x1007)->requested_size += K4;
	expect_findings("V1");
}
