/* SPDX-License-Identifier: MIT */
/*
 * apic.h: the local APIC, with which CPUs start and interrupt each other (SDM vol. 3A 11).
 */
#ifndef GUEST_ARCH_APIC_H
#define GUEST_ARCH_APIC_H

#include "lib/types.h"

/* Vectors; traps.S has their gates. */
#define VECTOR_IPI      32
#define VECTOR_SPURIOUS 33
#define VECTOR_WORK     34

/* Masks all interrupts of both 8259A. */
void pic_mask(void);

/* Selects x2APIC mode if CPUID reports it, else xAPIC mode. Called once, on the boot CPU. */
void apic_init(void);

/* Enables this CPU's local APIC. */
void apic_enable(void);

/* Interrupts a CPU with VECTOR_IPI. */
void apic_send(u32 cpu);

/* Interrupts this CPU with VECTOR_WORK, once its interrupts are on. */
void apic_send_self(void);

/* Starts a CPU in real mode at `gpa`, a page below 1 MiB. */
void apic_start(u32 cpu, u32 gpa);

/* Signals the end of the interrupt in service. */
void apic_eoi(void);

#endif
