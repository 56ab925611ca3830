/* SPDX-License-Identifier: MIT */
/*
 * apic.h: the local APIC, by which CPUs start and interrupt each other (SDM vol. 3A 11).
 */
#ifndef GUEST_ARCH_APIC_H
#define GUEST_ARCH_APIC_H

#include "lib/types.h"

/* traps.S has gates for these. */
#define VECTOR_IPI      32
#define VECTOR_SPURIOUS 33
#define VECTOR_WORK     34

/* Masks all interrupts of the two 8259A, where they exist. */
void pic_mask(void);

/* Once, on the boot CPU: x2APIC mode where CPUID offers it, else the registers in memory. */
void apic_init(void);

/* On each CPU. */
void apic_enable(void);

/* Interrupts a CPU with VECTOR_IPI. */
void apic_send(u32 cpu);

/* Interrupts this CPU with VECTOR_WORK, once its interrupts are on. */
void apic_send_self(void);

/* Starts a CPU in real mode at `gpa`, a page below 1 MiB. */
void apic_start(u32 cpu, u32 gpa);

/* The interrupt in service is done. */
void apic_eoi(void);

#endif
