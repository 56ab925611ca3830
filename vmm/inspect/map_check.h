/* SPDX-License-Identifier: MIT */
/*
 * map_check.h: checks that apply to the memory map of any guest: no page is writable and executable, no frame is
 * mapped twice outside the direct map, and no page table is writable but through the direct map or the image.
 */
#ifndef VMM_INSPECT_MAP_CHECK_H
#define VMM_INSPECT_MAP_CHECK_H

#include "base/array.h"
#include "inspect/map.h"

enum map_fault {
	MAP_WRITABLE_EXECUTABLE, /* one mapping is both */
	/*
	 * One mapping is executable, another writable. A writable direct map counts only against supervisor
	 * code.
	 */
	MAP_WRITABLE_ELSEWHERE,
	MAP_ALIAS, /* mapped more than once outside the direct map */
	/*
	 * A page table, by a mapping that is neither the direct map nor at the distance of code (map_images.h). A
	 * recursive map is one.
	 */
	MAP_TABLE_WRITABLE,
};

struct map_violation {
	enum map_fault fault;
	uint64_t gpa;  /* of the first frame */
	uint64_t size; /* bytes */
	/*
	 * The number of each frame's mappings; MAP_ALIAS does not count the direct map, MAP_TABLE_WRITABLE counts those that it is
	 * about.
	 */
	uint64_t mappings;
	/*
	 * Two of the mappings. MAP_WRITABLE_ELSEWHERE: [0] is executable, [1] writable. [0] only:
	 * MAP_WRITABLE_EXECUTABLE, and where there is one mapping.
	 */
	struct {
		uint64_t at; /* GVA of the first frame */
		unsigned int rights;
	} by[2];
	bool at_least; /* `mappings` is a lower bound: tables are mapped again and again */
};

struct map_violations {
	ARRAY_OF(struct map_violation);
	uint64_t frames; /* checked: those of RAM that are mapped outside the direct map */
	bool at_least;   /* of one of them */
	bool cut_short;  /* a limit ended the scan: hostile tables map the same frames too often */
};

/* Pointers are borrowed. */
struct map_check_input {
	const struct view *view;
	const struct walk_mode *mode;
	uint64_t start, end;         /* both inclusive: the leaves that are checked */
	const struct ranges *ranges; /* of [start, end] */
	const struct ranges *all;    /* of the guest; may be `ranges` */
	const struct map_direct *direct;
	const struct claims *claims; /* may be NULL */
};

/*
 * Checks every leaf of [start, end]. Frames outside the view's memory (devices) are ignored. So are the areas with
 * VM_MAP, which are aliases on purpose (V5 verifies those), unless they map page tables. 0, or -1 if memory is
 * out.
 */
int map_check(const struct map_check_input *input, struct map_violations *out, struct error *error);
void map_violations_destroy(struct map_violations *violations);

/* Number of `by` that are set. */
static inline unsigned int map_violation_places(const struct map_violation *violation)
{
	return violation->mappings == 1 ? 1 : 2;
}

#endif
