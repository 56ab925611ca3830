/* SPDX-License-Identifier: MIT */
/*
 * bugs_locks.c: bugs that only a guest with checks of locks shows.
 */
#include "bugs_parts.h"

#include "mm/interrupt.h"
#include "mm/locks.h"
#include "mm/vmalloc/vmap.h"

void __wrap_shootdown_handle(void);
void __real_shootdown_handle(void);

/* Takes two locks against the order of the table. */
u32 lock_order(void)
{
	spin_lock(&free_vmap_area_lock);
	spin_lock(&vmap_area_lock);
	spin_unlock(&vmap_area_lock);
	spin_unlock(&free_vmap_area_lock);
	return KVMAP_OK;
}

/* Searches the busy tree without its lock. */
u32 lock_left_out(void)
{
	return vmap_busy_find(live_area(0)->va_start) ? KVMAP_OK : KVMAP_REFUSED_NOT_AN_AREA;
}

static bool lock_in_next_flush;

/* The handler of the next shootdown takes a lock that is otherwise taken with interrupts on. */
u32 lock_in_interrupt(void)
{
	lock_in_next_flush = true;
	return KVMAP_OK;
}

void __wrap_shootdown_handle(void)
{
	if (in_interrupt() && lock_in_next_flush) {
		lock_in_next_flush = false;
		spin_lock(&vmap_area_lock);
		spin_unlock(&vmap_area_lock);
	}
	__real_shootdown_handle();
}
