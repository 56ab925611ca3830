/* SPDX-License-Identifier: MIT */
/*
 * flushes.c: V9, from stamps. Whatever is in use again after it was unmapped had a flush between the two, on
 * every CPU, that covers what was unmapped.
 *
 * tlb_clock counts unmappings, completed flushes, and CPUs that halt and wake; the guest's log has all of
 * them. CPUs unmap while others flush: a flush is sure to cover only what was unmapped before it began. An
 * unmapping at stamp u is flushed on a CPU at the least stamp s such that the CPU's flushes that began at u
 * or later and were complete by s together cover its range; or at the stamp from which on the CPU was idle,
 * if it is idle still and has been told to flush when it wakes, or if it has done so before the log says that
 * it woke. The greatest s of all CPUs counts. Then
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
 * The log is a ring. What was unmapped before its oldest entry is judged only if a full flush in it lies
 * between unmapping and reuse; otherwise it is counted as not judged.
 */
#include "verify/check.h"

#include "base/array.h"
#include "kvmap/boot.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define NEVER  UINT64_MAX
#define CR0_PG 0x80000000u

struct judge {
	struct check *check;
	const struct claims *claims;
	unsigned int cpus;
	struct keyed_array unmappings; /* by stamp; tag: index in the log */
	uint64_t *flushed;    /* by place in `unmappings`: stamp at which it was; 0 = not yet asked */
	uint64_t all_flushed; /* stamp at which the flushes in the log together cover everything */
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

/* The earliest flush on `cpu`, begun when `after` had been unmapped, that covers gva. */
static const struct claim_flush *first_flush(const struct judge *judge, unsigned int cpu, uint64_t gva,
					     uint32_t after)
{
	for (size_t i = 0; i < judge->claims->flushes.count; i++) {
		const struct claim_flush *flush = &judge->claims->flushes.items[i];

		if (flush->cpu == cpu && flush->begun >= after && flush->start <= gva && gva < flush->end)
			return flush;
	}
	return NULL;
}

/* The stamp by which flushes of `cpu` after `after` cover [start, end), or NEVER. */
static uint64_t covered_at(const struct judge *judge, unsigned int cpu, uint64_t start, uint64_t end,
			   uint32_t after)
{
	uint64_t stamp = after;

	while (start < end) {
		const struct claim_flush *flush = first_flush(judge, cpu, start, after);

		if (!flush)
			return NEVER;
		if (stamp < flush->stamp)
			stamp = flush->stamp;
		start = flush->end;
	}
	return stamp;
}

/*
 * The stamp from which on `cpu`, whose flushes cover what was unmapped at `after` by `covered`, cannot use
 * it: that one, or an earlier one at which it was halted and then flushed before it woke.
 */
static uint64_t safe_at(const struct judge *judge, unsigned int cpu, uint32_t after, uint64_t covered)
{
	uint32_t state = judge->claims->cpu_states[cpu];
	uint64_t idle_since = NEVER; /* NEVER: it runs */
	bool first = true;

	for (size_t i = 0; i < judge->claims->flushes.count; i++) {
		const struct claim_flush *entry = &judge->claims->flushes.items[i];

		if (entry->stamp <= after)
			continue;
		if (entry->cpu == (TLB_FLUSH_IDLE | cpu)) {
			idle_since = entry->stamp;
			first = false;
		} else if (entry->cpu == (TLB_FLUSH_WAKE | cpu)) {
			if (first)
				idle_since = after;
			first = false;
			if (idle_since < covered && covered < entry->stamp)
				return idle_since;
			idle_since = NEVER;
		}
	}
	if (first && state != CPU_RUNNING)
		idle_since = after;
	return idle_since < covered && (covered != NEVER || state == CPU_IDLE_STALE) ? idle_since : covered;
}

/* The stamp from which on no CPU can use what was unmapped at `after` in [start, end), or NEVER. */
static uint64_t flushed_at(const struct judge *judge, uint64_t start, uint64_t end, uint32_t after)
{
	uint64_t stamp = after;

	for (unsigned int cpu = 0; cpu < judge->cpus && stamp != NEVER; cpu++) {
		uint64_t safe = covered_at(judge, cpu, start, end, after);

		safe = safe_at(judge, cpu, after, safe);
		if (stamp < safe)
			stamp = safe;
	}
	return stamp;
}

/* Did the ring drop what happened at `stamp`? */
static bool is_dropped(const struct judge *judge, uint32_t stamp)
{
	const struct claims *claims = judge->claims;

	return claims->flush_count > claims->flushes.count &&
	       (!claims->flushes.count || stamp < claims->flushes.items[0].stamp);
}

/* A reuse of what was unmapped before the log begins: has all been flushed since? False: cannot be said. */
static bool judge_dropped(struct judge *judge, uint32_t handed)
{
	if (judge->all_flushed <= handed)
		return true;
	judge->not_judged++;
	return false;
}

static struct finding *report(const struct judge *judge, uint64_t address, uint32_t unmapped, uint32_t handed)
{
	struct finding *finding = finding_new(judge->check, address);

	finding_claimed(finding,
			"a flush between unmapping (clock %" PRIu32 ") and reuse (clock %" PRIu32 ")",
			unmapped, handed);
	return finding;
}

static void found_stamp(struct finding *finding, uint64_t stamp)
{
	if (stamp == NEVER)
		finding_found(finding, "none that covers it");
	else
		finding_found(finding, "covered only at clock %" PRIu64, stamp);
}

static void judge_area(struct judge *judge, const struct claim_area *area)
{
	for (size_t i = 0; i < judge->unmappings.count; i++) {
		const struct claim_flush *unmapping =
			&judge->claims->flushes.items[judge->unmappings.items[i].tag];
		uint64_t start = unmapping->start > area->va_start ? unmapping->start : area->va_start;
		uint64_t end = unmapping->end < area->va_end ? unmapping->end : area->va_end, stamp;
		struct finding *finding;

		if (unmapping->stamp > area->handed)
			break;
		if (start >= end)
			continue;
		stamp = flushed_at(judge, start, end, unmapping->stamp);
		if (stamp <= area->handed)
			continue;
		finding = report(judge, start, unmapping->stamp, area->handed);
		found_stamp(finding, stamp);
		finding_where_area(finding, judge->check, area);
	}
}

static void judge_areas(struct judge *judge)
{
	for (size_t i = 0; i < judge->claims->areas.count; i++) {
		const struct claim_area *area = &judge->claims->areas.items[i];

		if (area->state != AREA_LIVE || !area->unmapped)
			continue;
		if (is_dropped(judge, area->unmapped) && !judge_dropped(judge, area->handed))
			continue;
		judge->check->result->checked++;
		judge_area(judge, area);
	}
}

static void judge_rights(struct judge *judge)
{
	for (size_t i = 0; i < judge->claims->flushes.count; i++) {
		const struct claim_flush *entry = &judge->claims->flushes.items[i];
		struct finding *finding;

		if ((entry->cpu & TLB_FLUSH_EVENT) != TLB_FLUSH_PROTECT)
			continue;
		judge->check->result->checked++;
		if (flushed_at(judge, entry->start, entry->end, entry->stamp) != NEVER)
			continue;
		finding = finding_new(judge->check, entry->start);
		finding_claimed(finding, "a flush since a right was taken away (clock %" PRIu32 ")",
				entry->stamp);
		found_stamp(finding, NEVER);
		finding_where_gva(finding, judge->check, entry->start);
	}
}

/* When the unmapping at place `i` was flushed; asked once for all of its frames. */
static uint64_t unmapping_flushed(struct judge *judge, size_t i)
{
	const struct claim_flush *unmapping = &judge->claims->flushes.items[judge->unmappings.items[i].tag];

	if (!judge->flushed[i])
		judge->flushed[i] = flushed_at(judge, unmapping->start, unmapping->end, unmapping->stamp);
	return judge->flushed[i];
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
		judge->check->result->checked += judge_dropped(judge, page->handed);
		return;
	}
	judge->check->result->checked++;
	if (logged && unmapping_flushed(judge, i) <= page->handed)
		return;
	finding = report(judge, page->pfn << KVMAP_PAGE_SHIFT, page->unmapped, page->handed);
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

		/* handed < unmapped: it is still the frame of the range that was unmapped, or free since. */
		if (page->owner > PAGE_FREE && page->unmapped && page->handed >= page->unmapped)
			judge_frame(judge, page);
	}
}

static int judge_prepare(struct judge *judge)
{
	uint32_t begin = 0;

	for (size_t i = 0; i < judge->claims->flushes.count; i++) {
		const struct claim_flush *entry = &judge->claims->flushes.items[i];
		struct keyed unmapping = { .key = entry->stamp, .tag = (uint32_t)i };

		if (is_unmapping(entry) && array_push(&judge->unmappings, unmapping) < 0)
			return -1;
	}
	/* Where a CPU was before the log begins, is not known. */
	if (is_dropped(judge, 0) && judge->claims->flushes.count)
		begin = judge->claims->flushes.items[0].stamp - 1;
	judge->all_flushed = flushed_at(judge, 0, ~0ull, begin);
	judge->flushed = calloc(judge->unmappings.count + 1, sizeof(*judge->flushed));
	return judge->flushed ? keyed_sort(&judge->unmappings) : -1;
}

static void say_not_judged(const struct judge *judge)
{
	struct invariant_result *result = judge->check->result;

	if (!judge->not_judged)
		return;
	if (!result->checked)
		result->seen = NOT_SEEN;
	snprintf(result->why_not, sizeof(result->why_not),
		 "%" PRIu64 " reuses lie further back than the guest's flush log reaches", judge->not_judged);
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
		.cpus = cpus_that_ran(facts),
	};

	if (judge_prepare(&judge) < 0) {
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
}
