/* SPDX-License-Identifier: MIT */
/*
 * test_clean.c: a guest that is right, and what cannot be seen of it.
 */
#include "base/clock.h"
#include "errors.h"
#include "no_memory.h"
#include "world.h"

#include "agent/variables.h"
#include "kvmap/boot.h"
#include "mm/mm_types.h"
#include "base/keyed.h"

#include <criterion/criterion.h>
#include <stdlib.h>

TestSuite(clean, .init = world_init, .fini = world_destroy);

Test(clean, a_sound_guest_gives_no_finding_and_every_invariant_has_looked_at_something)
{
	expect_findings("");
	for (unsigned int i = 1; i <= INVARIANTS; i++) {
		cr_expect_gt(w.verdict.results[i].checked, 0, "%s", invariant_name(i));
		cr_expect_eq(w.verdict.results[i].seen, i == 10 ? NOT_SEEN : SEEN, "%s", invariant_name(i));
	}
	cr_expect_eq(w.verdict.results[1].checked, 7);
	cr_expect_eq(w.verdict.results[3].checked, 3);
	cr_expect_eq(w.verdict.results[4].checked, 0x800, "all frames of RAM");
	cr_expect_eq(w.verdict.results[5].checked, 9, "of live and lazy areas");
	cr_expect_eq(w.verdict.results[9].checked, 5, "a range and four frames");
	cr_expect_eq(w.verdict.results[12].checked, 7, "six pages and a word");
}

Test(clean, without_claims_what_needs_them_is_not_seen)
{
	w.input.claims = NULL;
	expect_findings("");
	for (unsigned int i = 1; i <= INVARIANTS; i++)
		cr_expect_eq(w.verdict.results[i].seen, i == 6 || i == 7 || i == 11 ? SEEN : NOT_SEEN, "%s",
			     invariant_name(i));
	cr_expect_str_not_empty(w.verdict.results[1].why_not);
}

Test(clean, without_a_running_machine_its_translation_is_not_seen)
{
	w.tables.view.translate = NULL;
	expect_findings("");
	cr_expect_eq(w.verdict.results[11].seen, NOT_SEEN);
	cr_expect_str_not_empty(w.verdict.results[11].why_not);
}

Test(clean, without_the_file_the_image_is_not_seen)
{
	segment_count = 0;
	expect_findings("");
	cr_expect_eq(w.verdict.results[7].seen, NOT_SEEN);
}

/* The n-th allocation fails. A finding more takes memory, too. */
Test(clean, without_memory_there_is_no_verdict)
{
	unsigned int n = 0;
	struct error error;

	page_of(FRAME_A)->owner = 0;
	for (;;) {
		no_memory_at(++n);
		if (verify(&w.input, &w.verdict, &error) == 0)
			break;
		cr_assert(no_memory_failed());
		expect_whole_error(&error, ERROR_HOST, 0, 0, "out of memory while verifying");
		cr_expect_null(w.verdict.findings.items, "allocation %u", n);
	}
	no_memory_at(0);
	cr_expect_gt(n, 10);
	cr_expect_gt(w.verdict.finding_count, 0);
}

Test(clean, an_empty_guest_with_a_lot_of_memory_is_verified_at_once)
{
	double best = 1;

	/* 1 TiB of fresh frames that nobody has: a claim, not memory; only V4 says that it is not there. */
	w.claims.memory[1].size = 1ull << 40;
	w.claims.zones[1].end_pfn = w.claims.zones[1].fresh_end = 0x1000 + (1ull << 28);
	w.claims.zones[1].free_pages += (1ull << 28) - 0x400;
	w.claims.vm_stat[NR_FREE_PAGES] += (1ull << 28) - 0x400;
	for (unsigned int i = 0; i < 10; i++) {
		uint64_t start = clock_monotonic_ns();
		double seconds;

		expect_findings("V4");
		seconds = (double)(clock_monotonic_ns() - start) / 1e9;
		best = seconds < best ? seconds : best;
	}
	cr_expect_lt(best, 0.1, "%f s: it grows with memory", best);
}

Test(clean, verdicts_add_up_and_the_list_stays_bounded)
{
	struct verdict sum = { 0 };
	uint64_t once;

	tables_map(&w.tables, AREA_B + 2 * K4, LOW_GPA, 1, PTE_NX);
	expect_findings("V3");
	once = w.verdict.results[4].checked;
	for (unsigned int i = 0; i < FINDINGS_LISTED + 5; i++) {
		w.verdict.findings.items[0].address += K4;
		cr_assert_eq(verdict_add(&sum, &w.verdict), 0);
	}
	cr_expect_eq(sum.finding_count, FINDINGS_LISTED + 5);
	cr_expect_eq(sum.results[3].findings, FINDINGS_LISTED + 5);
	cr_expect_eq(sum.findings.count, FINDINGS_LISTED);
	cr_expect_eq(sum.results[4].checked, once * (FINDINGS_LISTED + 5));
	cr_expect_eq(sum.results[10].seen, NOT_SEEN);
	verdict_destroy(&sum);
}

Test(clean, a_finding_that_is_there_at_the_next_verification_too_is_one_finding)
{
	struct verdict sum = { 0 };

	tables_map(&w.tables, AREA_B + 2 * K4, LOW_GPA, 1, PTE_NX);
	expect_findings("V3");
	cr_assert_eq(verdict_add(&sum, &w.verdict), 0);
	cr_assert_eq(verdict_add(&sum, &w.verdict), 0);
	cr_expect_eq(sum.finding_count, 1);
	cr_expect_eq(sum.results[3].findings, 1);
	cr_expect_eq(sum.findings.count, 1);
	verdict_destroy(&sum);
}

Test(keyed, items_are_sorted_by_all_bytes_of_their_keys)
{
	struct keyed items[1000];
	struct keyed_array array = { .items = items, .count = 1000, .capacity = 1000 };
	uint64_t state = 1;

	for (unsigned int i = 0; i < 1000; i++)
		items[i] = (struct keyed){ .key = random_next(&state) >> (i % 64), .tag = i };
	cr_assert_eq(keyed_sort(&array), 0);
	for (unsigned int i = 1; i < 1000; i++) {
		cr_assert_leq(items[i - 1].key, items[i].key);
		if (items[i - 1].key == items[i].key)
			cr_assert_lt(items[i - 1].tag, items[i].tag, "equal keys keep their order");
	}
	cr_expect_eq(keyed_find(&array, items[500].key) <= 500, true);
	cr_expect_eq(keyed_find(&array, ~0ull), 1000);
}
