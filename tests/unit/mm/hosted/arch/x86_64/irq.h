/* SPDX-License-Identifier: MIT */
/*
 * irq.h: the simulated CPU has no interrupts. Replaces the kernel's file.
 */
#ifndef GUEST_ARCH_IRQ_H
#define GUEST_ARCH_IRQ_H

#include "lib/types.h"

static inline u64 irq_save(void)
{
	return 0;
}

static inline void irq_restore(u64 flags)
{
	(void)flags;
}

#endif
