/* SPDX-License-Identifier: MIT */
/*
 * percpu.h: the CPU that runs. GS.base of CPU n is n * sizeof(struct cpu), so that %gs:cpus is the first byte
 * of cpus[n] (arch/x86_64/percpu.h). A hosted build puts its own file of this name first on the include path.
 */
#ifndef GUEST_ARCH_PUBLIC_PERCPU_H
#define GUEST_ARCH_PUBLIC_PERCPU_H

#include "lib/types.h"

/* Number of CPUs in use; they are numbered from 0, the boot CPU. Set before the others start. */
extern u32 arch_nr_cpus;

/* Number of this CPU. */
static inline u32 arch_cpu(void)
{
	u32 number;

	asm("mov %%gs:cpus, %0" : "=r"(number));
	return number;
}

/* struct cpu.cache of this CPU. */
static inline void *arch_this_cpu_pointer(void)
{
	void *pointer;

	asm("mov %%gs:cpus + 16, %0" : "=r"(pointer)); /* offset: arch/x86_64/percpu.h */
	return pointer;
}

#endif
