/* SPDX-License-Identifier: MIT */
/*
 * smp.h: running functions on other CPUs. All CPUs but CPU 0 are idle unless one of these gives them work.
 */
#ifndef GUEST_ARCH_PUBLIC_SMP_H
#define GUEST_ARCH_PUBLIC_SMP_H

#include "arch/percpu.h"
#include "kvmap/boot.h"

/* Starts the CPUs and sets up the local APIC as the boot record requests. Once, after mm is initialised. */
void smp_init(const struct kvmap_boot *record);

/* Runs work(argument) on another CPU. Called on CPU 0, which is idle until it returns. */
void smp_call(u32 cpu, void (*work)(void *argument), void *argument);

/*
 * Runs work(argument) at the same time on each CPU whose bit in `set` is 1, CPU 0 included. Called on CPU 0;
 * returns when all have finished.
 */
void smp_call_many(u64 set, void (*work)(void *argument), void *argument);

#endif
