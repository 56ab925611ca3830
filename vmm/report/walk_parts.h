/* SPDX-License-Identifier: MIT */
/*
 * walk_parts.h: what the text and the JSON of `walk` share. Private to vmm/report.
 */
#ifndef VMM_REPORT_WALK_PARTS_H
#define VMM_REPORT_WALK_PARTS_H

#include "report/walk.h"

/* Whether a protection key applies to the page: CR4.PKE for user pages, CR4.PKS for others. */
bool walk_has_key(const struct report_walk *input);

/* Whether bits 62:59 of the entry are a protection key. */
bool walk_level_has_key(const struct report_walk *input, const struct walk_level *level);

/* Effective rights from the top down to this entry; none if it is not present. */
unsigned int walk_level_rights(const struct walk_level *level);

/* Whether the access to the page is allowed, and why not. */
enum access_answer walk_may(const struct report_walk *input, enum access_mode mode, enum access_kind kind);

/* The way of the walk's GPA through the second stage, which was read. */
struct walk_stage2 {
	struct {
		unsigned int level;
		uint64_t entry;
	} levels[STAGE2_LEVELS]; /* from the top; only those that were read */
	unsigned int level_count;
	bool mapped;
	uint64_t hpa;       /* of the GPA itself; 0 if not mapped */
	uint64_t page_size; /* bytes; 0 if not mapped */
};

void walk_stage2_find(const struct report_walk *input, struct walk_stage2 *out);

/* The walk as JSON lines. `location`: what the address is. */
void walk_emit(struct report *report, const struct report_walk *input, const char *location);

/* The HVA of a GPA of the region: in the process that has the VM; for a core in this process. */
uint64_t walk_hva(const struct view_region *region, uint64_t gpa);

#endif
