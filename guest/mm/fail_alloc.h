/* SPDX-License-Identifier: MIT */
/*
 * fail_alloc.h: failure injection. One allocation that the memory manager makes for itself or for others fails, so
 * that the way back from each of them can be seen to leave nothing behind.
 */
#ifndef GUEST_MM_FAIL_ALLOC_H
#define GUEST_MM_FAIL_ALLOC_H

#include "lib/types.h"

/* Allocations until one fails, which is the last of them; 0: none will. */
extern u32 fail_alloc_countdown;

/* Whether the failure has been asked for and has happened. */
extern bool fail_alloc_done;

/* From here on, the nth fails. Before other CPUs allocate. */
void fail_alloc_at(u32 nth);

/* The slow way of should_fail_alloc(). */
bool fail_alloc_count(void);

/* Asked once by each allocation of frames or of an object, before it takes anything. */
static inline bool should_fail_alloc(void)
{
	return unlikely(fail_alloc_countdown) && fail_alloc_count();
}

#endif
