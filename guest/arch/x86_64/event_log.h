/* SPDX-License-Identifier: MIT */
/*
 * event_log.h: the writer's end of the event log (kvmap/event_log.h).
 *
 * A record is reserved, filled, and committed by one CPU; in between it calls nothing and takes no trap but
 * interrupts, whose handlers have a log of their own. It counts when `next` is beyond it.
 */
#ifndef GUEST_ARCH_EVENT_LOG_H
#define GUEST_ARCH_EVENT_LOG_H

#include "kvmap/event_log.h"
#include "mm/arch.h"

struct cpu_logs {
	struct kvmap_log *log;
	struct kvmap_log *second; /* of shootdown_handle() */
};

/* NULL until event_log_open(). */
extern struct cpu_logs event_logs[NR_CPUS];

/* kvmap_log_record.seq of the newest record of all CPUs. Atomic. */
extern u32 event_log_seq;

/* Slow path of log_reserve(): has the host read all logs, and returns the log's first record. */
struct kvmap_log_record *log_restart(struct kvmap_log *log);

/* The next record of a log that only this CPU writes now; it has room for `count` pairs. */
static inline struct kvmap_log_record *log_reserve(struct kvmap_log *log, u32 count)
{
	struct kvmap_log_record *record = (void *)log->next;

	return likely((u64)&record->pair[count] <= log->end) ? record : log_restart(log);
}

/* Commits a record whose `count` pairs are filled. The stores or flushes that it names must be done. Returns its seq. */
static inline u32 log_commit(struct kvmap_log *log, struct kvmap_log_record *record, u64 what, u32 count)
{
	u32 seq;

	record->what = what;
	record->count = count;
	seq = __atomic_add_fetch(&event_log_seq, 1, __ATOMIC_SEQ_CST);
	record->seq = seq;
	__atomic_store_n(&log->next, (u64)&record->pair[count], __ATOMIC_RELEASE);
	return seq;
}

static inline struct kvmap_log *this_cpu_log(void)
{
	return event_logs[arch_cpu()].log;
}

/* A record of this CPU with one pair, and without. */
void log_pair(u64 what, u64 first, u64 second);
void log_number(u64 what, u64 number);

/* The flush of a range is requested on all CPUs; returns the number for log_round_done(). */
u32 log_round(const struct tlb_range *ranges, u32 nr);
void log_round_done(u32 round);

/* This CPU has flushed [start, end); begun: event_log_seq before it began. */
void log_flush(struct kvmap_log *log, u32 begun, u64 start, u64 end);

/* ---- stores to entries: each does the stores, and logs them ---- */

void log_clear(u64 *pte, unsigned long va, u32 nr, u64 level);
/* Ands the entries with `keep`, and ors `set`. */
void log_change(u64 *pte, unsigned long va, u32 nr, u64 level, u64 keep, u64 set);
/* One leaf, for frames that were allocated for it. */
void log_leaf(u64 *pte, unsigned long va, u64 level, u64 value);
/* The stores of arch_map_chain() to one table: nr frames of the chain from pfn on; returns the next pfn. */
u32 log_map_chain(u64 *pte, unsigned long va, u32 nr, u32 pfn, u64 rights);
/* The stores of arch_map_pages() to one table. */
void log_map_pages(u64 *pte, unsigned long va, u32 nr, struct page *const *pages, u64 rights);
/* An entry that leads to a new table. */
void log_table(u64 *pte, u64 value);

#endif
