/* SPDX-License-Identifier: MIT */
/*
 * picture_bar.c: a bar: where in RAM the frames lie.
 *
 * All bars show the part of RAM from the lowest to the highest frame that is shown, on the same scale. A digit is
 * the number of frames in that column, '#' ten or more.
 */
#include "base/number.h"
#include "base/strbuf.h"
#include "kvmap/layout.h"
#include "kvmap/limits.h"
#include "report/picture_parts.h"
#include "report/text.h"

#include <inttypes.h>
#include <string.h>

struct picture_scale picture_scale(const struct report *report)
{
	bool narrow = report->columns && report->columns < PICTURE_COLUMNS + 8;

	return (struct picture_scale){ .columns = narrow ? PICTURE_NARROW : PICTURE_COLUMNS,
				       .low = UINT64_MAX };
}

void picture_include(struct picture_scale *scale, const struct picture_memory *memory)
{
	for (size_t i = 0; i < memory->count; i++) {
		uint64_t first = memory->frames[i], last = first + (1ull << memory->order) - 1;

		scale->low = first < scale->low ? first : scale->low;
		scale->high = last > scale->high ? last : scale->high;
	}
}

void picture_settle(struct picture_scale *scale)
{
	scale->per_column = 1;
	if (scale->low > scale->high)
		return;
	while (scale->low / scale->per_column * scale->per_column + scale->columns * scale->per_column <=
	       scale->high)
		scale->per_column *= 2;
	scale->first = scale->low / scale->per_column * scale->per_column;
}

/* The node that all zones of a column belong to; '*': several, '.': no zone is there. */
static char column_node(const struct claims *claims, uint64_t start, uint64_t end)
{
	char node = '.';

	for (uint32_t i = 0; i < claims->zone_count; i++) {
		const struct claim_zone *zone = &claims->zones[i];

		if (zone->start_pfn >= end || zone->end_pfn <= start || zone->numa_node > 9)
			continue;
		if (node != '.' && node != (char)('0' + zone->numa_node))
			return '*';
		node = (char)('0' + zone->numa_node);
	}
	return node;
}

void picture_legend(struct report *report, const struct claims *claims, const struct picture_scale *scale)
{
	char bytes[40], frames[40], bar[PICTURE_COLUMNS + 1] = "";

	text_line(report, PAINT_FAINT, 2, 2,
		  "A column of a bar is %s (%s) of RAM, the first at GPA 0x%" PRIx64
		  "; a digit counts the frames in it. "
		  "Below: all frames in the order of the pages; \"+3\": and the next three.",
		  text_number_of(scale->per_column, "frame", frames, sizeof(frames)),
		  number_bytes(scale->per_column * KVMAP_PAGE_SIZE, bytes, sizeof(bytes)),
		  scale->first * KVMAP_PAGE_SIZE);
	if (claims->numa_node_count <= 1)
		return;
	for (uint64_t i = 0; i < scale->columns; i++)
		bar[i] = column_node(claims, scale->first + i * scale->per_column,
				     scale->first + (i + 1) * scale->per_column);
	text_line(report, PAINT_FAINT, 2, 2, "The node of each column ('*': of several nodes):");
	text_line(report, PAINT_FAINT, 6, 6, "|%s|", bar);
}

static void draw(const struct picture_scale *scale, const struct picture_memory *memory, char *bar)
{
	memset(bar, '.', scale->columns);
	bar[scale->columns] = '\0';
	for (size_t i = 0; i < memory->count; i++)
		for (uint64_t j = 0; j < 1ull << memory->order; j++) {
			uint64_t frame = memory->frames[i] + j;
			uint64_t column = (frame - scale->first) / scale->per_column;

			if (frame < scale->first || column >= scale->columns)
				continue;
			bar[column] = bar[column] == '.'                         ? '1'
				      : bar[column] == '9' || bar[column] == '#' ? '#'
										 : bar[column] + 1;
		}
}

/* Items from i on that are one run. */
static size_t run_length(const struct picture_memory *memory, size_t i)
{
	uint64_t step = 1ull << memory->order;
	size_t length = 1;

	while (i + length < memory->count && memory->frames[i + length] == memory->frames[i] + length * step)
		length++;
	return length;
}

uint64_t picture_runs(const struct picture_memory *memory)
{
	uint64_t runs = 0;

	for (size_t i = 0; i < memory->count; i += run_length(memory, i))
		runs++;
	return runs;
}

/* "0x1805 0x1807+3 ...": physically contiguous pages are one item. */
static void list_runs(const struct picture_memory *memory, char *out, size_t size)
{
	struct strbuf list = strbuf_of(out, size);
	size_t length;

	for (size_t i = 0; i < memory->count; i += length) {
		uint64_t frames;

		length = run_length(memory, i);
		frames = (uint64_t)length << memory->order;
		if (strbuf_room(&list) < 25) {
			strbuf_add(&list, " ...");
			return;
		}
		strbuf_add_item(&list, " ", "0x%" PRIx32, memory->frames[i]);
		if (frames > 1)
			strbuf_add(&list, "+%" PRIu64, frames - 1);
	}
}

void picture_bar(struct report *report, const struct picture_scale *scale,
		 const struct picture_memory *memory)
{
	char bar[PICTURE_COLUMNS + 1], runs[92];
	size_t room =
		report->columns && report->columns - 6 < sizeof(runs) ? report->columns - 5 : sizeof(runs);

	draw(scale, memory, bar);
	text_line(report, PAINT_PLAIN, 6, 6, "|%s|", bar);
	list_runs(memory, runs, room);
	if (*runs)
		text_line(report, PAINT_FAINT, 6, 6, "%s", runs);
}

const char *picture_nodes(const struct claims *claims, const struct picture_memory *memory, char *out,
			  size_t size)
{
	uint32_t counts[KVMAP_NODES_MAX];
	struct strbuf text = strbuf_of(out, size);

	if (claims->numa_node_count <= 1)
		return out;
	claims_numa_nodes(claims, memory->frames, memory->count, counts);
	for (uint32_t node = 0; node < KVMAP_NODES_MAX; node++)
		if (counts[node] == memory->count && counts[node])
			strbuf_add(&text, ", on node %" PRIu32, node);
		else if (counts[node])
			strbuf_add(&text, ", %" PRIu64 " on node %" PRIu32,
				   (uint64_t)counts[node] << memory->order, node);
	return out;
}

struct json_object *picture_json(const struct claims *claims, const struct picture_memory *memory)
{
	struct json_object *runs = json_object_new_array();
	uint32_t counts[KVMAP_NODES_MAX];
	size_t length;

	for (size_t i = 0; i < memory->count; i += length) {
		struct json_object *item = json_object_new_object();

		length = run_length(memory, i);
		json_add_hex(item, "gpa", (uint64_t)memory->frames[i] * KVMAP_PAGE_SIZE);
		json_add_number(item, "pages", (uint64_t)length << memory->order);
		claims_numa_nodes(claims, memory->frames + i, 1, counts);
		for (uint32_t node = 0; claims->numa_node_count > 1 && node < KVMAP_NODES_MAX; node++)
			if (counts[node])
				json_add_number(item, "node", node);
		json_object_array_add(runs, item);
	}
	return runs;
}
