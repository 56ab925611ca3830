/* SPDX-License-Identifier: MIT */
/*
 * tlb.c: flushes of this CPU, and the log of them that the host reads. A flush is logged when it is complete.
 */
#include "arch/x86_64/tlb.h"
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/event_log.h"
#include "arch/x86_64/shootdown.h"
#include "kvmap/ports.h"
#include "lib/platform.h"
#include "mm/arch.h"

/* In .data, so that a test can patch the file to begin anywhere. */
u64 tlb_gen __attribute__((section(".data")));
struct tlb_flush tlb_flush_log[TLB_FLUSH_LOG];
struct spinlock tlb_round_lock;

void tlb_log_half(void)
{
	doorbell_ring(KVMAP_DOORBELL_FLUSHES);
}

/* Writing CR3 would not flush global translations (SDM vol. 3A 4.10.4.1). */
static void flush_all(struct kvmap_log *log)
{
	u32 seq = READ_ONCE(event_log_seq);
	u64 begun = READ_ONCE(tlb_gen);
	u64 cr4 = read_cr4();

	write_cr4(cr4 & ~X86_CR4_PGE);
	write_cr4(cr4);
	tlb_log(arch_cpu(), begun, 0, ~0ul);
	if (unlikely(log_is_on()))
		log_flush(log, seq, 0, ~0ul);
}

/* log: of the CPU, the first or second. */
static void flush_logged(const struct tlb_range *ranges, u32 nr, struct kvmap_log *log)
{
	u64 begun = READ_ONCE(tlb_gen);
	u32 seq = READ_ONCE(event_log_seq);

	if (!nr)
		return flush_all(log);
	for (; nr; nr--, ranges++) {
		for (unsigned long va = ranges->start; va < ranges->end; va += PAGE_SIZE)
			invlpg(va);
		tlb_log(arch_cpu(), begun, ranges->start, ranges->end);
		if (unlikely(log_is_on()))
			log_flush(log, seq, ranges->start, ranges->end);
	}
}

void tlb_flush_local(const struct tlb_range *ranges, u32 nr)
{
	flush_logged(ranges, nr, event_logs[arch_cpu()].log);
}

void tlb_flush_requested(const struct tlb_range *ranges, u32 nr)
{
	flush_logged(ranges, nr, event_logs[arch_cpu()].second);
}

static void flush_ranges(const struct tlb_range *ranges, u32 nr)
{
	if (arch_nr_cpus > 1)
		shootdown(ranges, nr);
	else
		tlb_flush_local(ranges, nr);
}

void arch_flush_ranges(const struct tlb_range *ranges, u32 nr)
{
	u32 round;

	if (likely(!log_is_on()))
		return flush_ranges(ranges, nr);
	round = log_round(ranges, nr);
	flush_ranges(ranges, nr);
	log_round_done(round);
}
