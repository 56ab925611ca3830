/* SPDX-License-Identifier: MIT */
/*
 * buddyinfo.c: rows of free blocks by order, and those that belong to a refusal for want of page frames.
 */
#include "report/buddyinfo.h"

#include "base/strbuf.h"
#include "kvmap/layout.h"
#include "kvmap/limits.h"
#include "report/json.h"
#include "report/run_parts.h"
#include "report/text.h"

#include <inttypes.h>

const char *buddy_zone_name(uint32_t kind)
{
	return kind == ZONE_DMA ? "DMA" : kind == ZONE_DMA32 ? "DMA32" : "Normal";
}

void buddy_row_add(struct json_object *line, uint32_t node, uint32_t kind, const struct buddy_row *row)
{
	struct json_object *blocks = json_object_new_array();

	for (uint32_t order = 0; order <= MAX_ORDER; order++)
		json_object_array_add(blocks, json_object_new_uint64(row->blocks[order]));
	json_add_number(line, "node", node);
	json_add_string(line, "zone", buddy_zone_name(kind));
	json_object_object_add(line, "free", blocks);
}

/* Free blocks after one operation. */
struct free_blocks {
	struct buddy_row rows[KVMAP_NODES_MAX][ZONE_TYPES];
	bool any;           /* a block is free */
	unsigned int width; /* digits of the largest number */
	unsigned int row_count;
};

static unsigned int digits_of(uint64_t number)
{
	unsigned int digits = 1;

	for (; number > 9; number /= 10)
		digits++;
	return digits;
}

static void collect(const struct report_run *run, uint32_t operation, struct free_blocks *out)
{
	*out = (struct free_blocks){ .width = 1 };
	for (size_t i = 0; i < run->free_block_count; i++) {
		const struct kvmap_record *record = &run->free_blocks[i];
		struct buddy_row *row;

		if (record->operation != operation || record->detail >= KVMAP_NODES_MAX ||
		    record->status >= ZONE_TYPES)
			continue;
		row = &out->rows[record->detail][record->status];
		out->row_count += !row->present;
		row->present = true;
		for (uint32_t order = 0; order <= MAX_ORDER; order++) {
			uint64_t blocks = KVMAP_FREE_BLOCKS(record, order);

			row->blocks[order] += blocks;
			out->any |= blocks;
			if (digits_of(row->blocks[order]) > out->width)
				out->width = digits_of(row->blocks[order]);
		}
	}
}

static void show_row(struct report *report, const struct free_blocks *blocks, uint32_t node, uint32_t kind)
{
	const struct buddy_row *row = &blocks->rows[node][kind];
	struct strbuf line;
	char text[200];

	line = strbuf_of(text, sizeof(text));
	for (uint32_t order = 0; order <= MAX_ORDER; order++)
		strbuf_add(&line, " %*" PRIu64, (int)blocks->width, row->blocks[order]);
	text_line(report, PAINT_FAINT, 6, 8, "Node %" PRIu32 ", zone %6s %s", node, buddy_zone_name(kind),
		  text);
}

static void emit_row(struct report *report, const struct buddy_row *row, uint32_t operation, uint32_t node,
		     uint32_t kind)
{
	struct json_object *line = json_start(report, "buddyinfo");

	json_add_number(line, "operation", operation);
	buddy_row_add(line, node, kind, row);
	json_finish(report, line);
}

void part_free_blocks(struct report *report, const struct report_run *run, uint32_t operation)
{
	struct free_blocks blocks;

	collect(run, operation, &blocks);
	if (!blocks.row_count)
		return;
	if (report->format == REPORT_TEXT && blocks.any)
		text_line(report, PAINT_PLAIN, 6, 8,
			  "Free blocks of order 0 to %d then, as in /proc/buddyinfo:", MAX_ORDER);
	else if (report->format == REPORT_TEXT)
		text_line(report, PAINT_PLAIN, 6, 8, "No frame was free in any zone then.");
	for (uint32_t node = 0; node < KVMAP_NODES_MAX; node++)
		for (uint32_t kind = 0; kind < ZONE_TYPES; kind++) {
			if (!blocks.rows[node][kind].present)
				continue;
			if (report->format == REPORT_JSON)
				emit_row(report, &blocks.rows[node][kind], operation, node, kind);
			else if (blocks.any)
				show_row(report, &blocks, node, kind);
		}
}
