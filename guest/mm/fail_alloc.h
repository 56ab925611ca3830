/* SPDX-License-Identifier: MIT */
/*
 * fail_alloc.h: failure injection. One chosen allocation of the memory manager fails, so that tests can
 * verify that each error path undoes everything.
 */
#ifndef GUEST_MM_FAIL_ALLOC_H
#define GUEST_MM_FAIL_ALLOC_H

#include "lib/types.h"

/* Allocations until the injected failure, including it; 0 = none will fail. */
extern u32 fail_alloc_countdown;

/* Whether the injected failure has happened. */
extern bool fail_alloc_done;

/*
 * Whether an allocation of the operation in progress was made to fail: then it is not attempted again with
 * the reserve or with reclaimed memory, so that a failure is seen. The user of the memory manager resets it
 * with each operation.
 */
extern bool fail_alloc_now;

/* Makes the nth allocation from now on fail. Called before other CPUs allocate. */
void fail_alloc_at(u32 nth);

/* Slow path of should_fail_alloc(). */
bool fail_alloc_count(void);

/* Called once by each allocation of frames or of an object, before it changes anything. */
static inline bool should_fail_alloc(void)
{
	return unlikely(fail_alloc_countdown) && fail_alloc_count();
}

#endif
