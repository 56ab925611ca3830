/* SPDX-License-Identifier: MIT */
/*
 * map.c: `map SOURCE` as text: a line for each range and guard, or for many that are alike.
 */
#include "base/number.h"
#include "paging/memory_type.h"
#include "report/map_parts.h"
#include "report/text.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

/* Nothing should be mapped there. */
static bool is_wrong(const struct map_item *item)
{
	return item->kind == ADDRESS_NOTHING || item->kind == ADDRESS_LAZY || item->kind == ADDRESS_STRAY ||
	       (item->kind == ADDRESS_GUARD && item->mapped);
}

/* "direct map"; in upper case where nothing should be mapped; "" for an unknown guest. Returns out. */
static const char *kind_label(const struct map_item *item, char out[64])
{
	const char *label = item->kind == ADDRESS_UNKNOWN ? "" : address_kind_label(item->kind);

	snprintf(out, 64, "%s", label);
	for (char *letter = out; is_wrong(item) && *letter; letter++)
		*letter = (char)toupper((unsigned char)*letter);
	return out;
}

/* "op_vmalloc (op_areas.c:12)": without the offset in the function. */
static const char *caller_text(const struct map_caller *caller, char *out, size_t size)
{
	const char *line = strchr(caller->place, ' ');

	snprintf(out, size, "%.*s%s", (int)caller->name_length, caller->place, line ? line : "");
	return out;
}

const char *map_label(const struct memory_map *map, const struct map_item *item, char *out, size_t size)
{
	char caller[200], kind[64], name[40];
	const char *colon = item->kind == ADDRESS_DEFERRED ? ":" : "";

	kind_label(item, kind);
	caller_text(&map->callers.items[item->caller], caller, sizeof(caller));
	if (item->kind == ADDRESS_GUARD)
		snprintf(out, size, "%s%s", kind,
			 item->mapped ? ", AND MAPPED: see the range around it" : "");
	else if (item->area)
		snprintf(out, size, "%s%s%s%s%s", kind,
			 item->area->flags & VM_MAP ? ", mapped again:" : colon, *caller ? " " : "", caller,
			 text_variable(item->variable, name, sizeof(name)));
	else
		snprintf(out, size, "%s", kind);
	return out;
}

/* " UC- key 3": memory type and key, unless WB and 0. */
static const char *special(const struct range *range, const struct view_cpu *cpu, char *out, size_t size)
{
	const char *type = memory_type(memory_type_pat(cpu), range->pat_index);
	char key[24] = "";

	if (range->key)
		snprintf(key, sizeof(key), " key %u", range->key);
	snprintf(out, size, "%s%s%s", strcmp(type, "WB") != 0 ? " " : "", strcmp(type, "WB") != 0 ? type : "",
		 key);
	return out;
}

static enum paint paint_of(const struct map_item *item)
{
	if (is_wrong(item) || item->kind == ADDRESS_IMAGE)
		return PAINT_BAD;
	return item->kind == ADDRESS_GUARD ? PAINT_FAINT : PAINT_PLAIN;
}

static bool is_narrow(const struct report *report)
{
	return report->columns && report->columns < map_columns_width(false);
}

static void show_row(struct report *report, const struct map_row *row, enum paint paint, const char *label)
{
	char cells[MAP_ROW_MAX];

	text_line(report, paint, 0, map_columns_width(is_narrow(report)) + 2, "%s  %s",
		  map_columns_text(row, is_narrow(report), cells, sizeof(cells)), label);
}

static void show_item(struct report *report, const struct report_map *input, const struct map_item *item)
{
	const struct map_row row = {
		.start = item->start,
		.size = item->size,
		.range = item->range,
	};
	char label[300], extra[40] = "", whole[340];

	map_label(input->map, item, label, sizeof(label));
	if (item->range)
		special(item->range, input->cpu, extra, sizeof(extra));
	snprintf(whole, sizeof(whole), "%s%s", label, *label ? extra : extra + !!*extra);
	show_row(report, &row, paint_of(item), whole);
}

static void show_repeated(struct report *report, const struct map_line *line)
{
	char stride[40], times[32];

	text_line(report, PAINT_BOLD, 19, 19, "%s %s times, one every %s, up to 0x%016" PRIx64,
		  line->period > 1 ? "... these" : "... this", text_count(line->times, times, sizeof(times)),
		  number_bytes(line->stride, stride, sizeof(stride)), line->end);
}

/* "256K", "2M": of whole pages. Returns out. */
static const char *short_size(uint64_t bytes, char *out, size_t size)
{
	char text[40];

	number_bytes(bytes, text, sizeof(text));
	snprintf(out, size, "%.*s%.1s", (int)strcspn(text, " "), text, text + strcspn(text, " ") + 1);
	return out;
}

/* "area: 63 of 4K to 2M" */
static const char *alike_label(const struct report_map *input, const struct map_line *line, char *out,
			       size_t size)
{
	const struct map_item *first = &input->map->items.items[line->first];
	char what[64], count[40], smallest[40], largest[40] = "", extra[40] = "";

	kind_label(first, what);
	if (first->range)
		special(first->range, input->cpu, extra, sizeof(extra));
	if (line->largest > line->smallest)
		short_size(line->largest, largest, sizeof(largest));
	snprintf(out, size, "%s%s%s%s of %s%s%s", what, *what ? extra : extra + !!*extra,
		 *what || *extra ? ": " : "", text_count(line->alike, count, sizeof(count)),
		 short_size(line->smallest, smallest, sizeof(smallest)), *largest ? " to " : "", largest);
	return out;
}

static void show_alike(struct report *report, const struct report_map *input, const struct map_line *line)
{
	const struct map_item *first = &input->map->items.items[line->first];
	const struct map_row row = {
		.start = first->start,
		.size = line->sum.size,
		.range = first->range ? &line->sum : NULL,
		.is_sum = true,
		.end = line->end,
	};
	char label[240];

	show_row(report, &row, paint_of(first), alike_label(input, line, label, sizeof(label)));
}

static void show_line(struct report *report, const struct report_map *input, const struct map_line *line)
{
	/* A single item is shown in full. */
	if (line->alike > 1) {
		show_alike(report, input, line);
		return;
	}
	for (unsigned int i = 0; i < line->period; i++)
		show_item(report, input, &input->map->items.items[line->first + i]);
	if (line->times > 1)
		show_repeated(report, line);
}

/* "no PTEs that point", "1 PTE that points" */
static const char *damaged_text(uint64_t count, char *out, size_t size)
{
	char ptes[40];

	snprintf(out, size, "%s that point%s", text_number_of(count, "PTE", ptes, sizeof(ptes)),
		 count == 1 ? "s" : "");
	return out;
}

static void show_sum(struct report *report, const struct report_map *input)
{
	const struct ranges *ranges = input->ranges;
	char count[40], leaves[40], tables[40], damaged[64], only[32] = "";
	size_t shown = input->map->range_count;

	if (shown < ranges->count)
		snprintf(only, sizeof(only), "%zu of ", shown);
	fputc('\n', report->stream);
	text_line(report, ranges->damaged || ranges->cut_short ? PAINT_BAD : PAINT_PLAIN, 0, 2,
		  "%s%s, %s, %s entered, %s outside memory%s%s", only,
		  text_number_of(ranges->count, "range", count, sizeof(count)),
		  text_number_of(ranges->leaves, "leaf entry", leaves, sizeof(leaves)),
		  text_number_of(ranges->tables, "table", tables, sizeof(tables)),
		  damaged_text(ranges->damaged, damaged, sizeof(damaged)),
		  input->lines->count < input->map->item_count ? "; folded (--all)" : "",
		  ranges->cut_short ? "; THE SCAN WAS CUT SHORT: there are more tables than memory can hold"
				    : "");
}

void report_map(struct report *report, const struct report_map *input)
{
	char titles[MAP_ROW_MAX];

	if (report->format == REPORT_JSON) {
		map_emit(report, input);
		return;
	}
	text_line(report, PAINT_BOLD, 0, 2, "%s  what",
		  map_columns_titles(is_narrow(report), titles, sizeof(titles)));
	for (size_t i = 0; i < input->lines->count; i++)
		show_line(report, input, &input->lines->items[i]);
	show_sum(report, input);
	if (input->map->typed && !input->cpu->has_pat)
		text_line(report, PAINT_FAINT, 0, 2,
			  "memory types as of the PAT register after a reset: the source does not have it");
	if (input->violations)
		map_show_violations(report, input);
}
