/* SPDX-License-Identifier: MIT */
/* V9: nothing is used again before a flush that covers it. */
#include "base/array.h"
#include "world.h"

#include <criterion/criterion.h>
#include <inttypes.h>

TestSuite(flushes, .init = world_init, .fini = world_destroy);

/* The range of a finding, and the number of its pages. */
static void expect_pages(const struct finding *finding, uint64_t start, uint64_t end, uint64_t pages)
{
	cr_expect_eq(finding->range_start, start, "0x%" PRIx64, finding->range_start);
	cr_expect_eq(finding->range_end, end, "0x%" PRIx64, finding->range_end);
	cr_expect_eq(finding->pages, pages, "%" PRIu64, finding->pages);
}

Test(flushes, reuse_without_a_flush_is_found)
{
	w.claims.flushes.items[1].cpu = 1;
	expect_findings("V9");
	cr_expect_eq(w.verdict.results[9].findings, 1, "the range and its frames lack one flush");
	cr_assert_eq(w.verdict.findings.count, 1);
	cr_assert_eq(w.verdict.further.count, 1);
	expect_pages(&w.verdict.findings.items[0], AREA_A, AREA_A + 4 * K4, 4);
	expect_pages(&w.verdict.further.items[0], FRAME_A * K4, (FRAME_A + 7ull) * K4, 4);
	cr_expect_not(w.verdict.findings.items[0].gaps);
	cr_expect(w.verdict.further.items[0].gaps);
}

/* The flush that A and its frames lack is not that of the frame of B, which was unmapped after another flush. */
Test(flushes, pages_that_lack_another_flush_are_another_finding)
{
	w.claims.flushes.items[1].cpu = 1;
	w.claims.cpu_count = 2;
	expect_findings("V9");
	cr_expect_eq(w.verdict.results[9].findings, 1);
	page_of(*frame(B, 0))->unmapped = page_of(*frame(B, 0))->allocated = 3;
	expect_findings("V9");
	cr_expect_eq(w.verdict.results[9].findings, 2);
	cr_expect_eq(w.verdict.finding_count, 2);
	page_of(*frame(B, 1))->unmapped = page_of(*frame(B, 1))->allocated = 3;
	expect_findings("V9");
	cr_expect_eq(w.verdict.results[9].findings, 2);
}

Test(flushes, a_flush_after_the_reuse_is_too_late)
{
	w.claims.flushes.items[1].stamp = 3;
	expect_findings("V9");
}

Test(flushes, a_flush_that_covers_too_little_is_found)
{
	w.claims.flushes.items[1].start = AREA_A;
	w.claims.flushes.items[1].end = AREA_A + 3 * K4;
	expect_findings("V9");
}

/* Areas of one page that were unmapped in the reverse order, and the gaps between them. */
Test(flushes, neighbours_that_lack_the_same_flush_are_one_finding)
{
	struct claim_flush second = { 2, TLB_FLUSH_UNMAP, 0, AREA_A, AREA_A + 4 * K4 };

	w.claims.flushes.items[0].start = AREA_C;
	w.claims.flushes.items[0].end = AREA_C + K4;
	w.claims.flushes.items[1] = second;
	area(C)->unmapped = 1;
	area(C)->allocated = 2;
	expect_findings("V9");
	cr_expect_eq(w.verdict.results[9].findings, 1);
	expect_pages(&w.verdict.findings.items[0], AREA_A, AREA_C + K4, 5);
	cr_expect(w.verdict.findings.items[0].gaps);
}

Test(flushes, flushes_that_cover_only_together_are_enough)
{
	struct claim_flush second = { 2, 0, 1, AREA_A + K4, AREA_A + 4 * K4 };

	w.claims.flushes.items[1].start = AREA_A;
	w.claims.flushes.items[1].end = AREA_A + 2 * K4;
	w.claims.flushes.items[2] = second;
	expect_findings("");
}

Test(flushes, the_lazy_policy_lets_frames_be_used_before_the_flush)
{
	page_of(*frame(B, 0))->unmapped = 3;
	page_of(*frame(B, 0))->allocated = 3;
	expect_findings("V9");
	w.claims.policy = KVMAP_POLICY_LAZY;
	expect_findings("");
}

Test(flushes, the_lazy_policy_exempts_no_frame_of_an_executable_area)
{
	w.claims.policy = KVMAP_POLICY_LAZY;
	w.claims.flushes.items[0].cpu |= TLB_FLUSH_EXEC;
	expect_findings("");
	page_of(*frame(A, 0))->allocated = 1;
	expect_findings("V9");
	cr_expect_not_null(strstr(w.verdict.findings.items[0].where, "executable"));
}

Test(flushes, an_executable_range_is_flushed_when_its_unmapping_is_over)
{
	w.claims.policy = KVMAP_POLICY_LAZY;
	w.claims.flushes.items[2].cpu |= TLB_FLUSH_EXEC; /* L waits for its flush */
	expect_findings("V9");
	cr_expect_not_null(strstr(w.verdict.findings.items[0].claimed, "executable"));
}

/* The history of world.c, that many stamps later. */
static void history_later(uint64_t by)
{
	for (size_t i = 0; i < w.claims.flushes.count; i++) {
		w.claims.flushes.items[i].stamp += by;
		if (!(w.claims.flushes.items[i].cpu & TLB_FLUSH_EVENT))
			w.claims.flushes.items[i].begun += by;
	}
	w.claims.flush_count = w.claims.flush_generation += by;
	for (size_t i = 0; i < w.claims.areas.count; i++) {
		area((unsigned int)i)->allocated += by;
		if (area((unsigned int)i)->unmapped)
			area((unsigned int)i)->unmapped += by;
	}
	for (size_t i = 0; i < w.claims.pages.count; i++) {
		if (!w.claims.pages.items[i].unmapped)
			continue;
		w.claims.pages.items[i].unmapped += by;
		w.claims.pages.items[i].allocated += by;
	}
}

Test(flushes, stamps_of_more_than_32_bits_are_compared_as_others)
{
	static const uint64_t shifts[] = { UINT32_MAX - 2, UINT32_MAX - 1, 1ull << 32, 1ull << 62 };

	for (size_t i = 0; i < sizeof(shifts) / sizeof(shifts[0]); i++) {
		world_destroy();
		world_init();
		history_later(shifts[i]);
		expect_findings("");
		page_of(*frame(A, 0))->allocated--;
		expect_findings("V9");
	}
}

Test(flushes, an_unmapping_that_is_not_in_the_log_is_found)
{
	w.claims.flushes.items[0].cpu = 1;
	expect_findings("V9");
}

/* A's pages were unmapped, flushed and allocated again `count` times. */
static void long_history(uint32_t count)
{
	w.claims.flushes.count = 0;
	for (uint32_t stamp = 1; stamp <= 2 * count; stamp += 2) {
		struct claim_flush unmapping = { stamp, TLB_FLUSH_UNMAP, 0, AREA_A, AREA_A + 4 * K4 };
		struct claim_flush flush = { stamp + 1, 0, stamp, AREA_A, AREA_A + 4 * K4 };

		cr_assert_eq(array_push(&w.claims.flushes, unmapping), 0);
		cr_assert_eq(array_push(&w.claims.flushes, flush), 0);
	}
	w.claims.flush_count = w.claims.flush_generation = area(A)->allocated = 2 * count;
	area(A)->unmapped = 2 * count - 1;
	area(L)->unmapped = 1;
	for (unsigned int i = 0; i < 4; i++) {
		page_of(*frame(A, i))->unmapped = 2 * count - 1;
		page_of(*frame(A, i))->allocated = 2 * count;
	}
}

Test(flushes, a_long_log_is_checked_as_a_short_one)
{
	long_history(120000);
	expect_findings("");
	w.claims.flushes.items[2 * 70000 + 1].end -= K4;
	area(A)->allocated = 2 * 70000 + 2;
	area(A)->unmapped = 2 * 70000 + 1;
	expect_findings("V9");
	cr_expect_eq(w.verdict.results[9].findings, 1);
	cr_expect_str_empty(w.verdict.results[9].why_not);
}

Test(flushes, a_log_made_to_cost_much_time_is_given_up)
{
	struct claim_flush last = { 120001, 0, 120000, 0, ~0ull };

	/* Only the last flush began late enough. */
	long_history(60000);
	for (uint32_t i = 1; i < w.claims.flushes.count; i += 2)
		w.claims.flushes.items[i].begun = 0;
	cr_assert_eq(array_push(&w.claims.flushes, last), 0);
	w.claims.flush_count = w.claims.flush_generation = area(A)->allocated = 120001;
	for (unsigned int i = 0; i < 4; i++)
		page_of(*frame(A, i))->allocated = 120001;
	expect_findings("");
	cr_expect_str_not_empty(w.verdict.results[9].why_not);
}

Test(flushes, flushes_that_the_ring_has_dropped_are_not_seen)
{
	w.claims.flushes.items[0] = w.claims.flushes.items[2];
	w.claims.flushes.count = 1;
	expect_findings("");
	cr_expect_eq(w.verdict.results[9].seen, NOT_SEEN);
	cr_expect_eq(w.verdict.results[9].checked, 0);
	cr_expect_str_not_empty(w.verdict.results[9].why_not);
}

Test(flushes, a_full_flush_in_the_log_covers_what_was_dropped_before_it)
{
	w.claims.flushes.items[0] = w.claims.flushes.items[1];
	w.claims.flushes.items[1] = w.claims.flushes.items[2];
	w.claims.flushes.count = 2;
	expect_findings("");
	cr_expect_eq(w.verdict.results[9].seen, SEEN);
	cr_expect_eq(w.verdict.results[9].checked, 5);
}

/* ---- the frame of a removed page table ---- */

/* A table of A's range was removed at generation 4, and its frame pfn is in use again from `allocated` on. */
static void table_was(uint64_t pfn, uint32_t allocated)
{
	struct claim_flush cut = { 4, TLB_FLUSH_TABLE, 0, AREA_A, AREA_A + (2u << 20) };
	struct claim_flush flush = { 6, 0, 5, 0, ~0ull };

	cr_assert_eq(array_push(&w.claims.flushes, cut), 0);
	cr_assert_eq(array_push(&w.claims.flushes, flush), 0);
	w.claims.flush_count += 2;
	w.claims.flush_generation = 6;
	page_of(pfn)->unmapped = 4;
	page_of(pfn)->allocated = allocated;
}

Test(flushes, the_frame_of_a_removed_table_waits_for_a_flush)
{
	table_was(SLAB_0, 6);
	expect_findings("");
	page_of(SLAB_0)->allocated = 5;
	expect_findings("V9");
	cr_expect_eq(w.verdict.results[9].findings, 1);
}

Test(flushes, the_frame_of_a_removed_table_waits_under_the_lazy_policy_too)
{
	w.claims.policy = KVMAP_POLICY_LAZY;
	table_was(SLAB_0, 5);
	expect_findings("V9");
	page_of(SLAB_0)->allocated = 6;
	expect_findings("");
}

Test(flushes, an_area_is_not_allocated_before_a_flush_of_the_removed_table)
{
	table_was(SLAB_0, 6);
	area(A)->allocated = 5;
	expect_findings("V9");
	area(A)->allocated = 6;
	expect_findings("");
}

/* ---- a right that an area has lost ---- */

static void right_lost(uint32_t stamp, uint64_t start, uint64_t end)
{
	struct claim_flush entry = { stamp, TLB_FLUSH_PROTECT, 0, start, end };

	cr_assert_eq(array_push(&w.claims.flushes, entry), 0);
	w.claims.flush_count++;
	w.claims.flush_generation = stamp;
}

Test(flushes, a_lost_right_needs_a_flush_of_all_its_range)
{
	struct claim_flush half = { 9, 0, 8, AREA_A, AREA_A + 2 * K4 };
	struct claim_flush rest = { 10, 0, 8, AREA_A + 2 * K4, AREA_A + 4 * K4 };

	right_lost(8, AREA_A, AREA_A + 4 * K4);
	expect_findings("V9");
	cr_assert_eq(array_push(&w.claims.flushes, half), 0);
	expect_findings("V9");
	cr_assert_eq(array_push(&w.claims.flushes, rest), 0);
	w.claims.flush_generation = 10;
	w.claims.flush_count += 2;
	expect_findings("");
}
