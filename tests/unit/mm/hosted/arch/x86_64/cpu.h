/* SPDX-License-Identifier: MIT */
/*
 * cpu.h: the simulated CPU's instructions for paging. Replaces the kernel's file.
 */
#ifndef GUEST_ARCH_CPU_H
#define GUEST_ARCH_CPU_H

#include "lib/types.h"

#define X86_CR4_PAE (1ul << 5)
#define X86_CR4_PGE (1ul << 7)

void invlpg(unsigned long va);
u64 read_cr3(void);
void write_cr3(u64 value);
u64 read_cr4(void);
void write_cr4(u64 value);

#endif
