/* SPDX-License-Identifier: MIT */
/*
 * percpu.h: the architecture's data of each CPU. The boot CPU starts with GS.base 0 and needs no set-up.
 */
#ifndef GUEST_ARCH_PERCPU_H
#define GUEST_ARCH_PERCPU_H

#include "arch/access.h"
#include "arch/percpu.h"
#include "kvmap/boot.h"
#include "mm/arch.h"

#include <assert.h>

struct cpu {
	u32 number;
	u32 state;                    /* enum cpu_state; changed with xchg and cmpxchg only */
	u32 flush_pending;            /* 1: a TLB shootdown waits for this CPU to flush */
	u32 wake;                     /* 1: cpu_wake() was called since the CPU became idle */
	struct cpu_cache *cache;      /* the memory manager's data of this CPU */
	void (*work)(void *argument); /* to run when the CPU wakes */
	void *argument;
	u64 access_rsp;            /* stack pointer of the access in progress (access.S), 0 = none */
	struct access_fault fault; /* of the last access that faulted */
	void (*interrupt_work)(void *argument); /* for the handler of VECTOR_WORK; NULL: not sent */
	void *interrupt_argument;
	u32 hold;        /* enum cpu_hold (hold.h) */
	u32 hold_wanted; /* 1: another CPU waits until it can hold this one */
} __attribute__((aligned(64)));

/* Offsets that access.S, arch/percpu.h and arch/access.h use. */
static_assert(offsetof(struct cpu, cache) == 16, "struct cpu.cache");
static_assert(offsetof(struct cpu, access_rsp) == 40, "struct cpu.access_rsp");
static_assert(offsetof(struct cpu, fault) == 48 && sizeof(struct access_fault) == 24, "struct cpu.fault");

extern struct cpu cpus[NR_CPUS];

static inline struct cpu *this_cpu(void)
{
	return &cpus[arch_cpu()];
}

#endif
