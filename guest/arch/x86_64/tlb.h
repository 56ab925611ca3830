/* SPDX-License-Identifier: MIT */
/*
 * tlb.h: the log of unmappings and completed flushes that the host reads (mm/mm_types.h).
 */
#ifndef GUEST_ARCH_TLB_H
#define GUEST_ARCH_TLB_H

#include "mm/mm_types.h"

extern u32 tlb_clock;
extern struct tlb_flush tlb_flush_log[TLB_FLUSH_LOG];
extern u32 tlb_flush_count;

/* Appends an entry (`cpu` as in struct tlb_flush) and advances tlb_clock; returns its stamp. */
static inline u32 tlb_log(u32 cpu, u64 start, u64 end)
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

#endif
