/* SPDX-License-Identifier: MIT */
/*
 * percpu.h: a thread is a simulated CPU. Replaces the kernel's file.
 */
#ifndef GUEST_ARCH_PUBLIC_PERCPU_H
#define GUEST_ARCH_PUBLIC_PERCPU_H

#include "lib/types.h"

extern u32 arch_nr_cpus;

/* Of the thread that runs: see sim.h. */
extern _Thread_local u32 sim_number;
extern _Thread_local struct cpu_cache *sim_cpu_cache;

static inline u32 arch_cpu(void)
{
	return sim_number;
}

static inline void *arch_this_cpu_pointer(void)
{
	return sim_cpu_cache;
}

#endif
