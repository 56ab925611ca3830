/* SPDX-License-Identifier: MIT */
/*
 * map_check.h: what no memory map should have, of any guest: pages that are writable and executable, and
 * frames that are reached by two ways beyond the direct map.
 */
#ifndef VMM_INSPECT_MAP_CHECK_H
#define VMM_INSPECT_MAP_CHECK_H

#include "base/array.h"
#include "inspect/map.h"

enum map_fault {
	MAP_WRITABLE_EXECUTABLE, /* one mapping is both */
	/* Executable here, writable there. The direct map counts where the supervisor may execute: it is his.
	 */
	MAP_WRITABLE_ELSEWHERE,
	MAP_ALIAS, /* mapped more than once; the direct map does not count */
};

struct map_violation {
	enum map_fault fault;
	uint64_t gpa;      /* of the first frame */
	uint64_t size;     /* bytes */
	uint64_t mappings; /* how many reach each of the frames, the direct map's included where it counts */
	/*
	 * Two of them: of MAP_WRITABLE_ELSEWHERE first the executable one, then the writable one; of
	 * MAP_WRITABLE_EXECUTABLE only one. `at` moves on with the frames.
	 */
	struct {
		uint64_t at; /* GVA */
		unsigned int rights;
	} by[2];
};

struct map_violations {
	ARRAY_OF(struct map_violation);
	uint64_t frames; /* that were looked at: of RAM, mapped beyond the direct map */
	bool cut_short;  /* there are more mappings of the same frames than are looked at: hostile tables */
};

/*
 * Looks at every leaf of [start, end], both inclusive. Only frames of the view's memory count, not devices.
 * Aliases that the guest claims to have made (its areas of VM_MAP) do not; whether that claim is true, V5
 * says. claims may be NULL. 0, or -1 when memory is out.
 */
int map_check(const struct view *view, const struct walk_mode *mode, uint64_t start, uint64_t end,
	      const struct ranges *ranges, const struct map_direct *direct, const struct claims *claims,
	      struct map_violations *out, struct error *error);
void map_violations_destroy(struct map_violations *violations);

#endif
