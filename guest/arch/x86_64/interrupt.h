/* SPDX-License-Identifier: MIT */
/*
 * interrupt.h: running something in an interrupt's handler.
 *
 * Interrupts that stop the memory manager anywhere are those of flushes (shootdown.h), whose handler
 * allocates nothing and takes no lock. The one that does more is sent by a CPU to itself, here, where it is
 * not in the memory manager.
 */
#ifndef GUEST_ARCH_INTERRUPT_H
#define GUEST_ARCH_INTERRUPT_H

#include "lib/types.h"

/* Whether this machine has been given what it takes: a local APIC. */
extern bool interrupts_possible;

/* Runs work(argument) in the handler of an interrupt of this CPU, and returns when it has returned. */
void interrupt_run(void (*work)(void *argument), void *argument);

/* For traps.c: in that handler. */
void interrupt_work(void);

#endif
