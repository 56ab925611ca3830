/* SPDX-License-Identifier: MIT */
/*
 * internal.h: shared by the files of vmm/bench.
 */
#ifndef VMM_BENCH_INTERNAL_H
#define VMM_BENCH_INTERNAL_H

#include "base/array.h"
#include "bench/bench.h"

/* ---- linux.c ---- */

struct linux_figure {
	char operation[32];
	char size[16]; /* as a script writes it: "4K" */
	uint64_t bytes;
	uint64_t best; /* instructions of a pair, by the kernel that needs the fewest */
};

struct linux_figures {
	ARRAY_OF(struct linux_figure);
};

/* Reads figures/linux-vmalloc.tsv. To be freed with free(out->items). */
int linux_figures_read(struct linux_figures *out, struct error *error);

/* ---- scenes.c ---- */

/* A state of memory in which functions are measured, in a machine of its own. */
struct scene {
	const char *operation; /* name of its rows; NULL: as in Linux's figures */
	const char *figure;    /* the operation in Linux's figures */
	const char *function;  /* of the guest; NULL: the one of that name */
	const char *setup;     /* operations of a script */
	const char *sizes;     /* of Linux's figures, separated by spaces; NULL: all */
};

#define SCENES 24
extern const struct scene scenes[SCENES];

/* The guest's function that the scene measures for a figure; NULL: it does not measure it. */
const char *scene_function(const struct scene *scene, const struct linux_figure *figure);

/* The operation of the row that the scene measures for a figure. */
const char *scene_row_name(const struct scene *scene, const struct linux_figure *figure);

/* Whether the row, or "live", "flushes" or "cpus" with size "", is selected. */
bool selection_has(const struct bench_config *config, const char *operation, const char *size);

/* ERROR_INPUT if a word of the selection names nothing. */
int selection_check(const struct bench_config *config, const struct linux_figures *figures,
		    struct error *error);

/* "kmalloc, vmap": the figures of Linux that no scene measures. */
void missing_functions(const struct linux_figures *figures, char *out, size_t size);

/* ---- qemu.c ---- */

/* The guest's report of a `pair`. Ticks are instructions. */
struct bench_pair {
	uint32_t line; /* of the script */
	uint64_t count;
	uint64_t ticks; /* of all of them */
	uint64_t worst;
	uint64_t beyond; /* of the worst operation above the cheapest of its kind */
};

/* The guest's report of a `parallel`: counts of all CPUs together. */
struct bench_block {
	uint32_t line;
	uint64_t ticks, locks, contended, rounds, interrupts, pages;
};

struct bench_run {
	ARRAY_OF(struct bench_pair) pairs;
	ARRAY_OF(struct bench_block) blocks;
	/* Totals of the whole run. */
	uint64_t frees;
	uint64_t flush_full, flush_range, flush_pages;
	uint64_t purged_pages, interrupts;
	char *report; /* all that the guest wrote to the serial port */
};

struct bench_machine {
	unsigned int cpus;
	uint32_t policy;
	bool log; /* the guest keeps the event log; no host reads it */
};

/*
 * Runs the script under QEMU on that machine, where each tick of the time-stamp counter is an
 * instruction. All of its operations must have been done. To be freed with bench_run_destroy().
 */
int bench_qemu(const struct bench_config *config, const struct bench_machine *machine, const char *script,
	       struct bench_run *out, struct error *error);
void bench_run_destroy(struct bench_run *run);

/* ---- plan.c ---- */

struct plan_row {
	uint32_t line; /* of the measured pairs; the line before it warms up */
	struct report_bench_row row;
};

/* A script that is being written, and the rows that its pairs fill. */
struct plan {
	FILE *stream;
	char *text;
	size_t size;
	uint32_t line; /* last one written */
	ARRAY_OF(struct plan_row) rows;
	bool failed; /* out of memory */
};

void plan_open(struct plan *plan);
void plan_close(struct plan *plan);

/* Writes whole lines. */
void plan_write(struct plan *plan, const char *lines);

/* Measures a function of the guest with a size of `bytes`, which is `row->size` in a script. */
void plan_measure(struct plan *plan, const char *function, uint64_t bytes,
		  const struct report_bench_row *row);

/* Runs the plan on one CPU and fills its rows. *totals, if not NULL, gets the counts of the whole run. */
int plan_run(struct plan *plan, const struct bench_config *config, uint32_t policy, struct bench_run *totals,
	     struct error *error);

/* ---- cpus.c ---- */

/* Measures functions on several CPUs at the same time: rows for free(). */
int bench_cpus(const struct bench_config *config, unsigned int cpus, uint32_t policy,
	       struct report_bench_cpus **rows_out, size_t *count_out, struct error *error);

#endif
