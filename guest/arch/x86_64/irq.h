/* SPDX-License-Identifier: MIT */
/*
 * irq.h: the interrupt flag of this CPU. With one CPU interrupts are off, except while interrupt_run() waits.
 * With several they are on, except in short sections that must not be interrupted.
 */
#ifndef GUEST_ARCH_IRQ_H
#define GUEST_ARCH_IRQ_H

#include "lib/types.h"

/* Disables interrupts; returns the flags for irq_restore(). */
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

/* Halts until an interrupt was handled. Interrupts are off before and after; none is lost in between. */
static inline void irq_wait(void)
{
	asm volatile("sti; hlt; cli" : : : "memory");
}

#endif
