/* SPDX-License-Identifier: MIT */
/*
 * translate.c: records as events of the TLB model.
 */
#include "history/internal.h"

#include "base/page.h"
#include "base/x86.h"
#include "kvmap/layout.h"

static uint64_t address_of(const struct record *record)
{
	return record->what & ~(PAGE_4K - 1);
}

static const struct kvmap_log_pair *pair_of(const struct history *history, const struct record *record,
					    unsigned int i)
{
	return &history->pairs.items[record->first + i];
}

static int translate_idle(struct history *history, const struct record *record)
{
	uint64_t cpu = KVMAP_LOG_NUMBER(record->what);
	struct tlb_event event = { .kind = TLB_HALT };

	/* The CPU that begins the log says so for all others, which have not run since. */
	if (cpu >= history->config.cpus || (cpu != record->cpu && record->seq >= history->config.cpus))
		return damaged(history, record, "another CPU that is idle");
	event.cpu = (uint16_t)cpu;
	history->cpus[cpu].is_idle = true;
	return feed(history, &event);
}

static int translate_frames(struct history *history, const struct record *record, enum tlb_event_kind kind)
{
	const struct kvmap_log_pair *pair = pair_of(history, record, 0);
	uint64_t gpa = address_of(record);
	const struct tlb_event event = {
		.kind = (uint8_t)kind,
		.cpu = record->cpu,
		.address = gpa,
		.value = gpa + pair->first * PAGE_4K,
	};

	if (gpa > PTE_ADDRESS || pair->first > (PTE_ADDRESS - gpa) / PAGE_4K)
		return damaged(history, record, "frames outside of what an entry can address");
	history->checks += kind == TLB_FRAMES_TAKEN;
	if (blocks_note(history, gpa / PAGE_4K, kind == TLB_FRAMES_TAKEN) < 0)
		return -1;
	return feed(history, &event);
}

static int translate_range(struct history *history, const struct record *record, enum tlb_event_kind kind)
{
	const struct tlb_event event = {
		.kind = (uint8_t)kind,
		.cpu = record->cpu,
		.address = address_of(record),
		.value = pair_of(history, record, 0)->first,
	};

	if (event.address < KVMAP_VMALLOC_START || event.value > KVMAP_VMALLOC_END ||
	    event.value < event.address)
		return damaged(history, record, "a range outside of the vmalloc space");
	history->checks += kind == TLB_RANGE_TAKEN;
	return feed(history, &event);
}

static enum history_promise promise_of(const struct history *history, const struct record *record)
{
	return history->config.promise
		       ? history->config.promise(history->config.context, KVMAP_LOG_NUMBER(record->what))
		       : HISTORY_PROMISES_NOTHING;
}

static int translate_operation(struct history *history, const struct record *record)
{
	struct history_cpu *cpu = &history->cpus[record->cpu];
	enum history_promise promise = promise_of(history, record);
	struct tlb_event event = { .kind = TLB_FLUSHED,
				   .cpu = record->cpu,
				   .address = KVMAP_VMALLOC_START,
				   .value = cpu->operation,
				   .old = KVMAP_VMALLOC_END };

	history->stats.operations++;
	history->running -= history->running > 0;
	if (promise == HISTORY_PROMISES_FLUSH || promise == HISTORY_PROMISES_PURGE) {
		history->checks++;
		history->is_purged = promise == HISTORY_PROMISES_PURGE && history->is_alone;
		if (feed(history, &event) < 0)
			return -1;
	}
	event = (struct tlb_event){ .kind = TLB_OPERATION_END, .cpu = record->cpu, .thread = cpu->thread };
	if (feed(history, &event) < 0)
		return -1;
	cpu->thread++;
	return 0;
}

static int translate_begin(struct history *history, const struct record *record)
{
	if (promise_of(history, record) != HISTORY_IS_A_STOP) {
		history->is_alone = !history->running;
		history->is_purged = false;
	}
	history->running++;
	history->cpus[record->cpu].operation = tlb_seq(history->tlb);
	return 0;
}

static int translate_invlpg(struct history *history, const struct record *record)
{
	const struct tlb_event event = {
		.kind = TLB_INVLPG,
		.cpu = record->cpu,
		.address = address_of(record),
	};

	history->stats.invlpg++;
	return feed(history, &event);
}

/* Number of pairs of each kind; stores and rounds have any from 1 on. */
static bool has_pairs(const struct record *record)
{
	switch ((enum kvmap_log_kind)KVMAP_LOG_KIND(record->what)) {
	case KVMAP_LOG_STORE: return record->count;
	case KVMAP_LOG_ROUND: return record->count && record->count <= ROUND_RANGES;
	case KVMAP_LOG_TABLE: return record->count == 2;
	case KVMAP_LOG_FLUSH:
	case KVMAP_LOG_FRAMES_TAKEN:
	case KVMAP_LOG_FRAMES_RETURNED:
	case KVMAP_LOG_RANGE_TAKEN:
	case KVMAP_LOG_RANGE_RETURNED: return record->count == 1;
	default: return !record->count;
	}
}

int record_translate(struct history *history, const struct record *record)
{
	if (!has_pairs(record))
		return damaged(history, record, "a record with a wrong number of pairs");
	switch ((enum kvmap_log_kind)KVMAP_LOG_KIND(record->what)) {
	case KVMAP_LOG_STORE: return translate_store(history, record);
	case KVMAP_LOG_TABLE: return translate_table(history, record);
	case KVMAP_LOG_FLUSH: return translate_flush(history, record);
	case KVMAP_LOG_ROUND: return translate_round(history, record);
	case KVMAP_LOG_ROUND_DONE: return translate_round_done(history, record);
	case KVMAP_LOG_IDLE: return translate_idle(history, record);
	case KVMAP_LOG_WAKE: return translate_wake(history, record);
	case KVMAP_LOG_FRAMES_TAKEN: return translate_frames(history, record, TLB_FRAMES_TAKEN);
	case KVMAP_LOG_FRAMES_RETURNED: return translate_frames(history, record, TLB_FRAMES_RETURNED);
	case KVMAP_LOG_RANGE_TAKEN: return translate_range(history, record, TLB_RANGE_TAKEN);
	case KVMAP_LOG_RANGE_RETURNED: return translate_range(history, record, TLB_RANGE_RETURNED);
	case KVMAP_LOG_OPERATION: return translate_operation(history, record);
	case KVMAP_LOG_INVLPG: return translate_invlpg(history, record);
	case KVMAP_LOG_BEGIN: return translate_begin(history, record);
	}
	return damaged(history, record, "a record of an unknown kind");
}
