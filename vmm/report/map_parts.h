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

void map_emit(struct report *report, const struct report_map *input);

/* What --check found, as text. */
void map_show_violations(struct report *report, const struct report_map *input);

#endif
