/* SPDX-License-Identifier: MIT */
/*
 * shootdown.c: one round at a time. Its initiator tells each other CPU, flushes by itself, and waits until
 * all that were interrupted have flushed. It spins a little, since an answer may be near, and then halts:
 * where there are more CPUs than the host has, those that are to answer need what it would burn.
 *
 * Whoever waits, for the round's lock or for anything else, answers the round of another (arch_relax()): so
 * two CPUs never wait for each other.
 */
#include "arch/x86_64/shootdown.h"
#include "arch/x86_64/apic.h"
#include "arch/x86_64/handlers.h"
#include "arch/x86_64/irq.h"
#include "arch/x86_64/smp.h"
#include "arch/x86_64/tlb.h"
#include "lib/platform.h"
#include "mm/locks.h"
#include "mm/roots.h"

#define SPINS 100

/* CPU that nobody has, for round.halted */
#define NOBODY NR_CPUS

struct tlb_stats tlb_stats;

/* Under tlb_round_lock. */
static struct {
	const struct tlb_range *ranges;
	u32 nr;
	u32 pending; /* CPUs that have not answered yet */
	u32 halted;  /* the initiator, if the last answer has to interrupt it; else NOBODY */
} round = { .halted = NOBODY };

/* Lets a CPU know of the round; the number of interrupts that it took. */
static u32 tell(struct cpu *cpu)
{
	if (cpu_defer_flush(cpu))
		return 0;
	__atomic_add_fetch(&round.pending, 1, __ATOMIC_SEQ_CST);
	__atomic_store_n(&cpu->flush_pending, 1, __ATOMIC_SEQ_CST);
	apic_send(cpu->number);
	return 1;
}

void shootdown_answer(void)
{
	u32 halted;

	if (!__atomic_exchange_n(&this_cpu()->flush_pending, 0, __ATOMIC_SEQ_CST))
		return;
	tlb_flush_local(round.ranges, round.nr);
	if (__atomic_sub_fetch(&round.pending, 1, __ATOMIC_SEQ_CST))
		return;
	halted = __atomic_load_n(&round.halted, __ATOMIC_SEQ_CST);
	if (halted != NOBODY)
		apic_send(halted);
}

void arch_relax(void)
{
	if (this_cpu()->flush_pending)
		shootdown_answer();
	asm volatile("pause" : : : "memory");
}

static bool is_pending(void)
{
	return __atomic_load_n(&round.pending, __ATOMIC_SEQ_CST);
}

static void wait_for_answers(u32 me)
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
	round.halted = NOBODY;
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
			ipis += tell(&cpus[i]);
	tlb_stats.rounds++;
	tlb_stats.ipis += ipis;
	tlb_stats.idle_skipped += arch_nr_cpus - 1 - ipis;
	tlb_flush_local(ranges, nr);
	wait_for_answers(me);
	spin_unlock(&tlb_round_lock);
}
