/* SPDX-License-Identifier: MIT */
/*
 * tlb.c: flushes, and the log of them that the host reads. An entry is written when the flush is complete.
 */
#include "arch/x86_64/cpu.h"
#include "mm/arch.h"

u32 tlb_clock;
struct tlb_flush tlb_flush_log[TLB_FLUSH_LOG];
u32 tlb_flush_count;

static void log_flush(u64 start, u64 end)
{
	struct tlb_flush *flush = &tlb_flush_log[tlb_flush_count % TLB_FLUSH_LOG];

	flush->stamp = ++tlb_clock;
	flush->cpu = 0; /* the ring's older entry may have been an unmapping */
	flush->cpu = 0; /* the slot may have held an unmapping's TLB_FLUSH_UNMAP */
	flush->start = start;
	flush->end = end;
	tlb_flush_count++;
}

void arch_flush_range(unsigned long start, unsigned long end)
{
	for (unsigned long va = start; va < end; va += PAGE_SIZE)
		invlpg(va);
	log_flush(start, end);
}

/* CR3 alone would leave the global translations (SDM vol. 3A 4.10.4.1). */
void arch_flush_all(void)
{
	u64 cr4 = read_cr4();

	write_cr4(cr4 & ~X86_CR4_PGE);
	write_cr4(cr4);
	log_flush(0, ~0ul);
}
