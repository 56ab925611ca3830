/* SPDX-License-Identifier: MIT */
/*
 * areas.c: `areas SOURCE`: each area as the guest claims it, beside what its page tables say.
 */
#include "base/number.h"
#include "kvmap/layout.h"
#include "report/json.h"
#include "report/place.h"
#include "report/text.h"

#include <inttypes.h>

/* The tables' side of one area. */
struct comparison {
	uint64_t right;       /* pages that map the claimed frame */
	uint64_t wrong;       /* pages that map another, or none, or (freed) still map one */
	uint64_t first_wrong; /* GVA, where wrong > 0 */
	bool guard_mapped;
};

/* Areas over frames of others have none. */
static bool chain_is_whole(const struct claim_area *area)
{
	return area->flags & VM_MAP || area->frame_count == area->nr_pages;
}

static bool page_is_right(const struct claims *claims, const struct claim_area *area, size_t page,
			  const struct walk *walk)
{
	if (area->state == AREA_LAZY)
		return walk->stop == WALK_NOT_PRESENT;
	if (area->flags & VM_MAP)
		return walk->stop == WALK_MAPPED;
	return walk->stop == WALK_MAPPED && page < area->frame_count &&
	       walk->gpa == (uint64_t)claims->frames.items[area->first_frame + page] * KVMAP_PAGE_SIZE;
}

static struct comparison compare(const struct claims *claims, const struct claim_area *area,
				 const struct view *view, const struct walk_mode *mode)
{
	struct comparison result = { 0 };
	struct walk walk;

	/* A page each has a struct page in the guest, so that no area has more of them than RAM has frames.
	 */
	for (uint64_t i = 0; i < area->nr_pages && i < claims->max_pfn; i++) {
		walk_translate(view, mode, area->va_start + i * KVMAP_PAGE_SIZE, &walk);
		if (page_is_right(claims, area, (size_t)i, &walk)) {
			result.right++;
			continue;
		}
		if (!result.wrong++)
			result.first_wrong = walk.gva;
	}
	walk_translate(view, mode, place_guard(area), &walk);
	result.guard_mapped = walk.stop == WALK_MAPPED;
	return result;
}

static void show_area(struct report *report, const struct claims *claims, const struct claim_area *area,
		      const struct comparison *comparison, struct symbols *symbols)
{
	char bytes[40], pages[40], runs[40], caller[300], right[40];

	text_line(report, PAINT_BOLD, 0, 2,
		  "0x%016" PRIx64 "-0x%016" PRIx64 "  %s, %s, %s in %s, flags 0x%" PRIx64 "%s",
		  area->va_start, area->va_end,
		  area->state == AREA_LIVE ? "live" : "freed, waiting for a flush",
		  number_bytes(area->requested_size, bytes, sizeof(bytes)),
		  text_number_of(area->nr_pages, "page", pages, sizeof(pages)),
		  text_number_of(place_runs(claims, area), "run", runs, sizeof(runs)), area->flags,
		  place_caller(area, symbols, caller, sizeof(caller)));
	if (!chain_is_whole(area))
		text_line(report, PAINT_BAD, 2, 4, "claims  %u pages, and a chain of %zu frames",
			  area->nr_pages, area->frame_count);
	if (comparison->wrong)
		text_line(report, PAINT_BAD, 2, 4, "tables  %s not as claimed, the first at 0x%016" PRIx64,
			  text_number_of(comparison->wrong, "page", right, sizeof(right)),
			  comparison->first_wrong);
	else
		text_line(report, PAINT_GOOD, 2, 4, "tables  %s %s",
			  text_number_of(comparison->right, "page", right, sizeof(right)),
			  area->state == AREA_LIVE ? "mapped to the claimed frames" : "not mapped any more");
	text_line(report, comparison->guard_mapped ? PAINT_BAD : PAINT_PLAIN, 2, 4,
		  "guard   0x%016" PRIx64 " %s", place_guard(area),
		  comparison->guard_mapped ? "IS MAPPED" : "is not mapped");
}

static void emit_area(struct report *report, const struct claims *claims, const struct claim_area *area,
		      const struct comparison *comparison, struct symbols *symbols)
{
	struct json_object *line = json_start(report, "area");
	char caller[256] = "";

	if (symbols)
		symbols_describe(symbols, area->caller, caller, sizeof(caller));
	json_add_hex(line, "address", area->va_start);
	json_add_number(line, "size", place_area_bytes(area));
	json_add_number(line, "requested", area->requested_size);
	json_add_string(line, "state", area->state == AREA_LIVE ? "live" : "lazy");
	json_add_hex(line, "flags", area->flags);
	json_add_string(line, "caller", caller);
	json_add_number(line, "pages", area->nr_pages);
	json_add_number(line, "frames", area->frame_count);
	json_add_number(line, "runs", place_runs(claims, area));
	json_add_number(line, "pages_right", comparison->right);
	json_add_number(line, "pages_wrong", comparison->wrong);
	if (comparison->wrong)
		json_add_hex(line, "first_wrong", comparison->first_wrong);
	json_add_hex(line, "guard", place_guard(area));
	json_add_bool(line, "guard_mapped", comparison->guard_mapped);
	json_add_bool(line, "agrees",
		      !comparison->wrong && !comparison->guard_mapped && chain_is_whole(area));
	json_finish(report, line);
}

void report_areas(struct report *report, const struct claims *claims, const struct view *view,
		  const struct walk_mode *mode, struct symbols *symbols)
{
	for (size_t i = 0; i < claims->areas.count; i++) {
		const struct claim_area *area = &claims->areas.items[i];
		struct comparison comparison = compare(claims, area, view, mode);

		if (report->format == REPORT_TEXT)
			show_area(report, claims, area, &comparison, symbols);
		else
			emit_area(report, claims, area, &comparison, symbols);
	}
	if (!claims->areas.count && report->format == REPORT_TEXT)
		text_line(report, PAINT_PLAIN, 0, 2, "The guest claims no area.");
}
