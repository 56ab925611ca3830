/* SPDX-License-Identifier: MIT */
/*
 * picture.c: the areas: a virtual range, and the position of its frames in RAM.
 *
 * The bar of an area is the part of RAM from the lowest to the highest frame of any area, on the same scale
 * for all. A digit is the number of the area's frames in that column, '#' ten or more.
 */
#include "base/number.h"
#include "base/strbuf.h"
#include "inspect/address.h"
#include "kvmap/layout.h"
#include "report/json.h"
#include "report/run_parts.h"
#include "report/text.h"

#include <inttypes.h>
#include <string.h>

#define AREAS_SHOWN 12
#define BAR_COLUMNS 64

/* Frames [first, first + BAR_COLUMNS * per_column). */
struct scale {
	uint64_t first;
	uint64_t per_column;
};

static size_t areas_shown(const struct claims *claims)
{
	return claims->areas.count < AREAS_SHOWN ? claims->areas.count : AREAS_SHOWN;
}

static struct scale find_scale(const struct claims *claims)
{
	uint64_t low = UINT64_MAX, high = 0;
	struct scale scale = { 0, 1 };

	for (size_t i = 0; i < areas_shown(claims); i++) {
		const struct claim_area *area = &claims->areas.items[i];

		for (size_t j = 0; j < area->frame_count; j++) {
			uint64_t frame = claims->frames.items[area->first_frame + j];

			low = frame < low ? frame : low;
			high = frame > high ? frame : high;
		}
	}
	if (low > high)
		return scale;
	while (low / scale.per_column * scale.per_column + BAR_COLUMNS * scale.per_column <= high)
		scale.per_column *= 2;
	scale.first = low / scale.per_column * scale.per_column;
	return scale;
}

static void draw_bar(const struct claims *claims, const struct claim_area *area, const struct scale *scale,
		     char *bar)
{
	memset(bar, '.', BAR_COLUMNS);
	bar[BAR_COLUMNS] = '\0';
	for (size_t i = 0; i < area->frame_count; i++) {
		uint64_t frame = claims->frames.items[area->first_frame + i];
		uint64_t column = (frame - scale->first) / scale->per_column;

		if (frame < scale->first || column >= BAR_COLUMNS)
			continue;
		bar[column] = bar[column] == '.'                         ? '1'
			      : bar[column] == '9' || bar[column] == '#' ? '#'
									 : bar[column] + 1;
	}
}

/* "0x1805 0x1807+3 ...": physically contiguous pages are one item. */
static void list_runs(const struct claims *claims, const struct claim_area *area, char *out, size_t size)
{
	const uint32_t *frames = claims->frames.items + area->first_frame;
	struct strbuf list = strbuf_of(out, size);
	size_t i = 0;

	while (i < area->frame_count) {
		size_t length = 1;

		while (i + length < area->frame_count && frames[i + length] == frames[i] + length)
			length++;
		if (strbuf_room(&list) < 25) {
			strbuf_add(&list, " ...");
			return;
		}
		strbuf_add_item(&list, " ", "0x%" PRIx32, frames[i]);
		if (length > 1)
			strbuf_add(&list, "+%zu", length - 1);
		i += length;
	}
}

/* The script's variable of the area, or "". */
static const char *variable_of(const struct report_run *run, const struct claim_area *area)
{
	const struct claims *claims = run->claims;

	for (size_t i = 0; i < claims->variables.count && i < run->script->variables.count; i++)
		if (claims->variables.items[i].address == area->va_start &&
		    claims->variables.items[i].state == VARIABLE_LIVE)
			return run->script->variables.items[i];
	return "";
}

/* Whether the tables map any page of the area's guard. */
static bool guard_is_mapped(const struct ranges *ranges, const struct claim_area *area)
{
	uint64_t guard = claim_area_guard(area);

	for (size_t i = 0; i < ranges->count; i++) {
		const struct range *range = &ranges->items[i];

		if (guard < range->gva ? range->gva - guard < KVMAP_GUARD_SIZE
				       : guard - range->gva < range->size)
			return true;
	}
	return false;
}

static void show_area(struct report *report, const struct report_run *run, const struct claim_area *area,
		      const struct scale *scale)
{
	char bytes[40], caller[300], bar[BAR_COLUMNS + 1], runs[92], frames[40], run_count[40];
	const char *name = area->state == AREA_LIVE && !area->deferred ? variable_of(run, area) : "";
	bool guard_mapped = run->ranges && guard_is_mapped(run->ranges, area);

	text_line(report, PAINT_PLAIN, 2, 6, "%s%s0x%016" PRIx64 ", %s%s: %s in %s%s", name,
		  *name ? " = " : "", area->va_start,
		  number_bytes(claim_area_bytes(area), bytes, sizeof(bytes)),
		  area->state == AREA_LAZY ? ", lazily freed (waiting for a TLB flush)" : "",
		  text_number_of(area->frame_count, "frame", frames, sizeof(frames)),
		  text_number_of(claims_area_runs(run->claims, area), "run", run_count, sizeof(run_count)),
		  address_caller(area, run->symbols, caller, sizeof(caller)));
	draw_bar(run->claims, area, scale, bar);
	text_line(report, PAINT_PLAIN, 6, 6, "|%s|", bar);
	list_runs(run->claims, area, runs, sizeof(runs));
	if (*runs)
		text_line(report, PAINT_FAINT, 6, 6, "%s", runs);
	text_line(report, guard_mapped ? PAINT_BAD : PAINT_FAINT, 6, 6, "guard 0x%016" PRIx64 "%s",
		  claim_area_guard(area),
		  !run->ranges   ? ""
		  : guard_mapped ? ": MAPPED"
				 : ": not mapped");
}

static void show_text(struct report *report, const struct report_run *run)
{
	const struct claims *claims = run->claims;
	struct scale scale = find_scale(claims);
	char bytes[40], frames[40];

	text_heading(report, "Areas: virtual range -> frames");
	if (!claims->areas.count) {
		text_line(report, PAINT_PLAIN, 2, 2, "None at the end.");
		return;
	}
	text_line(report, PAINT_FAINT, 2, 2,
		  "A column of a bar is %s (%s) of RAM, the first at GPA 0x%" PRIx64
		  "; a digit counts the area's frames in "
		  "it. Below: all its frames in the order of its pages; \"+3\": and the next three.",
		  text_number_of(scale.per_column, "frame", frames, sizeof(frames)),
		  number_bytes(scale.per_column * KVMAP_PAGE_SIZE, bytes, sizeof(bytes)),
		  scale.first * KVMAP_PAGE_SIZE);
	for (size_t i = 0; i < areas_shown(claims); i++)
		show_area(report, run, &claims->areas.items[i], &scale);
	if (claims->areas.count > AREAS_SHOWN)
		text_line(report, PAINT_FAINT, 2, 2, "... and %zu areas more (kvmap areas shows all)",
			  claims->areas.count - AREAS_SHOWN);
}

static struct json_object *runs_object(const struct claims *claims, const struct claim_area *area)
{
	const uint32_t *frames = claims->frames.items + area->first_frame;
	struct json_object *runs = json_object_new_array();
	size_t length;

	for (size_t i = 0; i < area->frame_count; i += length) {
		struct json_object *item = json_object_new_object();

		for (length = 1; i + length < area->frame_count && frames[i + length] == frames[i] + length;)
			length++;
		json_add_hex(item, "gpa", (uint64_t)frames[i] * KVMAP_PAGE_SIZE);
		json_add_number(item, "pages", length);
		json_object_array_add(runs, item);
	}
	return runs;
}

static void emit_area(struct report *report, const struct report_run *run, const struct claim_area *area)
{
	struct json_object *line = json_start(report, "area");
	char caller[256] = "";

	json_add_hex(line, "address", area->va_start);
	json_add_number(line, "size", claim_area_bytes(area));
	json_add_number(line, "requested", area->requested_size);
	json_add_string(line, "state", address_area_state(area));
	json_add_string(line, "variable",
			area->state == AREA_LIVE && !area->deferred ? variable_of(run, area) : "");
	json_add_hex(line, "guard", claim_area_guard(area));
	if (run->ranges)
		json_add_bool(line, "guard_mapped", guard_is_mapped(run->ranges, area));
	if (run->symbols)
		symbols_describe(run->symbols, area->caller, caller, sizeof(caller));
	json_add_string(line, "caller", caller);
	json_object_object_add(line, "frames", runs_object(run->claims, area));
	json_finish(report, line);
}

void part_areas(struct report *report, const struct report_run *run)
{
	if (!run->claims)
		return;
	if (report->format == REPORT_TEXT) {
		show_text(report, run);
		return;
	}
	for (size_t i = 0; i < run->claims->areas.count; i++)
		emit_area(report, run, &run->claims->areas.items[i]);
}
