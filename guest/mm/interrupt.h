/* SPDX-License-Identifier: MIT */
/*
 * interrupt.h: whether a CPU runs an interrupt's handler. Linux's names. guest/arch calls irq_enter() and
 * irq_exit() around each; an interrupt comes with interrupts off.
 *
 * In a handler nothing may be waited for: what wants memory there says GFP_ATOMIC or GFP_NOWAIT, areas are
 * not made, and vfree() is vfree_atomic(). That one may come anywhere. All else may come only where the
 * interrupted code is not in the memory manager: the lists that a CPU keeps, and the locks that it holds, do
 * not expect a second user on the same CPU. guest/arch sees to that (interrupt.h there).
 */
#ifndef GUEST_MM_INTERRUPT_H
#define GUEST_MM_INTERRUPT_H

#include "mm/percpu.h"

static inline bool in_interrupt(void)
{
	return this_cpu_cache()->in_interrupt;
}

static inline void irq_enter(void)
{
	struct cpu_cache *cpu = this_cpu_cache();

	cpu->in_interrupt++;
	cpu->kmalloc_quick = 0;
}

static inline void irq_exit(void)
{
	this_cpu_cache()->in_interrupt--;
}

#endif
