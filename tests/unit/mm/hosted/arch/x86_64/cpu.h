/* SPDX-License-Identifier: MIT */
/*
 * cpu.h: the simulated CPU's instructions for paging. Replaces the kernel's file.
 */
#ifndef GUEST_ARCH_CPU_H
#define GUEST_ARCH_CPU_H

#include "arch/x86_64/registers.h"
#include "lib/types.h"

void invlpg(unsigned long va);
u64 read_cr3(void);
void write_cr3(u64 value);
u64 read_cr4(void);
void write_cr4(u64 value);

#endif
