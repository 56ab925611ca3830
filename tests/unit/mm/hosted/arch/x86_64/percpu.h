/* SPDX-License-Identifier: MIT */
/*
 * percpu.h: the simulated machine has one CPU. Stands in for the kernel's file.
 */
#ifndef GUEST_ARCH_PERCPU_H
#define GUEST_ARCH_PERCPU_H

#include "lib/types.h"

struct cpu;

extern u32 arch_nr_cpus;

static inline u32 arch_cpu(void)
{
	return 0;
}

#endif
