/* SPDX-License-Identifier: MIT */
/* V7: all mappings of a frame have the same memory type. */
#include "world.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(memory_types, .init = world_init, .fini = world_destroy);

Test(memory_types, a_page_with_another_type_than_the_direct_map_is_found)
{
	*tables_entry(&w.tables, AREA_B, 1) |= PTE_PCD;
	expect_findings("V7");
	cr_expect_eq(w.verdict.results[7].findings, 1);
	cr_expect_eq(w.verdict.findings.items[0].address, AREA_B);
	cr_expect_not_null(strstr(w.verdict.findings.items[0].claimed, "WB, as at 0xffff888001002000"), "%s",
			   w.verdict.findings.items[0].claimed);
	cr_expect_str_eq(w.verdict.findings.items[0].found, "GPA 0x1002000, UC-");
}

Test(memory_types, each_bit_that_selects_a_type_counts)
{
	*tables_entry(&w.tables, AREA_C, 1) |= PTE_PWT;
	expect_findings("V7");
	*tables_entry(&w.tables, AREA_C, 1) |= PTE_PCD;
	expect_findings("V7");
}

Test(memory_types, two_indices_of_one_type_are_the_same)
{
	*tables_entry(&w.tables, AREA_B, 1) |= PTE_PS; /* PAT, with which WB is index 4 after reset */
	expect_findings("");
	w.tables.view.cpus[0].has_pat = true;
	w.tables.view.cpus[0].pat = 0x0007040100070406; /* index 4 is WC */
	expect_findings("V7");
}

Test(memory_types, a_frame_whose_mappings_all_have_the_same_other_type_is_right)
{
	*tables_entry(&w.tables, KVMAP_IMAGE_BASE + DATA, 1) |= PTE_PCD;
	expect_findings("V7");
	*tables_entry(&w.tables, KVMAP_DIRECT_BASE + DATA, 1) |= PTE_PCD;
	expect_findings("");
}

/* Only the last of the 2M differs, and the pages around have one mapping. */
Test(memory_types, a_large_page_is_compared_in_all_its_frames)
{
	*tables_entry(&w.tables, KVMAP_DIRECT_BASE + RAM_HIGH_START, 2) |= PTE_PCD;
	expect_findings("V7");
	cr_expect_eq(w.verdict.findings.items[0].address, KVMAP_DIRECT_BASE + RAM_HIGH_START);
	*tables_entry(&w.tables, KVMAP_DIRECT_BASE + RAM_HIGH_START, 2) &= ~PTE_PCD;
	*tables_entry(&w.tables, KVMAP_DIRECT_BASE + RAM_HIGH_START + M2, 2) |= PTE_PCD;
	expect_findings("");
}

Test(memory_types, pages_of_three_types_are_found_each)
{
	*tables_entry(&w.tables, AREA_A, 1) |= PTE_PCD;
	*tables_entry(&w.tables, AREA_B, 1) |= PTE_PWT;
	expect_findings("V7");
	cr_expect_eq(w.verdict.results[7].findings, 2);
}
