/* SPDX-License-Identifier: MIT */
/*
 * map_check.h: checks that apply to the memory map of any guest: no page is writable and executable, and no
 * frame is mapped twice outside the direct map.
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
};

struct map_violation {
	enum map_fault fault;
	uint64_t gpa;      /* of the first frame */
	uint64_t size;     /* bytes */
	uint64_t mappings; /* of each frame; MAP_ALIAS does not count the direct map */
	/*
	 * Two of the mappings. MAP_WRITABLE_ELSEWHERE: [0] is executable, [1] writable.
	 * MAP_WRITABLE_EXECUTABLE: [0] only.
	 */
	struct {
		uint64_t at; /* GVA of the first frame */
		unsigned int rights;
	} by[2];
};

struct map_violations {
	ARRAY_OF(struct map_violation);
	uint64_t frames; /* checked: those of RAM that are mapped outside the direct map */
	/* Tables are mapped again and again: the numbers of mappings are those of their first visits. */
	bool at_least;
	bool cut_short; /* a limit ended the scan: hostile tables map the same frames too often */
};

/*
 * Checks every leaf of [start, end], both inclusive. Frames outside the view's memory (devices) are ignored.
 * So are the areas with VM_MAP, which are aliases on purpose; V5 verifies those. claims may be NULL. 0, or -1
 * if memory is out.
 */
int map_check(const struct view *view, const struct walk_mode *mode, uint64_t start, uint64_t end,
	      const struct ranges *ranges, const struct map_direct *direct, const struct claims *claims,
	      struct map_violations *out, struct error *error);
void map_violations_destroy(struct map_violations *violations);

#endif
