/* SPDX-License-Identifier: MIT */
/*
 * address.h: what an address is: a part of the layout, an area, a symbol. claims and symbols may be NULL.
 */
#ifndef VMM_INSPECT_ADDRESS_H
#define VMM_INSPECT_ADDRESS_H

#include "claims/claims.h"
#include "program/symbols.h"

/* X(kind, name in JSON and of --owner, label in the map) */
#define ADDRESS_KINDS(X)                                                                                     \
	X(UNKNOWN, "unknown", "an address of a guest whose layout is unknown")                               \
	X(NOTHING, "nothing", "nothing that the guest uses")                                                 \
	X(NULL_PAGE, "null_page", "the null page")                                                           \
	X(AREA, "area", "area")                                                                              \
	X(DEFERRED, "deferred", "freed, still mapped") /* by vfree_atomic() */                               \
	X(LAZY, "freed", "lazily freed area")                                                                \
	X(GUARD, "guard", "guard")                                                                           \
	X(STRAY, "stray", "vmalloc range, in no area")                                                       \
	X(DIRECT, "direct", "direct map")                                                                    \
	X(TEXT, "text", "image: text")                                                                       \
	X(RODATA, "rodata", "image: rodata")                                                                 \
	X(DATA, "data", "image: data")                                                                       \
	X(IMAGE, "image", "image, outside its segments")

enum address_kind {
#define ADDRESS_KIND(kind, name, text) ADDRESS_##kind,
	ADDRESS_KINDS(ADDRESS_KIND)
#undef ADDRESS_KIND
		ADDRESS_KIND_COUNT
};

const char *address_kind_name(enum address_kind kind);
const char *address_kind_label(enum address_kind kind);

/*
 * The address that `text` names by a variable of the guest's script, NAME, NAME+NUMBER or NAME-NUMBER. 1; 0 if it
 * names none; -1 with an error if the number is none, or the variable is not set. claims may be NULL.
 */
int address_of_variable(const char *text, const struct claims *claims, uint64_t *out, struct error *error);

/*
 * `address` of `name`, with `text`, "", "+NUMBER" or "-NUMBER", added. -1 with an error if the number is none, or the
 * sum is not 64 bits.
 */
int address_with_offset(const char *name, uint64_t address, const char *text, uint64_t *out,
			struct error *error);

/* The kind of an area: ADDRESS_AREA, ADDRESS_DEFERRED or ADDRESS_LAZY. */
static inline enum address_kind address_area_kind(bool live, bool deferred)
{
	return !live ? ADDRESS_LAZY : deferred ? ADDRESS_DEFERRED : ADDRESS_AREA;
}

/* ADDRESS_TEXT, ADDRESS_DATA or ADDRESS_RODATA. */
enum address_kind address_segment_kind(const struct symbols_segment *segment);

/* "live", "deferred" or "lazy", for JSON. */
const char *address_area_state(const struct claim_area *area);

/*
 * "guard page of the 64 KiB area at 0xffffc90000000000, allocated by agent_vmalloc+0x20 (operations.c:50)",
 * "direct map of GPA 0x1000", "text: vmalloc+0x12 (vmalloc.c:123)", "the null page"; never empty.
 * Returns out.
 */
const char *address_explain(uint64_t gva, const struct claims *claims, struct symbols *symbols, char *out,
			    size_t size);

/*
 * "64 KiB area 'a' at 0xffffc90000000000, allocated by ...", "lazily freed 8 KiB area at ...". name: of a
 * variable, or NULL. Returns out.
 */
const char *address_area_text(const struct claim_area *area, const char *name, struct symbols *symbols,
			      char *out, size_t size);

/*
 * ", allocated by vmap+0x12 (vmap.c:34), freed and still mapped": without the caller where it has no symbol,
 * without the state where the area is not deferred. Returns out.
 */
const char *address_caller(const struct claim_area *area, struct symbols *symbols, char *out, size_t size);

#endif
