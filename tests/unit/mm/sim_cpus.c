/* SPDX-License-Identifier: MIT */
/*
 * sim_cpus.c: threads as CPUs. The kernel's shootdown protocol uses interrupts and HLT; here a running CPU
 * polls, with each access and while it waits for a lock.
 */
#include "arch/x86_64/shootdown.h"
#include "arch/x86_64/tlb.h"
#include "sim.h"

#include <criterion/criterion.h>
#include <sched.h>

u32 arch_nr_cpus = 1;
_Thread_local struct cpu_cache *sim_cpu_cache = &cpu_caches[0];
_Thread_local u32 sim_number;

struct sim_cpu sim_cpus[SIM_CPUS];

/* Under tlb_round_lock. */
static struct {
	const struct tlb_range *ranges;
	u32 nr;
	u32 pending;
} flushing;

static bool is_idle(struct sim_cpu *cpu)
{
	u32 state = CPU_IDLE;

	return __atomic_compare_exchange_n(&cpu->state, &state, CPU_IDLE_STALE, false, __ATOMIC_SEQ_CST,
					   __ATOMIC_SEQ_CST) ||
	       state == CPU_IDLE_STALE;
}

static void answered(void)
{
	__atomic_sub_fetch(&flushing.pending, 1, __ATOMIC_SEQ_CST);
}

/* By CPU. CPUs that run no thread may be held; sim_poll() is a place where one that does may be. */
enum { HOLD_MAY, HOLD_NO, HOLD_YES };
static u32 holds[SIM_CPUS] = { HOLD_NO }, hold_wanted[SIM_CPUS];

static bool hold_change(u32 cpu, u32 from, u32 to)
{
	return __atomic_compare_exchange_n(&holds[cpu], &from, to, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

void arch_hold_allow(void)
{
	__atomic_store_n(&holds[sim_number], HOLD_MAY, __ATOMIC_SEQ_CST);
}

static void flush_poll(void);

void arch_hold_forbid(void)
{
	while (!hold_change(sim_number, HOLD_MAY, HOLD_NO)) {
		flush_poll();
		sched_yield();
	}
}

u64 sim_holds, sim_holds_locked;

bool arch_hold_cpu(u32 cpu)
{
	bool held = hold_change(cpu, HOLD_MAY, HOLD_YES);

	__atomic_add_fetch(&sim_holds, 1, __ATOMIC_RELAXED);
	__atomic_add_fetch(&sim_holds_locked, READ_ONCE(slab_debug_lock.locked), __ATOMIC_RELAXED);
	__atomic_store_n(&hold_wanted[cpu], 1, __ATOMIC_SEQ_CST);
	for (int i = 0; i < 1000 && !held; i++) {
		arch_relax();
		held = hold_change(cpu, HOLD_MAY, HOLD_YES);
	}
	__atomic_store_n(&hold_wanted[cpu], 0, __ATOMIC_SEQ_CST);
	return held;
}

void arch_release_cpu(u32 cpu)
{
	__atomic_store_n(&holds[cpu], HOLD_MAY, __ATOMIC_SEQ_CST);
}

void sim_poll(void)
{
	flush_poll();
	if (!__atomic_load_n(&hold_wanted[sim_number], __ATOMIC_SEQ_CST))
		return;
	arch_hold_allow();
	sched_yield();
	arch_hold_forbid();
}

static void flush_poll(void)
{
	if (!__atomic_exchange_n(&sim_cpus[sim_number].asked, 0, __ATOMIC_SEQ_CST))
		return;
	tlb_flush_local(flushing.ranges, flushing.nr);
	answered();
}

/* The request came when the CPU was about to stop, and it will not poll again. */
static void excuse(struct sim_cpu *cpu)
{
	if (!__atomic_load_n(&cpu->asked, __ATOMIC_SEQ_CST) || !is_idle(cpu))
		return;
	if (__atomic_exchange_n(&cpu->asked, 0, __ATOMIC_SEQ_CST))
		answered();
}

void shootdown(const struct tlb_range *ranges, u32 nr)
{
	spin_lock(&tlb_round_lock);
	flushing.ranges = ranges;
	flushing.nr = nr;
	for (u32 i = 0; i < arch_nr_cpus; i++) {
		if (i == sim_number || is_idle(&sim_cpus[i]))
			continue;
		__atomic_add_fetch(&flushing.pending, 1, __ATOMIC_SEQ_CST);
		__atomic_store_n(&sim_cpus[i].asked, 1, __ATOMIC_SEQ_CST);
	}
	tlb_flush_local(ranges, nr);
	while (__atomic_load_n(&flushing.pending, __ATOMIC_SEQ_CST)) {
		for (u32 i = 0; i < arch_nr_cpus; i++)
			excuse(&sim_cpus[i]);
		sched_yield();
	}
	spin_unlock(&tlb_round_lock);
}

void arch_relax(void)
{
	cr_assert_gt(arch_nr_cpus, 1, "with one CPU no lock is ever waited for");
	flush_poll();
	sched_yield();
}

void sim_cpu_start(u32 number)
{
	sim_number = number;
	sim_cpu_cache = &cpu_caches[number];
	arch_hold_forbid();
	if (__atomic_exchange_n(&sim_cpus[number].state, CPU_RUNNING, __ATOMIC_SEQ_CST) == CPU_IDLE_STALE)
		tlb_flush_local(NULL, 0);
}

void sim_cpu_stop(void)
{
	arch_hold_allow();
	__atomic_exchange_n(&sim_cpus[sim_number].state, CPU_IDLE, __ATOMIC_SEQ_CST);
}
