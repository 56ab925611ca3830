/* SPDX-License-Identifier: MIT */
/*
 * cycles.h: the time-stamp counter.
 */
#ifndef GUEST_ARCH_PUBLIC_CYCLES_H
#define GUEST_ARCH_PUBLIC_CYCLES_H

#include "lib/types.h"

/* TSC ticks; under QEMU's -icount shift=0 instructions of the guest. */
static inline u64 get_cycles(void)
{
	u32 low, high;

	asm volatile("rdtsc" : "=a"(low), "=d"(high));
	return (u64)high << 32 | low;
}

#endif
