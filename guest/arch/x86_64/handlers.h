/* SPDX-License-Identifier: MIT */
/*
 * handlers.h: handlers of interrupts and exceptions.
 */
#ifndef GUEST_ARCH_HANDLERS_H
#define GUEST_ARCH_HANDLERS_H

#include "lib/types.h"

struct registers;

/* The handler of VECTOR_WORK: runs the function of interrupt_run(). */
void interrupt_work(void);

/* The handler of VECTOR_IPI: flushes if this CPU has a pending shootdown. */
void shootdown_handle(void);

/* Called by traps.S for every exception and interrupt. */
void trap_handle(struct registers *registers);

#endif
