/* SPDX-License-Identifier: MIT */
/*
 * fail_alloc.c: counts down. CPUs that count at the same time have a turn each.
 */
#include "mm/fail_alloc.h"

u32 fail_allocation;
bool fail_allocation_done;

void fail_allocation_at(u32 nth)
{
	fail_allocation = nth;
	fail_allocation_done = false;
}

bool fail_allocation_count(void)
{
	u32 left = __atomic_load_n(&fail_allocation, __ATOMIC_RELAXED);

	while (left && !__atomic_compare_exchange_n(&fail_allocation, &left, left - 1, false,
						    __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
	if (left != 1)
		return false;
	__atomic_store_n(&fail_allocation_done, true, __ATOMIC_RELAXED);
	return true;
}
