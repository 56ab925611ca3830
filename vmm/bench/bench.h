/* SPDX-License-Identifier: MIT */
/*
 * bench.h: the parts of `kvmap bench guest`: Linux's figures, and one script under QEMU.
 */
#ifndef VMM_BENCH_BENCH_H
#define VMM_BENCH_BENCH_H

#include "base/error.h"
#include "report/bench.h"

#include <stddef.h>
#include <stdint.h>

/* ---- bench_linux.c ---- */

struct linux_figure {
	char operation[32];
	char size[16]; /* as a script writes it: "4K" */
	uint64_t bytes;
	uint64_t best; /* instructions of a pair, by the kernel that needs the fewest */
};

struct linux_figures {
	struct linux_figure *items;
	size_t count, capacity;
};

/* Reads figures/linux-vmalloc.tsv. To be freed with free(out->items). */
int linux_figures_read(struct linux_figures *out, struct error *error);

/* ---- bench_qemu.c ---- */

/* What the guest says of a `pair` in the script. */
struct bench_pair {
	uint32_t line;
	uint64_t count;
	uint64_t ticks; /* of all of them */
	uint64_t worst;
	uint64_t beyond; /* of the worst beyond the cheapest of its kind */
};

/* What the guest says of a `parallel`, on all CPUs together. */
struct bench_block {
	uint32_t line;
	uint64_t ticks, locks, contended, rounds, interrupts, pages;
};

struct bench_result {
	struct {
		struct bench_pair *items;
		size_t count, capacity;
	} pairs;
	struct {
		struct bench_block *items;
		size_t count, capacity;
	} blocks;
	/* of the whole run */
	uint64_t frees;
	uint64_t flush_full, flush_range, flush_pages;
	uint64_t purged_pages, interrupts;
};

struct bench_machine {
	const char *program; /* the guest's ELF file */
	uint64_t memory;
	uint64_t timeout_ns;
	unsigned int cpus;
};

/*
 * Runs the script under QEMU with an instruction a tick of the time-stamp counter. All of its operations must
 * have been done. To be freed with bench_result_destroy().
 */
int bench_qemu(const struct bench_machine *machine, uint32_t policy, const char *script,
	       struct bench_result *out, struct error *error);
void bench_result_destroy(struct bench_result *result);

/* ---- bench_cpus.c ---- */

/* Several CPUs at work at once: a row for each of a few functions. To be freed with free(). */
int bench_cpus(const struct bench_machine *machine, uint32_t policy, struct report_bench_cpus **rows_out,
	       size_t *count_out, struct error *error);

#endif
