/* SPDX-License-Identifier: MIT */
/*
 * rounds.c: flushes, and rounds of flushes on all CPUs. A round is complete after each CPU has logged a flush that began after
 * the request; an idle CPU may do so before it wakes.
 */
#include "history/internal.h"

#include "base/page.h"
#include "base/x86.h"

#include <string.h>

static bool is_full(uint64_t start, uint64_t end)
{
	return !start && end == UINT64_MAX;
}

/* The flush of CPU `cpu`, which began after record `begun`, for all rounds that had been requested by then. */
static void rounds_cover(struct history *history, unsigned int cpu, uint64_t begun, uint64_t start,
			 uint64_t end)
{
	for (unsigned int i = 0; i < history->round_count; i++) {
		struct flush_round *round = &history->rounds[i];

		for (uint32_t range = 0; begun >= round->seq && range < round->count; range++)
			if (start <= round->range[range].first && end >= round->range[range].second)
				round->covered[cpu] |= (uint8_t)(1u << range);
	}
	if (is_full(start, end) && begun >= history->cpus[cpu].must_flush)
		history->cpus[cpu].must_flush = 0;
}

static int feed_begun(struct history *history, unsigned int cpu, uint64_t begun)
{
	const struct tlb_event event = {
		.kind = TLB_FLUSH_BEGUN,
		.cpu = (uint16_t)cpu,
		.value = mark_of(history, begun),
	};

	return feed(history, &event);
}

static int feed_cr4(struct history *history, unsigned int cpu, uint64_t begun, uint64_t value)
{
	const struct tlb_event event = { .kind = TLB_CR4, .cpu = (uint16_t)cpu, .value = value };

	return feed_begun(history, cpu, begun) < 0 ? -1 : feed(history, &event);
}

/* The older half goes if they are too many: what lacks one of these flushes has the next one as its cause. */
static int flush_event_add(struct history *history)
{
	if (history->flush_events.count == MARKS_MAX) {
		history->flush_events.count /= 2;
		memmove(history->flush_events.items,
			history->flush_events.items + history->flush_events.count,
			history->flush_events.count * sizeof(*history->flush_events.items));
	}
	if (array_push(&history->flush_events, tlb_seq(history->tlb) + 1) < 0)
		return no_memory(history);
	return 0;
}

int translate_flush(struct history *history, const struct record *record)
{
	const struct kvmap_log_pair pair = history->pairs.items[record->first];
	const struct history_cpu *cpu = &history->cpus[record->cpu];
	struct tlb_event event = {
		.kind = TLB_FLUSH_RANGE,
		.cpu = record->cpu,
		.address = record->what & ~(PAGE_4K - 1),
		.value = pair.first,
	};
	/* The log has the low 32 bits. */
	uint64_t begun = record->seq - (uint32_t)((uint32_t)record->seq - (uint32_t)pair.second);
	uint64_t paid = tlb_stats(history->tlb)->debts_paid;

	if (pair.second > UINT32_MAX || begun >= record->seq || event.value < event.address)
		return damaged(history, record, "a flush that ended before it began");
	history->stats.flushes++;
	history->checks++;
	rounds_cover(history, record->cpu, begun, event.address, event.value);
	if (flush_event_add(history) < 0)
		return -1;
	if (is_full(event.address, event.value)) {
		if (feed_cr4(history, record->cpu, begun, cpu->cr4 & ~CR4_PGE) < 0 ||
		    feed_cr4(history, record->cpu, begun, cpu->cr4) < 0)
			return -1;
	} else {
		history->stats.invlpg += (event.value - event.address) / PAGE_4K;
		if (feed_begun(history, record->cpu, begun) < 0 || feed(history, &event) < 0)
			return -1;
	}
	history->stats.needless += tlb_stats(history->tlb)->debts_paid == paid;
	return 0;
}

static uint64_t round_id(uint64_t seq, uint32_t range)
{
	return seq * ROUND_RANGES + range;
}

int translate_round(struct history *history, const struct record *record)
{
	struct flush_round *round = &history->rounds[history->round_count];
	const struct kvmap_log_pair *pairs = &history->pairs.items[record->first];

	if (history->round_count == ROUNDS_MAX)
		return damaged(history, record, "more rounds of flushes than CPUs can have requested");
	*round = (struct flush_round){ .seq = record->seq, .count = record->count };
	memcpy(round->range, pairs, record->count * sizeof(*pairs));
	for (uint32_t i = 0; i < record->count; i++)
		if (round->range[i].second < round->range[i].first)
			return damaged(history, record, "a range that ends before it begins");
	history->round_count++;
	history->stats.rounds++;
	for (uint32_t i = 0; i < record->count; i++) {
		const struct tlb_event event = {
			.kind = TLB_ROUND_REQUEST,
			.cpu = record->cpu,
			.value = round_id(record->seq, i),
			.address = round->range[i].first,
			.old = round->range[i].second,
		};

		if (feed(history, &event) < 0)
			return -1;
	}
	return 0;
}

/* A CPU that has not flushed all of the round. */
static int check_cpu(struct history *history, const struct record *record, const struct flush_round *round,
		     unsigned int cpu)
{
	const struct history_finding finding = {
		.kind = HISTORY_ROUND_EARLY,
		.cpu = cpu,
		.address = record->address,
		.claimed = round->seq,
	};

	history->checks++;
	if (round->covered[cpu] == (1u << round->count) - 1)
		return 0;
	if (!history->cpus[cpu].is_idle)
		return finding_add(history, &finding);
	history->cpus[cpu].must_flush = round->seq;
	return 0;
}

int translate_round_done(struct history *history, const struct record *record)
{
	uint64_t low = KVMAP_LOG_NUMBER(record->what);
	struct flush_round round;
	unsigned int i = 0;

	while (i < history->round_count && (uint32_t)history->rounds[i].seq != low)
		i++;
	if (i == history->round_count)
		return damaged(history, record, "the end of a round that was not requested");
	round = history->rounds[i];
	history->rounds[i] = history->rounds[--history->round_count];
	for (unsigned int cpu = 0; cpu < history->config.cpus; cpu++)
		if (history->cpus[cpu].has_paging && check_cpu(history, record, &round, cpu) < 0)
			return -1;
	for (uint32_t range = 0; range < round.count; range++) {
		const struct tlb_event event = {
			.kind = TLB_ROUND_DONE,
			.cpu = record->cpu,
			.value = round_id(round.seq, range),
		};

		if (feed(history, &event) < 0)
			return -1;
	}
	return 0;
}

int translate_wake(struct history *history, const struct record *record)
{
	struct history_cpu *cpu = &history->cpus[record->cpu];
	const struct tlb_event event = { .kind = TLB_WAKE, .cpu = record->cpu };
	const struct history_finding finding = {
		.kind = HISTORY_WOKE_UNFLUSHED,
		.cpu = record->cpu,
		.address = record->address,
		.claimed = cpu->must_flush,
	};

	if (KVMAP_LOG_NUMBER(record->what) != record->cpu)
		return damaged(history, record, "another CPU that wakes");
	history->checks++;
	cpu->is_idle = false;
	if (cpu->must_flush && finding_add(history, &finding) < 0)
		return -1;
	cpu->must_flush = 0;
	return feed(history, &event);
}
