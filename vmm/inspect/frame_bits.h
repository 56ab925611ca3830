/* SPDX-License-Identifier: MIT */
/*
 * frame_bits.h: sets of frames of a view's memory, a bit for each. For map_check.c.
 */
#ifndef VMM_INSPECT_FRAME_BITS_H
#define VMM_INSPECT_FRAME_BITS_H

#include "base/page.h"
#include "view/view.h"

/* Which bits are a region's. */
struct frame_index {
	const struct view *view;
	uint64_t *first_bit; /* by region */
	uint64_t bits;
};

/* 0, or -1 when memory is out. */
int frame_index_open(struct frame_index *index, const struct view *view);
void frame_index_close(struct frame_index *index);

/* An empty set, to be freed; NULL when memory is out. */
uint64_t *frame_bits_new(const struct frame_index *index);

/*
 * The first stretch of [gpa, end) that is memory: its first bit and how many; *next_out is where to go on.
 * False: there is none. gpa and end are whole frames.
 */
bool frame_bits_next(const struct frame_index *index, uint64_t gpa, uint64_t end, uint64_t *first_out,
		     uint64_t *count_out, uint64_t *next_out);

/* Puts the frames into the set; those that were in it, into `again` too, which may be NULL. */
void frame_bits_set(uint64_t *bits, uint64_t *again, uint64_t first, uint64_t count);

/* The first bit of [first, end) that is in the set; end if none is. */
uint64_t frame_bits_find(const uint64_t *bits, uint64_t first, uint64_t end);

#endif
