/* SPDX-License-Identifier: MIT */
/*
 * walk_parts.h: what the text and the JSON of `walk` share. Private to vmm/report.
 */
#ifndef VMM_REPORT_WALK_PARTS_H
#define VMM_REPORT_WALK_PARTS_H

#include "report/walk.h"

/* Whether the page that was found has a protection key that counts. */
bool walk_has_key(const struct report_walk *input);

/* Whether bits 62:59 of that entry are a protection key: of the page's, user's and supervisor's by their own
 * switch. */
bool walk_level_has_key(const struct report_walk *input, const struct walk_level *level);

/* Effective rights from the top down to this entry; none if it is not present. */
unsigned int walk_level_rights(const struct walk_level *level);

/* Whether that access to the page that was found goes through. */
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

/* The walk as JSON lines. `place`: what the address is. */
void walk_emit(struct report *report, const struct report_walk *input, const char *place);

/* Of a GPA in that region: in the process whose VM it is, or, of a core, in this one. */
uint64_t walk_hva(const struct view_region *region, uint64_t gpa);

#endif
