/* SPDX-License-Identifier: MIT */
/*
 * shootdown.h: flushes on all CPUs.
 */
#ifndef GUEST_ARCH_SHOOTDOWN_H
#define GUEST_ARCH_SHOOTDOWN_H

#include "arch/x86_64/percpu.h"
#include "mm/arch.h"

extern struct tlb_stats tlb_stats;

/* arch_flush_ranges() with more than one CPU. */
void shootdown(const struct tlb_range *ranges, u32 nr);

/* Does what this CPU was asked for, if it was. */
void shootdown_answer(void);

#endif
