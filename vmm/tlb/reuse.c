/* SPDX-License-Identifier: MIT */
/*
 * reuse.c: frames and ranges that are allocated and freed, and rounds of flushes.
 */
#include "tlb/internal.h"

struct reuse {
	const struct tlb_event *event;
	uint64_t owed;
};

/* ---- frames ---- */

static void take_frame(struct tlb *tlb, struct debt *debt, void *context)
{
	struct reuse *reuse = context;
	enum tlb_rule rule = debt->is.is_table ? TLB_RULE_TABLE_REUSE : TLB_RULE_FRAME_REUSE;

	if (!debt_is_owed(tlb, &debt->is))
		return;
	reuse->owed++;
	if (reuse->event->kind == TLB_FRAMES_TAKEN)
		match_owed(tlb, rule, reuse->event->cpu, debt->is.frame, debt);
	else if (debt->is.is_table)
		match_owed(tlb, TLB_RULE_TABLE_RETURNED, reuse->event->cpu, debt->is.frame, debt);
}

/* The frames of a debt that lie in the range. */
static void take_overlap(struct tlb *tlb, struct debt *debt, struct reuse *reuse)
{
	if (debt->is.frame < reuse->event->value &&
	    debt->is.frame + tlb_debt_size(&debt->is) > reuse->event->address)
		take_frame(tlb, debt, reuse);
}

void reuse_frames(struct tlb *tlb, const struct tlb_event *event)
{
	struct reuse reuse = { event, 0 };
	uint64_t start = page_round_down(event->address, PAGE_4K),
		 frames = (event->value - start + PAGE_4K - 1) / PAGE_4K;

	/* Frame by frame, or debt by debt: what is less. */
	if (frames <= tlb->stats.debts_now) {
		for (uint64_t i = 0; i < frames; i++)
			debts_of_frame(tlb, start + i * PAGE_4K, take_frame, &reuse);
	} else if (tlb->stats.debts_now) {
		for (unsigned int cpu = 0; cpu < tlb->config.cpus; cpu++)
			for (unsigned int list = 0; list < DEBT_LISTS; list++)
				for (struct debt *debt = tlb->cpus[cpu].lists[list]; debt; debt = debt->next)
					take_overlap(tlb, debt, &reuse);
	}
	if (event->kind == TLB_FRAMES_RETURNED)
		tlb->stats.frames_freed_owed += reuse.owed;
}

/* ---- ranges ---- */

static void take_range(struct tlb *tlb, struct debt *debt, void *context)
{
	const struct tlb_event *event = context;

	if (!debt->is.is_table && debt_is_owed(tlb, &debt->is))
		match_owed(tlb, TLB_RULE_RANGE_REUSE, event->cpu, debt->is.va, debt);
}

void reuse_range(struct tlb *tlb, const struct tlb_event *event)
{
	if (event->kind != TLB_RANGE_TAKEN || event->address == event->value)
		return;
	for (unsigned int cpu = 0; cpu < tlb->config.cpus; cpu++)
		debts_in_range(tlb, cpu, event->address, event->value - 1, take_range, (void *)event);
}

/* ---- rounds ---- */

void round_request(struct tlb *tlb, const struct tlb_event *event)
{
	const struct round round = { event->value, event->address, event->old, tlb->seq };

	if (tlb->rounds.count >= ROUNDS_MAX)
		tlb->stats.rounds_unknown++;
	else if (array_push(&tlb->rounds, round) < 0)
		tlb->no_memory = true;
}

static void check_flushed(struct tlb *tlb, struct debt *debt, const struct round *round, enum tlb_rule rule)
{
	/* Pages unmapped after the request need no flush by this round. */
	if (!debt->is.is_table && debt->is.since <= round->seq && debt_is_owed(tlb, &debt->is))
		match_owed(tlb, rule, debt->is.cpu, debt->is.va, debt);
}

static void check_round(struct tlb *tlb, struct debt *debt, void *context)
{
	check_flushed(tlb, debt, context, TLB_RULE_ROUND_SHORT);
}

/* Pages that an operation unmapped which has not returned are not promised: they may not be queued for the flush yet. */
static void check_promise(struct tlb *tlb, struct debt *debt, void *context)
{
	const struct round *round = context;

	if (debt->is.is_over && debt->is.over <= round->seq)
		check_flushed(tlb, debt, context, TLB_RULE_FLUSH_PROMISED);
}

void promise_done(struct tlb *tlb, const struct tlb_event *event)
{
	struct round round = { 0, event->address, event->old, event->value };

	for (unsigned int cpu = 0; cpu < tlb->config.cpus && round.start < round.end; cpu++)
		debts_in_range(tlb, cpu, round.start, round.end - 1, check_promise, &round);
}

void round_done(struct tlb *tlb, const struct tlb_event *event)
{
	struct round round;
	size_t i = 0;

	while (i < tlb->rounds.count && tlb->rounds.items[i].id != event->value)
		i++;
	if (i == tlb->rounds.count) {
		tlb->stats.rounds_unknown++;
		return;
	}
	round = tlb->rounds.items[i];
	tlb->rounds.items[i] = tlb->rounds.items[--tlb->rounds.count];
	for (unsigned int cpu = 0; cpu < tlb->config.cpus && round.start < round.end; cpu++)
		debts_in_range(tlb, cpu, round.start, round.end - 1, check_round, &round);
}
