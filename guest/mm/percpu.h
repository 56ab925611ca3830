/* SPDX-License-Identifier: MIT */
/*
 * percpu.h: what each CPU keeps for itself, so that the common path of an allocation shares nothing.
 */
#ifndef GUEST_MM_PERCPU_H
#define GUEST_MM_PERCPU_H

#include "mm/mm_types.h"

extern struct cpu_cache cpu_caches[NR_CPUS];

/* Of the CPU that runs. */
static inline struct cpu_cache *this_cpu_cache(void)
{
	return &cpu_caches[0];
}

#endif
