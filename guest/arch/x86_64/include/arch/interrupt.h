/* SPDX-License-Identifier: MIT */
/*
 * interrupt.h: running a function in an interrupt handler.
 *
 * Two kinds of interrupts exist. TLB shootdowns interrupt the memory manager anywhere; their handler
 * allocates nothing and takes no lock. The other kind is sent by a CPU to itself, by interrupt_run(), which
 * must not be called inside the memory manager.
 */
#ifndef GUEST_ARCH_PUBLIC_INTERRUPT_H
#define GUEST_ARCH_PUBLIC_INTERRUPT_H

#include "lib/types.h"

/* Whether this machine has a local APIC that was set up. */
extern bool interrupts_possible;

/* Runs work(argument) in the handler of an interrupt of this CPU; returns when the handler has returned. */
void interrupt_run(void (*work)(void *argument), void *argument);

#ifdef CHECK_LOCKS

/* Whether this CPU runs the work of interrupt_run(). */
bool interrupt_is_work(void);

/* Whether this CPU takes interrupts. */
static inline bool interrupts_on(void)
{
	u64 flags;

	asm volatile("pushfq; pop %0" : "=r"(flags));
	return flags & 1 << 9;
}

#endif
#endif
