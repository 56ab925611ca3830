/* SPDX-License-Identifier: MIT */
/*
 * known_layout.h: offsets and sizes of the members of layout.h in the guest that was built with this program,
 * so that its debug information need not be read. The build makes the table from that debug information
 * (vmm/commands/make_known_layout.c). It is valid for the guest with that build-id only.
 */
#ifndef VMM_CLAIMS_KNOWN_LAYOUT_H
#define VMM_CLAIMS_KNOWN_LAYOUT_H

#include "claims/layout.h"
#include "program/build_id.h"

struct known_layout {
	uint8_t id[BUILD_ID_MAX];
	size_t id_size; /* 0: no guest is known */
	struct type_member types[CLAIM_TYPE_COUNT];
};

/* A program links the generated table; one that does not has that of known_layout_none.c. */
extern const struct known_layout known_layout;

/* claims_layout_open() with another table than known_layout. */
int claims_layout_open_known(const struct symbols *symbols, const struct known_layout *known,
			     struct claims_layout **out, struct error *error);

#endif
