/* SPDX-License-Identifier: MIT */
#include "report/show.h"

#include "base/page.h"
#include "kvmap/layout.h"
#include "report/frames.h"
#include "report/json.h"
#include "report/proc.h"
#include "report/run_parts.h"
#include "report/text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define REACHES_LISTED 64

/* ---- what is shown ---- */

static void show_proc(struct report *report, const struct report_show *show)
{
	struct ranges direct_map = { 0 };
	struct report_proc proc = {
		.claims = show->guest.claims,
		.direct_map = &direct_map,
		.symbols = show->guest.symbols,
	};
	struct error error;

	if (ranges_collect(show->guest.view, show->guest.mode, KVMAP_DIRECT_BASE, KVMAP_VMALLOC_START - 1,
			   NULL, 0, &direct_map, &error) < 0) {
		text_line(report, PAINT_BAD, 2, 2, "%s", error.text);
		return;
	}
	switch (show->what) {
	case KVMAP_SHOW_MEMINFO: report_meminfo(report, &proc); break;
	case KVMAP_SHOW_VMALLOCINFO: report_vmallocinfo(report, &proc); break;
	case KVMAP_SHOW_BUDDYINFO: report_buddyinfo(report, &proc); break;
	default: report_slabinfo(report, &proc);
	}
	ranges_destroy(&direct_map);
}

/* JSON: TYPE, with that member false. */
static void show_none(struct report *report, uint64_t address, const char *text, const char *type,
		      const char *member)
{
	struct json_object *line;

	if (report->format == REPORT_TEXT) {
		text_line(report, PAINT_PLAIN, 2, 4, "0x%" PRIx64 " %s", address, text);
		return;
	}
	line = json_start(report, type);
	json_add_hex(line, "address", address);
	json_add_bool(line, member, false);
	json_finish(report, line);
}

static int show_frame(struct report *report, const struct report_show *show, uint64_t pfn,
		      struct error *error)
{
	const struct report_areas *guest = &show->guest;
	struct frame_reaches reaches = { 0 };
	struct frames frames = { 0 };
	struct owners owners = { 0 };
	struct report_frame about = {
		.pfn = pfn,
		.view = guest->view,
		.reaches = &reaches,
		.claims = guest->claims,
		.owners = &owners,
		.symbols = guest->symbols,
	};
	int result = -1;

	if (frames_collect(guest->view, guest->mode, guest->claims, &frames, error) == 0 &&
	    frames_reach(guest->view, guest->mode, pfn, REACHES_LISTED, &reaches, error) == 0 &&
	    owners_collect(guest->claims, &owners) == 0) {
		about.run = frames_find(&frames, pfn);
		report_frame(report, &about);
		result = 0;
	}
	owners_destroy(&owners);
	frame_reaches_destroy(&reaches);
	frames_destroy(&frames);
	return result;
}

static void show_frames(struct report *report, const struct report_show *show)
{
	struct error error = { .text = "no memory to list the owners" };
	struct walk walk;

	walk_translate(show->guest.view, show->guest.mode, show->address, &walk);
	if (walk.stop != WALK_MAPPED)
		show_none(report, show->address, "is not mapped: it has no frame", "frame", "mapped");
	else if (show_frame(report, show, walk.gpa / PAGE_4K, &error) < 0)
		text_line(report, PAINT_BAD, 2, 2, "%s", error.text);
}

static void show_areas(struct report *report, const struct report_show *show)
{
	const struct claim_area *area = claims_area_at(show->guest.claims, show->address);

	if (!show->has_address)
		report_areas(report, &show->guest);
	else if (area)
		report_area(report, &show->guest, area);
	else
		show_none(report, show->address, "lies in no area", "area", "found");
}

static void show_one(struct report *report, const struct report_show *show)
{
	switch (show->what) {
	case KVMAP_SHOW_AREAS: show_areas(report, show); break;
	case KVMAP_SHOW_FRAMES: show_frames(report, show); break;
	default: show_proc(report, show);
	}
}

/* ---- keeping it ---- */

/* The report as a string; NULL when memory is out. */
static char *show_string(const struct report_show *show, enum report_format format, unsigned int columns)
{
	uint64_t seq = 0;
	struct report report = { .format = format, .columns = columns, .seq = &seq };
	char *text = NULL;
	size_t size;

	report.stream = open_memstream(&text, &size);
	if (!report.stream)
		return NULL;
	show_one(&report, show);
	if (fclose(report.stream) == 0)
		return text;
	free(text);
	return NULL;
}

int report_show(const struct report_show *show, unsigned int columns, struct report_shown *out)
{
	out->text = show_string(show, REPORT_TEXT, columns);
	out->json = show_string(show, REPORT_JSON, columns);
	if (out->text && out->json)
		return 0;
	report_shown_destroy(out);
	return -1;
}

int report_show_error(const char *why, struct report_shown *out)
{
	size_t size = strlen(why) + 4;

	out->json = NULL;
	out->text = malloc(size);
	if (!out->text)
		return -1;
	snprintf(out->text, size, "  %s\n", why);
	return 0;
}

void report_shown_destroy(struct report_shown *shown)
{
	free(shown->text);
	free(shown->json);
	*shown = (struct report_shown){ 0 };
}

/* ---- in the report of a run ---- */

/* The lines, numbered as lines of this report. */
static void emit_lines(struct report *report, const char *lines)
{
	for (const char *at = lines, *end; (end = strchr(at, '\n')); at = end + 1) {
		struct json_tokener *tokener = json_tokener_new();
		struct json_object *line =
			tokener ? json_tokener_parse_ex(tokener, at, (int)(end - at)) : NULL;

		if (line) {
			json_object_object_add(line, "seq", json_object_new_int64((int64_t)(*report->seq)++));
			json_finish(report, line);
		}
		if (tokener)
			json_tokener_free(tokener);
	}
}

void part_shown(struct report *report, const struct report_step *step)
{
	if (report->format == REPORT_TEXT && step->shown.text)
		fputs(step->shown.text, report->stream);
	if (report->format == REPORT_JSON && step->shown.json)
		emit_lines(report, step->shown.json);
}
