/* SPDX-License-Identifier: MIT */
/* One object is one finding, and each other claim about it that fails is a further claim of that finding. */
#include "base/array.h"
#include "world.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(findings, .init = world_init, .fini = world_destroy);

/* The only finding has these further claims; NULL ends them. */
static void expect_further(const char *const *claims)
{
	size_t count = 0;

	cr_expect_eq(w.verdict.finding_count, 1, "%lu findings", w.verdict.finding_count);
	cr_assert_eq(w.verdict.findings.count, 1);
	for (; claims[count]; count++) {
		cr_assert_lt(count, w.verdict.further.count);
		cr_expect_eq(w.verdict.further.items[count].of, 0);
		cr_expect_not_null(strstr(w.verdict.further.items[count].claimed, claims[count]), "%s",
				   w.verdict.further.items[count].claimed);
	}
	cr_expect_eq(w.verdict.further.count, count);
}

Test(findings, claims_about_one_page_are_one_finding)
{
	*tables_entry(&w.tables, KVMAP_IMAGE_BASE + TEXT, 1) |= PTE_W;
	expect_findings("V7");
	cr_expect_str_eq(w.verdict.findings.items[0].claimed, "writable or executable, not both");
	expect_further((const char *const[]){ "text and rodata are writable nowhere", "bits 0x160",
					      "as in the file", NULL });
}

Test(findings, claims_about_pages_side_by_side_are_one_finding_with_their_ranges)
{
	*tables_entry(&w.tables, KVMAP_IMAGE_BASE + TEXT, 1) |= PTE_W;
	*tables_entry(&w.tables, KVMAP_IMAGE_BASE + TEXT + K4, 1) |= PTE_W;
	expect_findings("V7");
	cr_expect_eq(w.verdict.findings.items[0].pages, 2);
	expect_further((const char *const[]){ "text and rodata are writable nowhere", "bits 0x160",
					      "as in the file", NULL });
	cr_expect_eq(w.verdict.further.items[0].pages, 2);
	cr_expect_eq(w.verdict.further.items[1].pages, 2);
	cr_expect_eq(w.verdict.further.items[2].pages, 2);
	cr_expect_eq(w.verdict.further.items[1].range_end, KVMAP_IMAGE_BASE + TEXT + 2 * K4);
}

Test(findings, a_page_of_another_object_is_another_finding)
{
	*tables_entry(&w.tables, KVMAP_IMAGE_BASE + TEXT, 1) |= PTE_W;
	ram(RODATA)[7] ^= 1;
	expect_findings("V7");
	cr_expect_eq(w.verdict.finding_count, 2);
	cr_expect_eq(w.verdict.findings.items[1].address, KVMAP_IMAGE_BASE + RODATA + 7);
	for (size_t i = 0; i < w.verdict.further.count; i++)
		cr_expect_eq(w.verdict.further.items[i].of, 0);
}

/* The first page alone is writable; the bytes of both, which are compared after that, are one range. */
Test(findings, a_range_that_grows_over_another_finding_joins_it)
{
	*tables_entry(&w.tables, KVMAP_IMAGE_BASE + TEXT + K4, 1) |= PTE_W;
	ram(TEXT)[1] ^= 1;
	ram(TEXT + K4)[1] ^= 1;
	expect_findings("V7");
	expect_further((const char *const[]){ "text and rodata are writable nowhere", "bits 0x160",
					      "as in the file", "as in the file", NULL });
	cr_expect_eq(w.verdict.further.items[3].pages, 2);
}

Test(findings, claims_about_one_frame_are_one_finding)
{
	const struct finding *further = NULL;
	unsigned int of_frame = 0;

	*frame(C, 0) = FREE_BLOCK;
	w.claims.variables.count = 2;
	expect_findings("V1 V4");
	for (size_t i = 0; i < w.verdict.findings.count; i++)
		of_frame += w.verdict.findings.items[i].invariant == 4 &&
			    w.verdict.findings.items[i].address == FREE_BLOCK * K4;
	cr_expect_eq(of_frame, 1);
	for (size_t i = 0; i < w.verdict.further.count; i++)
		if (w.verdict.further.items[i].invariant == 4)
			further = &w.verdict.further.items[i];
	cr_assert_not_null(further);
	cr_expect_eq(further->address, FREE_BLOCK * K4);
	cr_expect_eq(w.verdict.findings.items[further->of].address, FREE_BLOCK * K4);
	cr_expect_not_null(strstr(further->found, "its struct page says"));
}

Test(findings, further_claims_are_added_to_a_sum_once)
{
	struct verdict sum = { 0 };

	*tables_entry(&w.tables, KVMAP_IMAGE_BASE + RODATA, 1) |= PTE_U | PTE_W;
	expect_findings("V7");
	cr_assert_eq(w.verdict.findings.count, 1);
	cr_assert_gt(w.verdict.further.count, 0);
	cr_assert_eq(verdict_add(&sum, &w.verdict), 0);
	cr_assert_eq(verdict_add(&sum, &w.verdict), 0);
	cr_expect_eq(sum.finding_count, 1);
	cr_expect_eq(sum.further.count, w.verdict.further.count);
	/* Another finding before it in the sum: the further claims stay with theirs. */
	*tables_entry(&w.tables, KVMAP_IMAGE_BASE + RODATA, 1) &= ~(uint64_t)(PTE_U | PTE_W);
	verdict_destroy(&sum);
	sum = (struct verdict){ 0 };
	ram(TEXT)[1] ^= 1;
	expect_findings("V7");
	cr_assert_eq(verdict_add(&sum, &w.verdict), 0);
	ram(TEXT)[1] ^= 1;
	*tables_entry(&w.tables, KVMAP_IMAGE_BASE + RODATA, 1) |= PTE_U | PTE_W;
	expect_findings("V7");
	cr_assert_eq(verdict_add(&sum, &w.verdict), 0);
	cr_expect_eq(sum.finding_count, 2);
	cr_assert_eq(sum.further.count, w.verdict.further.count);
	for (size_t i = 0; i < sum.further.count; i++)
		cr_expect_eq(sum.further.items[i].of, 1);
	verdict_destroy(&sum);
}

/* Each object counts once where not all are listed, too, and the lists stay bounded. */
Test(findings, beyond_the_list_an_object_counts_once_too)
{
	for (uint64_t i = 0; i < 2 * FINDINGS_LISTED; i++)
		tables_map(&w.tables, (i + 1) * M2, LOW_GPA, 1, PTE_U);
	cr_assert_eq(verify(&w.input, &w.verdict, &(struct error){ 0 }), 0);
	cr_expect_eq(w.verdict.results[7].findings, 2 * FINDINGS_LISTED, "%lu",
		     w.verdict.results[7].findings);
	cr_expect_leq(w.verdict.further.count, 3 * FINDINGS_LISTED);
	cr_expect_gt(w.verdict.further.count, 0);
}
