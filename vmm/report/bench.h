/* SPDX-License-Identifier: MIT */
/*
 * bench.h: the reports of `bench guest` and `bench verify`.
 */
#ifndef VMM_REPORT_BENCH_H
#define VMM_REPORT_BENCH_H

#include "report/report.h"

#include <stddef.h>

/* An allocation and its free. Instructions. */
struct report_bench_row {
	char operation[32]; /* as in figures/linux-vmalloc.tsv */
	char size[16];
	uint32_t policy;
	uint64_t areas;        /* live at the same time; 0: not the subject of this row */
	uint64_t instructions; /* of a pair, on average, all purges included */
	uint64_t worst;        /* of the most expensive single operation */
	uint64_t beyond;       /* of the most expensive operation above the cheapest of its kind */
	uint64_t reference;    /* Linux's best; 0: unknown */
	uint64_t logged;       /* `instructions` with the event log; 0: not measured */
	uint64_t pages;        /* of the size; 0: less than one */
};

/* Flushes of a thousand frees. */
struct report_bench_flushes {
	uint32_t policy;
	uint64_t frees;
	uint64_t full;       /* flushes of everything */
	uint64_t some;       /* flushes page by page */
	uint64_t pages;      /* flushed page by page */
	uint64_t entries;    /* flushed in either way: pages that had been unmapped */
	uint64_t interrupts; /* of other CPUs */
};

/* Pairs on several CPUs at the same time. Counts are of all CPUs together. */
struct report_bench_cpus {
	char operation[32];
	char size[16];
	uint32_t policy;
	unsigned int cpus;
	uint64_t pairs;
	uint64_t instructions;              /* of all pairs, waiting included */
	uint64_t locks, contended;          /* acquisitions, and those that had to wait */
	uint64_t rounds, interrupts, pages; /* TLB shootdowns, their IPIs, and pages that they flushed */
};

struct report_bench {
	const struct report_bench_row *rows, *live; /* by policy */
	size_t row_count, live_count;
	const struct report_bench_flushes *flushes;
	size_t flushes_count;
	const struct report_bench_cpus *cpus; /* by policy */
	size_t cpus_count;
	const char *missing; /* "kmalloc, vmap": of Linux's figures, the functions that the guest lacks; "" */
};

void report_bench(struct report *report, const struct report_bench *bench);

/* A verification of a guest. Times are the shortest of several. */
struct report_bench_verify {
	uint64_t pages, areas;
	uint64_t full_ns; /* of reading the claims and verifying them */
	uint64_t read_ns; /* of one pass of 8-byte loads over the guest memory that the verification reads */
	uint64_t read_bytes;  /* of that memory: whole pages */
	uint64_t page_faults; /* of the process, in a verification */
};

void report_bench_verify(struct report *report, const struct report_bench_verify *rows, size_t count);

#endif
