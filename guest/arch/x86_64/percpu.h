/* SPDX-License-Identifier: MIT */
/*
 * percpu.h: which CPU this is, and what each has of its own.
 *
 * GS.base of CPU n is n * sizeof(struct cpu), so that %gs:cpus is the first byte of cpus[n]. The boot CPU
 * comes with a base of 0, and needs no set-up. A hosted build puts its own file of this name first on the
 * include path; it needs arch_cpu() and arch_nr_cpus.
 */
#ifndef GUEST_ARCH_PERCPU_H
#define GUEST_ARCH_PERCPU_H

#include "kvmap/boot.h"
#include "mm/mm_types.h"

#include <assert.h>

static_assert(NR_CPUS == KVMAP_CPUS_MAX, "CPUs that a boot record can ask for");

struct cpu {
	u32 number;
	u32 state;                    /* enum cpu_state; changed with xchg and cmpxchg only */
	u32 asked;                    /* a round of flushes waits for this CPU's answer */
	u32 wake;                     /* what it is halted for has come */
	struct cpu_cache *cache;      /* what the memory manager has for this CPU (this_cpu.h) */
	void (*work)(void *argument); /* to be done when it wakes */
	void *argument;
	u64 access_rsp;                                 /* not 0 while an access runs (access.S) */
	u64 fault_address, fault_rip, fault_error_code; /* of the last access that faulted */
	void (*interrupt_work)(
		void *argument); /* to be done in the interrupt that has been sent; NULL: none has */
	void *interrupt_argument;
} __attribute__((aligned(64)));

/* access.S knows this, this_cpu.h the other. */
static_assert(offsetof(struct cpu, access_rsp) == 40, "struct cpu.access_rsp");
static_assert(offsetof(struct cpu, cache) == 16, "struct cpu.cache");

/* CPUs that the boot record asks for; they are numbered from 0, the boot CPU. Set before the others start. */
extern u32 arch_nr_cpus;

extern struct cpu cpus[NR_CPUS];

static inline u32 arch_cpu(void)
{
	u32 number;

	asm("mov %%gs:cpus, %0" : "=r"(number));
	return number;
}

static inline struct cpu *this_cpu(void)
{
	return &cpus[arch_cpu()];
}

#endif
