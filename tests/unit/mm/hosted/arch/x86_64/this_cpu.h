/* SPDX-License-Identifier: MIT */
/*
 * this_cpu.h: a thread is a simulated CPU. Stands in for the kernel's file.
 */
#ifndef GUEST_ARCH_THIS_CPU_H
#define GUEST_ARCH_THIS_CPU_H

/* Of the thread that runs: see sim.h. */
extern _Thread_local struct cpu_cache *sim_cpu_cache;

static inline void *arch_this_cpu_pointer(void)
{
	return sim_cpu_cache;
}

#endif
