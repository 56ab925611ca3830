/* SPDX-License-Identifier: MIT */
/*
 * fail_alloc.c: the countdown to the injected failure. Each call counts once, also with several CPUs.
 */
#include "mm/fail_alloc.h"

u32 fail_alloc_countdown;
bool fail_alloc_done, fail_alloc_now;

void fail_alloc_at(u32 nth)
{
	fail_alloc_countdown = nth;
	fail_alloc_done = false;
	fail_alloc_now = false;
}

bool fail_alloc_count(void)
{
	u32 left = __atomic_load_n(&fail_alloc_countdown, __ATOMIC_RELAXED);

	while (left && !__atomic_compare_exchange_n(&fail_alloc_countdown, &left, left - 1, false,
						    __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
	if (left != 1)
		return false;
	__atomic_store_n(&fail_alloc_done, true, __ATOMIC_RELAXED);
	WRITE_ONCE(fail_alloc_now, true);
	return true;
}
