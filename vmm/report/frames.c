/* SPDX-License-Identifier: MIT */
/*
 * frames.c: `frames SOURCE`: frames by owner, and a map of memory.
 *
 * A character of the map is a number of frames: '.' if all of them are free, else the letter of the owner
 * that has the most, in upper case if more than half of them are in use. A frame without owner or with
 * several owners is always shown.
 */
#include "base/number.h"
#include "kvmap/layout.h"
#include "report/frames_parts.h"
#include "report/json.h"
#include "report/text.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#define MAP_ROWS        16 /* at most, for all memory */
#define MAP_MARGIN      15 /* columns beside a row */
#define MAP_COLUMNS_MAX 256

/* ---- counts ---- */

static void show_counts(struct report *report, const struct frames *frames)
{
	char count[32], bytes[40], total[40];

	text_line(report, PAINT_BOLD, 0, 2, "%s by owner, as %s",
		  text_number_of(frames->total, "page frame", total, sizeof(total)),
		  frames->from_claims ? "the guest claims"
				      : "the page tables show: this guest makes no claims");
	if (frames->cut_short)
		text_line(report, PAINT_BAD, 2, 2,
			  "THE WALK WAS CUT SHORT: there are more tables than memory can hold");
	for (unsigned int kind = 0; kind < FRAME_KINDS; kind++) {
		uint64_t frames_of = frames->by_kind[kind];

		if (frames_of)
			text_line(report, frame_kinds[kind].wrong ? PAINT_BAD : PAINT_PLAIN, 2, 2,
				  "%c  %-22s %12s  %12s  %5.1f%%", frame_kinds[kind].letter,
				  frame_kinds[kind].name, text_count(frames_of, count, sizeof(count)),
				  number_bytes(frames_of * KVMAP_PAGE_SIZE, bytes, sizeof(bytes)),
				  100.0 * (double)frames_of / (double)frames->total);
	}
}

/* ---- the map ---- */

struct map {
	const struct frames *frames;
	unsigned int columns;
	uint64_t per_cell; /* frames, a power of two */
	size_t next;       /* the first run that may reach into the next cell */
};

/* A power of two that fits into the terminal. */
static unsigned int map_columns(unsigned int terminal)
{
	unsigned int columns = 16;

	while (columns < MAP_COLUMNS_MAX && columns * 2 + MAP_MARGIN <= terminal)
		columns *= 2;
	return columns;
}

static struct map map_of(const struct frames *frames, unsigned int terminal)
{
	struct map map = { .frames = frames, .columns = map_columns(terminal), .per_cell = 1 };

	while (frames->total / map.per_cell > (uint64_t)map.columns * MAP_ROWS)
		map.per_cell *= 2;
	return map;
}

/* The character for frames [start, end); ' ' if there is no memory. */
static char map_cell(struct map *map, uint64_t start, uint64_t end)
{
	uint64_t counts[FRAME_KINDS] = { 0 }, used = 0, all = 0;
	const struct frames *frames = map->frames;
	unsigned int most = FRAME_KINDS;

	while (map->next < frames->runs.count &&
	       frames->runs.items[map->next].pfn + frames->runs.items[map->next].count <= start)
		map->next++;
	for (size_t i = map->next; i < frames->runs.count && frames->runs.items[i].pfn < end; i++) {
		const struct frame_run *run = &frames->runs.items[i];
		uint64_t from = run->pfn > start ? run->pfn : start;
		uint64_t to = run->pfn + run->count < end ? run->pfn + run->count : end;

		counts[run->kind] += to - from;
		all += to - from;
	}
	for (unsigned int kind = 0; kind < FRAME_KINDS; kind++) {
		if (counts[kind] && frame_kinds[kind].wrong)
			return frame_kinds[kind].letter;
		if (!frame_kinds[kind].in_use)
			continue;
		used += counts[kind];
		if (counts[kind] && (most == FRAME_KINDS || counts[kind] > counts[most]))
			most = kind;
	}
	if (!all)
		return ' ';
	if (!used)
		return counts[FRAME_STRANGE] == all ? frame_kinds[FRAME_STRANGE].letter : '.';
	return used > all / 2 ? (char)toupper(frame_kinds[most].letter) : frame_kinds[most].letter;
}

/* The first frame of the next row; rows without memory are skipped. UINT64_MAX: no more. */
static uint64_t map_next_row(const struct map *map, uint64_t pfn)
{
	const struct frames *frames = map->frames;
	uint64_t per_row = map->per_cell * map->columns;
	size_t i = map->next;

	while (i < frames->runs.count && frames->runs.items[i].pfn + frames->runs.items[i].count <= pfn)
		i++;
	if (i == frames->runs.count)
		return UINT64_MAX;
	return frames->runs.items[i].pfn > pfn ? frames->runs.items[i].pfn / per_row * per_row : pfn;
}

static void end_alike(struct report *report, uint64_t alike)
{
	char rows[40];

	if (alike)
		text_line(report, PAINT_FAINT, 2, 2, "... %s alike",
			  text_number_of(alike, "more row", rows, sizeof(rows)));
}

static void show_map(struct report *report, const struct report_frames *about)
{
	struct map map = map_of(about->frames, about->columns);
	char row[MAP_COLUMNS_MAX + 1], last[MAP_COLUMNS_MAX + 1] = "", cell[40], bytes[40];
	uint64_t pfn = 0, alike = 0, expected = UINT64_MAX;

	text_heading(report, "Map of memory");
	text_line(
		report, PAINT_FAINT, 2, 2,
		"A row begins with its GPA. A character is %s (%s): the letter of the owner that has the most of them; upper case: more "
		"than half are in use; '.': none is.",
		text_number_of(map.per_cell, "frame", cell, sizeof(cell)),
		number_bytes(map.per_cell * KVMAP_PAGE_SIZE, bytes, sizeof(bytes)));
	for (pfn = map_next_row(&map, 0); pfn != UINT64_MAX; pfn = map_next_row(&map, pfn)) {
		uint64_t start = pfn;

		for (unsigned int i = 0; i < map.columns; i++, pfn += map.per_cell)
			row[i] = map_cell(&map, pfn, pfn + map.per_cell);
		row[map.columns] = '\0';
		if (start == expected && !strcmp(row, last)) {
			alike++;
		} else {
			end_alike(report, alike);
			alike = 0;
			fprintf(report->stream, "  %010" PRIx64 " |%s|\n", start * KVMAP_PAGE_SIZE, row);
			memcpy(last, row, sizeof(row));
		}
		expected = pfn;
	}
	end_alike(report, alike);
}

/* ---- JSON ---- */

static void emit_owners(struct report *report, const struct frames *frames)
{
	struct json_object *line;

	for (unsigned int kind = 0; kind < FRAME_KINDS; kind++) {
		if (!frames->by_kind[kind])
			continue;
		line = json_start(report, "frame_owner");
		json_add_string(line, "owner", frame_kinds[kind].name);
		json_add_number(line, "frames", frames->by_kind[kind]);
		json_add_bool(line, "wrong", frame_kinds[kind].wrong);
		json_finish(report, line);
	}
	line = json_start(report, "frames");
	json_add_number(line, "frames", frames->total);
	json_add_string(line, "from", frames->from_claims ? "claims" : "tables");
	json_add_bool(line, "cut_short", frames->cut_short);
	json_finish(report, line);
}

static void emit_runs(struct report *report, const struct frames *frames)
{
	for (size_t i = 0; i < frames->runs.count; i++) {
		const struct frame_run *run = &frames->runs.items[i];
		struct json_object *line = json_start(report, "frame_run");

		json_add_hex(line, "gpa", run->pfn * KVMAP_PAGE_SIZE);
		json_add_number(line, "frames", run->count);
		json_add_string(line, "owner", frame_kinds[run->kind].name);
		if (run->kind == OWNER_AREA || run->kind == OWNER_LAZY)
			json_add_hex(line, "area", run->of);
		if (run->kind == OWNER_SLAB)
			json_add_number(line, "cache", run->of);
		json_finish(report, line);
	}
}

void report_frames(struct report *report, const struct report_frames *about)
{
	if (report->format == REPORT_TEXT) {
		show_counts(report, about->frames);
		show_map(report, about);
	} else {
		emit_runs(report, about->frames);
		emit_owners(report, about->frames);
	}
	part_scatter(report, about);
}
