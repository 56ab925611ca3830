/* SPDX-License-Identifier: MIT */
/*
 * owners.h: who claims which frame, from all of the guest's lists, sorted by frame. Claims only: nothing here
 * has looked at a page table.
 */
#ifndef VMM_CLAIMS_OWNERS_H
#define VMM_CLAIMS_OWNERS_H

#include "claims/claims.h"
#include "base/keyed.h"

/* Who claims a frame: the upper 4 bits of a keyed.tag; the others are an index. */
enum owner_kind {
	OWNER_FREE,  /* index into claims.free_blocks */
	OWNER_FRESH, /* of a zone */
	OWNER_RESERVED,
	OWNER_TABLE,
	OWNER_AREA, /* index into claims.areas; live */
	OWNER_LAZY, /* index into claims.areas; waits for its flush */
	OWNER_SLAB, /* index into claims.caches */
	OWNER_HELD,
	OWNER_KMALLOC, /* a block of alloc_pages() or a large kmalloc(), by its struct page */
	OWNER_PCP,     /* kept by a CPU */
	OWNER_KINDS,
};
#define OWNER_TAG(kind, index) ((uint32_t)(kind) << 28 | (uint32_t)(index))
#define OWNER_KIND(tag)        ((enum owner_kind)((tag) >> 28))
#define OWNER_INDEX(tag)       ((tag)&0x0fffffffu)

struct owners {
	/*
	 * By pfn; claims may overlap. size is the number of frames, but the index of the page in its area for
	 * OWNER_AREA and OWNER_LAZY, which claim one frame each.
	 */
	struct keyed_array list;
	/* RAM as the guest claims it, in frames, end exclusive, sorted, merged. */
	struct {
		uint64_t start, end;
	} memory[16];
	unsigned int memory_count;
};

/* 0, or -1 when memory is out; *out is to be destroyed then, too. */
int owners_collect(const struct claims *claims, struct owners *out);
void owners_destroy(struct owners *owners);

/* The claim that holds a frame (where several do, one of them), or NULL. */
const struct keyed *owners_find(const struct owners *owners, uint64_t pfn);

/* How many frames an item of the list claims. */
uint64_t owner_frames(const struct keyed *owner);

/* "a free block", "a page table", "a live area" ... */
const char *owner_kind_name(enum owner_kind kind);

/* The struct page of a frame, or NULL: it is all zero. */
const struct claim_page *claims_page(const struct claims *claims, uint64_t pfn);

/* Lies the frame behind the first one of a block of an area? It has no owner of its own then. */
bool claims_in_area_block(const struct claims *claims, uint64_t pfn);

/* What struct page.owner says: "nobody", "free", "page table" ...; page may be NULL. */
const char *page_owner_name(const struct claim_page *page);

#endif
