/* SPDX-License-Identifier: MIT */
/*
 * shootdown.c: TLB shootdowns, one round at a time. The initiator requests a flush from each other CPU,
 * flushes its own TLB, and waits until all interrupted CPUs have flushed. It spins briefly, then halts: if
 * the guest has more CPUs than the host, the others need the host CPU's time.
 *
 * A CPU that waits, for the round's lock or for anything else, takes part in the round of another CPU
 * (arch_relax()), so that no two CPUs wait for each other.
 */
#include "arch/x86_64/shootdown.h"
#include "arch/x86_64/apic.h"
#include "arch/x86_64/handlers.h"
#include "arch/x86_64/irq.h"
#include "arch/x86_64/smp.h"
#include "arch/x86_64/tlb.h"
#include "lib/platform.h"
#include "mm/arch.h"

#define SPINS 100

/* round.halted: no CPU */
#define NO_CPU NR_CPUS

struct tlb_stats tlb_stats;

/* Under tlb_round_lock. */
static struct {
	const struct tlb_range *ranges;
	u32 nr;
	u32 pending; /* CPUs that have not flushed yet */
	u32 halted;  /* the initiator, if the last CPU to flush must interrupt it; else NO_CPU */
} round = { .halted = NO_CPU };

/* Requests a flush from a CPU; returns the number of interrupts sent, 0 or 1. */
static u32 request_flush(struct cpu *cpu)
{
	if (cpu_defer_flush(cpu))
		return 0;
	__atomic_add_fetch(&round.pending, 1, __ATOMIC_SEQ_CST);
	__atomic_store_n(&cpu->flush_pending, 1, __ATOMIC_SEQ_CST);
	apic_send(cpu->number);
	return 1;
}

void shootdown_handle(void)
{
	u32 halted;

	if (!__atomic_exchange_n(&this_cpu()->flush_pending, 0, __ATOMIC_SEQ_CST))
		return;
	tlb_flush_requested(round.ranges, round.nr);
	if (__atomic_sub_fetch(&round.pending, 1, __ATOMIC_SEQ_CST))
		return;
	halted = __atomic_load_n(&round.halted, __ATOMIC_SEQ_CST);
	if (halted != NO_CPU)
		apic_send(halted);
}

void arch_relax(void)
{
	if (this_cpu()->flush_pending)
		shootdown_handle();
	asm volatile("pause" : : : "memory");
}

static bool is_pending(void)
{
	return __atomic_load_n(&round.pending, __ATOMIC_SEQ_CST);
}

static void wait_for_flushes(u32 me)
{
	u64 flags;

	for (u32 i = 0; i < SPINS; i++) {
		if (!is_pending())
			return;
		asm volatile("pause");
	}
	flags = irq_save();
	__atomic_store_n(&round.halted, me, __ATOMIC_SEQ_CST);
	while (is_pending())
		irq_wait();
	round.halted = NO_CPU;
	irq_restore(flags);
}

void shootdown(const struct tlb_range *ranges, u32 nr)
{
	u32 me = arch_cpu(), ipis = 0;

	spin_lock(&tlb_round_lock);
	round.ranges = ranges;
	round.nr = nr;
	for (u32 i = 0; i < arch_nr_cpus; i++)
		if (i != me)
			ipis += request_flush(&cpus[i]);
	tlb_stats.rounds++;
	tlb_stats.ipis += ipis;
	tlb_stats.idle_skipped += arch_nr_cpus - 1 - ipis;
	tlb_flush_local(ranges, nr);
	wait_for_flushes(me);
	spin_unlock(&tlb_round_lock);
}
