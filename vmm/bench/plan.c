/* SPDX-License-Identifier: MIT */
/*
 * plan.c: a script of pairs, and the rows that its report fills.
 */
#include "base/array.h"
#include "bench/internal.h"
#include "kvmap/layout.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

/* A row is measured with about ROW_PAGES pages. A sixteenth as many pairs before it warm up. */
#define ROW_PAGES     16384
#define ROW_PAIRS_MAX 4096
#define ROW_PAIRS_MIN 16
#define WARM_UP_PART  16

void plan_open(struct plan *plan)
{
	*plan = (struct plan){ 0 };
	plan->stream = open_memstream(&plan->text, &plan->size);
	plan->failed = !plan->stream;
}

void plan_close(struct plan *plan)
{
	if (plan->stream)
		fclose(plan->stream);
	free(plan->text);
	free(plan->rows.items);
}

void plan_write(struct plan *plan, const char *lines)
{
	if (plan->failed)
		return;
	for (const char *at = lines; *at; at++)
		plan->line += *at == '\n';
	fputs(lines, plan->stream);
}

void plan_measure(struct plan *plan, const char *function, uint64_t bytes, const struct report_bench_row *row)
{
	uint64_t pages = bytes / KVMAP_PAGE_SIZE, pairs = ROW_PAGES / (pages ? pages : 1);
	struct plan_row planned = { .row = *row };
	char lines[200];

	planned.row.pages = pages;
	if (pairs > ROW_PAIRS_MAX)
		pairs = ROW_PAIRS_MAX;
	if (pairs < ROW_PAIRS_MIN)
		pairs = ROW_PAIRS_MIN;
	snprintf(lines, sizeof(lines), "pair %s %s %" PRIu64 "\npair %s %s %" PRIu64 "\n", function,
		 row->size, pairs / WARM_UP_PART, function, row->size, pairs);
	plan_write(plan, lines);
	planned.line = plan->line;
	if (array_push(&plan->rows, planned) < 0)
		plan->failed = true;
}

static const struct bench_pair *pair_of_line(const struct bench_run *run, uint32_t line)
{
	for (size_t i = 0; i < run->pairs.count; i++)
		if (run->pairs.items[i].line == line)
			return &run->pairs.items[i];
	return NULL;
}

static int plan_fill(struct plan *plan, const struct bench_run *run, bool log, struct error *error)
{
	for (size_t i = 0; i < plan->rows.count; i++) {
		struct report_bench_row *row = &plan->rows.items[i].row;
		const struct bench_pair *warm = pair_of_line(run, plan->rows.items[i].line - 1);
		const struct bench_pair *pair = pair_of_line(run, plan->rows.items[i].line);

		if (!pair || !warm)
			return error_set(error, ERROR_GUEST, 0, 0,
					 "the guest's report lacks line %" PRIu32 " of the bench's script",
					 plan->rows.items[i].line);
		if (log) {
			row->logged = (pair->ticks + pair->count / 2) / pair->count;
			continue;
		}
		row->instructions = (pair->ticks + pair->count / 2) / pair->count;
		row->worst = pair->worst > warm->worst ? pair->worst : warm->worst;
		row->beyond = pair->beyond > warm->beyond ? pair->beyond : warm->beyond;
	}
	return 0;
}

static int run_logged(struct plan *plan, const struct bench_config *config, uint32_t policy,
		      struct error *error)
{
	const struct bench_machine machine = { .cpus = 1, .policy = policy, .log = true };
	struct bench_run run;
	int status;

	if (bench_qemu(config, &machine, plan->text, &run, error) < 0)
		return -1;
	status = plan_fill(plan, &run, true, error);
	bench_run_destroy(&run);
	return status;
}

int plan_run(struct plan *plan, const struct bench_config *config, uint32_t policy, struct bench_run *totals,
	     struct error *error)
{
	const struct bench_machine machine = { .cpus = 1, .policy = policy };
	struct bench_run run;
	int status;

	if (!plan->failed && fflush(plan->stream) != 0)
		plan->failed = true;
	if (plan->failed)
		return error_set(error, ERROR_HOST, ENOMEM, 0, "no memory for the bench's script");
	if (bench_qemu(config, &machine, plan->text, &run, error) < 0)
		return -1;
	status = plan_fill(plan, &run, false, error);
	bench_run_destroy(&run);
	if (status == 0 && config->log)
		status = run_logged(plan, config, policy, error);
	if (totals)
		*totals = run;
	return status;
}
