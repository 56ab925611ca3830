/* SPDX-License-Identifier: MIT */
/*
 * flushes.c: V9, from stamps. Whatever is in use again after it was unmapped had a flush between the two, on
 * every CPU, that covers what was unmapped.
 *
 * tlb_gen counts unmappings, completed flushes, and CPUs that halt and wake; the guest's log has all of
 * them. CPUs unmap while others flush: a flush is sure to cover only what was unmapped before it began. When
 * an unmapping had been flushed on all CPUs, is flush_history.h's to say. Then
 *
 *   a range that was handed out at h: each unmapping in the log before h that overlaps it, has the overlap
 * flushed by h; a frame that was unmapped at u and handed out at h >= u (`lazy` exempts frames): the
 * unmapping u is flushed by h. All of its range: which page of it was this frame's is no longer known.
 *
 * A page table whose place a leaf took is unmapped as its range is, and its frame waits whatever the policy.
 *
 * A right that was taken from a range at t (set_memory_ro) has been flushed, all of the range, by now:
 * whoever took it has returned.
 *
 * The log may begin late. What was unmapped before its oldest entry is judged only if a full flush in it lies
 * between unmapping and reuse; otherwise it is counted as not judged.
 */
#include "verify/check.h"

#include "base/array.h"
#include "base/x86.h"
#include "kvmap/boot.h"
#include "verify/flush_history.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct judge {
	struct check *check;
	const struct claims *claims;
	struct flush_history history;
	struct keyed_array unmappings; /* by stamp; tag: index in the log */
	uint64_t *flushed;    /* by place in `unmappings`: stamp at which all of it was; 0 = not yet asked */
	uint64_t all_flushed; /* stamp at which the flushes in the log together cover everything */
	bool *areas;          /* by place in facts->live: it is judged by the unmappings in the log */
	uint64_t not_judged;
};

static bool is_table(const struct claim_flush *entry)
{
	return (entry->cpu & TLB_FLUSH_EVENT) == TLB_FLUSH_TABLE;
}

static bool is_unmapping(const struct claim_flush *entry)
{
	return (entry->cpu & TLB_FLUSH_EVENT) == TLB_FLUSH_UNMAP || is_table(entry);
}

static const struct claim_flush *unmapping_at(const struct judge *judge, size_t i)
{
	return &judge->claims->flushes.items[judge->unmappings.items[i].tag];
}

/* When the unmapping at place `i` was flushed; asked once for all of its frames. */
static uint64_t unmapping_flushed(struct judge *judge, size_t i)
{
	const struct claim_flush *unmapping = unmapping_at(judge, i);

	if (!judge->flushed[i])
		judge->flushed[i] = history_flushed_at(&judge->history, unmapping->start, unmapping->end,
						       unmapping->stamp);
	return judge->flushed[i];
}

/* Does the log begin later than `stamp`? */
static bool is_dropped(const struct judge *judge, uint32_t stamp)
{
	const struct claims *claims = judge->claims;

	return claims->flush_count > claims->flushes.count &&
	       (!claims->flushes.count || stamp < claims->flushes.items[0].stamp);
}

/* A reuse of what was unmapped before the log begins: has all been flushed since? False: cannot be said. */
static bool judge_dropped(struct judge *judge, uint32_t allocated)
{
	if (judge->all_flushed <= allocated)
		return true;
	judge->not_judged++;
	return false;
}

static struct finding *report(const struct judge *judge, uint64_t address, uint32_t unmapped,
			      uint32_t allocated)
{
	struct finding *finding = finding_new(judge->check, address);

	finding_claimed(finding,
			"a flush between unmapping (clock %" PRIu32 ") and reuse (clock %" PRIu32 ")",
			unmapped, allocated);
	return finding;
}

static void found_stamp(struct finding *finding, uint64_t stamp)
{
	if (stamp == FLUSHED_NEVER)
		finding_found(finding, "none that covers it");
	else
		finding_found(finding, "covered only at clock %" PRIu64, stamp);
}

/* What was unmapped at place `i` overlaps an area, to which it was handed out again since. */
static void judge_reuse(struct judge *judge, size_t i, const struct claim_area *area)
{
	const struct claim_flush *unmapping = unmapping_at(judge, i);
	uint64_t start = unmapping->start > area->va_start ? unmapping->start : area->va_start;
	uint64_t end = unmapping->end < area->va_end ? unmapping->end : area->va_end, stamp;
	struct finding *finding;

	if (unmapping->stamp > area->allocated || start >= end ||
	    unmapping_flushed(judge, i) <= area->allocated)
		return;
	stamp = history_flushed_at(&judge->history, start, end, unmapping->stamp);
	if (stamp <= area->allocated)
		return;
	if (stamp == FLUSHED_UNKNOWN) {
		judge->not_judged++;
		return;
	}
	finding = report(judge, start, unmapping->stamp, area->allocated);
	found_stamp(finding, stamp);
	finding_where_area(finding, judge->check, area);
}

static const struct claim_area *live_area(const struct judge *judge, size_t i)
{
	return &judge->claims->areas.items[judge->check->facts->live.items[i].tag];
}

/* Which areas are judged at all; the others have never been used before, or it is not known. */
static void choose_areas(struct judge *judge)
{
	for (size_t i = 0; i < judge->check->facts->live.count; i++) {
		const struct claim_area *area = live_area(judge, i);

		if (!area->unmapped ||
		    (is_dropped(judge, area->unmapped) && !judge_dropped(judge, area->allocated)))
			continue;
		judge->areas[i] = true;
		judge->check->result->checked++;
	}
}

/* Areas lie apart (V8): those that an unmapping overlaps follow each other, and one may begin before it. */
static void judge_areas(struct judge *judge)
{
	const struct keyed_array *live = &judge->check->facts->live;

	choose_areas(judge);
	for (size_t i = 0; i < judge->unmappings.count; i++) {
		const struct claim_flush *unmapping = unmapping_at(judge, i);
		size_t place = keyed_find(live, unmapping->start);

		for (place -= place > 0; place < live->count; place++) {
			if (live->items[place].key >= unmapping->end)
				break;
			if (!history_step(&judge->history)) {
				judge->not_judged++;
				return;
			}
			if (judge->areas[place])
				judge_reuse(judge, i, live_area(judge, place));
		}
	}
}

static void judge_rights(struct judge *judge)
{
	for (size_t i = 0; i < judge->claims->flushes.count; i++) {
		const struct claim_flush *entry = &judge->claims->flushes.items[i];
		struct finding *finding;
		uint64_t flushed;

		if ((entry->cpu & TLB_FLUSH_EVENT) != TLB_FLUSH_PROTECT)
			continue;
		judge->check->result->checked++;
		flushed = history_flushed_at(&judge->history, entry->start, entry->end, entry->stamp);
		judge->not_judged += flushed == FLUSHED_UNKNOWN;
		if (flushed != FLUSHED_NEVER)
			continue;
		finding = finding_new(judge->check, entry->start);
		finding_claimed(finding, "a flush since a right was taken away (clock %" PRIu32 ")",
				entry->stamp);
		found_stamp(finding, FLUSHED_NEVER);
		finding_where_gva(finding, judge->check, entry->start);
	}
}

static void judge_frame(struct judge *judge, const struct claim_page *page)
{
	size_t i = keyed_find(&judge->unmappings, page->unmapped);
	bool logged = i < judge->unmappings.count && judge->unmappings.items[i].key == page->unmapped;
	bool table = logged && is_table(&judge->claims->flushes.items[judge->unmappings.items[i].tag]);
	struct finding *finding;

	if (judge->claims->policy == KVMAP_POLICY_LAZY && !table)
		return;
	if (!logged && is_dropped(judge, page->unmapped)) {
		judge->check->result->checked += judge_dropped(judge, page->allocated);
		return;
	}
	judge->check->result->checked++;
	if (logged && unmapping_flushed(judge, i) <= page->allocated)
		return;
	if (logged && unmapping_flushed(judge, i) == FLUSHED_UNKNOWN) {
		judge->not_judged++;
		return;
	}
	finding = report(judge, page->pfn << KVMAP_PAGE_SHIFT, page->unmapped, page->allocated);
	if (logged)
		found_stamp(finding, unmapping_flushed(judge, i));
	else
		finding_found(finding, "the log has no unmapping at that clock");
	finding_where(finding, "frame 0x%" PRIx64 "%s", page->pfn, table ? ", which was a page table" : "");
}

static void judge_frames(struct judge *judge)
{
	for (size_t i = 0; i < judge->claims->pages.count; i++) {
		const struct claim_page *page = &judge->claims->pages.items[i];

		/* allocated < unmapped: it is still the frame of the range that was unmapped, or free since. */
		if (page->owner > PAGE_FREE && page->unmapped && page->allocated >= page->unmapped)
			judge_frame(judge, page);
	}
}

static int judge_prepare(struct judge *judge, unsigned int cpus)
{
	uint32_t begin = 0;

	if (history_build(&judge->history, judge->claims, cpus) < 0)
		return -1;
	for (size_t i = 0; i < judge->claims->flushes.count; i++) {
		const struct claim_flush *entry = &judge->claims->flushes.items[i];
		struct keyed unmapping = { .key = entry->stamp, .tag = (uint32_t)i };

		if (is_unmapping(entry) && array_push(&judge->unmappings, unmapping) < 0)
			return -1;
	}
	/* Where a CPU was before the log begins, is not known. */
	if (is_dropped(judge, 0) && judge->claims->flushes.count)
		begin = judge->claims->flushes.items[0].stamp - 1;
	judge->all_flushed = history_flushed_at(&judge->history, 0, ~0ull, begin);
	judge->flushed = calloc(judge->unmappings.count + 1, sizeof(*judge->flushed));
	judge->areas = calloc(judge->check->facts->live.count + 1, sizeof(*judge->areas));
	return judge->flushed && judge->areas ? keyed_sort(&judge->unmappings) : -1;
}

static void say_not_judged(const struct judge *judge)
{
	struct invariant_result *result = judge->check->result;

	if (!judge->not_judged)
		return;
	if (!result->checked)
		result->seen = NOT_SEEN;
	snprintf(result->why_not, sizeof(result->why_not),
		 "%" PRIu64 " reuses lie further back than the flush log reaches, or it is too long",
		 judge->not_judged);
}

/*
 * As many as the guest claims, and those that it does not claim but whose paging is on. CPUs that were never
 * started hold no translation.
 */
static unsigned int cpus_that_ran(const struct facts *facts)
{
	unsigned int count = facts->claims->cpu_count;

	for (unsigned int i = count; i < facts->view->cpu_count; i++)
		if (facts->view->cpus[i].cr0 & CR0_PG)
			count = i + 1;
	return count ? count : 1;
}

void check_flushes(struct check *check)
{
	const struct facts *facts = check->facts;
	struct judge judge = {
		.check = check,
		.claims = facts->claims,
	};

	if (judge_prepare(&judge, cpus_that_ran(facts)) < 0) {
		check->no_memory = true;
	} else {
		judge_areas(&judge);
		judge_rights(&judge);
		judge_frames(&judge);
		check_idle(check);
		say_not_judged(&judge);
	}
	free(judge.unmappings.items);
	free(judge.flushed);
	free(judge.areas);
	history_destroy(&judge.history);
}
