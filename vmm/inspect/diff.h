/* SPDX-License-Identifier: MIT */
/*
 * diff.h: the differences between two states of a guest, or between two guests: mappings, page-table entries,
 * areas, their contents, owners of page frames, registers.
 */
#ifndef VMM_INSPECT_DIFF_H
#define VMM_INSPECT_DIFF_H

#include "base/array.h"
#include "inspect/frames.h"

/* One of the two states. claims may be NULL. All pointers are borrowed. */
struct diff_side {
	const struct view *view;
	const struct walk_mode *mode;
	const struct claims *claims;
};

/* ---- page tables ---- */

/* How the mapping of a page differs. DIFF_MAPPED and DIFF_UNMAPPED exclude all others. */
enum diff_change {
	DIFF_MAPPED,   /* mapped after, not before */
	DIFF_UNMAPPED, /* mapped before, not after */
	DIFF_FRAMES,   /* mapped to another frame */
	DIFF_RIGHTS,   /* other effective permissions */
	DIFF_SIZE,     /* another page size */
	DIFF_TYPE,     /* another PAT entry */
	DIFF_CHANGES,
};

/* "mapped", "unmapped", "frames", "rights", "page size", "memory type" */
const char *diff_change_name(enum diff_change change);

/* The mapping of an address. page_size is 0 if it is not mapped. */
struct diff_page {
	uint64_t gpa, page_size;
	unsigned int rights, pat_index;
};

/* Contiguous pages with the same changes; their frames need not be contiguous. */
struct diff_range {
	uint64_t gva, size;
	unsigned int changes;           /* bits: 1 << enum diff_change */
	struct diff_page before, after; /* of the first byte */
};

/*
 * A paging-structure entry that differs; entries are matched by the address that they translate. Accessed and
 * dirty bits are ignored, and so are entries that are present in neither state.
 */
struct diff_entry {
	uint64_t gva;
	unsigned int level, index;
	uint64_t before, after;             /* raw; 0 if there is no such table */
	uint64_t table_before, table_after; /* GPAs; 0 if there is no such table */
};

struct diff_extent {
	uint64_t gva, size;
};

/* Limit of each list. The counters include what is not listed. */
#define DIFF_LISTED_MAX (1u << 20)

struct diff_tables {
	ARRAY_OF(struct diff_range) ranges;  /* by gva */
	ARRAY_OF(struct diff_entry) entries; /* by gva, upper levels first; empty unless requested */
	uint64_t range_count;                /* including ranges that are not listed */
	uint64_t pages;                      /* 4 KiB pages in all ranges */
	uint64_t by_change[DIFF_CHANGES];    /* 4 KiB pages with that change */
	uint64_t by_level[6];                /* differing entries, [1] to [5] */
	/* The limit of tables was met: these addresses, in order, are not compared and in no sum. */
	ARRAY_OF(struct diff_extent) not_compared;
	uint64_t bytes_not_compared;
	bool cut_short; /* there are some */
};

/*
 * Walks the tables of both states in step. Tables of level 1 that are equal byte by byte cost one memcmp(). Tables that
 * are mapped several times are compared once per level and rights. Differences in them are counted as often as they are
 * mapped, and listed where they are mapped first; the last range of the list is extended where they are its neighbours.
 * `entries` requests the list of entries. ERROR_INPUT if the numbers of levels differ, ERROR_HOST if memory
 * is out.
 */
int diff_tables(const struct diff_side *before, const struct diff_side *after, bool entries,
		struct diff_tables *out, struct error *error);
void diff_tables_destroy(struct diff_tables *tables);

/* ---- frames ---- */

/* The kind of a frame that one of the two states does not have. */
#define DIFF_NO_MEMORY FRAME_KINDS

/* Contiguous frames with the same owner before and the same owner after. */
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
	} moves[FRAME_KINDS + 1][FRAME_KINDS + 1]; /* [kind before][kind after] */
};

/* Both arguments come from claims, or both from page tables. -1 if memory is out. */
int diff_frames(const struct frames *before, const struct frames *after, struct diff_frames *out,
		struct error *error);
void diff_frames_destroy(struct diff_frames *frames);

/* ---- areas ---- */

enum diff_area_change {
	DIFF_AREA_NEW,
	DIFF_AREA_GONE,      /* its range is free, or part of another area */
	DIFF_AREA_FREED,     /* live before, or not there; deferred or lazily freed after */
	DIFF_AREA_ANEW,      /* the allocation stamps differ: another area at the same address */
	DIFF_AREA_EXTENT,    /* the range of addresses */
	DIFF_AREA_VM_SIZE,   /* vm_struct.size, with the guard */
	DIFF_AREA_PAGES,     /* nr_pages */
	DIFF_AREA_REQUESTED, /* requested_size */
	DIFF_AREA_FLAGS,
	DIFF_AREA_CALLER,
	DIFF_AREA_FRAMES, /* the frames that it claims */
	DIFF_AREA_CHANGES,
};

/* "new", "gone", "freed", "allocated anew", "size", "vm_struct size", "pages", "requested size", "flags", ... */
const char *diff_area_change_name(enum diff_area_change change);

struct diff_area {
	const struct claim_area *before, *after; /* borrowed from the claims; NULL: no such area */
	unsigned int changes;                    /* bits: 1 << enum diff_area_change */
};

struct diff_areas {
	ARRAY_OF(struct diff_area); /* by address */
};

/* Both arguments must be non-NULL. -1 if memory is out. */
int diff_areas(const struct claims *before, const struct claims *after, struct diff_areas *out,
	       struct error *error);
void diff_areas_destroy(struct diff_areas *areas);

/* ---- contents ---- */

/* Contiguous pages of an area whose contents differ. */
struct diff_contents_run {
	uint64_t gva, pages;
};

struct diff_contents {
	ARRAY_OF(struct diff_contents_run); /* by gva */
	uint64_t pages;                     /* in all runs */
	uint64_t compared; /* mapped pages of areas that are live in both states, at the same address */
};

/* Both sides must have claims. Pages that are holes in the view are not read. -1 if memory is out. */
int diff_contents(const struct diff_side *before, const struct diff_side *after, struct diff_contents *out,
		  struct error *error);
void diff_contents_destroy(struct diff_contents *contents);

/* ---- registers ---- */

struct diff_register {
	const char *name; /* "cr3" */
	unsigned int cpu;
	uint64_t before, after;
	bool translates; /* affects address translation: CR0, CR3, CR4, EFER */
};

/*
 * Iterates over the registers that differ, of CPUs that both views have. A register that one side does not know does
 * not differ: diff_not_known(). *next is the cursor, 0 at first. False at the end.
 */
bool diff_register_next(const struct view *before, const struct view *after, size_t *next,
			struct diff_register *out);

/* The registers, enum view_lacks, that a CPU of the view does not have, of those CPUs that both views have. */
unsigned int diff_not_known(const struct view *view, const struct view *other);

#endif
