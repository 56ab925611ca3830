/* SPDX-License-Identifier: MIT */
/*
 * warn.h: what the memory manager has refused, for a warning: who called, and which area it was about.
 * Whoever uses the memory manager asks for it and shows it; the manager prints nothing.
 *
 * The caller is where the function returns to that was called. One that ends in another passes its own caller
 * on: such calls are jumps.
 */
#ifndef GUEST_MM_WARN_H
#define GUEST_MM_WARN_H

#include "kvmap/operation.h"
#include "mm/gfp.h"

struct refusal {
	u32 status; /* enum kvmap_status */
	bool in_interrupt;
	const void *caller;
	unsigned long addr; /* that was given, 0: none */
	/* What addr lies in: an area, without its guard page, or an object or block of kmalloc(). 0: nothing
	 * known. */
	unsigned long area, area_size;
	const void *area_caller; /* who allocated it; NULL: not known */
};

/* This CPU's newest. caller NULL: the request wants no warning (__GFP_NOWARN). */
void refusal_note(u32 status, unsigned long addr, const void *caller);

/* The caller to be named when gfp was refused: NULL where memory is out, or never was so much, and that is no
 * news. */
static inline const void *warn_caller(u32 status, gfp_t gfp, const void *caller)
{
	bool out = status == KVMAP_REFUSED_NO_MEMORY || status == KVMAP_REFUSED_NO_SPACE ||
		   status == KVMAP_REFUSED_TOO_LARGE;

	return out && gfp & __GFP_NOWARN ? NULL : caller;
}

/* The newest since this was asked last on this CPU; false if there was none. */
bool refusal_take(struct refusal *out);

#endif
