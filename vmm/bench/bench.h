/* SPDX-License-Identifier: MIT */
/*
 * bench.h: `kvmap bench guest`: the guest's instructions, counted under QEMU, beside Linux's figures.
 * `kvmap bench verify`: the time of a verification.
 */
#ifndef VMM_BENCH_BENCH_H
#define VMM_BENCH_BENCH_H

#include "base/array.h"
#include "base/error.h"
#include "report/bench.h"
#include "session/session.h"

#define BENCH_ALL_POLICIES UINT32_MAX

#define BENCH_CPUS     4
#define BENCH_CPUS_ALL UINT32_MAX

/* Borrowed. */
struct bench_config {
	const char *program; /* the guest's ELF file */
	uint64_t memory;     /* bytes */
	uint64_t timeout_ns; /* of each run of QEMU */
	uint32_t policy;     /* or BENCH_ALL_POLICIES */
	bool log;            /* measure each row with the event log, too */
	unsigned int
		cpus; /* of the rows of "cpus"; 0: BENCH_CPUS, BENCH_CPUS_ALL: 1, 2, 4 and so on to the most */
	/* "vmalloc", "vmalloc:4K", "live", "flushes", "cpus"; none: everything. */
	const char *const *selected;
	size_t selected_count;
};

struct bench_rows {
	ARRAY_OF(struct report_bench_row);
};

struct bench_results {
	struct bench_rows rows, live;
	ARRAY_OF(struct report_bench_flushes) flushes;
	ARRAY_OF(struct report_bench_cpus) cpus;
	char missing
		[1024]; /* of Linux's figures, the functions that the guest lacks; "": none, or a selection */
};

/*
 * Measures what is selected. ERROR_INPUT if a word of the selection names nothing, ERROR_HOST without QEMU.
 * To be freed with bench_results_destroy(), on failure too.
 */
int bench_measure(const struct bench_config *config, struct bench_results *out, struct error *error);
void bench_results_destroy(struct bench_results *results);

/*
 * Runs a script under QEMU, whose CPUs have TLBs that keep a translation until it is flushed. *report_out is what the guest
 * wrote to the serial port, malloc'ed. An operation that does not do what the script expects is ERROR_GUEST.
 */
int bench_report(const struct bench_config *config, uint32_t cpus, const char *script, char **report_out,
		 struct error *error);

/* Limits of the pages of a row: an area has 25. */
#define BENCH_VERIFY_PAGES_MIN 25
#define BENCH_VERIFY_PAGES_MAX 4000000

/*
 * Measures a verification of a guest with areas of each number of pages, for out[0..count). The session states the
 * machine; memory of 0 is as much as the pages need. ERROR_GUEST if it has too little, or findings.
 */
int bench_verify(const struct session_config *session, const uint64_t *pages, size_t count,
		 struct report_bench_verify *out, struct error *error);

#endif
