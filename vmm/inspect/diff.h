/* SPDX-License-Identifier: MIT */
/*
 * diff.h: what changed between two points of a guest, or is different in two guests: what the tables map, the
 * entries of the tables, areas, owners of frames, registers, variables of the script.
 */
#ifndef VMM_INSPECT_DIFF_H
#define VMM_INSPECT_DIFF_H

#include "base/array.h"
#include "inspect/frames.h"

/* One of the two. claims may be NULL; all borrowed. */
struct diff_side {
	const struct view *view;
	const struct walk_mode *mode;
	const struct claims *claims;
};

/* ---- the tables ---- */

/* How a page differs; several may be set but for the first two. */
enum diff_change {
	DIFF_MAPPED,   /* before, it was not */
	DIFF_UNMAPPED, /* now it is not */
	DIFF_FRAMES,   /* it is mapped to another frame */
	DIFF_RIGHTS,   /* effective ones */
	DIFF_SIZE,     /* by another size of page */
	DIFF_TYPE,     /* with another PAT entry */
	DIFF_CHANGES,
};

/* "mapped", "unmapped", "frames", "rights", "page size", "memory type" */
const char *diff_change_name(enum diff_change change);

/* How an address is mapped. page_size 0: it is not. */
struct diff_page {
	uint64_t gpa, page_size;
	unsigned int rights, pat_index;
};

/* Pages that follow one another and changed alike; their frames may lie anywhere. */
struct diff_range {
	uint64_t gva, size;
	unsigned int changes;           /* bits: 1 << enum diff_change */
	struct diff_page before, after; /* of the first byte */
};

/*
 * An entry of a page table that is not the same in both, by the addresses that it translates; accessed and
 * dirty bits do not count, nor do entries that are present in neither.
 */
struct diff_entry {
	uint64_t gva;
	unsigned int level, index;
	uint64_t before, after;             /* raw; 0 where there is no such table */
	uint64_t table_before, table_after; /* GPAs; 0 where there is no such table */
};

/* No list is longer; what is left out is counted. */
#define DIFF_LISTED_MAX (1u << 20)

struct diff_tables {
	ARRAY_OF(struct diff_range) ranges;  /* by gva */
	ARRAY_OF(struct diff_entry) entries; /* by gva, upper levels first; only if asked for */
	uint64_t range_count;                /* all of them */
	uint64_t pages;                      /* of 4 KiB, in all ranges */
	uint64_t by_change[DIFF_CHANGES];    /* those of them that changed so */
	uint64_t by_level[6];                /* entries, [1] to [5] */
	bool cut_short;                      /* one side has more tables than its memory can hold */
};

/*
 * Walks both at once. Tables of the lowest level that are the same, byte by byte, cost one comparison.
 * `entries`: list them, too. ERROR_INPUT if their tables have not equally many levels, ERROR_HOST if memory
 * is out.
 */
int diff_tables(const struct diff_side *before, const struct diff_side *after, bool entries,
		struct diff_tables *out, struct error *error);
void diff_tables_destroy(struct diff_tables *tables);

/* ---- frames ---- */

/* Where one of the two has no memory. */
#define DIFF_NO_MEMORY FRAME_KINDS

/* Frames that follow one another, of one owner before and of one after. */
struct diff_frames_run {
	uint64_t pfn, count;
	unsigned int before, after;   /* enum owner_kind, enum frame_kind or DIFF_NO_MEMORY */
	uint64_t before_of, after_of; /* as in struct frame_run */
};

struct diff_frames {
	ARRAY_OF(struct diff_frames_run) runs; /* by pfn */
	uint64_t frames;                       /* in all runs */
	struct {
		uint64_t frames, runs;
	} moves[FRAME_KINDS + 1][FRAME_KINDS + 1]; /* from one owner to the other */
};

/* Both from claims, or both from tables. -1 when memory is out. */
int diff_frames(const struct frames *before, const struct frames *after, struct diff_frames *out,
		struct error *error);
void diff_frames_destroy(struct diff_frames *frames);

/* ---- areas and variables ---- */

enum diff_area_change {
	DIFF_AREA_NEW,
	DIFF_AREA_GONE,   /* its range is free, or another's */
	DIFF_AREA_FREED,  /* it waits for its flush now */
	DIFF_AREA_ANEW,   /* handed out at another moment: it is another area at the same address */
	DIFF_AREA_EXTENT, /* size, or number of pages */
	DIFF_AREA_FLAGS,
	DIFF_AREA_CALLER,
	DIFF_AREA_FRAMES, /* those that it claims */
	DIFF_AREA_CHANGES,
};

/* "new", "gone", "freed", "allocated anew", "size", "flags", "caller", "frames" */
const char *diff_area_change_name(enum diff_area_change change);

struct diff_area {
	const struct claim_area *before, *after; /* in the claims of their side; NULL: none */
	unsigned int changes;                    /* bits: 1 << enum diff_area_change */
};

struct diff_areas {
	ARRAY_OF(struct diff_area); /* by address */
};

/* Both sides have claims. -1 when memory is out. */
int diff_areas(const struct claims *before, const struct claims *after, struct diff_areas *out,
	       struct error *error);
void diff_areas_destroy(struct diff_areas *areas);

/* ---- contents ---- */

/* Pages of an area, one after the other, that do not hold the same. */
struct diff_contents_run {
	uint64_t gva, pages;
};

struct diff_contents {
	ARRAY_OF(struct diff_contents_run); /* by gva */
	uint64_t pages;                     /* in all runs */
	uint64_t compared; /* pages of areas that live on both sides, at the same address, and are mapped */
};

/* Both sides have claims. Pages that were never touched cost nothing but the question. -1 when memory is out.
 */
int diff_contents(const struct diff_side *before, const struct diff_side *after, struct diff_contents *out,
		  struct error *error);
void diff_contents_destroy(struct diff_contents *contents);

/* ---- registers ---- */

struct diff_register {
	const char *name; /* "cr3" */
	unsigned int cpu;
	uint64_t before, after;
	bool translates; /* it decides on translations: CR0, CR3, CR4, EFER */
};

/*
 * Those of CPUs that both have that are not the same, from *next on, which begins as 0: false when there are
 * no more.
 */
bool diff_register_next(const struct view *before, const struct view *after, size_t *next,
			struct diff_register *out);

#endif
