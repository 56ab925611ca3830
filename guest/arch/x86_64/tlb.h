/* SPDX-License-Identifier: MIT */
/*
 * tlb.h: this CPU's flushes, and the log that the host reads (mm/mm_types.h).
 */
#ifndef GUEST_ARCH_TLB_H
#define GUEST_ARCH_TLB_H

#include "arch/percpu.h"
#include "mm/arch.h"
#include "mm/roots.h"

/* Half of the log is new. */
void tlb_log_half(void);

/*
 * Takes the next stamp and writes the entry that belongs to it; returns the stamp. No lock: the stamp is the
 * place. Other CPUs see all that this one did before (the addition is a full barrier), and whoever stops this
 * CPU between the two finds another stamp in the entry.
 */
static inline u32 tlb_log(u32 cpu, u32 begun, u64 start, u64 end)
{
	u32 stamp = __atomic_add_fetch(&tlb_gen, 1, __ATOMIC_SEQ_CST);
	struct tlb_flush *entry = &tlb_flush_log[stamp % TLB_FLUSH_LOG];

	WRITE_ONCE(entry->cpu, cpu);
	WRITE_ONCE(entry->begun, begun);
	WRITE_ONCE(entry->start, start);
	WRITE_ONCE(entry->end, end);
	__atomic_store_n(&entry->stamp, stamp, __ATOMIC_RELEASE);
	if (unlikely(stamp % TLB_FLUSH_LOG_HALF == 0))
		tlb_log_half();
	return stamp;
}

/* Flushes these ranges (nr == 0: everything) on this CPU alone, and logs it. */
void tlb_flush_local(const struct tlb_range *ranges, u32 nr);

#endif
