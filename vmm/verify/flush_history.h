/* SPDX-License-Identifier: MIT */
/*
 * flush_history.h: by when had every CPU forgotten what was unmapped at some moment? From the guest's log of
 * flushes and of CPUs that halt and wake.
 *
 * What was unmapped at stamp u is flushed on a CPU at the least stamp s such that the CPU's flushes that
 * began at u or later and were complete by s together cover its range; or at the stamp from which on the CPU
 * was idle, if it is idle still and has been told to flush when it wakes, or if it has done so before the log
 * says that it woke. The greatest s of all CPUs counts.
 */
#ifndef VMM_VERIFY_FLUSH_HISTORY_H
#define VMM_VERIFY_FLUSH_HISTORY_H

#include "claims/claims.h"

#define FLUSHED_NEVER   UINT64_MAX
#define FLUSHED_UNKNOWN (UINT64_MAX - 1) /* the log is such that it would take too long to find out */

/* Entries of the log that concern one CPU: places in flush_history.places. */
struct flush_span {
	size_t first, count;
};

struct flush_history {
	const struct claims *claims;
	unsigned int cpus;
	uint32_t *places; /* in claims->flushes, by CPU, in the order of their stamps */
	struct flush_span flushes[VIEW_CPUS_MAX], turns[VIEW_CPUS_MAX]; /* turns: it halts or wakes */
	uint64_t steps_left;
};

/* Of CPUs 0 to cpus - 1. claims is borrowed. -1 when memory is out. */
int history_build(struct flush_history *history, const struct claims *claims, unsigned int cpus);
void history_destroy(struct flush_history *history);

/* What the caller does for each of many things counts too; false: it has been enough. */
bool history_step(struct flush_history *history);

/* The stamp from which on no CPU can use what was unmapped at `after` in [start, end), or one of the above.
 */
uint64_t history_flushed_at(struct flush_history *history, uint64_t start, uint64_t end, uint32_t after);

#endif
