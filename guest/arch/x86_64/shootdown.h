/* SPDX-License-Identifier: MIT */
/*
 * shootdown.h: flushes on all CPUs.
 */
#ifndef GUEST_ARCH_SHOOTDOWN_H
#define GUEST_ARCH_SHOOTDOWN_H

#include "mm/arch.h"

/* arch_flush_ranges() with more than one CPU. */
void shootdown(const struct tlb_range *ranges, u32 nr);

#endif
