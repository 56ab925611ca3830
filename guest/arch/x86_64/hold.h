/* SPDX-License-Identifier: MIT */
/*
 * hold.h: a CPU that lets another one change its per-CPU data: one that is idle, waits in arch_hold_allow(),
 * or was interrupted in an operation of the agent, outside the memory manager.
 */
#ifndef GUEST_ARCH_HOLD_H
#define GUEST_ARCH_HOLD_H

#include "arch/x86_64/percpu.h"

/* struct cpu.hold. HOLD_MAY to HOLD_YES and back: by the CPU that holds; all else by the CPU itself. */
enum cpu_hold { HOLD_NO, HOLD_MAY, HOLD_YES };

static inline void hold_allow(struct cpu *cpu)
{
	__atomic_store_n(&cpu->hold, HOLD_MAY, __ATOMIC_RELEASE);
}

/* Whether the CPU is no longer held, nor can be from now on. */
static inline bool hold_forbid(struct cpu *cpu)
{
	u32 may = HOLD_MAY;

	return __atomic_compare_exchange_n(&cpu->hold, &may, HOLD_NO, false, __ATOMIC_ACQUIRE,
					   __ATOMIC_RELAXED);
}

/* The handler of VECTOR_IPI for arch_hold_cpu(). rip: of the interrupted code. */
void hold_handle(u64 rip);

#endif
