/* SPDX-License-Identifier: MIT */
/*
 * map_parts.h: what the text and the JSON of `map` share. Private to vmm/report.
 */
#ifndef VMM_REPORT_MAP_PARTS_H
#define VMM_REPORT_MAP_PARTS_H

#include "report/map.h"

/*
 * "area op_vmalloc (op_areas.c:12)", "direct map", "image: text"; "" if unknown. Returns out.
 */
const char *map_label(const struct memory_map *map, const struct map_item *item, char *out, size_t size);

/* ---- map_columns.c ---- */

#define MAP_ROW_MAX 200

struct json_object;

/* A range, a guard, or the sum of ranges that are alike. */
struct map_row {
	uint64_t start, size;
	const struct range *range;  /* NULL: a guard */
	const struct view_cpu *cpu; /* whose PAT register names the memory types */
	bool is_sum;
	uint64_t end; /* last address of a sum */
};

/* The titles of the columns, and their width in characters; narrow: for a terminal of 60 columns. */
const char *map_columns_titles(bool narrow, char *out, size_t size);
unsigned int map_columns_width(bool narrow);

/* The cells of a row as text. Returns out; MAP_ROW_MAX bytes are enough. */
const char *map_columns_text(const struct map_row *row, bool narrow, char *out, size_t size);

/* Adds the members of a range. */
void map_columns_emit(const struct map_row *row, struct json_object *line);

/* ---- map_json.c ---- */

void map_emit(struct report *report, const struct report_map *input);

/* ---- map_violations.c ---- */

/* Prints the findings of --check as text. */
void map_show_violations(struct report *report, const struct report_map *input);

#endif
