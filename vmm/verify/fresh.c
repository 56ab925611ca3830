/* SPDX-License-Identifier: MIT */
/*
 * fresh.c: V4, of frames that are claimed zero: those of a zone's fresh range, which were never allocated, and
 * those of the CPUs' lists of zero frames. By the holes of the file that holds the guest's memory only what was
 * touched is read; memory without such a file is not compared.
 */
#include "verify/check.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct fresh_check {
	struct check *check;
	uint64_t not_compared; /* frames */
};

/* Whether the memory has holes that are known, so that nothing is read in vain. */
static bool has_holes(const struct view *view, uint64_t gpa)
{
	const struct view_region *region = view_region(view, gpa, KVMAP_PAGE_SIZE);

	return region && region->fd >= 0 && !view->tracks_access;
}

/* Offset of the first word of the page that is not zero; KVMAP_PAGE_SIZE if there is none. */
static uint64_t first_written(const uint8_t *bytes)
{
	static const uint8_t zeros[KVMAP_PAGE_SIZE];
	uint64_t at = 0;

	if (memcmp(bytes, zeros, KVMAP_PAGE_SIZE) == 0)
		return KVMAP_PAGE_SIZE;
	while (!bytes[at])
		at++;
	return at & ~7ull;
}

static void check_frame(struct fresh_check *fresh, uint64_t gpa, const char *list)
{
	const uint8_t *bytes = view_bytes(fresh->check->facts->view, gpa, KVMAP_PAGE_SIZE);
	uint64_t at = bytes ? first_written(bytes) : KVMAP_PAGE_SIZE, word;
	struct finding *finding;

	if (at == KVMAP_PAGE_SIZE)
		return;
	finding = finding_new_pages(fresh->check, gpa + at,
				    &(struct finding_pages){
					    .start = gpa,
					    .size = KVMAP_PAGE_SIZE,
					    .cause = list,
					    .object = frame_object(gpa),
				    });
	memcpy(&word, bytes + at, sizeof(word));
	finding_claimed(finding, "a frame that is zero, %s", list);
	finding_found(finding, "0x%016" PRIx64, word);
	finding_where(finding, "frame 0x%" PRIx64, gpa >> KVMAP_PAGE_SHIFT);
}

/* The part of [gpa, end) that was touched. */
static void check_touched(struct fresh_check *fresh, uint64_t gpa, uint64_t end, const char *list)
{
	const struct view *view = fresh->check->facts->view;
	uint64_t start, data_end;

	while (gpa < end && view_next_data(view, gpa, end, &start, &data_end)) {
		gpa = start & ~(uint64_t)(KVMAP_PAGE_SIZE - 1);
		if (!has_holes(view, gpa)) {
			fresh->not_compared += (data_end - gpa + KVMAP_PAGE_SIZE - 1) >> KVMAP_PAGE_SHIFT;
			gpa = data_end;
		}
		for (; gpa < data_end; gpa += KVMAP_PAGE_SIZE)
			check_frame(fresh, gpa, list);
	}
}

void check_fresh(struct check *check)
{
	const struct claims *claims = check->facts->claims;
	struct fresh_check fresh = { .check = check };

	for (uint32_t i = 0; i < claims->zone_count && claims->fresh_is_zero; i++)
		check_touched(&fresh, claims->zones[i].fresh_start << KVMAP_PAGE_SHIFT,
			      claims->zones[i].fresh_end << KVMAP_PAGE_SHIFT, "since it was never allocated");
	for (size_t i = 0; i < claims->pcp_zero.count; i++) {
		uint64_t gpa = (uint64_t)claims->pcp_zero.items[i] << KVMAP_PAGE_SHIFT;

		check_touched(&fresh, gpa, gpa + KVMAP_PAGE_SIZE, "on a CPU's list of such frames");
	}
	if (fresh.not_compared)
		snprintf(check->result->why_not, sizeof(check->result->why_not),
			 "%" PRIu64
			 " frames that are claimed zero were not read: nothing tells which were touched",
			 fresh.not_compared);
}
