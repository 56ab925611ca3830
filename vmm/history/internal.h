/* SPDX-License-Identifier: MIT */
/*
 * internal.h: for the files of vmm/history. Functions that return int return 0, or -1 with *history->error set when memory
 * is out.
 */
#ifndef VMM_HISTORY_INTERNAL_H
#define VMM_HISTORY_INTERNAL_H

#include "history/history.h"
#include "kvmap/event_log.h"
#include "kvmap/limits.h"

/* The guest's page tables have this number of levels. */
#define LEVELS 4

/* Findings that are kept of each kind between two history_new_findings(); all are counted. */
#define FINDINGS_MAX 1024

/* One of the logs: of a CPU, first or second. */
struct stream {
	uint64_t gpa;          /* of the struct kvmap_log */
	uint32_t size, offset; /* offset: of the next record */
	uint64_t laps;
	bool is_damaged; /* what follows is not read */
};

/* A record that was read. Pairs: history->pairs, from `first` on. */
struct record {
	uint64_t what, seq;
	size_t first;
	uint32_t count;
	uint16_t cpu;
	uint64_t address; /* GVA */
};

#define ROUND_RANGES 4

/* A round that is not complete. */
struct flush_round {
	uint64_t seq;
	uint32_t count;
	struct kvmap_log_pair range[ROUND_RANGES];
	uint8_t covered[KVMAP_CPUS_MAX]; /* mask of the ranges that the CPU has flushed */
};

#define ROUNDS_MAX 64

struct history_cpu {
	bool is_idle, has_paging;
	uint64_t must_flush; /* number of the round; 0: none. Before it wakes */
	uint64_t operation;  /* number of the model's events when its last operation began */
	uint64_t thread;
	uint64_t cr3, cr4;
};

/* Numbers of the model's events by numbers of records. */
#define MARKS_MAX (1u << 20)

struct history {
	struct history_config config;
	struct tlb *tlb;
	struct event_recorder recorder;
	bool has_recorder, has_begun, has_ended;
	uint64_t running;    /* operations that have begun and not returned */
	bool is_alone;       /* no other ran since the last one began */
	bool is_purged;      /* it promised a purge, and was alone */
	struct error *error; /* of the call */

	struct stream streams[2 * KVMAP_CPUS_MAX];
	struct history_cpu cpus[KVMAP_CPUS_MAX];
	uint64_t root; /* GPA of the top table */

	uint64_t seq; /* of the last record that was taken */
	ARRAY_OF(struct record) pending;
	ARRAY_OF(struct kvmap_log_pair) pairs;
	uint64_t first_mark; /* record of marks.items[0] */
	ARRAY_OF(uint64_t) marks;
	ARRAY_OF(uint64_t) flush_events; /* numbers of the model's events of flushes, ascending */

	ARRAY_OF(uint64_t) blocks; /* a bitmap by pfn: blocks.c */

	struct flush_round rounds[ROUNDS_MAX];
	unsigned int round_count;

	struct history_findings findings;
	size_t given;     /* findings that history_new_findings() returned */
	size_t tlb_taken; /* findings of the model that are in `findings` */
	uint64_t checks, checks_given;
	uint64_t invlpg_before, kvm_before; /* at the last history_compare_invlpg() */
	struct history_stats stats;
};

static inline int no_memory(struct history *history)
{
	return error_set(history->error, ERROR_HOST, 0, 0, "out of memory for the event log");
}

/* ---- history.c ---- */

/* Adds a finding. */
int finding_add(struct history *history, const struct history_finding *finding);
/* Feeds an event; one that cannot be is a finding. */
int feed(struct history *history, const struct tlb_event *event);

static inline int damaged(struct history *history, const struct record *record, const char *what)
{
	const struct history_finding finding = {
		.kind = HISTORY_LOG_DAMAGED,
		.cpu = record->cpu,
		.address = record->address,
		.claimed = record->what,
		.what = what,
	};

	return finding_add(history, &finding);
}

/* The model's number of the last event of a record. */
uint64_t mark_of(const struct history *history, uint64_t seq);

/* ---- streams.c: the bytes ---- */

/* Reads the new records of all logs into history->pending. */
int streams_read(struct history *history, const struct view *view);
void streams_init(struct history *history);

/* ---- order.c ---- */

/* Translates the records that follow one another; all: those after a gap, too, which is a finding. */
int records_take(struct history *history, bool all);

/* ---- translate.c ---- */

int record_translate(struct history *history, const struct record *record);

/* ---- stores.c ---- */

int translate_store(struct history *history, const struct record *record);
int translate_table(struct history *history, const struct record *record);

/* ---- blocks.c ---- */

/* The block or slab that begins with the frame was allocated, or freed. */
int blocks_note(struct history *history, uint64_t pfn, bool taken);

/* ---- rounds.c ---- */

int translate_flush(struct history *history, const struct record *record);
int translate_round(struct history *history, const struct record *record);
int translate_round_done(struct history *history, const struct record *record);
int translate_wake(struct history *history, const struct record *record);

/* ---- stop.c: the guest's own tables and registers ---- */

/* Feeds tables and registers as they are. */
int base_take(struct history *history, const struct view *view);
/* Compares them. */
int tables_compare(struct history *history, const struct view *view);

#endif
