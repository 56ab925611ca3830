/* SPDX-License-Identifier: MIT */
/*
 * map_json.c: `map SOURCE --json`: a line for each range and guard, never folded, and one for the whole.
 */
#include "base/number.h"
#include "inspect/address.h"
#include "report/json.h"
#include "report/map_parts.h"
#include "report/text.h"

static void emit_range(struct report *report, const struct report_map *input, const struct map_item *item)
{
	const struct map_row row = {
		.start = item->range->gva,
		.size = item->range->size,
		.range = item->range,
		.cpu = input->cpu,
	};
	struct json_object *line = json_start(report, "range");
	char label[300];

	map_columns_emit(&row, line);
	json_add_string(line, "kind", address_kind_name(item->kind));
	if (item->caller)
		json_add_string(line, "caller", input->map->callers.items[item->caller].place);
	if (item->variable)
		json_add_string(line, "variable", item->variable);
	json_add_string(line, "label", map_label(input->map, item, label, sizeof(label)));
	json_finish(report, line);
}

static void emit_guard(struct report *report, const struct map_item *item)
{
	struct json_object *line = json_start(report, "guard");
	char bytes[40];

	json_add_hex(line, "address", item->start);
	json_add_hex(line, "area", item->area->va_start);
	json_add_string(line, "area_size", number_bytes(claim_area_bytes(item->area), bytes, sizeof(bytes)));
	json_add_bool(line, "mapped", item->mapped);
	json_finish(report, line);
}

static void emit_violation(struct report *report, const struct map_violation *violation)
{
	static const char *const names[] = {
		[MAP_WRITABLE_EXECUTABLE] = "writable_executable",
		[MAP_WRITABLE_ELSEWHERE] = "writable_elsewhere",
		[MAP_ALIAS] = "alias",
		[MAP_TABLE_WRITABLE] = "table_writable",
	};
	struct json_object *line = json_start(report, "violation");
	struct json_object *addresses = json_object_new_array(), *all_rights = json_object_new_array();

	json_add_string(line, "fault", names[violation->fault]);
	json_add_hex(line, "gpa", violation->gpa);
	json_add_number(line, "size", violation->size);
	json_add_number(line, "mappings", violation->mappings);
	json_add_bool(line, "mappings_at_least", violation->at_least);
	for (unsigned int i = 0; i < map_violation_places(violation); i++) {
		json_object_array_add(addresses, json_hex(violation->by[i].at));
		json_object_array_add(all_rights, json_text(RIGHTS_TEXT(violation->by[i].rights)));
	}
	json_object_object_add(line, "addresses", addresses);
	json_object_object_add(line, "rights", all_rights);
	json_finish(report, line);
}

static void emit_sum(struct report *report, const struct report_map *input)
{
	const struct ranges *ranges = input->ranges;
	struct json_object *line = json_start(report, "map");

	json_add_number(line, "cpu", input->cpu_number);
	json_add_number(line, "ranges", ranges->count);
	json_add_number(line, "leaves", ranges->leaves);
	json_add_number(line, "tables", ranges->tables);
	json_add_number(line, "damaged", ranges->damaged);
	json_add_bool(line, "cut_short", ranges->cut_short);
	json_add_bool(line, "pat_known", input->cpu->has_pat);
	if (input->map->direct.found) {
		json_add_hex(line, "direct_map", input->map->direct.base);
		json_add_bool(line, "direct_map_assumed", input->map->direct.assumed);
	}
	if (input->violations) {
		json_add_number(line, "violations", input->violations->count);
		json_add_number(line, "checked_frames", input->violations->frames);
		json_add_bool(line, "check_cut_short", input->violations->cut_short);
		json_add_bool(line, "mappings_at_least", input->violations->at_least);
	}
	json_finish(report, line);
}

void map_emit(struct report *report, const struct report_map *input)
{
	for (size_t i = 0; i < input->map->items.count; i++) {
		const struct map_item *item = &input->map->items.items[i];

		if (item->range)
			emit_range(report, input, item);
		else
			emit_guard(report, item);
	}
	for (size_t i = 0; input->violations && i < input->violations->count; i++)
		emit_violation(report, &input->violations->items[i]);
	emit_sum(report, input);
}
