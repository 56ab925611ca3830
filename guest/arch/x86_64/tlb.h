/* SPDX-License-Identifier: MIT */
/*
 * tlb.h: this CPU's flushes, and the log that the host reads (mm/mm_types.h).
 */
#ifndef GUEST_ARCH_TLB_H
#define GUEST_ARCH_TLB_H

#include "arch/x86_64/percpu.h"
#include "mm/arch.h"

extern u32 tlb_clock;
extern struct tlb_flush tlb_flush_log[TLB_FLUSH_LOG];
extern u32 tlb_flush_count;

/* The count comes last: whoever stops this CPU anywhere finds only whole entries. */
static inline u32 tlb_append(u32 cpu, u64 start, u64 end)
{
	struct tlb_flush *entry = &tlb_flush_log[tlb_flush_count % TLB_FLUSH_LOG];
	u32 stamp = ++tlb_clock;

	entry->stamp = stamp;
	entry->cpu = cpu;
	entry->start = start;
	entry->end = end;
	tlb_flush_count++;
	return stamp;
}

/* The same for one CPU of many. */
u32 tlb_log_locked(u32 cpu, u64 start, u64 end);

/* Appends an entry (`cpu` as in struct tlb_flush) and advances tlb_clock; returns its stamp. */
static inline u32 tlb_log(u32 cpu, u64 start, u64 end)
{
	return arch_nr_cpus > 1 ? tlb_log_locked(cpu, start, end) : tlb_append(cpu, start, end);
}

/* Flushes these ranges (nr == 0: everything) on this CPU alone, and logs it. */
void tlb_flush_local(const struct tlb_range *ranges, u32 nr);

#endif
