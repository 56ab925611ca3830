/* SPDX-License-Identifier: MIT */
/*
 * order.c: the records of all logs by their numbers. A CPU that was stopped between its number and its record leaves a gap,
 * and what follows waits for it.
 */
#include "history/internal.h"

#include <stdlib.h>
#include <string.h>

/* Records that may wait for one that is missing. Every running CPU can have one that is not complete. */
#define WAITING_MAX (1u << 17)

static int by_seq(const void *a, const void *b)
{
	const struct record *left = a, *right = b;

	return left->seq < right->seq ? -1 : left->seq > right->seq;
}

/* Records that wait move to the front, and their pairs. */
static void pending_keep(struct history *history, size_t from)
{
	size_t count = history->pending.count - from, lowest = history->pairs.count;

	memmove(history->pending.items, history->pending.items + from,
		count * sizeof(*history->pending.items));
	history->pending.count = count;
	for (size_t i = 0; i < count; i++)
		if (history->pending.items[i].first < lowest)
			lowest = history->pending.items[i].first;
	if (!lowest)
		return;
	history->pairs.count -= lowest;
	memmove(history->pairs.items, history->pairs.items + lowest,
		history->pairs.count * sizeof(*history->pairs.items));
	for (size_t i = 0; i < count; i++)
		history->pending.items[i].first -= lowest;
}

static int mark_add(struct history *history)
{
	if (history->marks.count == MARKS_MAX) {
		history->marks.count /= 2;
		history->first_mark += history->marks.count;
		memmove(history->marks.items, history->marks.items + history->marks.count,
			history->marks.count * sizeof(*history->marks.items));
	}
	if (!history->marks.count)
		history->first_mark = history->seq;
	if (array_push(&history->marks, tlb_seq(history->tlb)) < 0)
		return no_memory(history);
	return 0;
}

static int lost(struct history *history, const struct record *next)
{
	const struct history_finding finding = {
		.kind = HISTORY_LOG_LOST,
		.cpu = next->cpu,
		.address = next->address,
		.claimed = next->seq - history->seq - 1,
		.found = history->seq + 1,
	};

	/* Flushes that began before the gap cover nothing of what came before it: their marks go. */
	history->marks.count = 0;
	return finding_add(history, &finding);
}

static int record_take(struct history *history, const struct record *record)
{
	history->seq = record->seq;
	history->stats.records++;
	if (record_translate(history, record) < 0)
		return -1;
	return mark_add(history);
}

int records_take(struct history *history, bool all)
{
	size_t i = 0;

	/* An empty array has no items to sort. */
	if (!history->pending.count)
		return 0;
	qsort(history->pending.items, history->pending.count, sizeof(*history->pending.items), by_seq);
	for (; i < history->pending.count; i++) {
		const struct record *record = &history->pending.items[i];
		bool is_late = record->seq <= history->seq;

		if (is_late) {
			if (damaged(history, record, "a number that another record had") < 0)
				return -1;
			continue;
		}
		if (record->seq != history->seq + 1) {
			if (!all && history->pending.count - i < WAITING_MAX)
				break;
			if (lost(history, record) < 0)
				return -1;
		}
		if (record_take(history, record) < 0)
			return -1;
	}
	pending_keep(history, i);
	return 0;
}
