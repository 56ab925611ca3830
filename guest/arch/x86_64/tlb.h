/* SPDX-License-Identifier: MIT */
/*
 * tlb.h: flushes of this CPU, and the log that the host reads (mm/mm_types.h).
 */
#ifndef GUEST_ARCH_TLB_H
#define GUEST_ARCH_TLB_H

#include "arch/percpu.h"
#include "mm/arch.h"

/* Requests that the host read the log: half of it is new. */
void tlb_log_half(void);

/*
 * Increments tlb_gen and writes the log flush of the new generation, which is returned. Lock-free: the
 * generation determines the flush's index. The addition is a full barrier, so that other CPUs see all earlier
 * stores of this one. If this CPU is stopped between the addition and the store of the stamp, the flush has
 * another stamp.
 */
static inline u64 tlb_log(u32 cpu, u64 begun, u64 start, u64 end)
{
	u64 stamp = __atomic_add_fetch(&tlb_gen, 1, __ATOMIC_SEQ_CST);
	struct tlb_flush *flush = &tlb_flush_log[stamp % TLB_FLUSH_LOG];

	WRITE_ONCE(flush->cpu, cpu);
	WRITE_ONCE(flush->begun, begun);
	WRITE_ONCE(flush->start, start);
	WRITE_ONCE(flush->end, end);
	__atomic_store_n(&flush->stamp, stamp, __ATOMIC_RELEASE);
	if (unlikely(stamp % TLB_FLUSH_LOG_HALF == 0))
		tlb_log_half();
	return stamp;
}

/* Flushes the ranges (nr == 0: all translations) on this CPU, and logs each. */
void tlb_flush_local(const struct tlb_range *ranges, u32 nr);
/* tlb_flush_local() for another CPU's shootdown, perhaps in an interrupt. */
void tlb_flush_requested(const struct tlb_range *ranges, u32 nr);

#endif
