/* SPDX-License-Identifier: MIT */
/*
 * frames.h: the guest's RAM, frame by frame: who has each, how its frames are scattered, and for one frame
 * everything that reaches it.
 */
#ifndef VMM_INSPECT_FRAMES_H
#define VMM_INSPECT_FRAMES_H

#include "base/array.h"
#include "claims/owners.h"

/*
 * Who has a frame. Where the guest makes claims: an enum owner_kind, or one of the first three here. Where it
 * makes none, what the tables say: one of the others.
 */
enum frame_kind {
	FRAME_NOBODY = OWNER_KINDS, /* RAM of the guest that nobody claims */
	FRAME_SEVERAL,              /* more than one claim */
	FRAME_STRANGE,              /* memory of the view that the guest does not claim as RAM */

	FRAME_TABLE,     /* a page-table page that the walk entered */
	FRAME_ALIASED,   /* mapped at two addresses or more */
	FRAME_UNTOUCHED, /* in a hole of the view's memory, and mapped once at most */
	FRAME_MAPPED,    /* mapped once */
	FRAME_UNMAPPED,  /* written once upon a time, and mapped nowhere */
	FRAME_KINDS,
};

struct frame_kind_info {
	const char *name; /* "page table", "live area", "mapped once" */
	char letter;      /* for a map of many frames: lower case, or punctuation */
	bool in_use;      /* somebody's, or written to; else it is free or was never touched */
	bool wrong;       /* a frame must not be so */
};

/* By enum owner_kind and enum frame_kind. */
extern const struct frame_kind_info frame_kinds[FRAME_KINDS];

/* Frames that follow one another and have one owner. */
struct frame_run {
	uint64_t pfn, count;
	unsigned int kind; /* enum owner_kind or enum frame_kind */
	/* Whose, where that can be told: OWNER_AREA, OWNER_LAZY: va_start of the area; OWNER_SLAB: the number
	 * of the cache; else 0. */
	uint64_t of;
};

struct frames {
	ARRAY_OF(struct frame_run) runs; /* by pfn; together the memory of the view */
	uint64_t total;
	uint64_t by_kind[FRAME_KINDS];
	bool from_claims;
	bool cut_short; /* from tables: there are more of them than the view's memory can hold */
};

/*
 * The owner of each frame of the view's memory: from the claims, or, if they are NULL, from the tables. Cost:
 * the claims, or the tables and a bit or two for each frame of the view. -1 only when memory is out.
 */
int frames_collect(const struct view *view, const struct walk_mode *mode, const struct claims *claims,
		   struct frames *out, struct error *error);
void frames_destroy(struct frames *frames);

/* The run that holds a frame, or NULL: no memory is there. */
const struct frame_run *frames_find(const struct frames *frames, uint64_t pfn);

/* ---- scatter ---- */

/* Item i counts what lies in [2^i, 2^(i+1)). */
#define FRAME_BUCKETS 40

/* How the frames of virtually contiguous pages of equal rights lie, as the tables say. */
struct frame_scatter {
	uint64_t pages; /* of 4 KiB; a large page counts as many */
	uint64_t ranges;
	uint64_t next;                     /* neighbours whose frames follow one another, in this order */
	uint64_t same;                     /* neighbours that have the same frame */
	uint64_t distances[FRAME_BUCKETS]; /* all other neighbours, by the distance of their frames */
	uint64_t runs;                     /* physically contiguous */
	uint64_t lengths[FRAME_BUCKETS];   /* runs, by their pages */
	uint64_t longest;                  /* run, in pages */
	bool cut_short;
};

/* Of all leaves in [start, end], both inclusive. */
void frames_scatter(const struct view *view, const struct walk_mode *mode, uint64_t start, uint64_t end,
		    struct frame_scatter *out);

/* ---- one frame ---- */

/* An entry of a page table that leads to the frame. */
struct frame_reach {
	uint64_t gva;        /* the first address that it translates to a byte of the frame */
	uint64_t entry;      /* raw */
	uint64_t table;      /* GPA of the table in which it stands */
	unsigned int index;  /* in that table */
	unsigned int level;  /* of that table; 0: no entry, CR3 itself points to the frame */
	unsigned int rights; /* of a leaf: effective */
	bool is_leaf;        /* else the frame is the page-table page that it points to */
};

struct frame_reaches {
	ARRAY_OF(struct frame_reach)
	list;                    /* in the order of the walk: by gva, tables before what they hold */
	uint64_t leaves, tables; /* all of them, also where the list was cut */
	bool cut_short;          /* the walk was, by its limit */
};

/* No list is longer, whatever is asked for. */
#define FRAME_REACHES_MAX (1u << 22)

/* Every way to frame `pfn` through the tables; the first `limit` of them are listed. -1: memory is out. */
int frames_reach(const struct view *view, const struct walk_mode *mode, uint64_t pfn, size_t limit,
		 struct frame_reaches *out, struct error *error);
void frame_reaches_destroy(struct frame_reaches *reaches);

#endif
