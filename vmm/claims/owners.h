/* SPDX-License-Identifier: MIT */
/*
 * owners.h: the claimed owners of page frames, from all of the guest's lists, sorted by frame. Page tables
 * are not read.
 */
#ifndef VMM_CLAIMS_OWNERS_H
#define VMM_CLAIMS_OWNERS_H

#include "claims/claims.h"
#include "base/keyed.h"

/* The kind of owner, in the upper 4 bits of a keyed.tag; the lower 28 are an index. */
enum owner_kind {
	OWNER_FREE,  /* a free buddy block; index into claims.free_buddy_blocks */
	OWNER_FRESH, /* a zone's fresh range; index into claims.zones */
	OWNER_RESERVED,
	OWNER_TABLE,
	OWNER_AREA, /* index into claims.areas; live */
	OWNER_LAZY, /* index into claims.areas; lazily freed */
	OWNER_SLAB, /* index into claims.caches */
	OWNER_HELD,
	OWNER_KMALLOC, /* a buddy block of alloc_pages() or a large kmalloc(), by its struct page */
	OWNER_PCP,     /* on a per-CPU list */
	OWNER_KINDS,
};
#define OWNER_TAG(kind, index) ((uint32_t)(kind) << 28 | (uint32_t)(index))
#define OWNER_KIND(tag)        ((enum owner_kind)((tag) >> 28))
#define OWNER_INDEX(tag)       ((tag)&0x0fffffffu)

struct owners {
	/*
	 * By pfn; claims may overlap. size is the number of frames; for OWNER_AREA and OWNER_LAZY, which
	 * claim one frame each, it is the index of the page in its area.
	 */
	struct keyed_array list;
	/* RAM by the guest's memblock, in frames, end exclusive, sorted, merged. */
	struct {
		uint64_t start, end;
	} memory[KVMAP_MEMBLOCK_REGIONS_MAX];
	unsigned int memory_count;
};

/* 0, or -1 if memory runs out. *out is to be destroyed in both cases. */
int owners_collect(const struct claims *claims, struct owners *out);
void owners_destroy(struct owners *owners);

/* The owner of a frame, or NULL. Where claims overlap, only the one with the largest first frame counts. */
const struct keyed *owners_find(const struct owners *owners, uint64_t pfn);

/* Number of frames that an item of the list claims. */
uint64_t owner_frames(const struct keyed *owner);

/* "a free block", "a page table", "a live area" ... */
const char *owner_kind_name(enum owner_kind kind);

/* The struct page of a frame; NULL if it is all zero. */
const struct claim_page *claims_page(const struct claims *claims, uint64_t pfn);

/* True for a frame of an area's buddy block other than its first: it has no owner of its own. */
bool claims_in_area_buddy_block(const struct claims *claims, uint64_t pfn);

/* The name of struct page.owner: "no owner", "free", "page table" ...; "no owner" if page is NULL. */
const char *page_owner_name(const struct claim_page *page);

#endif
