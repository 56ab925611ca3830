/* SPDX-License-Identifier: MIT */
/*
 * frames.h: the guest's page frames: the owner of each, how scattered the frames of contiguous pages are, and
 * all page-table entries that map one frame.
 */
#ifndef VMM_INSPECT_FRAMES_H
#define VMM_INSPECT_FRAMES_H

#include "base/array.h"
#include "claims/owners.h"

/*
 * The owner of a frame. With claims: an enum owner_kind, or one of the first three values here. Without
 * claims, by the page tables: one of the others.
 */
enum frame_kind {
	FRAME_NO_OWNER = OWNER_KINDS, /* RAM of the guest without a claim */
	FRAME_SEVERAL,                /* more than one claim */
	FRAME_STRANGE,                /* memory of the view that the guest does not claim as RAM */

	FRAME_TABLE,     /* a page-table page that the walk entered */
	FRAME_ALIASED,   /* mapped at two or more addresses */
	FRAME_UNTOUCHED, /* in a hole of the view's memory, and mapped at most once */
	FRAME_MAPPED,    /* mapped once */
	FRAME_UNMAPPED,  /* not a hole, and not mapped */
	FRAME_KINDS,
};

struct frame_kind_info {
	const char *name; /* "page table", "live area", "mapped once" */
	char letter;      /* in a map of many frames: lower case, or punctuation */
	bool in_use;      /* allocated or written to; false: free or never touched */
	bool wrong;       /* a finding */
};

/* By enum owner_kind and enum frame_kind. */
extern const struct frame_kind_info frame_kinds[FRAME_KINDS];

/* Contiguous frames of one owner. */
struct frame_run {
	uint64_t pfn, count;
	unsigned int kind; /* enum owner_kind or enum frame_kind */
	/* OWNER_AREA, OWNER_LAZY: va_start of the area; OWNER_SLAB: index of the cache; FRAME_UNTOUCHED: what it would
	 * be if it was touched, FRAME_MAPPED or FRAME_UNMAPPED; else 0. */
	uint64_t of;
};

struct frames {
	ARRAY_OF(struct frame_run) runs; /* by pfn; they cover the memory of the view */
	uint64_t total;
	uint64_t by_kind[FRAME_KINDS];
	bool from_claims;
	bool cut_short; /* without claims: there are more page tables than the view's memory can hold */
};

/*
 * Collects the owner of each frame of the view's memory from the claims, or from the page tables if claims is
 * NULL. Without claims it needs about a byte of memory per frame of the view. -1 only if memory is out.
 */
int frames_collect(const struct view *view, const struct walk_mode *mode, const struct claims *claims,
		   struct frames *out, struct error *error);
void frames_destroy(struct frames *frames);

/* The run that contains a frame, or NULL if the view has no memory there. */
const struct frame_run *frames_find(const struct frames *frames, uint64_t pfn);

/* ---- scatter ---- */

/* Histograms are logarithmic: bucket i counts values in [2^i, 2^(i+1)). */
#define FRAME_BUCKETS 40

/*
 * Physical contiguity of the mapped ranges: virtually contiguous pages with the same permissions. A pair is
 * two neighbouring pages of a range.
 */
struct frame_scatter {
	uint64_t pages; /* in units of 4 KiB */
	uint64_t ranges;
	uint64_t next;                     /* pairs whose second frame follows the first */
	uint64_t same;                     /* pairs that map the same frame */
	uint64_t distances[FRAME_BUCKETS]; /* all other pairs, by the distance of their frames */
	uint64_t runs;                     /* physically contiguous */
	uint64_t lengths[FRAME_BUCKETS];   /* runs, by length in pages */
	uint64_t longest;                  /* run, in pages */
	/* Bytes of virtual addresses that tables translate which are mapped again: each table counts once. */
	uint64_t repeated;
	bool cut_short; /* the limit of tables ended the walk */
};

/* Covers all leaves in [start, end], both inclusive. */
void frames_scatter(const struct view *view, const struct walk_mode *mode, uint64_t start, uint64_t end,
		    struct frame_scatter *out);

/* ---- one frame ---- */

/* A paging-structure entry that points to the frame. */
struct frame_reach {
	uint64_t gva;        /* the first address that it translates to a byte of the frame */
	uint64_t entry;      /* raw */
	uint64_t table;      /* GPA of the table that contains it */
	unsigned int index;  /* in that table */
	unsigned int level;  /* of that table; 0: not an entry, CR3 points to the frame */
	unsigned int rights; /* of a leaf: effective permissions */
	bool is_leaf;        /* false: the frame is the page-table page that the entry points to */
};

struct frame_reaches {
	ARRAY_OF(struct frame_reach)
	list;                    /* in walk order: by gva, a table before its entries */
	uint64_t leaves, tables; /* numbers of entries, including those beyond the limit of the list */
	uint64_t writable;       /* of the leaves */
	bool cut_short;          /* the limit of tables ended the walk */
};

/* Upper bound of `limit`. */
#define FRAME_REACHES_MAX (1u << 22)

/* Finds every entry that points to frame `pfn` and lists the first `limit` of them. -1 if memory is out. */
int frames_reach(const struct view *view, const struct walk_mode *mode, uint64_t pfn, size_t limit,
		 struct frame_reaches *out, struct error *error);
void frame_reaches_destroy(struct frame_reaches *reaches);

#endif
