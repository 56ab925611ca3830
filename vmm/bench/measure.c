/* SPDX-License-Identifier: MIT */
/*
 * measure.c: everything that is selected, under each policy.
 */
#include "base/array.h"
#include "base/progress.h"
#include "bench/internal.h"
#include "kvmap/boot.h"
#include "kvmap/layout.h"
#include "kvmap/limits.h"
#include "script/script.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct bench {
	const struct bench_config *config;
	struct linux_figures figures;
	struct bench_results *results;
};

static int out_of_memory(struct error *error)
{
	return error_set(error, ERROR_HOST, ENOMEM, 0, "no memory for the figures");
}

/* Runs the plan and appends its rows. */
static int add_rows(struct bench *bench, struct plan *plan, uint32_t policy, struct bench_rows *rows,
		    struct error *error)
{
	if (plan_run(plan, bench->config, policy, NULL, error) < 0)
		return -1;
	for (size_t i = 0; i < plan->rows.count; i++)
		if (array_push(rows, plan->rows.items[i].row) < 0)
			return out_of_memory(error);
	return 0;
}

/* The rows of Linux's figures that one scene has. */
static int measure_scene(struct bench *bench, const struct scene *scene, uint32_t policy, struct error *error)
{
	struct plan plan;
	int status = 0;

	plan_open(&plan);
	plan_write(&plan, scene->setup);
	for (size_t i = 0; i < bench->figures.count; i++) {
		const struct linux_figure *figure = &bench->figures.items[i];
		struct report_bench_row row = { .policy = policy, .reference = figure->best };
		const char *function = scene_function(scene, figure);

		if (!function || !selection_has(bench->config, scene_row_name(scene, figure), figure->size))
			continue;
		progress_set("%s under policy %s (%zu of %d)", scene_row_name(scene, figure),
			     policy_name(policy), (size_t)(scene - scenes) + 1, SCENES);
		snprintf(row.operation, sizeof(row.operation), "%s", scene_row_name(scene, figure));
		memcpy(row.size, figure->size, sizeof(row.size));
		plan_measure(&plan, function, figure->bytes, &row);
	}
	if (plan.rows.count)
		status = add_rows(bench, &plan, policy, &bench->results->rows, error);
	plan_close(&plan);
	return status;
}

/* A 4K pair, with more and more areas live. */
static int measure_live(struct bench *bench, uint32_t policy, struct error *error)
{
	static const uint64_t counts[] = { 10, 1000, 15000, 100000 };
	uint64_t live = 0;
	struct plan plan;
	int status;

	progress_set("pairs among live areas under policy %s", policy_name(policy));
	plan_open(&plan);
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		struct report_bench_row row = {
			.operation = "vmalloc", .size = "4K", .policy = policy, .areas = counts[i]
		};
		char lines[100];

		snprintf(lines, sizeof(lines), "areas %" PRIu64 " 4K\n", counts[i] - live);
		plan_write(&plan, lines);
		plan_measure(&plan, "vmalloc", KVMAP_PAGE_SIZE, &row);
		live = counts[i];
	}
	status = add_rows(bench, &plan, policy, &bench->results->live, error);
	plan_close(&plan);
	return status;
}

static int measure_flushes(struct bench *bench, uint32_t policy, struct error *error)
{
	struct bench_run totals;
	struct plan plan;
	int status;

	progress_set("flushes under policy %s", policy_name(policy));
	plan_open(&plan);
	plan_write(&plan, "pair vmalloc 4K 1000\n");
	status = plan_run(&plan, bench->config, policy, &totals, error);
	plan_close(&plan);
	if (status == 0) {
		struct report_bench_flushes flushes = {
			.policy = policy,
			.frees = totals.frees,
			.full = totals.flush_full,
			.some = totals.flush_range,
			.pages = totals.flush_pages,
			.entries = totals.purged_pages,
			.interrupts = totals.interrupts,
		};

		if (array_push(&bench->results->flushes, flushes) < 0)
			status = out_of_memory(error);
	}
	return status;
}

static int measure_so_many_cpus(struct bench *bench, unsigned int cpus, uint32_t policy, struct error *error)
{
	struct report_bench_cpus *rows;
	int status = 0;
	size_t count;

	progress_set("%u CPUs under policy %s", cpus, policy_name(policy));
	if (bench_cpus(bench->config, cpus, policy, &rows, &count, error) < 0)
		return -1;
	for (size_t i = 0; i < count && status == 0; i++)
		if (array_push(&bench->results->cpus, rows[i]) < 0)
			status = out_of_memory(error);
	free(rows);
	return status;
}

static int measure_cpus(struct bench *bench, uint32_t policy, struct error *error)
{
	unsigned int cpus = bench->config->cpus;

	if (cpus != BENCH_CPUS_ALL)
		return measure_so_many_cpus(bench, cpus ? cpus : BENCH_CPUS, policy, error);
	for (cpus = 1; cpus <= KVMAP_CPUS_MAX; cpus *= 2)
		if (measure_so_many_cpus(bench, cpus, policy, error) < 0)
			return -1;
	return 0;
}

static int measure_policy(struct bench *bench, uint32_t policy, struct error *error)
{
	for (size_t i = 0; i < SCENES; i++)
		if (measure_scene(bench, &scenes[i], policy, error) < 0)
			return -1;
	if (selection_has(bench->config, "live", "") && measure_live(bench, policy, error) < 0)
		return -1;
	if (selection_has(bench->config, "flushes", "") && measure_flushes(bench, policy, error) < 0)
		return -1;
	if (selection_has(bench->config, "cpus", "") && measure_cpus(bench, policy, error) < 0)
		return -1;
	return 0;
}

int bench_measure(const struct bench_config *config, struct bench_results *out, struct error *error)
{
	struct bench bench = { .config = config, .results = out };
	int status = 0;

	*out = (struct bench_results){ 0 };
	if (linux_figures_read(&bench.figures, error) < 0)
		return -1;
	if (selection_check(config, &bench.figures, error) < 0)
		status = -1;
	for (uint32_t policy = 0; policy < KVMAP_NR_POLICIES && status == 0; policy++)
		if (config->policy == BENCH_ALL_POLICIES || config->policy == policy)
			status = measure_policy(&bench, policy, error);
	if (!config->selected_count)
		missing_functions(&bench.figures, out->missing, sizeof(out->missing));
	free(bench.figures.items);
	return status;
}

void bench_results_destroy(struct bench_results *results)
{
	free(results->rows.items);
	free(results->live.items);
	free(results->flushes.items);
	free(results->cpus.items);
	*results = (struct bench_results){ 0 };
}
