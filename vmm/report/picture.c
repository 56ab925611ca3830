/* SPDX-License-Identifier: MIT */
/*
 * picture.c: the areas: a virtual range, and the position of its frames in RAM; then objects and slabs.
 */
#include "base/number.h"
#include "inspect/address.h"
#include "kvmap/layout.h"
#include "report/picture_parts.h"
#include "report/text.h"

#include <inttypes.h>

#define AREAS_SHOWN 12

static size_t areas_shown(const struct claims *claims)
{
	return claims->areas.count < AREAS_SHOWN ? claims->areas.count : AREAS_SHOWN;
}

static struct picture_memory memory_of(const struct claims *claims, const struct claim_area *area)
{
	return (struct picture_memory){ .frames = claims->frames.items + area->first_frame,
					.count = area->frame_count };
}

static struct picture_scale find_scale(const struct report *report, const struct report_run *run)
{
	struct picture_scale scale = picture_scale(report);

	for (size_t i = 0; i < areas_shown(run->claims); i++) {
		struct picture_memory memory = memory_of(run->claims, &run->claims->areas.items[i]);

		picture_include(&scale, &memory);
	}
	picture_include_kmalloc(&scale, run);
	picture_settle(&scale);
	return scale;
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
		      const struct picture_scale *scale)
{
	char bytes[40], caller[300], nodes[200], frames[40], run_count[40];
	const char *name = area->state == AREA_LIVE && !area->deferred ? variable_of(run, area) : "";
	bool guard_mapped = run->ranges && guard_is_mapped(run->ranges, area);
	struct picture_memory memory = memory_of(run->claims, area);

	text_line(report, PAINT_PLAIN, 2, 6, "%s%s0x%016" PRIx64 ", %s%s: %s in %s%s%s", name,
		  *name ? " = " : "", area->va_start,
		  number_bytes(claim_area_bytes(area), bytes, sizeof(bytes)),
		  area->state == AREA_LAZY ? ", lazily freed (waiting for a TLB flush)" : "",
		  text_number_of(area->frame_count, "frame", frames, sizeof(frames)),
		  text_number_of(picture_runs(&memory), "run", run_count, sizeof(run_count)),
		  picture_nodes(run->claims, &memory, nodes, sizeof(nodes)),
		  address_caller(area, run->symbols, caller, sizeof(caller)));
	picture_bar(report, scale, &memory);
	text_line(report, guard_mapped ? PAINT_BAD : PAINT_FAINT, 6, 6, "guard 0x%016" PRIx64 "%s",
		  claim_area_guard(area),
		  !run->ranges   ? ""
		  : guard_mapped ? ": MAPPED"
				 : ": not mapped");
}

static void show_text(struct report *report, const struct report_run *run)
{
	const struct claims *claims = run->claims;
	struct picture_scale scale = find_scale(report, run);
	char more[40];

	text_heading(report, "Areas: virtual range -> frames");
	if (!claims->areas.count)
		text_line(report, PAINT_PLAIN, 2, 2, "None at the end.");
	if (scale.low <= scale.high)
		picture_legend(report, claims, &scale);
	for (size_t i = 0; i < areas_shown(claims); i++)
		show_area(report, run, &claims->areas.items[i], &scale);
	if (claims->areas.count > AREAS_SHOWN)
		text_line(report, PAINT_FAINT, 2, 2, "... and %s (kvmap areas shows all)",
			  text_number_of(claims->areas.count - AREAS_SHOWN, "more area", more, sizeof(more)));
	picture_kmalloc(report, run, &scale);
}

static void emit_area(struct report *report, const struct report_run *run, const struct claim_area *area)
{
	struct json_object *line = json_start(report, "area");
	struct picture_memory memory = memory_of(run->claims, area);
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
	json_object_object_add(line, "frames", picture_json(run->claims, &memory));
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
	picture_kmalloc(report, run, NULL);
}
