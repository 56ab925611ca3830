/* SPDX-License-Identifier: MIT */
/*
 * interrupt.h: whether this CPU runs an interrupt handler. Linux's names. guest/arch calls irq_enter() and
 * irq_exit() around each handler, with interrupts off.
 *
 * A handler must not wait: it allocates with GFP_ATOMIC or GFP_NOWAIT, areas cannot be made or resized, and
 * vfree() is vfree_atomic(). vfree_atomic() may interrupt any code. All other functions may interrupt only
 * code outside the memory manager, since per-CPU lists and held locks do not allow a second user on the same
 * CPU; guest/arch ensures it (arch/interrupt.h).
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
	cpu->kmalloc_fast_max = 0;
}

static inline void irq_exit(void)
{
	this_cpu_cache()->in_interrupt--;
}

#endif
