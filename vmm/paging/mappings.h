/* SPDX-License-Identifier: MIT */
/*
 * mappings.h: which of the guest's memory is where in its virtual addresses, for a core that a debugger
 * reads.
 */
#ifndef VMM_PAGING_MAPPINGS_H
#define VMM_PAGING_MAPPINGS_H

#include "base/array.h"
#include "paging/walk.h"
#include "view/core.h"

struct mappings {
	ARRAY_OF(struct core_mapping);
	/* Bytes of virtual addresses, the first at repeated_gva, that are left out: tables that are mapped again and
	 * again translate them, to memory that the list has at another address. */
	uint64_t repeated, repeated_gva;
	bool cut_short; /* there are more mappings: the limit of the scan, or MAPPINGS_MAX, was met */
};

/* No core has more of them; each is a program header. */
#define MAPPINGS_MAX (1u << 20)

/*
 * By address, merged where virtual and physical addresses and rights go on. Mappings to no memory of
 * the view, such as devices, are left out. image_only: the top 2 GiB alone, where kernels have their text and variables;
 * these are collected first and have precedence. -1 only when memory is out; `out` is to be destroyed then, too.
 */
int mappings_collect(const struct view *view, const struct walk_mode *mode, bool image_only,
		     struct mappings *out, struct error *error);

/* Whether [gva, gva + size) is in the list. */
bool mappings_cover(const struct mappings *mappings, uint64_t gva, uint64_t size);

void mappings_destroy(struct mappings *mappings);

#endif
