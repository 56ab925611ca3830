/* SPDX-License-Identifier: MIT */
/*
 * event_log.h: the guest's log of what it does to page tables and TLBs, for the host (docs/tlb-model.md).
 *
 * Each CPU has two logs, so that each has one writer at a time: the second is for the handler of TLB shootdowns, which
 * interrupts anything. A log is a struct kvmap_log, then records from its offset 64 on, without gaps. A record is
 * 16 bytes, and `count` pairs of 16 bytes. `seq`, from 1 on, is one counter of all CPUs, incremented with a locked
 * instruction after what the record says has been done: the records of all logs, by seq, are in an order in which that
 * can have happened, and none is missing.
 *
 * A guest whose log is full rings KVMAP_DOORBELL_LOG, then begins at the first record again and increments `laps`. The host,
 * for which all vCPUs are stopped, reads every log then. If no host reads, records are overwritten.
 *
 * The host trusts none of it: kinds, addresses, counts, positions and the order are checked.
 */
#ifndef KVMAP_EVENT_LOG_H
#define KVMAP_EVENT_LOG_H

#include <assert.h>
#include <stdint.h>

/*
 * X(NAME, number, word, meaning): kvmap_log_record.what has the number in bits 3:0, and in bits 63:12 an address or number.
 */
#define KVMAP_LOG_KINDS(X)                                                                                                 \
	X(STORE, 1, "store",                                                                                               \
	  "pairs: the old and new values of the entries of one table, from that of the address on; flags: the level, OWN") \
	X(TABLE, 2, "table",                                                                                               \
	  "two pairs: GPA of an entry, its old value; its new value, 0. It leads to a new page table")                     \
	X(FLUSH, 3, "flush",                                                                                               \
	  "this CPU has flushed the range from the address on; a pair: its end, and the last seq before the flush began")  \
	X(ROUND, 4, "round",                                                                                               \
	  "a flush of the range from the address on, on all CPUs, was requested; a pair: its end, 0")                      \
	X(ROUND_DONE, 5, "round done", "the round with the seq in bits 63:12 is complete")                                 \
	X(IDLE, 6, "idle", "CPU number in bits 63:12 is idle: it uses no translation until it wakes")                      \
	X(WAKE, 7, "wake", "this CPU is no longer idle")                                                                   \
	X(FRAMES_TAKEN, 8, "frames taken", "frames from the GPA on were allocated; a pair: their number, 0")               \
	X(FRAMES_RETURNED, 9, "frames returned", "the same, freed")                                                        \
	X(RANGE_TAKEN, 10, "range taken", "addresses were taken from the free ranges; a pair: their end, 0")               \
	X(RANGE_RETURNED, 11, "range returned", "the same, free again")                                                    \
	X(OPERATION, 12, "operation",                                                                                      \
	  "the operation of the script with the number in bits 63:12 has returned")                                        \
	X(INVLPG, 13, "invlpg", "an INVLPG of the address that is no flush")                                               \
	X(BEGIN, 14, "begin", "the operation of the script with the number in bits 63:12 begins")

#define KVMAP_LOG_ENUM(NAME, number, word, meaning) KVMAP_LOG_##NAME = (number),
enum kvmap_log_kind { KVMAP_LOG_KINDS(KVMAP_LOG_ENUM) };
#undef KVMAP_LOG_ENUM

#define KVMAP_LOG_KIND(what)   ((what)&0xf)
#define KVMAP_LOG_NUMBER(what) ((what) >> 12)
/* STORE: level of the entries, 1 to 4. */
#define KVMAP_LOG_LEVEL(level)   ((uint64_t)(level) << 4)
#define KVMAP_LOG_LEVEL_OF(what) ((what) >> 4 & 7)
/* STORE: the page frames were allocated for this mapping. Without it they have other owners. */
#define KVMAP_LOG_OWN 0x80

/* Most pairs of a record. */
#define KVMAP_LOG_PAIRS_MAX 64

struct kvmap_log_pair {
	uint64_t first, second;
};

struct kvmap_log_record {
	uint64_t what;
	uint32_t seq; /* modulo 2^32 */
	uint32_t count;
	struct kvmap_log_pair pair[];
};

static_assert(sizeof(struct kvmap_log_record) == 16, "log record");

struct kvmap_log {
	uint64_t next; /* GVA in the direct map of the next record; 0: no log */
	uint64_t end;  /* GVA; a record is begun only if it ends there or before */
	uint64_t laps; /* how often the guest began at the first record again */
	uint64_t unused[5];
	struct kvmap_log_record record[];
};

static_assert(sizeof(struct kvmap_log) == 64, "log");

/* At kvmap_boot.log_gpa, below 1 MiB, set by the host. Then the logs: of CPU 0, its second, of CPU 1, ... */
struct kvmap_log_area {
	uint32_t size;   /* bytes of the first log of a CPU, a multiple of 64 */
	uint32_t second; /* bytes of its second log, a multiple of 64 */
	uint32_t unused[14];
};

static_assert(sizeof(struct kvmap_log_area) == 64, "log area");

/* Smallest sizes of the logs: a record of KVMAP_LOG_PAIRS_MAX pairs; the flushes of a round. */
#define KVMAP_LOG_SIZE_MIN   (64 + 16 + 16 * KVMAP_LOG_PAIRS_MAX)
#define KVMAP_LOG_SECOND_MIN 256

#endif
