/* SPDX-License-Identifier: MIT */
/*
 * flush_history.h: when an unmapped range was flushed from the TLBs of all CPUs, by the guest's log of
 * flushes and of CPUs that halt and wake.
 *
 * A range that was unmapped at stamp u is flushed on a CPU at the least stamp s such that the CPU's flushes
 * that began at u or later and completed by s cover the range. An idle CPU counts as flushed from the stamp
 * at which it halted, if it is still halted and marked to flush when it wakes (CPU_IDLE_STALE), or if it
 * flushed before the log entry of its waking. The range is flushed on all CPUs at the greatest s.
 */
#ifndef VMM_VERIFY_FLUSH_HISTORY_H
#define VMM_VERIFY_FLUSH_HISTORY_H

#include "claims/claims.h"

#define FLUSHED_NEVER   UINT64_MAX
#define FLUSHED_UNKNOWN (UINT64_MAX - 1) /* the search exceeded its limit of steps */

/* Log entries of one CPU: a part of flush_history.places. */
struct flush_span {
	size_t first, count;
};

struct flush_history {
	const struct claims *claims;
	unsigned int cpus;
	uint32_t *places; /* indices into claims->flushes, by CPU, then in order of stamps */
	struct flush_span *flushes, *turns; /* of each CPU; turns: it halts or wakes */
	uint64_t steps_left;
};

/* Builds the history of CPUs 0 to cpus - 1. claims is borrowed. -1 if memory is out. */
int flush_history_build(struct flush_history *history, const struct claims *claims, unsigned int cpus);
void flush_history_destroy(struct flush_history *history);

/* Counts a step of the caller against the limit of steps. False if the limit is reached. */
bool history_step(struct flush_history *history);

/*
 * The stamp from which on no CPU can use translations of [start, end) that were unmapped at `after`;
 * FLUSHED_NEVER or FLUSHED_UNKNOWN.
 */
uint64_t history_flushed_at(struct flush_history *history, uint64_t start, uint64_t end, uint64_t after);

#endif
