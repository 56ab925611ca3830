/* SPDX-License-Identifier: MIT */
/* V12: areas and kmalloc() objects hold what the script wrote. */
#include "kvmap/operation.h"
#include "world.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(contents, .init = world_init, .fini = world_destroy);

Test(contents, a_changed_bit_of_a_filled_area_is_found)
{
	ram(*frame(A, 2) * K4)[0x7ff] ^= 1;
	expect_findings("V12");
	cr_expect_eq(w.verdict.findings.items[0].address, AREA_A + 2 * K4 + 0x7f8);
	cr_expect_not_null(strstr(w.verdict.findings.items[0].where, "'first'"));
}

Test(contents, a_zeroed_area_that_is_not_zero_is_found)
{
	ram(*frame(B, 1) * K4)[0xfff] = 1;
	expect_findings("V12");
}

Test(contents, a_written_word_that_is_not_there_is_found)
{
	w.claims.variables.items[2].write_value++;
	expect_findings("V12");
}

Test(contents, a_variable_larger_than_its_area_is_found_without_reading_beyond_it)
{
	w.claims.variables.items[0].size = ~0ull;
	expect_findings("V12");
}

Test(contents, a_variable_without_an_area_is_found)
{
	w.claims.variables.items[2].address = AREA_L;
	w.claims.variables.items[2].write_address = 0;
	expect_findings("V12");
}

/* ---- kmalloc ---- */

/* Makes the third variable a kmalloc() object: the block of four frames, filled. */
static struct claim_variable *filled_block(void)
{
	struct claim_variable *variable = &w.claims.variables.items[2];

	allocate_four();
	for (uint64_t at = 0; at < 3 * K4; at += 8)
		memcpy(ram(FREE_FOUR * K4 + at), &(uint64_t){ KVMAP_PATTERN(SEED, at / K4) }, 8);
	*variable = (struct claim_variable){ .address = KVMAP_DIRECT_BASE + FREE_FOUR * K4,
					     .size = 3 * K4 - 3,
					     .filled = 3 * K4,
					     .fill_seed = SEED,
					     .state = VARIABLE_LIVE,
					     .contents = CONTENTS_PATTERN };
	return variable;
}

Test(contents, an_object_holds_its_contents_to_its_last_word)
{
	filled_block();
	expect_findings("");
	ram(FREE_FOUR * K4 + 3 * K4)[0] ^= 1;
	expect_findings("");
	ram(FREE_FOUR * K4 + 3 * K4 - 1)[0] ^= 1;
	expect_findings("V12");
	cr_expect_eq(w.verdict.findings.items[0].address, KVMAP_DIRECT_BASE + (FREE_FOUR + 3) * K4 - 8);
}

Test(contents, an_object_larger_than_its_allocation_is_found)
{
	struct claim_variable *variable = filled_block();

	variable->size = 4 * K4 + 1;
	expect_findings("V12");
	variable->size = ~0ull;
	expect_findings("V12");
	variable->size = 100;
	variable->contents = CONTENTS_UNKNOWN;
	expect_findings("");
	variable->address += 8;
	expect_findings("V12");
	variable->address = KVMAP_DIRECT_BASE + SLAB_0 * K4 + 128;
	expect_findings("");
	variable->size = 129;
	expect_findings("V12");
	variable->address = KVMAP_DIRECT_BASE + HELD * K4;
	expect_findings("V12");
}

Test(contents, an_object_whose_pages_are_not_contiguous_is_found)
{
	filled_block();
	w.claims.variables.items[2].contents = CONTENTS_UNKNOWN;
	*tables_entry(&w.tables, KVMAP_DIRECT_BASE, 2) += M2;
	verdict_destroy(&w.verdict);
	cr_assert_eq(verify(&w.input, &w.verdict, &(struct error){ 0 }), 0);
	cr_expect_eq(w.verdict.results[12].findings, 3, "one for each page");
}
