/* SPDX-License-Identifier: MIT */
/*
 * map.c: `map SOURCE`: every mapped range with its label, and the guards between.
 */
#include "base/array.h"
#include "base/number.h"
#include "kvmap/layout.h"
#include "report/json.h"
#include "report/place.h"
#include "report/text.h"

#include <inttypes.h>
#include <stdlib.h>

struct guard {
	uint64_t address;
	const struct claim_area *area; /* whose it is */
};

struct guards {
	struct guard *items;
	size_t count, capacity;
};

static int compare_guards(const void *a, const void *b)
{
	uint64_t first = ((const struct guard *)a)->address, second = ((const struct guard *)b)->address;

	return first < second ? -1 : first > second;
}

/* By address; those of live areas. */
static void collect_guards(const struct claims *claims, struct guards *guards)
{
	for (size_t i = 0; claims && i < claims->areas.count; i++) {
		const struct claim_area *area = &claims->areas.items[i];
		struct guard guard = { place_guard(area), area };

		if (area->state == AREA_LIVE && array_push(guards, guard) < 0)
			break;
	}
	if (guards->count)
		qsort(guards->items, guards->count, sizeof(*guards->items), compare_guards);
}

static const char *range_label(const struct range *range, const struct claims *claims,
			       struct symbols *symbols, char *out, size_t size)
{
	const struct claim_area *area = claims ? claims_area_at(claims, range->gva) : NULL;
	const char *image = place_in_image(range->gva, symbols);
	char bytes[40], caller[300];

	if (!claims && !symbols)
		out[0] = '\0';
	else if (area)
		snprintf(out, size, "%sarea of %s%s", area->state == AREA_LAZY ? "FREED " : "",
			 number_bytes(place_area_bytes(area), bytes, sizeof(bytes)),
			 place_caller(area, symbols, caller, sizeof(caller)));
	else if (image)
		snprintf(out, size, "image: %s", image);
	else if (range->gva >= KVMAP_DIRECT_BASE && range->gva < KVMAP_VMALLOC_START)
		snprintf(out, size, "direct map");
	else
		place_explain(range->gva, claims, symbols, out, size);
	return out;
}

static const char *page_size_name(uint64_t page_size)
{
	return page_size >= 1 << 30 ? "1G" : page_size >= 2 << 20 ? "2M" : "4K";
}

static void show_range(struct report *report, const struct range *range, const char *label)
{
	char size[40], rights[8], runs[40], type[24] = "";

	if (range->pat_index)
		snprintf(type, sizeof(type), ", PAT entry %u", range->pat_index);
	text_line(report, PAINT_PLAIN, 0, 63, "%016" PRIx64 "  %10s  %-4s %2s  %11s  %9" PRIx64 "  %s%s",
		  range->gva, number_bytes(range->size, size, sizeof(size)),
		  text_rights(range->rights, rights, sizeof(rights)), page_size_name(range->page_size),
		  text_number_of(range->runs, "run", runs, sizeof(runs)), range->gpa, label, type);
}

static void emit_range(struct report *report, const struct range *range, const char *label)
{
	struct json_object *line = json_start(report, "range");
	char rights[8];

	json_add_hex(line, "address", range->gva);
	json_add_number(line, "size", range->size);
	json_add_string(line, "rights", text_rights(range->rights, rights, sizeof(rights)));
	json_add_number(line, "page_size", range->page_size);
	json_add_number(line, "pat_index", range->pat_index);
	json_add_number(line, "leaves", range->leaves);
	json_add_number(line, "runs", range->runs);
	json_add_hex(line, "gpa", range->gpa);
	json_add_string(line, "label", label);
	json_finish(report, line);
}

static void put_guard(struct report *report, const struct guard *guard, bool mapped)
{
	struct json_object *line;
	char bytes[40];

	if (report->format == REPORT_TEXT) {
		text_line(report, mapped ? PAINT_BAD : PAINT_FAINT, 0, 63,
			  "%016" PRIx64 "  %10s  %-4s %2s  %11s  %9s  %s", guard->address, "4 KiB", "---", "",
			  "", "", mapped ? "GUARD, AND MAPPED: see the range around it" : "guard");
		return;
	}
	line = json_start(report, "guard");
	json_add_hex(line, "address", guard->address);
	json_add_hex(line, "area", guard->area->va_start);
	json_add_string(line, "area_size", number_bytes(place_area_bytes(guard->area), bytes, sizeof(bytes)));
	json_add_bool(line, "mapped", mapped);
	json_finish(report, line);
}

/* The guards below `end`, which begin in or before the range that ends there. */
static size_t put_guards(struct report *report, const struct guards *guards, size_t next,
			 const struct range *before, uint64_t end)
{
	for (; next < guards->count && guards->items[next].address < end; next++) {
		uint64_t address = guards->items[next].address;

		put_guard(report, &guards->items[next],
			  before && address >= before->gva && address - before->gva < before->size);
	}
	return next;
}

static void put_sum(struct report *report, const struct ranges *ranges)
{
	struct json_object *line;
	char leaves[40], tables[40], damaged[40];

	if (report->format == REPORT_TEXT) {
		fputc('\n', report->stream);
		text_line(report, ranges->damaged || ranges->cut_short ? PAINT_BAD : PAINT_PLAIN, 0, 2,
			  "%zu ranges, %s, %s entered, %s leading nowhere%s", ranges->count,
			  text_number_of(ranges->leaves, "leaf entry", leaves, sizeof(leaves)),
			  text_number_of(ranges->tables, "table", tables, sizeof(tables)),
			  text_number_of(ranges->damaged, "entry", damaged, sizeof(damaged)),
			  ranges->cut_short
				  ? "; THE SCAN WAS CUT SHORT: there are more tables than memory can hold"
				  : "");
		return;
	}
	line = json_start(report, "map");
	json_add_number(line, "ranges", ranges->count);
	json_add_number(line, "leaves", ranges->leaves);
	json_add_number(line, "tables", ranges->tables);
	json_add_number(line, "damaged", ranges->damaged);
	json_add_bool(line, "cut_short", ranges->cut_short);
	json_finish(report, line);
}

void report_map(struct report *report, const struct ranges *ranges, const struct claims *claims,
		struct symbols *symbols)
{
	const struct range *before = NULL;
	struct guards guards = { 0 };
	char label[400];
	size_t next = 0;

	collect_guards(claims, &guards);
	if (report->format == REPORT_TEXT)
		text_line(report, PAINT_BOLD, 0, 2, "%-16s  %10s  %-4s %2s  %11s  %9s  %s", "address", "size",
			  "", "by", "", "first GPA", "what");
	for (size_t i = 0; i < ranges->count; i++) {
		const struct range *range = &ranges->items[i];

		next = put_guards(report, &guards, next, before, range->gva);
		range_label(range, claims, symbols, label, sizeof(label));
		if (report->format == REPORT_TEXT)
			show_range(report, range, label);
		else
			emit_range(report, range, label);
		before = range;
	}
	put_guards(report, &guards, next, before, UINT64_MAX);
	put_sum(report, ranges);
	free(guards.items);
}
