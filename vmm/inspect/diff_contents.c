/* SPDX-License-Identifier: MIT */
/*
 * diff_contents.c: which pages of areas do not hold the same bytes on both sides.
 */
#include "base/array.h"
#include "base/page.h"
#include "inspect/diff.h"
#include "base/keyed.h"
#include "kvmap/layout.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct comparison {
	const struct diff_side *before, *after;
	struct diff_contents *out;
};

/* The page that the side maps at gva; *known_out: there is one. NULL: it was never touched, and is of zeros.
 */
static const uint8_t *page_at(const struct diff_side *side, uint64_t gva, bool *known_out)
{
	uint64_t gpa, start, end;
	struct walk walk;

	walk_translate(side->view, side->mode, gva, &walk);
	gpa = page_round_down(walk.gpa, PAGE_4K);
	*known_out = walk.stop == WALK_MAPPED && view_region(side->view, gpa, KVMAP_PAGE_SIZE);
	if (!*known_out || !view_next_data(side->view, gpa, gpa + KVMAP_PAGE_SIZE, &start, &end))
		return NULL;
	return view_bytes(side->view, gpa, KVMAP_PAGE_SIZE);
}

static bool differs(const uint8_t *one, const uint8_t *other)
{
	static const uint8_t zeros[KVMAP_PAGE_SIZE];

	return memcmp(one ? one : zeros, other ? other : zeros, KVMAP_PAGE_SIZE) != 0;
}

/* A page beside the last one that differs makes its run longer. */
static int add_page(struct diff_contents *out, uint64_t gva)
{
	struct diff_contents_run run = { .gva = gva, .pages = 1 };
	struct diff_contents_run *last = out->count ? &out->items[out->count - 1] : NULL;

	out->pages++;
	if (last && last->gva + last->pages * KVMAP_PAGE_SIZE == gva) {
		last->pages++;
		return 0;
	}
	return array_push(out, run);
}

/* Pages that both map. Chains of frames are no longer than memory is. */
static int compare_area(struct comparison *comparison, const struct claim_area *one,
			const struct claim_area *other)
{
	size_t pages = one->frame_count < other->frame_count ? one->frame_count : other->frame_count;

	for (size_t i = 0; i < pages; i++) {
		uint64_t gva = one->va_start + i * KVMAP_PAGE_SIZE;
		bool known, other_known;
		const uint8_t *bytes = page_at(comparison->before, gva, &known);
		const uint8_t *other_bytes = page_at(comparison->after, gva, &other_known);

		if (!known || !other_known)
			continue;
		comparison->out->compared++;
		if (differs(bytes, other_bytes) && add_page(comparison->out, gva) < 0)
			return -1;
	}
	return 0;
}

/* Live ones, by address; tag: index into claims.areas. */
static int sort_live(const struct claims *claims, struct keyed_array *out)
{
	for (size_t i = 0; i < claims->areas.count; i++) {
		const struct claim_area *area = &claims->areas.items[i];
		struct keyed item = { .key = area->va_start, .tag = (uint32_t)i };

		if (area->state == AREA_LIVE && area->frame_count && array_push(out, item) < 0)
			return -1;
	}
	return keyed_sort(out);
}

static int compare_areas(struct comparison *comparison, const struct keyed_array *one,
			 const struct keyed_array *other)
{
	const struct claim_area *before = comparison->before->claims->areas.items;
	const struct claim_area *after = comparison->after->claims->areas.items;
	size_t i = 0, j = 0;

	while (i < one->count && j < other->count) {
		uint64_t key = one->items[i].key, other_key = other->items[j].key;

		if (key == other_key &&
		    compare_area(comparison, &before[one->items[i].tag], &after[other->items[j].tag]) < 0)
			return -1;
		i += key <= other_key;
		j += other_key <= key;
	}
	return 0;
}

int diff_contents(const struct diff_side *before, const struct diff_side *after, struct diff_contents *out,
		  struct error *error)
{
	struct keyed_array one = { 0 }, other = { 0 };
	struct diff_contents result = { 0 };
	struct comparison comparison = { before, after, &result };
	int failed = sort_live(before->claims, &one) < 0 || sort_live(after->claims, &other) < 0 ||
		     compare_areas(&comparison, &one, &other) < 0;

	free(one.items);
	free(other.items);
	if (failed) {
		diff_contents_destroy(&result);
		return error_set(error, ERROR_HOST, ENOMEM, 0, "the differences of contents");
	}
	*out = result;
	return 0;
}

void diff_contents_destroy(struct diff_contents *contents)
{
	free(contents->items);
	*contents = (struct diff_contents){ 0 };
}
