/* SPDX-License-Identifier: MIT */
/*
 * irq.h: whether this CPU takes interrupts. With one CPU they stay off, but while it waits for one that it
 * has sent itself (interrupt.h); with several they are on but where a few instructions must not be torn.
 */
#ifndef GUEST_ARCH_IRQ_H
#define GUEST_ARCH_IRQ_H

#include "lib/types.h"

/* Turns them off; what irq_restore() wants. */
static inline u64 irq_save(void)
{
	u64 flags;

	asm volatile("pushfq; pop %0; cli" : "=r"(flags) : : "memory");
	return flags;
}

static inline void irq_restore(u64 flags)
{
	asm volatile("push %0; popfq" : : "r"(flags) : "memory", "cc");
}

static inline void irq_on(void)
{
	asm volatile("sti" : : : "memory");
}

static inline void irq_off(void)
{
	asm volatile("cli" : : : "memory");
}

/* Halts until an interrupt has been handled. Interrupts are off before and after; none is lost between. */
static inline void irq_wait(void)
{
	asm volatile("sti; hlt; cli" : : : "memory");
}

#endif
