/* SPDX-License-Identifier: MIT */
#include "verify/flush_history.h"

#include "base/lower_bound.h"

#include <stdlib.h>

/* Limit of log entries read in all searches, about a second: bounds the time that a hostile log can cost. */
#define STEPS_MAX (1ull << 28)

static const struct claim_flush *entry_at(const struct flush_history *history, const struct flush_span *span,
					  size_t i)
{
	return &history->claims->flushes.items[history->places[span->first + i]];
}

/* Index of the first entry of a span with a greater stamp; span->count if there is none. */
static size_t first_after(const struct flush_history *history, const struct flush_span *span, uint64_t stamp)
{
	return lower_bound(span->count, i, entry_at(history, span, i)->stamp <= stamp);
}

bool history_step(struct flush_history *history)
{
	if (!history->steps_left)
		return false;
	history->steps_left--;
	return true;
}

/* The earliest flush of `cpu` that covers gva and began at stamp `after` or later, or NULL. */
static const struct claim_flush *first_flush(struct flush_history *history, unsigned int cpu, uint64_t gva,
					     uint64_t after)
{
	const struct flush_span *span = &history->flushes[cpu];

	for (size_t i = first_after(history, span, after); i < span->count && history_step(history); i++) {
		const struct claim_flush *flush = entry_at(history, span, i);

		if (flush->begun >= after && flush->start <= gva && gva < flush->end)
			return flush;
	}
	return NULL;
}

/*
 * The stamp by which the flushes of `cpu` that began at `after` or later cover [start, end), or
 * FLUSHED_NEVER.
 */
static uint64_t covered_at(struct flush_history *history, unsigned int cpu, uint64_t start, uint64_t end,
			   uint64_t after)
{
	uint64_t stamp = after;

	while (start < end) {
		const struct claim_flush *flush = first_flush(history, cpu, start, after);

		if (!flush)
			return FLUSHED_NEVER;
		if (stamp < flush->stamp)
			stamp = flush->stamp;
		start = flush->end;
	}
	return stamp;
}

/*
 * The stamp from which on `cpu` cannot use translations that were unmapped at `after`. `covered` is the stamp
 * by which its flushes cover them; an earlier stamp counts if the CPU was idle from then on and flushed
 * before it woke.
 */
static uint64_t safe_at(struct flush_history *history, unsigned int cpu, uint64_t after, uint64_t covered)
{
	const struct flush_span *span = &history->turns[cpu];
	uint32_t state = history->claims->cpu_states[cpu];
	uint64_t idle_since = FLUSHED_NEVER; /* FLUSHED_NEVER: the CPU is running */
	size_t first = first_after(history, span, after);

	for (size_t i = first; i < span->count && history_step(history); i++) {
		const struct claim_flush *entry = entry_at(history, span, i);

		if ((entry->cpu & TLB_FLUSH_EVENT) == TLB_FLUSH_IDLE) {
			idle_since = entry->stamp;
			if (idle_since > covered)
				return covered;
			continue;
		}
		if (i == first)
			idle_since = after;
		if (idle_since < covered && covered < entry->stamp)
			return idle_since;
		idle_since = FLUSHED_NEVER;
	}
	if (first == span->count && state != CPU_RUNNING)
		idle_since = after;
	return idle_since < covered && (covered != FLUSHED_NEVER || state == CPU_IDLE_STALE) ? idle_since
											     : covered;
}

uint64_t history_flushed_at(struct flush_history *history, uint64_t start, uint64_t end, uint64_t after)
{
	uint64_t stamp = after;

	for (unsigned int cpu = 0; cpu < history->cpus && stamp != FLUSHED_NEVER; cpu++) {
		uint64_t safe = covered_at(history, cpu, start, end, after);

		safe = safe_at(history, cpu, after, safe);
		if (stamp < safe)
			stamp = safe;
	}
	return history->steps_left ? stamp : FLUSHED_UNKNOWN;
}

/* The span that an entry belongs to, or NULL. */
static struct flush_span *span_of(struct flush_history *history, const struct claim_flush *entry)
{
	uint32_t cpu = TLB_FLUSH_CPU(entry->cpu), event = entry->cpu & TLB_FLUSH_EVENT;

	if (cpu >= history->cpus)
		return NULL;
	if (!event)
		return &history->flushes[cpu];
	return event == TLB_FLUSH_IDLE || event == TLB_FLUSH_WAKE ? &history->turns[cpu] : NULL;
}

static size_t place_span(struct flush_span *span, size_t first)
{
	size_t count = span->count;

	*span = (struct flush_span){ .first = first };
	return first + count;
}

int flush_history_build(struct flush_history *history, const struct claims *claims, unsigned int cpus)
{
	const struct claim_flush *items = claims->flushes.items;
	size_t count = claims->flushes.count, first = 0;
	struct flush_span *span;

	*history = (struct flush_history){ .claims = claims, .cpus = cpus, .steps_left = STEPS_MAX };
	history->places = malloc((count + 1) * sizeof(*history->places));
	history->flushes = calloc(cpus, sizeof(*history->flushes));
	history->turns = calloc(cpus, sizeof(*history->turns));
	if (!history->places || !history->flushes || !history->turns) {
		flush_history_destroy(history);
		return -1;
	}
	for (size_t i = 0; i < count; i++)
		if ((span = span_of(history, &items[i])))
			span->count++;
	for (unsigned int cpu = 0; cpu < cpus; cpu++) {
		first = place_span(&history->flushes[cpu], first);
		first = place_span(&history->turns[cpu], first);
	}
	for (size_t i = 0; i < count; i++)
		if ((span = span_of(history, &items[i])))
			history->places[span->first + span->count++] = (uint32_t)i;
	return 0;
}

void flush_history_destroy(struct flush_history *history)
{
	free(history->places);
	free(history->flushes);
	free(history->turns);
	*history = (struct flush_history){ .claims = history->claims };
}
