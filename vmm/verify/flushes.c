/* SPDX-License-Identifier: MIT */
/*
 * flushes.c: V9. Between the unmapping and the reuse of a range or frame, every CPU has flushed the unmapped
 * range.
 *
 * tlb_gen stamps unmappings, completed flushes, and CPUs that halt and wake; the guest logs all of them. CPUs
 * unmap while others flush, so that a flush covers only what was unmapped before it began. flush_history.h
 * computes the stamp at which an unmapping was flushed on all CPUs. The rules:
 *
 * - Range allocated at stamp h: for each logged unmapping before h that overlaps it, the overlap was flushed
 *   by h.
 * - Frame unmapped at u and allocated at h >= u: the whole range of unmapping u was flushed by h, since the
 *   page of the range that mapped the frame is no longer known. The policy `lazy` exempts frames, except
 *   former page tables and those of executable areas.
 * - Page table replaced by a leaf: logged as an unmapping of its range.
 * - Right removed from a range (set_memory_ro), executable range unmapped: the range has been flushed since,
 *   because the function has returned.
 *
 * The log may have lost its oldest entries. A reuse of something unmapped before the log begins is checked
 * only if a full flush in the log lies between unmapping and reuse; otherwise it is counted as not checked.
 */
#include "verify/check.h"

#include "base/array.h"
#include "base/x86.h"
#include "kvmap/boot.h"
#include "verify/flush_history.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct flush_check {
	struct check *check;
	const struct claims *claims;
	struct flush_history history;
	struct keyed_array unmappings; /* by stamp; tag: index in the log */
	uint64_t *flushed; /* parallel to unmappings: stamp of its flush on all CPUs; 0: not yet computed */
	uint64_t *next_flush; /* parallel to the log: stamp of the first flush after the entry; 0: none */
	uint64_t all_flushed; /* stamp by which the flushes in the log cover the whole address space */
	bool *areas;          /* parallel to facts->live: check the area against the unmappings in the log */
	uint64_t not_checked; /* reuses */
};

static bool is_table(const struct claim_flush *entry)
{
	return (entry->cpu & TLB_FLUSH_EVENT) == TLB_FLUSH_TABLE;
}

static bool is_unmapping(const struct claim_flush *entry)
{
	return (entry->cpu & TLB_FLUSH_EVENT) == TLB_FLUSH_UNMAP || is_table(entry);
}

static bool is_executable(const struct claim_flush *entry)
{
	return entry->cpu & TLB_FLUSH_EXEC;
}

static const struct claim_flush *unmapping_at(const struct flush_check *flushes, size_t i)
{
	return &flushes->claims->flushes.items[flushes->unmappings.items[i].tag];
}

/* The stamp at which unmapping `i` was flushed. Cached, since many frames have the same unmapping. */
static uint64_t unmapping_flushed(struct flush_check *flushes, size_t i)
{
	const struct claim_flush *unmapping = unmapping_at(flushes, i);

	if (!flushes->flushed[i])
		flushes->flushed[i] = history_flushed_at(&flushes->history, unmapping->start, unmapping->end,
							 unmapping->stamp);
	return flushes->flushed[i];
}

/* Whether the log has lost entries with this stamp. */
static bool is_dropped(const struct flush_check *flushes, uint64_t stamp)
{
	const struct claims *claims = flushes->claims;

	return claims->flush_count > claims->flushes.count &&
	       (!claims->flushes.count || stamp < claims->flushes.items[0].stamp);
}

/*
 * Checks a reuse at `allocated` of something unmapped before the log begins. False, and counted, if not
 * checkable.
 */
static bool check_dropped(struct flush_check *flushes, uint64_t allocated)
{
	if (flushes->all_flushed <= allocated)
		return true;
	flushes->not_checked++;
	return false;
}

/*
 * Pages whose flush was left out. A flush covers all that was unmapped before it began, so that unmappings with
 * the same next flush are one cause: one finding for all their pages.
 */
static struct finding *report(const struct flush_check *flushes, const char *cause,
			      struct finding_object object, uint64_t start, uint64_t end)
{
	const struct finding_pages pages = {
		.start = start,
		.size = end - start,
		.cause = cause,
		.variant = object.start,
		.count = (end - start) >> KVMAP_PAGE_SHIFT,
		.gaps = true,
		.object = object,
	};

	return finding_new_pages(flushes->check, start, &pages);
}

static void claimed_stamps(struct finding *finding, uint64_t unmapped, uint64_t allocated)
{
	finding_claimed(finding,
			"a flush between unmapping (clock %" PRIu64 ") and reuse (clock %" PRIu64 ")",
			unmapped, allocated);
}

static void found_stamp(struct finding *finding, uint64_t stamp)
{
	if (stamp == FLUSHED_NEVER)
		finding_found(finding, "none that covers it");
	else
		finding_found(finding, "covered only at clock %" PRIu64, stamp);
}

/* The flush that should have come after an entry of the log: what has the same next one lacks the same one. */
static struct finding_object missing_flush(const struct flush_check *flushes, size_t entry)
{
	uint64_t next = flushes->next_flush[entry];

	return (struct finding_object){ OBJECT_FLUSH, next, next + 1 };
}

/* Checks unmapping `i` against an area that may have reused a part of its range. */
static void check_reuse(struct flush_check *flushes, size_t i, const struct claim_area *area)
{
	const struct claim_flush *unmapping = unmapping_at(flushes, i);
	uint64_t start = unmapping->start > area->va_start ? unmapping->start : area->va_start;
	uint64_t end = unmapping->end < area->va_end ? unmapping->end : area->va_end, stamp;
	struct finding *finding;

	if (unmapping->stamp > area->allocated || start >= end ||
	    unmapping_flushed(flushes, i) <= area->allocated)
		return;
	stamp = history_flushed_at(&flushes->history, start, end, unmapping->stamp);
	if (stamp <= area->allocated)
		return;
	if (stamp == FLUSHED_UNKNOWN) {
		flushes->not_checked++;
		return;
	}
	finding = report(flushes, stamp == FLUSHED_NEVER ? "range never flushed" : "range flushed late",
			 missing_flush(flushes, flushes->unmappings.items[i].tag), start, end);
	claimed_stamps(finding, unmapping->stamp, area->allocated);
	found_stamp(finding, stamp);
	finding_where_area(finding, flushes->check, area);
}

static const struct claim_area *live_area(const struct flush_check *flushes, size_t i)
{
	return &flushes->claims->areas.items[flushes->check->facts->live.items[i].tag];
}

/* Selects the areas to check: all that the log reaches back to. */
static void choose_areas(struct flush_check *flushes)
{
	for (size_t i = 0; i < flushes->check->facts->live.count; i++) {
		const struct claim_area *area = live_area(flushes, i);

		/* An area that claims that nothing of it was ever unmapped is compared with what the log has, too. */
		if (area->unmapped && is_dropped(flushes, area->unmapped) &&
		    !check_dropped(flushes, area->allocated))
			continue;
		flushes->areas[i] = true;
		flushes->check->result->checked += area->unmapped != 0;
	}
}

/*
 * Areas do not overlap (V8): those that overlap an unmapping are consecutive, and at most one begins before
 * it.
 */
static void check_areas(struct flush_check *flushes)
{
	const struct keyed_array *live = &flushes->check->facts->live;

	choose_areas(flushes);
	for (size_t i = 0; i < flushes->unmappings.count; i++) {
		const struct claim_flush *unmapping = unmapping_at(flushes, i);
		size_t place = keyed_find(live, unmapping->start);

		for (place -= place > 0; place < live->count; place++) {
			if (live->items[place].key >= unmapping->end)
				break;
			if (!history_step(&flushes->history)) {
				flushes->not_checked++;
				return;
			}
			if (flushes->areas[place])
				check_reuse(flushes, i, live_area(flushes, place));
		}
	}
}

static void check_rights(struct flush_check *flushes)
{
	for (size_t i = 0; i < flushes->claims->flushes.count; i++) {
		const struct claim_flush *entry = &flushes->claims->flushes.items[i];
		bool executable = is_unmapping(entry) && is_executable(entry);
		struct finding *finding;
		uint64_t flushed;

		if (!executable && (entry->cpu & TLB_FLUSH_EVENT) != TLB_FLUSH_PROTECT)
			continue;
		flushes->check->result->checked++;
		flushed = history_flushed_at(&flushes->history, entry->start, entry->end, entry->stamp);
		flushes->not_checked += flushed == FLUSHED_UNKNOWN;
		if (flushed != FLUSHED_NEVER)
			continue;
		finding = report(flushes, executable ? "executable" : "right", missing_flush(flushes, i),
				 entry->start, entry->end);
		finding_claimed(finding, "a flush since %s (clock %" PRIu64 ")",
				executable ? "an executable range was unmapped" : "a right was taken away",
				entry->stamp);
		found_stamp(finding, FLUSHED_NEVER);
		finding_where_gva(finding, flushes->check, entry->start);
	}
}

/* Text of a finding about a frame of that kind, and its causes. */
struct frame_kind {
	const char *text, *never, *late;
};

static const struct frame_kind *frame_kind(const struct claim_flush *unmapping)
{
	static const struct frame_kind table = { ", which was a page table", "table never flushed",
						 "table flushed late" },
				       executable = { ", which was executable", "executable never flushed",
						      "executable flushed late" },
				       other = { "", "frame never flushed", "frame flushed late" };

	return is_table(unmapping) ? &table : is_executable(unmapping) ? &executable : &other;
}

/* A frame that was used again too early, after unmapping `i`; NULL: the log has no such unmapping. */
static void report_frame(struct flush_check *flushes, const struct claim_page *page, const size_t *i)
{
	uint64_t gpa = page->pfn << KVMAP_PAGE_SHIFT, flushed = i ? unmapping_flushed(flushes, *i) : 0;
	const struct frame_kind *kind = i ? frame_kind(unmapping_at(flushes, *i)) : NULL;
	struct finding *finding;

	if (kind)
		finding = report(flushes, flushed == FLUSHED_NEVER ? kind->never : kind->late,
				 missing_flush(flushes, flushes->unmappings.items[*i].tag), gpa,
				 gpa + KVMAP_PAGE_SIZE);
	else
		finding = report(flushes, "no unmapping", frame_object(gpa), gpa, gpa + KVMAP_PAGE_SIZE);
	claimed_stamps(finding, page->unmapped, page->allocated);
	if (kind)
		found_stamp(finding, flushed);
	else
		finding_found(finding, "the log has no unmapping at that clock");
	finding_where(finding, "frame 0x%" PRIx64 "%s", page->pfn, kind ? kind->text : "");
}

static void check_frame(struct flush_check *flushes, const struct claim_page *page)
{
	size_t i = keyed_find(&flushes->unmappings, page->unmapped);
	bool logged = i < flushes->unmappings.count && flushes->unmappings.items[i].key == page->unmapped;

	if (flushes->claims->policy == KVMAP_POLICY_LAZY &&
	    !(logged && (is_table(unmapping_at(flushes, i)) || is_executable(unmapping_at(flushes, i)))))
		return;
	if (!logged && is_dropped(flushes, page->unmapped)) {
		flushes->check->result->checked += check_dropped(flushes, page->allocated);
		return;
	}
	flushes->check->result->checked++;
	if (logged && unmapping_flushed(flushes, i) <= page->allocated)
		return;
	if (logged && unmapping_flushed(flushes, i) == FLUSHED_UNKNOWN)
		flushes->not_checked++;
	else
		report_frame(flushes, page, logged ? &i : NULL);
}

static void check_frames(struct flush_check *flushes)
{
	for (size_t i = 0; i < flushes->claims->pages.count; i++) {
		const struct claim_page *page = &flushes->claims->pages.items[i];

		/* allocated < unmapped: the frame was not allocated again since the unmapping. */
		if (page->owner > PAGE_FREE && page->unmapped && page->allocated >= page->unmapped)
			check_frame(flushes, page);
	}
}

/* An owner's range or frame was allocated after it was unmapped last. */
static void check_stamp(struct check *check, uint64_t address, uint64_t unmapped, uint64_t allocated,
			const char *what)
{
	struct finding *finding;

	if (allocated >= unmapped)
		return;
	finding = finding_new(check, address);
	finding_claimed(finding, "%s, which has an owner, was allocated (clock %" PRIu64 ")", what,
			allocated);
	finding_found(finding, "it was unmapped later (clock %" PRIu64 ")", unmapped);
	finding_where_gva(finding, check, address);
}

static void check_stamps(struct check *check)
{
	const struct claims *claims = check->facts->claims;

	for (size_t i = 0; i < check->facts->live.count; i++) {
		const struct claim_area *area = &claims->areas.items[check->facts->live.items[i].tag];

		if (area->unmapped)
			check_stamp(check, area->va_start, area->unmapped, area->allocated, "the area");
	}
	for (size_t i = 0; i < claims->pages.count; i++) {
		const struct claim_page *page = &claims->pages.items[i];

		if (page->unmapped && page->owner > PAGE_FREE && page->owner != PAGE_PCP)
			check_stamp(check, KVMAP_DIRECT_BASE + (page->pfn << KVMAP_PAGE_SHIFT),
				    page->unmapped, page->allocated, "the frame");
	}
}

static int find_next_flushes(struct flush_check *flushes)
{
	size_t count = flushes->claims->flushes.count;
	uint64_t next = 0;

	flushes->next_flush = calloc(count + 1, sizeof(*flushes->next_flush));
	if (!flushes->next_flush)
		return -1;
	for (size_t i = count; i-- > 0;) {
		const struct claim_flush *entry = &flushes->claims->flushes.items[i];

		flushes->next_flush[i] = next;
		if (!(entry->cpu & TLB_FLUSH_EVENT))
			next = entry->stamp;
	}
	return 0;
}

static int flush_check_prepare(struct flush_check *flushes, unsigned int cpus)
{
	uint64_t begin = 0;

	if (flush_history_build(&flushes->history, flushes->claims, cpus) < 0 ||
	    find_next_flushes(flushes) < 0)
		return -1;
	for (size_t i = 0; i < flushes->claims->flushes.count; i++) {
		const struct claim_flush *entry = &flushes->claims->flushes.items[i];
		struct keyed unmapping = { .key = entry->stamp, .tag = (uint32_t)i };

		if (is_unmapping(entry) && array_push(&flushes->unmappings, unmapping) < 0)
			return -1;
	}
	/* The state of a CPU before the log begins is unknown. */
	if (is_dropped(flushes, 0) && flushes->claims->flushes.count)
		begin = flushes->claims->flushes.items[0].stamp - 1;
	flushes->all_flushed = history_flushed_at(&flushes->history, 0, ~0ull, begin);
	flushes->flushed = calloc(flushes->unmappings.count + 1, sizeof(*flushes->flushed));
	flushes->areas = calloc(flushes->check->facts->live.count + 1, sizeof(*flushes->areas));
	return flushes->flushed && flushes->areas ? keyed_sort(&flushes->unmappings) : -1;
}

static void report_not_checked(const struct flush_check *flushes)
{
	struct invariant_result *result = flushes->check->result;

	if (!flushes->not_checked)
		return;
	if (!result->checked)
		result->seen = NOT_SEEN;
	snprintf(result->why_not, sizeof(result->why_not),
		 "%" PRIu64 " reuses lie further back than the flush log reaches, or it is too long",
		 flushes->not_checked);
}

/*
 * Number of CPUs that may hold translations: those that the guest claims, and others up to the last with
 * paging enabled. A CPU that was never started holds none.
 */
static unsigned int cpus_that_ran(const struct facts *facts)
{
	unsigned int count = facts->claims->cpu_count;

	for (unsigned int i = count; i < facts->view->cpu_count; i++)
		if (facts->view->cpus[i].cr0 & CR0_PG)
			count = i + 1;
	return count ? count : 1;
}

/* By the guest's own log of flushes, and what the verification before has seen. */
static void check_flush_log(struct check *check)
{
	const struct facts *facts = check->facts;
	struct flush_check flushes = {
		.check = check,
		.claims = facts->claims,
	};

	if (flush_check_prepare(&flushes, cpus_that_ran(facts)) < 0) {
		check->no_memory = true;
	} else {
		check_areas(&flushes);
		check_rights(&flushes);
		check_frames(&flushes);
		check_stamps(check);
		check_seen(check);
		check_idle(check);
		report_not_checked(&flushes);
	}
	free(flushes.unmappings.items);
	free(flushes.flushed);
	free(flushes.next_flush);
	free(flushes.areas);
	flush_history_destroy(&flushes.history);
}

void check_flushes(struct check *check)
{
	if (check->facts->input->history) {
		check_flush_events(check);
		check_stamps(check);
		check_idle(check);
	} else {
		check_flush_log(check);
	}
}
