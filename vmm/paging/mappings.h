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
};

/* No core has more of them; each is a program header. */
#define MAPPINGS_MAX (1u << 20)

/*
 * By address, merged where virtual and physical addresses and rights go on. Mappings to no memory of
 * the view, such as devices, are left out. ERROR_GUEST where the tables are more, or map more, than a guest
 * needs; out is to be destroyed after a failure, too.
 */
int mappings_collect(const struct view *view, const struct walk_mode *mode, struct mappings *out,
		     struct error *error);
void mappings_destroy(struct mappings *mappings);

#endif
