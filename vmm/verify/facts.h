/* SPDX-License-Identifier: MIT */
/*
 * facts.h: what several invariants need to know, found out once for a verification: every leaf of the tables
 * and what it is, every page-table page, and who claims which frame. All arrays grow with what is there, none
 * with RAM.
 */
#ifndef VMM_VERIFY_FACTS_H
#define VMM_VERIFY_FACTS_H

#include "base/array.h"
#include "base/page.h"
#include "claims/owners.h"
#include "kvmap/claims.h"
#include "kvmap/layout.h"
#include "verify/verify.h"

/* The role of a leaf, by its address and the claims about that address. */
enum leaf_role {
	LEAF_OTHER,   /* none of those below: in the vmalloc range it is stray */
	LEAF_DIRECT,  /* in the direct map, at KVMAP_DIRECT_BASE + its GPA */
	LEAF_IMAGE,   /* in the image's range, at KVMAP_IMAGE_BASE + its GPA */
	LEAF_CLAIMED, /* 4K, in a live area, and the frame is the one that the area claims there; or 2M of
			 those, in a VM_HUGE area */
	LEAF_WRONG,   /* the same, in a live area that claims another frame there */
	LEAF_GUARD,   /* 4K, a guard page of a live area */
	LEAF_ALIAS,   /* 4K, in a live VM_MAP area: the frame is another's */
};

struct leaf {
	uint64_t gva;
	uint64_t gpa;
	uint8_t level;
	uint8_t rights;    /* effective, enum rights */
	uint8_t role;      /* enum leaf_role */
	uint8_t pat_index; /* of struct walk_run */
	uint32_t bits;     /* LEAF_BITS() of its entry */
};

/* The bits of an entry beside its address, its rights and its memory type: A, D, G, those of software and the key. */
#define LEAF_BITS(entry)         ((uint32_t)(((entry)&0xf60) | ((entry) >> 52 & 0x7ff) << 12))
#define LEAF_BITS_OF_ENTRY(bits) (((uint64_t)(bits)&0xf60) | (uint64_t)(bits) >> 12 << 52)

static inline uint64_t leaf_size(const struct leaf *leaf)
{
	return page_level_size(leaf->level);
}

/* Does [gpa, gpa + size) share a frame with [other, other + other_size)? Neither wraps. */
static inline bool overlaps(uint64_t gpa, uint64_t size, uint64_t other, uint64_t other_size)
{
	return gpa < other ? other - gpa < size : gpa - other < other_size;
}

/* An entry that leads nowhere. */
struct fact_damage {
	struct walk_leaf entry;
	enum walk_stop stop;
};

struct facts {
	const struct verify_input *input;
	const struct view *view;
	const struct claims *claims; /* NULL if they could not be read */

	ARRAY_OF(struct leaf) leaves; /* by GVA */
	/* key: GPA, size: level, tag: the same for those that one table points to. Once for each time that it is reached */
	struct keyed_array tables;
	ARRAY_OF(struct fact_damage) damages;
	bool cut_short; /* the tables hold more than any guest of this size can need */

	struct keyed_array live; /* live areas by va_start; tag: index into claims.areas */

	struct owners owners;           /* empty without claims */
	struct keyed_array area_frames; /* those of OWNER_AREA and OWNER_LAZY */

	const struct symbols_segment *segments; /* of the guest's file */
	size_t segment_count;
};

/* 0, or -1 when memory is out. */
int facts_build(struct facts *facts, const struct verify_input *input);
void facts_destroy(struct facts *facts);

/* Parts of facts_build. */
int facts_scan(struct facts *facts);        /* leaves, tables, damages */
int facts_name_leaves(struct facts *facts); /* live, roles */

/* Index of the first leaf that ends at gva or above; leaves.count if there is none. */
size_t facts_leaf_from(const struct facts *facts, uint64_t gva);
/* The leaf that translates gva, or NULL. */
const struct leaf *facts_leaf_at(const struct facts *facts, uint64_t gva);

/* The first claim of an area on a frame of [gpa, gpa + size), or NULL. */
const struct keyed *facts_area_frame(const struct facts *facts, uint64_t gpa, uint64_t size);
/* The first page-table page in [gpa, gpa + size), or NULL. */
const struct keyed *facts_table(const struct facts *facts, uint64_t gpa, uint64_t size);

/* Whether the leaf maps text or rodata of the guest's file. */
bool facts_maps_text(const struct facts *facts, const struct leaf *leaf);

#endif
