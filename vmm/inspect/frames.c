/* SPDX-License-Identifier: MIT */
/*
 * frames.c: the owner of each page frame, from claims or from page tables.
 */
#include "inspect/frames.h"

#include "base/array.h"
#include "base/lower_bound.h"
#include "base/page.h"
#include "kvmap/layout.h"

#include <errno.h>
#include <stdlib.h>

const struct frame_kind_info frame_kinds[FRAME_KINDS] = {
	[OWNER_FREE] = { "free", '.', false, false },
	[OWNER_FRESH] = { "free, never used", '.', false, false },
	[OWNER_RESERVED] = { "reserved", 'r', true, false },
	[OWNER_TABLE] = { "page table", 't', true, false },
	[OWNER_AREA] = { "live area", 'a', true, false },
	[OWNER_LAZY] = { "freed area", 'f', true, false },
	[OWNER_SLAB] = { "object cache", 's', true, false },
	[OWNER_HELD] = { "held", 'h', true, false },
	[OWNER_KMALLOC] = { "allocated block", 'k', true, false },
	[OWNER_PCP] = { "kept by a CPU", 'c', false, false },
	[FRAME_NO_OWNER] = { "no owner", '?', true, true },
	[FRAME_SEVERAL] = { "several owners", '!', true, true },
	[FRAME_STRANGE] = { "unknown to the guest", '-', false, false },
	[FRAME_TABLE] = { "page table", 't', true, false },
	[FRAME_ALIASED] = { "mapped more than once", 'v', true, false },
	[FRAME_UNTOUCHED] = { "untouched", '.', false, false },
	[FRAME_MAPPED] = { "mapped once", 'm', true, false },
	[FRAME_UNMAPPED] = { "not mapped", 'u', true, false },
};

/* Appends [start, end) to the runs; the last run must end at or before start. -1 if memory is out. */
static int frames_add(struct frames *frames, uint64_t start, uint64_t end, unsigned int kind, uint64_t of)
{
	struct frame_run *last = frames->runs.count ? &frames->runs.items[frames->runs.count - 1] : NULL;
	struct frame_run run = { .pfn = start, .count = end - start, .kind = kind, .of = of };

	frames->total += run.count;
	frames->by_kind[kind] += run.count;
	if (last && last->pfn + last->count == start && last->kind == kind && last->of == of) {
		last->count += run.count;
		return 0;
	}
	return array_push(&frames->runs, run);
}

/* ---- from claims ---- */

/* One pass over the claims, in order of pfn. */
struct claimed {
	const struct view *view;
	const struct claims *claims;
	const struct owners *owners;
	struct frames *frames;
	unsigned int region; /* index of the first region of the view that is not yet covered */
};

/* The value of frame_run.of. */
static uint64_t owner_of_what(const struct claims *claims, uint32_t tag)
{
	switch (OWNER_KIND(tag)) {
	case OWNER_AREA:
	case OWNER_LAZY: return claims->areas.items[OWNER_INDEX(tag)].va_start;
	case OWNER_SLAB: return claims->caches[OWNER_INDEX(tag)].index;
	default: return 0;
	}
}

/* Adds the part of [start, end) that is memory of the view. Calls must be in order of pfn. */
static int put_owned(struct claimed *claimed, uint64_t start, uint64_t end, unsigned int kind, uint64_t of)
{
	const struct view *view = claimed->view;

	for (; start < end && claimed->region < view->region_count; claimed->region++) {
		const struct view_region *region = &view->regions[claimed->region];
		uint64_t first = region->gpa >> KVMAP_PAGE_SHIFT;
		uint64_t last = first + (region->size >> KVMAP_PAGE_SHIFT); /* exclusive */
		uint64_t from = start > first ? start : first, to = end < last ? end : last;

		if (from < to && frames_add(claimed->frames, from, to, kind, of) < 0)
			return -1;
		if (end <= last)
			return 0;
	}
	return 0;
}

/* Adds [start, end), which has no claim: no owner where the guest has RAM, unknown to the guest elsewhere. */
static int put_gap(struct claimed *claimed, uint64_t start, uint64_t end)
{
	const struct owners *owners = claimed->owners;

	for (unsigned int i = 0; i < owners->memory_count && start < end; i++) {
		uint64_t first = owners->memory[i].start, last = owners->memory[i].end;

		if (last <= start)
			continue;
		if (first >= end)
			break;
		if (start < first && put_owned(claimed, start, first, FRAME_STRANGE, 0) < 0)
			return -1;
		start = start > first ? start : first;
		if (put_owned(claimed, start, end < last ? end : last, FRAME_NO_OWNER, 0) < 0)
			return -1;
		start = last;
	}
	return start < end ? put_owned(claimed, start, end, FRAME_STRANGE, 0) : 0;
}

/*
 * Adds all claims in order. Invariant: all frames below `start` are added; [start, end) is claimed by
 * `owner`, the claim with the highest end, and not yet added.
 */
static int put_claims(struct claimed *claimed)
{
	const struct keyed_array *list = &claimed->owners->list;
	uint64_t start = 0, end = 0;
	uint32_t owner = 0;

	for (size_t i = 0; i < list->count; i++) {
		const struct keyed *item = &list->items[i];
		uint64_t item_end = item->key + owner_frames(item);
		uint64_t shared = item->key > start ? item->key : start;
		uint64_t shared_end = item_end < end ? item_end : end;

		if (start < end && item->key > start &&
		    put_owned(claimed, start, item->key < end ? item->key : end, OWNER_KIND(owner),
			      owner_of_what(claimed->claims, owner)) < 0)
			return -1;
		if (shared < shared_end && put_owned(claimed, shared, shared_end, FRAME_SEVERAL, 0) < 0)
			return -1;
		if (item->key > end && put_gap(claimed, end, item->key) < 0)
			return -1;
		if (shared < shared_end)
			start = shared_end;
		else if (item->key > start)
			start = item->key;
		if (item_end > end) {
			end = item_end;
			owner = item->tag;
		}
	}
	if (start < end &&
	    put_owned(claimed, start, end, OWNER_KIND(owner), owner_of_what(claimed->claims, owner)) < 0)
		return -1;
	return put_gap(claimed, end, UINT64_MAX);
}

static int collect_claimed(const struct view *view, const struct claims *claims, struct frames *frames)
{
	struct owners owners;
	struct claimed claimed = { .view = view, .claims = claims, .owners = &owners, .frames = frames };
	int result = owners_collect(claims, &owners);

	if (result == 0)
		result = put_claims(&claimed);
	owners_destroy(&owners);
	frames->from_claims = true;
	return result;
}

/* ---- from tables ---- */

/* Counters of leaves saturate here; "more than once" needs no exact number. */
#define SEEN_TWICE 2
/* Flag: a page-table page. */
#define SEEN_TABLE 4

/* Each leaf size has an array of its own, so that a leaf of any size costs one increment. */
#define LEAF_LEVELS 3

struct seen_region {
	uint64_t gpa, size;
	/*
	 * [level - 1]: per page of that size, the number of leaves, at most SEEN_TWICE; level 1 also has
	 * SEEN_TABLE.
	 */
	uint8_t *by_level[LEAF_LEVELS];
};

struct census {
	const struct view *view;
	struct seen_region *regions; /* parallel to view->regions */
};

/* Index of gpa in by_level[level - 1]. gpa must be in the region. */
static uint64_t seen_index(const struct seen_region *region, unsigned int level, uint64_t gpa)
{
	return (gpa >> page_level_shift(level)) - (region->gpa >> page_level_shift(level));
}

static int census_open(struct census *census, const struct view *view)
{
	*census = (struct census){ .view = view,
				   .regions = calloc(view->region_count + 1, sizeof(*census->regions)) };
	if (!census->regions)
		return -1;
	for (unsigned int i = 0; i < view->region_count; i++) {
		struct seen_region *region = &census->regions[i];

		region->gpa = view->regions[i].gpa;
		region->size = view->regions[i].size;
		for (unsigned int level = 1; level <= LEAF_LEVELS; level++) {
			uint64_t last = seen_index(region, level, region->gpa + region->size - 1);

			region->by_level[level - 1] = calloc(last + 1, 1);
			if (!region->by_level[level - 1])
				return -1;
		}
	}
	return 0;
}

static void census_close(struct census *census)
{
	for (unsigned int i = 0; census->regions && i < census->view->region_count; i++)
		for (unsigned int level = 1; level <= LEAF_LEVELS; level++)
			free(census->regions[i].by_level[level - 1]);
	free(census->regions);
}

static void census_leaf(struct census *census, unsigned int level, uint64_t gpa, uint64_t size)
{
	for (unsigned int i = view_region_from(census->view, gpa); i < census->view->region_count; i++) {
		struct seen_region *region = &census->regions[i];
		uint64_t inside = gpa > region->gpa ? gpa : region->gpa;
		uint8_t *seen;

		if (inside - gpa >= size)
			return;
		seen = &region->by_level[level - 1][seen_index(region, level, inside)];
		if ((*seen & ~SEEN_TABLE) < SEEN_TWICE)
			++*seen;
	}
}

static int census_run(void *context, const struct walk_run *run)
{
	for (unsigned int i = 0; i < run->count; i++)
		census_leaf(context, run->level, walk_leaf_gpa(run->entries[i], run->size), run->size);
	return 0;
}

static int census_table(void *context, uint64_t gpa, unsigned int level, uint64_t gva)
{
	struct census *census = context;
	struct seen_region *region = &census->regions[view_region_from(census->view, gpa)];

	(void)level, (void)gva;
	/* The walk reports only tables inside a region of the view. */
	region->by_level[0][seen_index(region, 1, gpa)] |= SEEN_TABLE;
	return 0;
}

/* *of: of an untouched frame, what it would be if it was touched. */
static unsigned int seen_kind(const struct seen_region *region, uint64_t gpa, bool touched, uint64_t *of)
{
	unsigned int seen = region->by_level[0][seen_index(region, 1, gpa)], times = seen & ~SEEN_TABLE;

	for (unsigned int level = 2; level <= LEAF_LEVELS; level++)
		times += region->by_level[level - 1][seen_index(region, level, gpa)];
	if (seen & SEEN_TABLE)
		return FRAME_TABLE;
	if (times >= SEEN_TWICE)
		return FRAME_ALIASED;
	*of = touched ? 0 : times ? FRAME_MAPPED : FRAME_UNMAPPED;
	if (!touched)
		return FRAME_UNTOUCHED;
	return times ? FRAME_MAPPED : FRAME_UNMAPPED;
}

static int put_seen(const struct view *view, const struct census *census, struct frames *frames)
{
	for (unsigned int i = 0; i < census->view->region_count; i++) {
		const struct seen_region *region = &census->regions[i];
		uint64_t end = region->gpa + region->size, data = 0, data_end = 0;

		for (uint64_t gpa = region->gpa; gpa < end; gpa += KVMAP_PAGE_SIZE) {
			uint64_t pfn = gpa >> KVMAP_PAGE_SHIFT, of = 0;
			unsigned int kind;

			if (gpa >= data_end && !view_next_data(view, gpa, end, &data, &data_end)) {
				data = end;
				data_end = end;
			}
			kind = seen_kind(region, gpa, gpa >= data, &of);
			if (frames_add(frames, pfn, pfn + 1, kind, of) < 0)
				return -1;
		}
	}
	return 0;
}

static int collect_seen(const struct view *view, const struct walk_mode *mode, struct frames *frames)
{
	struct census census;
	/* A table that is visited twice has each of its pages at two addresses: more visits change nothing. */
	const struct walk_visitor visitor = {
		.context = &census, .run = census_run, .table = census_table, .visits = SEEN_TWICE
	};
	int result = census_open(&census, view);

	if (result == 0) {
		int stop = walk_range(view, mode, 0, ~0ull, 0, &visitor);

		frames->cut_short = stop != 0;
		result = stop == WALK_NO_MEMORY ? -1 : put_seen(view, &census, frames);
	}
	census_close(&census);
	return result;
}

int frames_collect(const struct view *view, const struct walk_mode *mode, const struct claims *claims,
		   struct frames *out, struct error *error)
{
	struct frames frames = { 0 };

	if ((claims ? collect_claimed(view, claims, &frames) : collect_seen(view, mode, &frames)) < 0) {
		frames_destroy(&frames);
		return error_set(error, ERROR_HOST, ENOMEM, 0, "the owners of the guest's frames");
	}
	*out = frames;
	return 0;
}

void frames_destroy(struct frames *frames)
{
	free(frames->runs.items);
	*frames = (struct frames){ 0 };
}

const struct frame_run *frames_find(const struct frames *frames, uint64_t pfn)
{
	const struct frame_run *runs = frames->runs.items;
	size_t after = lower_bound(frames->runs.count, i, runs[i].pfn <= pfn);

	return after && pfn - runs[after - 1].pfn < runs[after - 1].count ? &runs[after - 1] : NULL;
}
