/* SPDX-License-Identifier: MIT */
/*
 * address.h: what an address is.
 */
#ifndef VMM_INSPECT_ADDRESS_H
#define VMM_INSPECT_ADDRESS_H

#include "claims/claims.h"
#include "program/symbols.h"

/*
 * "guard page of the 64 KiB area at 0xffffc90000000000, allocated by agent_vmalloc+0x20 (operations.c:50)",
 * "direct map of GPA 0x1000", "text: vmalloc+0x12 (vmalloc.c:123)", "the null page"; never empty. claims and
 * symbols may be NULL. Returns out.
 */
const char *place_explain(uint64_t gva, const struct claims *claims, struct symbols *symbols, char *out,
			  size_t size);

/* The start of an area's guard, its last KVMAP_GUARD_PAGES pages. */
uint64_t place_guard(const struct claim_area *area);

/* The area without its guard, bytes. */
uint64_t place_area_bytes(const struct claim_area *area);

/*
 * ", allocated by ...", which is left out where the caller has no symbol, and of an area that vfree_atomic()
 * has freed, that. Returns out.
 */
const char *place_caller(const struct claim_area *area, struct symbols *symbols, char *out, size_t size);

/* "live"; "deferred": freed by vfree_atomic(), and still mapped; "lazy": unmapped, and waiting for a flush.
 */
const char *place_state(const struct claim_area *area);

/* "text", "rodata" or "data" of the image, "image" where there are no symbols; NULL if it is not in the
 * image. */
const char *place_in_image(uint64_t gva, const struct symbols *symbols);

/* How often the frames of an area's chain do not follow one another, plus one; 0 for no frames. */
uint64_t place_runs(const struct claims *claims, const struct claim_area *area);

#endif
