/* SPDX-License-Identifier: MIT */
/*
 * map.h: the report of `map`.
 */
#ifndef VMM_REPORT_MAP_H
#define VMM_REPORT_MAP_H

#include "inspect/map_check.h"
#include "inspect/map_fold.h"
#include "report/report.h"

/* Borrowed. */
struct report_map {
	const struct memory_map *map;
	const struct map_lines *lines; /* of the map; for JSON all of them, not folded */
	const struct ranges *ranges;   /* all, shown or not */
	unsigned int cpu_number;
	const struct view_cpu *cpu;              /* whose PAT register names the memory types */
	const struct map_violations *violations; /* NULL: without --check */
	bool all;                                /* text shows every violation, not only the first ones */
};

void report_map(struct report *report, const struct report_map *input);

#endif
