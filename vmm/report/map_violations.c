/* SPDX-License-Identifier: MIT */
/*
 * map_violations.c: what `map --check` found, as text.
 */
#include "base/number.h"
#include "base/page.h"
#include "report/map_parts.h"
#include "report/text.h"

#include <inttypes.h>

/* Shown without --all. */
#define SHOWN_MAX 20

static void show_table(struct report *report, const struct map_violation *violation)
{
	char size[40], count[40], second[100] = "";

	number_bytes(violation->size, size, sizeof(size));
	if (map_violation_places(violation) == 2)
		snprintf(second, sizeof(second), " and 0x%016" PRIx64 " (%s), %s%s mappings",
			 violation->by[1].at, RIGHTS_TEXT(violation->by[1].rights),
			 violation->at_least ? "at least " : "",
			 text_count(violation->mappings, count, sizeof(count)));
	text_line(report, PAINT_BAD, 2, 4,
		  "page table%s writable at 0x%016" PRIx64 " (%s)%s: %s from GPA 0x%" PRIx64,
		  violation->size > PAGE_4K ? "s" : "", violation->by[0].at,
		  RIGHTS_TEXT(violation->by[0].rights), second, size, violation->gpa);
}

static void show_violation(struct report *report, const struct map_violation *violation)
{
	const char *first = RIGHTS_TEXT(violation->by[0].rights);
	const char *second = RIGHTS_TEXT(violation->by[1].rights);
	char size[40], count[40];

	number_bytes(violation->size, size, sizeof(size));
	switch (violation->fault) {
	case MAP_WRITABLE_EXECUTABLE:
		text_line(report, PAINT_BAD, 2, 4, "writable and executable: 0x%016" PRIx64 ", %s, %s",
			  violation->by[0].at, size, first);
		return;
	case MAP_TABLE_WRITABLE: show_table(report, violation); return;
	case MAP_WRITABLE_ELSEWHERE:
		text_line(report, PAINT_BAD, 2, 4,
			  "executable at 0x%016" PRIx64 " (%s), writable at 0x%016" PRIx64
			  " (%s): %s from GPA 0x%" PRIx64,
			  violation->by[0].at, first, violation->by[1].at, second, size, violation->gpa);
		return;
	case MAP_ALIAS:
		text_line(report, PAINT_BAD, 2, 4,
			  "mapped %s%s times, at 0x%016" PRIx64 " (%s) and 0x%016" PRIx64
			  " (%s): %s from GPA 0x%" PRIx64,
			  violation->at_least ? "at least " : "",
			  text_count(violation->mappings, count, sizeof(count)), violation->by[0].at, first,
			  violation->by[1].at, second, size, violation->gpa);
		return;
	}
}

void map_show_violations(struct report *report, const struct report_map *input)
{
	const struct map_violations *violations = input->violations;
	size_t shown = input->all || violations->count < SHOWN_MAX ? violations->count : SHOWN_MAX;
	char frames[40];

	text_number_of(violations->frames, "frame", frames, sizeof(frames));
	if (!input->map->direct.found)
		text_line(report, PAINT_PLAIN, 0, 2,
			  "check: this guest has no direct map that kvmap can see");
	else if (input->map->direct.assumed)
		text_line(
			report, PAINT_PLAIN, 0, 2,
			"check: the direct map is assumed: GPA 0 at 0x%016" PRIx64
			", the distance of at least half of memory; what it maps is no alias, and page tables may be "
			"written through it",
			input->map->direct.base);
	if (!violations->count && !violations->cut_short)
		text_line(
			report, PAINT_GOOD, 0, 2,
			"check: of the %s mapped beyond the direct map none is writable and executable, none "
			"mapped twice; no page table can be written",
			frames);
	else
		text_line(report, PAINT_BAD, 0, 2, "check: %s mapped beyond the direct map%s", frames,
			  violations->cut_short
				  ? "; INCOMPLETE: the same frames have more mappings than are checked"
				  : "");
	for (size_t i = 0; i < shown; i++)
		show_violation(report, &violations->items[i]);
	if (shown < violations->count)
		text_line(report, PAINT_BAD, 2, 4, "and %zu more of these (--all)",
			  violations->count - shown);
}
