/* SPDX-License-Identifier: MIT */
/*
 * hold.c: holding another CPU while this one changes its per-CPU data. Idle CPUs and those that wait in
 * arch_hold_allow() need no interrupt. A CPU that runs is interrupted: in an operation of the agent it stays
 * in the handler until it is released; anywhere else it goes on, and is interrupted again.
 */
#include "arch/x86_64/hold.h"
#include "arch/x86_64/apic.h"
#include "lib/platform.h"
#include "lib/spinlock.h"
#include "mm/arch.h"

/* Interrupts sent to a CPU, and waits after each, until it is left alone. */
#define HOLD_INTERRUPTS 128
#define HOLD_WAITS      256

/* guest.ld: text of the operations, which no function of the memory manager calls. */
extern const char operations_start[], operations_end[];
extern const char access_begin[], access_end[];

static bool is_outside_mm(u64 rip)
{
	return (rip >= (u64)operations_start && rip < (u64)operations_end) ||
	       (rip >= (u64)access_begin && rip < (u64)access_end);
}

void arch_hold_allow(void)
{
	lockdep_assert_none_held();
	hold_allow(this_cpu());
}

void arch_hold_forbid(void)
{
	while (!hold_forbid(this_cpu()))
		arch_relax();
}

void hold_handle(u64 rip)
{
	struct cpu *cpu = this_cpu();

	if (!READ_ONCE(cpu->hold_wanted) || !is_outside_mm(rip))
		return;
	/* Not arch_hold_allow(): an operation may have a lock of the agent's, which the memory manager never takes. */
	hold_allow(cpu);
	while (READ_ONCE(cpu->hold_wanted))
		arch_relax();
	arch_hold_forbid();
}

static bool hold_try(struct cpu *cpu)
{
	u32 may = HOLD_MAY;

	return __atomic_compare_exchange_n(&cpu->hold, &may, HOLD_YES, false, __ATOMIC_ACQUIRE,
					   __ATOMIC_RELAXED);
}

static bool hold_wait(struct cpu *cpu)
{
	for (u32 i = 0; i < HOLD_WAITS; i++) {
		if (hold_try(cpu))
			return true;
		arch_relax();
	}
	return false;
}

bool arch_hold_cpu(u32 number)
{
	struct cpu *cpu = &cpus[number];
	bool held = hold_try(cpu);

	if (held)
		return true;
	WRITE_ONCE(cpu->hold_wanted, 1);
	for (u32 i = 0; i < HOLD_INTERRUPTS && !held; i++) {
		apic_send(number);
		held = hold_wait(cpu);
	}
	WRITE_ONCE(cpu->hold_wanted, 0);
	return held;
}

void arch_release_cpu(u32 number)
{
	hold_allow(&cpus[number]);
}
