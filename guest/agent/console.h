/* SPDX-License-Identifier: MIT */
/*
 * console.h: the lines of the serial report.
 */
#ifndef GUEST_AGENT_CONSOLE_H
#define GUEST_AGENT_CONSOLE_H

#include "agent/operations.h"

void console_hello(u64 boot_ticks);
void console_result(const struct operation *operation, u32 status, u64 ticks);
void console_bye(void);

/* Counters at some moment, summed over all CPUs. */
struct parallel_counts {
	u64 ticks;
	u64 locks, contended; /* acquisitions of the memory manager's locks; those that had to wait */
	u64 rounds, ipis;     /* TLB shootdowns, and IPIs sent for them */
	u64 pages;            /* pages that they flushed */
};

/* The line of a `parallel` with ticks: the differences of the counters. */
void console_parallel(u32 line, const struct parallel_counts *before, const struct parallel_counts *after);

#endif
