/* SPDX-License-Identifier: MIT */
/*
 * picture_parts.h: the bars of the picture: a part of RAM on one scale, for areas, objects and slabs. Private to
 * vmm/report.
 */
#ifndef VMM_REPORT_PICTURE_PARTS_H
#define VMM_REPORT_PICTURE_PARTS_H

#include "report/json.h"
#include "report/run_parts.h"

#define PICTURE_COLUMNS 64 /* of a bar, at most */
#define PICTURE_NARROW  48 /* in a terminal of less than 72 columns */

/* Memory in the order of its pages: `count` blocks of 2^order frames, each by its first frame. */
struct picture_memory {
	const uint32_t *frames;
	size_t count;
	unsigned int order;
};

/* The part of RAM that each bar shows: frames [first, first + columns * per_column). */
struct picture_scale {
	unsigned int columns; /* PICTURE_COLUMNS or PICTURE_NARROW */
	uint64_t low, high;   /* lowest and highest frame of all memory; low > high: none */
	uint64_t first, per_column;
};

/* Beginning with picture_scale(): all memory that the scale is to have, then picture_settle(). */
struct picture_scale picture_scale(const struct report *report);
void picture_include(struct picture_scale *scale, const struct picture_memory *memory);
void picture_settle(struct picture_scale *scale);

/* The explanation of the scale; with several NUMA nodes also a bar of nodes. */
void picture_legend(struct report *report, const struct claims *claims, const struct picture_scale *scale);

/* The bar of the memory, and its frames run by run. */
void picture_bar(struct report *report, const struct picture_scale *scale,
		 const struct picture_memory *memory);

/* ", node 1", ", 12 on node 0, 4 on node 1"; "" for a guest without several nodes. Returns out. */
const char *picture_nodes(const struct claims *claims, const struct picture_memory *memory, char *out,
			  size_t size);
/* Number of physically contiguous runs. */
uint64_t picture_runs(const struct picture_memory *memory);
/* For JSON: the runs, each { "gpa", "pages" }, and with several nodes "node" of its first frame. */
struct json_object *picture_json(const struct claims *claims, const struct picture_memory *memory);

/* ---- picture_kmalloc.c: what kmalloc and its like have given out ---- */

void picture_include_kmalloc(struct picture_scale *scale, const struct report_run *run);
/* Text or JSON: the script's live variables in objects and blocks, then the slabs of each cache. */
void picture_kmalloc(struct report *report, const struct report_run *run, const struct picture_scale *scale);

/* Objects in use, their slabs, and blocks of alloc_pages() or a large kmalloc(), of the script or not. */
struct kmalloc_totals {
	uint64_t objects, caches, slabs, slab_frames, blocks, block_frames;
};
void picture_kmalloc_count(const struct claims *claims, struct kmalloc_totals *out);

#endif
