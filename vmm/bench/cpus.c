/* SPDX-License-Identifier: MIT */
/*
 * cpus.c: pairs on several CPUs at the same time. QEMU with -icount runs one CPU at a time, in turn, and
 * switches to the next where one waits, which the guest does between pairs: so it is deterministic. The
 * counter counts the instructions of all CPUs; pairs of "nothing" measure the loop itself, which is
 * subtracted.
 */
#include "bench/internal.h"

#include "kvmap/boot.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAIRS   1024
#define WARM_UP 128

static const struct {
	const char *operation, *function, *size;
} functions[] = {
	{ "nothing", "nothing", "4K" },        { "vmalloc", "vmalloc", "4K" },
	{ "vmalloc", "vmalloc", "16K" },       { "vmalloc", "vmalloc", "64K" },
	{ "vmalloc", "vmalloc", "1M" },        { "vzalloc", "vzalloc", "4K" },
	{ "kmalloc", "kmalloc", "64" },        { "kmalloc", "kmalloc", "4K" },
	{ "alloc_page", "alloc_pages", "4K" },
};

#define FUNCTIONS (sizeof(functions) / sizeof(functions[0]))

/* Functions that move 256 pages in one operation are run less often. */
static unsigned int pairs_of(size_t function)
{
	return strcmp(functions[function].size, "1M") ? PAIRS : PAIRS / 8;
}

static void block_write(FILE *stream, unsigned int cpus, size_t function, unsigned int pairs)
{
	fputs("parallel\n", stream);
	for (unsigned int cpu = 0; cpu < cpus; cpu++)
		fprintf(stream, "on cpu %u pair %s %s %u\n", cpu, functions[function].function,
			functions[function].size, pairs);
	fputs("end\n", stream);
}

/* Before each block that is measured, one that warms up. */
static char *script_write(unsigned int cpus)
{
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	if (!stream)
		return NULL;
	for (size_t i = 0; i < FUNCTIONS; i++) {
		block_write(stream, cpus, i, WARM_UP);
		block_write(stream, cpus, i, pairs_of(i));
	}
	if (fclose(stream) != 0) {
		free(text);
		return NULL;
	}
	return text;
}

/* `all` without the cost of the loop, which was measured with PAIRS pairs. */
static uint64_t without(uint64_t all, uint64_t own, size_t function)
{
	own = own * pairs_of(function) / PAIRS;
	return all > own ? all - own : 0;
}

static void row_fill(struct report_bench_cpus *row, unsigned int cpus, uint32_t policy, size_t function,
		     const struct bench_block *block, const struct bench_block *nothing)
{
	*row = (struct report_bench_cpus){
		.policy = policy,
		.cpus = cpus,
		.pairs = (uint64_t)pairs_of(function) * cpus,
		.instructions = without(block->ticks, nothing->ticks, function),
		.locks = without(block->locks, nothing->locks, function),
		.contended = without(block->contended, nothing->contended, function),
		.rounds = without(block->rounds, nothing->rounds, function),
		.interrupts = without(block->interrupts, nothing->interrupts, function),
		.pages = block->pages,
	};
	snprintf(row->operation, sizeof(row->operation), "%s", functions[function].operation);
	snprintf(row->size, sizeof(row->size), "%s", functions[function].size);
}

int bench_cpus(const struct bench_config *config, unsigned int cpus, uint32_t policy,
	       struct report_bench_cpus **rows_out, size_t *count_out, struct error *error)
{
	struct report_bench_cpus *rows = calloc(FUNCTIONS - 1, sizeof(*rows));
	const struct bench_machine machine = { .cpus = cpus, .policy = policy };
	char *script = script_write(cpus);
	struct bench_run run = { 0 };
	int status = -1;

	if (!rows || !script)
		error_set(error, ERROR_HOST, ENOMEM, 0, "no memory for the bench's script");
	else if (bench_qemu(config, &machine, script, &run, error) == 0 && run.blocks.count != 2 * FUNCTIONS)
		error_set(error, ERROR_GUEST, 0, 0, "the guest reported %zu of %zu blocks", run.blocks.count,
			  2 * FUNCTIONS);
	else if (run.blocks.count)
		status = 0;
	for (size_t i = 1; i < FUNCTIONS && status == 0; i++)
		row_fill(&rows[i - 1], cpus, policy, i, &run.blocks.items[2 * i + 1], &run.blocks.items[1]);
	bench_run_destroy(&run);
	free(script);
	if (status < 0) {
		free(rows);
		return -1;
	}
	*rows_out = rows;
	*count_out = FUNCTIONS - 1;
	return 0;
}
