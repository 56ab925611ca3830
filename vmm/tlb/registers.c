/* SPDX-License-Identifier: MIT */
/*
 * registers.c: writes to control registers: which tables a CPU walks, and what the write flushes (SDM vol. 3A 4.10.4.1).
 */
#include "tlb/internal.h"

#define CR3_NO_FLUSH X86_BIT(63)

/* Paging in long mode, 4 or 5 levels: the one that is modelled. */
static bool has_paging(const struct cpu *cpu)
{
	return (cpu->cr0 & CR0_PG) && (cpu->cr4 & CR4_PAE) && (cpu->efer & (EFER_LME | EFER_LMA));
}

static uint16_t pcid_of(const struct cpu *cpu)
{
	return cpu_has(cpu, CR4_PCIDE) ? cpu->cr3 & CR3_PCID : 0;
}

static void load(struct tlb *tlb, unsigned int cpu, bool was_kept)
{
	struct cpu *state = &tlb->cpus[cpu];

	context_load(tlb, cpu, pcid_of(state), state->cr3 & PTE_ADDRESS, was_kept);
}

/* Everything goes, and so does every context but the current one. */
static uint64_t flush_everything(struct tlb *tlb, unsigned int cpu)
{
	uint64_t paid = flush_pcid(tlb, cpu, -1, true);

	contexts_forget(tlb, cpu, -1);
	return paid;
}

/* After a change of what decides about paging. A CPU without it holds nothing. */
static void paging_settle(struct tlb *tlb, unsigned int cpu, bool had_paging)
{
	if (had_paging == has_paging(&tlb->cpus[cpu]))
		return;
	flush_pcid(tlb, cpu, -1, true);
	if (had_paging)
		contexts_end(tlb, cpu);
	else
		load(tlb, cpu, false);
}

void registers_cr0(struct tlb *tlb, const struct tlb_event *event)
{
	struct cpu *cpu = &tlb->cpus[event->cpu];
	bool had_paging = has_paging(cpu);

	cpu->cr0 = event->value;
	paging_settle(tlb, event->cpu, had_paging);
}

void registers_efer(struct tlb *tlb, const struct tlb_event *event)
{
	struct cpu *cpu = &tlb->cpus[event->cpu];
	bool had_paging = has_paging(cpu);

	cpu->efer = event->value;
	paging_settle(tlb, event->cpu, had_paging);
}

void registers_cr3(struct tlb *tlb, const struct tlb_event *event)
{
	struct cpu *cpu = &tlb->cpus[event->cpu];
	bool pcids = cpu_has(cpu, CR4_PCIDE), keeps = pcids && (event->value & CR3_NO_FLUSH), believed;

	cpu->cr3 = event->value & ~CR3_NO_FLUSH;
	if (!has_paging(cpu))
		return;
	believed = !keeps && flush_is_believed(tlb);
	if (believed)
		flush_count(tlb, event->kind, flush_pcid(tlb, event->cpu, pcid_of(cpu), false));
	load(tlb, event->cpu, keeps);
}

void registers_cr4(struct tlb *tlb, const struct tlb_event *event)
{
	struct cpu *cpu = &tlb->cpus[event->cpu];
	uint64_t changed = cpu->cr4 ^ event->value;
	bool had_paging = has_paging(cpu);
	bool all = (changed & CR4_PGE) || (changed & cpu->cr4 & CR4_PCIDE);
	bool one = !all && (changed & event->value & CR4_SMEP);

	if (had_paging && (all || one) && flush_is_believed(tlb))
		flush_count(tlb, event->kind,
			    all ? flush_everything(tlb, event->cpu)
				: flush_pcid(tlb, event->cpu, cpu_pcid(cpu), false));
	cpu->cr4 = event->value;
	paging_settle(tlb, event->cpu, had_paging);
	/* PCIDE from 1 to 0: the translations are those of PCID 0 from now on. */
	if (had_paging && has_paging(cpu) && (changed & ~event->value & CR4_PCIDE))
		load(tlb, event->cpu, false);
}
