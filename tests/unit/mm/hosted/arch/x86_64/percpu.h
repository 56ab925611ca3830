/* SPDX-License-Identifier: MIT */
/*
 * percpu.h: the a thread is a simulated CPU. Stands in for the kernel's file.
 */
#ifndef GUEST_ARCH_PERCPU_H
#define GUEST_ARCH_PERCPU_H

#include "lib/types.h"

struct cpu;

extern u32 arch_nr_cpus;
extern _Thread_local u32 sim_number;

static inline u32 arch_cpu(void)
{
	return sim_number;
}

#endif
