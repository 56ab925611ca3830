/* SPDX-License-Identifier: MIT */
/*
 * history.h: what the guest did to its page tables and TLBs, by its event log (kvmap/event_log.h), as the host verifies it.
 *
 * The host takes the guest's tables once, by its own walk, when the log begins. From then on each record becomes events of the
 * TLB model, whose copy of the tables must be what the host finds at each stop, entry by entry. Records are taken in the order
 * of their numbers, of which none may be missing.
 *
 * Nothing in a log is trusted: what cannot be is a finding, never an error.
 */
#ifndef VMM_HISTORY_HISTORY_H
#define VMM_HISTORY_HISTORY_H

#include "base/array.h"
#include "tlb/event_file.h"
#include "view/view.h"

/* Where the logs lie: of each CPU `size`, then `second` bytes, from gpa on. */
struct history_place {
	uint64_t gpa;
	uint32_t size, second;
};

/* The promise of the operation of the script with a number. */
enum history_promise {
	HISTORY_PROMISES_NOTHING,
	HISTORY_PROMISES_FLUSH, /* of all that was unmapped before */
	HISTORY_PROMISES_PURGE, /* that, and that no area is left which waits to be given back or unmapped */
	HISTORY_IS_A_STOP,      /* it does nothing but stop the guest */
};

struct history_config {
	unsigned int cpus; /* 1 to KVMAP_CPUS_MAX */
	uint32_t policy;   /* enum kvmap_policy */
	struct history_place place;
	FILE *record; /* events are recorded there, too; NULL: not */
	enum history_promise (*promise)(void *context, uint64_t operation);
	void *context;
};

/* Kinds of findings, with the members of struct history_finding that are of that kind. */
enum history_kind {
	HISTORY_RULE,        /* .tlb */
	HISTORY_LOG_DAMAGED, /* .what: what cannot be; address: GVA of the record */
	HISTORY_LOG_LOST,    /* claimed: number of records that are missing; found: number of the first */
	HISTORY_OLD_VALUE, /* a store's old value: claimed by the log; found by all that was logged before */
	HISTORY_ENTRY,     /* an entry at a stop: claimed by the log; found in the tables */
	HISTORY_REGISTER,  /* CR3 or CR4 of a CPU (.what): claimed as it was; found */
	HISTORY_ROUND_EARLY, /* a round was complete before `cpu` had logged its flush; claimed: number of the round */
	HISTORY_INVLPG,         /* number of INVLPG instructions: claimed by the log; found by KVM */
	HISTORY_WOKE_UNFLUSHED, /* `cpu` woke without the flush that a round had left to it; claimed: as above */
};

struct history_finding {
	enum history_kind kind;
	unsigned int cpu;
	uint64_t address;        /* GVA; of OLD_VALUE and ENTRY the GPA of the entry */
	uint64_t va;             /* OLD_VALUE, ENTRY: first address that the entry translates; 0: not known */
	uint64_t claimed, found; /* of the kind */
	const char *what;
	struct tlb_finding tlb;
	uint64_t cause; /* of a finding of a rule: event of the next flush after the removal; 0: none */
};

struct history_findings {
	ARRAY_OF(struct history_finding);
};

struct history_stats {
	uint64_t records, stores, flushes, rounds, operations;
	uint64_t needless;         /* flushes that paid nothing */
	uint64_t entries_compared; /* with the guest's tables, at all stops */
	uint64_t invlpg;           /* instructions that the log tells of */
	uint64_t laps;             /* times that a log was full */
	bool has_invlpg;           /* KVM's count of them was compared */
};

struct history;

/* Begins before the guest runs. Borrows config->record and config->context. */
int history_create(const struct history_config *config, struct history **out, struct error *error);
void history_destroy(struct history *history);

/*
 * The guest rang KVMAP_DOORBELL_LOG, or stopped: takes the tables and registers if it is the first time, then all records
 * that are complete. -1 if memory is out.
 */
int history_take(struct history *history, const struct view *view, struct error *error);

/*
 * All other CPUs than the one that stopped are idle: takes the records, of which none may be missing, and compares tables and
 * registers. -1 if memory is out.
 */
int history_stop(struct history *history, const struct view *view, struct error *error);

/*
 * After history_stop(): KVM's count of INVLPG instructions since the log began, where it counts them: the log's must be the
 * same. A count of 0 is that of a host that does not count. -1 if memory is out.
 */
int history_compare_invlpg(struct history *history, uint64_t count, struct error *error);

/* Whether the log has begun. */
bool history_has_begun(const struct history *history);

/* Number of the last round of flushes that passed the CPU over as idle, and after which it has not flushed yet; 0: none. */
uint64_t history_must_flush(const struct history *history, unsigned int cpu);

/* Whether the last operation was one that promises a purge, and ran alone: no area waits. */
bool history_is_purged(const struct history *history);

/*
 * The buddy blocks and slabs that records say are allocated, by the pfns of their first frames: whether one is; whether it would
 * be known; the first from a pfn on, UINT64_MAX: none.
 */
bool history_has_block(const struct history *history, uint64_t pfn);
bool history_knows_block(uint64_t pfn);
uint64_t history_next_block(const struct history *history, uint64_t from);

/* Findings since the last call. Borrowed, until the next history_*(). */
const struct history_findings *history_new_findings(struct history *history);
/* Number of checks since the last call: entries compared, flushes and rounds, frames and ranges used again. */
uint64_t history_new_checks(struct history *history);

const struct history_stats *history_stats(const struct history *history);
/* Number of things that the model's limits left out: 0, or its findings may not be all. */
uint64_t history_not_seen(const struct history *history);
/* The model. */
const struct tlb *history_tlb(const struct history *history);

/* Writes the end of the recording. */
void history_record_end(struct history *history);

#endif
