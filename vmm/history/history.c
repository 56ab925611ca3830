/* SPDX-License-Identifier: MIT */
#include "history/internal.h"

#include "base/lower_bound.h"
#include "kvmap/boot.h"

#include <stdlib.h>

int finding_add(struct history *history, const struct history_finding *finding)
{
	if (history->findings.count - history->given >= FINDINGS_MAX)
		return 0;
	if (array_push(&history->findings, *finding) < 0)
		return no_memory(history);
	return 0;
}

/* The first flush after a removal: what lacks the same flush has the same one. */
static uint64_t cause_of(const struct history *history, const struct tlb_debt *debt)
{
	size_t i = lower_bound(history->flush_events.count, j, history->flush_events.items[j] <= debt->since);

	return i < history->flush_events.count ? history->flush_events.items[i] : 0;
}

static int rules_take(struct history *history)
{
	const struct tlb_findings *findings = tlb_findings(history->tlb);

	for (; history->tlb_taken < findings->count; history->tlb_taken++) {
		const struct tlb_finding *tlb = &findings->items[history->tlb_taken];
		const struct history_finding finding = {
			.kind = HISTORY_RULE,
			.cpu = tlb->cpu,
			.address = tlb->address,
			.tlb = *tlb,
			.cause = tlb->has_debt ? cause_of(history, &tlb->debt) : 0,
		};

		/* Entries that changed without an event are findings here, with their values. */
		if (tlb->rule != TLB_RULE_UNLOGGED_STORE && finding_add(history, &finding) < 0)
			return -1;
	}
	return 0;
}

int feed(struct history *history, const struct tlb_event *event)
{
	const char *wrong = tlb_event_wrong(event, history->config.cpus);
	const struct record none = { .cpu = event->cpu };
	int result;

	if (wrong)
		return damaged(history, &none, wrong);
	result = history->has_recorder ? event_recorder_feed(&history->recorder, event, history->error)
				       : tlb_feed(history->tlb, event, history->error);
	return result < 0 ? -1 : rules_take(history);
}

uint64_t mark_of(const struct history *history, uint64_t seq)
{
	/* Older ones are not kept: a flush that began then covers less than it could. */
	if (seq < history->first_mark || !history->marks.count)
		return 0;
	seq -= history->first_mark;
	return history->marks.items[seq < history->marks.count ? seq : history->marks.count - 1];
}

static int model_create(struct history *history)
{
	struct tlb_config config = tlb_config_default();

	config.cpus = history->config.cpus;
	config.rules = tlb_profile_rules('O');
	config.limits.findings = FINDINGS_MAX;
	/* This policy permits it: frames are used again before the flush. */
	if (history->config.policy == KVMAP_POLICY_LAZY)
		config.rules &= ~TLB_RULE_BIT(TLB_RULE_FRAME_REUSE);
	if (!history->config.record)
		return tlb_create(&config, &history->tlb, history->error);
	if (event_recorder_create(&history->recorder, history->config.record, &config, history->error) < 0)
		return -1;
	history->has_recorder = true;
	history->tlb = history->recorder.tlb;
	return 0;
}

int history_create(const struct history_config *config, struct history **out, struct error *error)
{
	struct history *history = calloc(1, sizeof(*history));

	if (!history)
		return error_set(error, ERROR_HOST, 0, 0, "out of memory for the event log");
	history->config = *config;
	history->error = error;
	for (unsigned int cpu = 0; cpu < config->cpus; cpu++)
		history->cpus[cpu].thread = (uint64_t)(cpu + 1) << 32;
	streams_init(history);
	if (model_create(history) < 0) {
		history_destroy(history);
		return -1;
	}
	*out = history;
	return 0;
}

void history_destroy(struct history *history)
{
	if (!history)
		return;
	tlb_destroy(history->tlb);
	free(history->pending.items);
	free(history->pairs.items);
	free(history->marks.items);
	free(history->blocks.items);
	free(history->flush_events.items);
	free(history->findings.items);
	free(history);
}

int history_take(struct history *history, const struct view *view, struct error *error)
{
	history->error = error;
	if (!history->has_begun) {
		history->has_begun = true;
		if (base_take(history, view) < 0)
			return -1;
	}
	if (streams_read(history, view) < 0)
		return -1;
	return records_take(history, false);
}

int history_stop(struct history *history, const struct view *view, struct error *error)
{
	history->error = error;
	if (!history->has_begun)
		return 0;
	if (streams_read(history, view) < 0 || records_take(history, true) < 0)
		return -1;
	return tables_compare(history, view);
}

int history_compare_invlpg(struct history *history, uint64_t count, struct error *error)
{
	struct history_finding finding = {
		.kind = HISTORY_INVLPG,
		.claimed = history->stats.invlpg - history->invlpg_before,
		.found = count - history->kvm_before,
	};

	history->error = error;
	if (!count)
		return 0;
	history->invlpg_before = history->stats.invlpg;
	history->kvm_before = count;
	history->stats.has_invlpg = true;
	history->checks++;
	return finding.claimed == finding.found ? 0 : finding_add(history, &finding);
}

bool history_has_begun(const struct history *history)
{
	return history->has_begun;
}

uint64_t history_must_flush(const struct history *history, unsigned int cpu)
{
	return cpu < history->config.cpus ? history->cpus[cpu].must_flush : 0;
}

bool history_is_purged(const struct history *history)
{
	return history->is_purged;
}

const struct history_findings *history_new_findings(struct history *history)
{
	/* Findings that were returned before go. */
	for (size_t i = history->given; i < history->findings.count; i++)
		history->findings.items[i - history->given] = history->findings.items[i];
	history->findings.count -= history->given;
	history->given = history->findings.count;
	return &history->findings;
}

uint64_t history_new_checks(struct history *history)
{
	uint64_t checks = history->checks - history->checks_given;

	history->checks_given = history->checks;
	return checks;
}

const struct history_stats *history_stats(const struct history *history)
{
	return &history->stats;
}

uint64_t history_not_seen(const struct history *history)
{
	const struct tlb_stats *stats = tlb_stats(history->tlb);

	return stats->unknown_tables + stats->pages_dropped + stats->debts_dropped + stats->contexts_dropped +
	       stats->places_dropped + stats->unknown_walks + stats->rounds_unknown + stats->work_dropped;
}

const struct tlb *history_tlb(const struct history *history)
{
	return history->tlb;
}

void history_record_end(struct history *history)
{
	if (history->has_recorder && !history->has_ended)
		event_recorder_end(&history->recorder);
	history->has_ended = true;
}
