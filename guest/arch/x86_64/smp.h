/* SPDX-License-Identifier: MIT */
/*
 * smp.h: starting CPUs, and idle CPUs.
 */
#ifndef GUEST_ARCH_SMP_H
#define GUEST_ARCH_SMP_H

#include "arch/smp.h"
#include "arch/x86_64/percpu.h"

/* Stacks, GDT and TSS of a CPU that the boot CPU starts, in bytes. */
#define CPU_ENTRY_AREA_SIZE 0x4000

/*
 * Sets the memory of the entry areas of CPUs 1, 2, ..., contiguous from `areas` on: zeroed RAM in the direct
 * map, page-aligned.
 */
void smp_set_entry_areas(u8 *areas);

/*
 * True if the CPU is idle: it then flushes all translations when it wakes, and needs no interrupt. Full
 * memory barrier.
 */
bool cpu_defer_flush(struct cpu *cpu);

#endif
