/* SPDX-License-Identifier: MIT */
/*
 * this_cpu.h: struct cpu.cache of the CPU that runs (percpu.h). A hosted build puts its own file of this name
 * first on the include path.
 */
#ifndef GUEST_ARCH_THIS_CPU_H
#define GUEST_ARCH_THIS_CPU_H

static inline void *arch_this_cpu_pointer(void)
{
	void *pointer;

	asm("mov %%gs:cpus + 16, %0" : "=r"(pointer)); /* offset: percpu.h */
	return pointer;
}

#endif
