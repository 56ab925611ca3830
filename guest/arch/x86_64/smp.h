/* SPDX-License-Identifier: MIT */
/*
 * smp.h: the CPUs besides the one that boots: starting them, giving them work, and being idle.
 */
#ifndef GUEST_ARCH_SMP_H
#define GUEST_ARCH_SMP_H

#include "arch/x86_64/percpu.h"

/* What each CPU but the first needs: its stacks, GDT and TSS. Zeroed RAM in the direct map, page-aligned. */
#define CPU_BLOCK_SIZE 0x4000

/* Starts CPUs 1 to nr - 1, whose blocks follow each other at `blocks`; all are idle when it returns. */
void smp_start(u32 nr, u8 *blocks);

/* Runs work(argument) on another CPU; this one, CPU 0, is idle meanwhile. */
void smp_call(u32 cpu, void (*work)(void *argument), void *argument);

/*
 * Runs work(argument) on each CPU of the set, bit n for CPU n, at the same time; CPU 0, which calls this,
 * does its part by itself. Returns when all have.
 */
void smp_call_many(u64 set, void (*work)(void *argument), void *argument);

/* True if the CPU is idle: it will flush everything when it wakes, and needs no interrupt. A full barrier. */
bool cpu_defer_flush(struct cpu *cpu);

/* Sets a CPU going that is idle or about to be. */
void cpu_wake(struct cpu *cpu);

#endif
