/* SPDX-License-Identifier: MIT */
/*
 * this_cpu.h: what a CPU finds without a search: the pointer that guest/arch keeps for it, to the memory
 * manager's struct cpu_cache.
 */
#ifndef GUEST_LIB_THIS_CPU_H
#define GUEST_LIB_THIS_CPU_H

#include "arch/x86_64/this_cpu.h"

static inline void *this_cpu_pointer(void)
{
	return arch_this_cpu_pointer();
}

#endif
