/* SPDX-License-Identifier: MIT */
/*
 * percpu.h: data of this CPU, so that the fast paths of allocations share nothing.
 */
#ifndef GUEST_MM_PERCPU_H
#define GUEST_MM_PERCPU_H

#include "arch/percpu.h"
#include "mm/roots.h"

/* The data of this CPU: one load. */
static inline struct cpu_cache *this_cpu_cache(void)
{
	return arch_this_cpu_pointer();
}

/* Adds pages, or subtracts them, in this CPU's counter. */
static inline void vm_stat_add(enum vm_stat_item item, s64 pages)
{
	this_cpu_cache()->vm_stat[item] += (u64)pages;
}

/* Sums over all CPUs, which keep running. */
void vmalloc_stats_sum(struct vmalloc_stats *out);

#endif
