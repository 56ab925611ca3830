/* SPDX-License-Identifier: MIT */
/*
 * proc_frames.c: `proc SOURCE buddyinfo`, after frag_show_print() of Linux's mm/vmstat.c, and `proc SOURCE
 * slabinfo` version 2.1, after mm/slab_common.c.
 */
#include "kvmap/layout.h"
#include "report/buddyinfo.h"
#include "report/json.h"
#include "report/proc.h"

#include <inttypes.h>
#include <string.h>

/* ---- buddyinfo ---- */

/* Frames that were never used count as the largest buddy blocks that their alignment allows. */
static void add_fresh_blocks(struct buddy_row *row, uint64_t start, uint64_t end)
{
	while (start < end) {
		uint32_t order = 0;

		while (order < MAX_ORDER && !(start >> order & 1) && start + (2ull << order) <= end)
			order++;
		row->blocks[order]++;
		start += 1ull << order;
	}
}

static void put_buddy_row(struct report *report, uint32_t node, uint32_t kind, const struct buddy_row *row)
{
	struct json_object *line;

	if (report->format == REPORT_TEXT) {
		fprintf(report->stream, "Node %" PRIu32 ", zone %8s ", node, buddy_zone_name(kind));
		for (uint32_t order = 0; order <= MAX_ORDER; order++)
			fprintf(report->stream, "%6" PRIu64 " ", row->blocks[order]);
		fputc('\n', report->stream);
		return;
	}
	line = json_start(report, "buddyinfo");
	buddy_row_add(line, node, kind, row);
	json_finish(report, line);
}

static void put_node(struct report *report, const struct claims *claims, uint32_t node)
{
	struct buddy_row rows[ZONE_TYPES] = { 0 };

	for (uint32_t i = 0; i < claims->zone_count; i++) {
		const struct claim_zone *zone = &claims->zones[i];
		struct buddy_row *row = &rows[zone->kind < ZONE_TYPES ? zone->kind : ZONE_NORMAL];

		if (zone->numa_node != node)
			continue;
		row->present = true;
		for (uint32_t order = 0; order < zone->orders && order <= MAX_ORDER; order++)
			row->blocks[order] += zone->nr_free[order];
		add_fresh_blocks(row, zone->fresh_start, zone->fresh_end);
	}
	for (uint32_t kind = 0; kind < ZONE_TYPES; kind++)
		if (rows[kind].present)
			put_buddy_row(report, node, kind, &rows[kind]);
}

void report_buddyinfo(struct report *report, const struct report_proc *proc)
{
	for (uint32_t node = 0; node < proc->claims->numa_node_count; node++)
		put_node(report, proc->claims, node);
}

/* ---- slabinfo ---- */

static void put_cache(struct report *report, const struct claim_cache *cache)
{
	uint64_t pages = 1ull << cache->order, objects = claim_cache_objects(cache);
	uint64_t per_slab = cache->object_size ? pages * KVMAP_PAGE_SIZE / cache->object_size : 0;
	uint64_t active = objects - cache->free_objects;
	struct json_object *line;
	char name[sizeof(cache->name)];

	if (report->format == REPORT_TEXT) {
		/* A blank in a name would shift the columns. */
		memcpy(name, cache->name, sizeof(name));
		for (char *at = name; *at; at++)
			if (*at == ' ')
				*at = '_';
		fprintf(report->stream,
			"%-17s %6" PRIu64 " %6" PRIu64 " %6" PRIu32 " %4" PRIu64 " %4" PRIu64
			" : tunables %4d %4d %4d : slabdata %6" PRIu32 " %6" PRIu32 " %6d\n",
			name, active, objects, cache->object_size, per_slab, pages, 0, 0, 0, cache->nr_slabs,
			cache->nr_slabs, 0);
		return;
	}
	line = json_start(report, "slabinfo");
	json_add_string(line, "name", cache->name);
	json_add_number(line, "active_objects", active);
	json_add_number(line, "objects", objects);
	json_add_number(line, "object_size", cache->object_size);
	json_add_number(line, "objects_per_slab", per_slab);
	json_add_number(line, "pages_per_slab", pages);
	json_add_number(line, "slabs", cache->nr_slabs);
	json_finish(report, line);
}

void report_slabinfo(struct report *report, const struct report_proc *proc)
{
	const struct claims *claims = proc->claims;

	if (report->format == REPORT_TEXT)
		fputs("slabinfo - version: 2.1\n"
		      "# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab> : tunables "
		      "<limit> <batchcount> <sharedfactor> : slabdata <active_slabs> <num_slabs> <sharedavail>\n",
		      report->stream);
	for (uint32_t i = 0; i < claims->cache_count; i++)
		put_cache(report, &claims->caches[i]);
}
