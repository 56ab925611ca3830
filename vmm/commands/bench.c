/* SPDX-License-Identifier: MIT */
/*
 * bench.c: kvmap bench guest [WHAT...]: plans the scripts, runs them under QEMU, reports.
 */
#include "bench/bench.h"

#include "base/array.h"
#include "base/escape.h"
#include "base/number.h"
#include "commands/commands.h"
#include "commands/options.h"
#include "report/bench.h"
#include "script/names.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POLICY_ALL   UINT32_MAX
#define SELECTED_MAX 64

/* A row is measured with about so many pages, in so many pairs. A sixteenth of them before warms up. */
#define ROW_PAGES     16384
#define ROW_PAIRS_MAX 4096
#define ROW_PAIRS_MIN 16
#define WARM_UP_PART  16

struct bench {
	struct options common;
	const char *what;
	const char *selected[SELECTED_MAX]; /* "vmalloc", "vmalloc:4K", "live", "flushes"; none: everything */
	size_t selected_count;
	char program[PATH_MAX];
	struct linux_figures figures;
	struct {
		struct report_bench_row *items;
		size_t count, capacity;
	} rows, live;
	struct {
		struct report_bench_flushes *items;
		size_t count, capacity;
	} flushes;
	struct {
		struct report_bench_cpus *items;
		size_t count, capacity;
	} cpus;
	char missing[1024];
};

/*
 * A state of memory in which functions are measured. Each has a script of its own, and so a machine of its
 * own.
 */
struct scene {
	const char *operation; /* what its rows are called; NULL: as in Linux's figures */
	const char *figure;    /* the operation there */
	const char *function;  /* of the guest; NULL: of that name */
	const char *setup;     /* operations of a script */
};

static const struct scene scenes[] = {
	{ NULL, "kmalloc", NULL, "" },
	{ NULL, "vmalloc", NULL, "" },
	{ NULL, "vzalloc", NULL, "" },
	{ NULL, "kvmalloc", NULL, "" },
	{ NULL, "vmalloc_huge", NULL, "" },
	{ NULL, "vm_map_ram", NULL, "" },
	{ NULL, "vmap", NULL, "" },
	{ NULL, "alloc_page", "alloc_pages", "" },
	{ NULL, "alloc_pages_o9", "alloc_pages", "" },
	/* All memory has been used: a frame that must be zero is cleared, as Linux does each time. */
	{ "vzalloc_used", "vzalloc", "vzalloc", "fragment 0% of 64G\n" },
	{ NULL, "vmalloc_busy15k", "vmalloc", "areas 15000 4K\n" },
	{ NULL, "vmalloc_holes7k", "vmalloc", "areas 14000 4K holes\n" },
};

#define SCENES (sizeof(scenes) / sizeof(scenes[0]))

static error_t parse(int key, char *argument, struct argp_state *state)
{
	struct bench *bench = state->input;

	switch (key) {
	case ARGP_KEY_INIT: state->child_inputs[0] = &bench->common; return 0;
	case ARGP_KEY_ARG:
		if (!bench->what)
			bench->what = argument;
		else if (bench->selected_count < SELECTED_MAX)
			bench->selected[bench->selected_count++] = argument;
		else
			argp_error(state, "`%s` is one argument too many", argument);
		return 0;
	case ARGP_KEY_END:
		if (!bench->what || strcmp(bench->what, "guest") != 0)
			argp_error(state, "what is to be measured is missing: kvmap bench guest");
		return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_child children[] = { { &options_argp, 0, NULL, 0 }, { 0 } };
static const struct argp argp = {
	NULL,
	parse,
	"guest [OPERATION[:SIZE]|live|flushes|cpus]...",
	"Measures what the guest's memory costs in instructions, under QEMU, beside Linux's figures: each operation and "
	"size, a pair among many live areas, the flushes of 1,000 frees, and four CPUs at work at once. Under all three policies unless --policy "
	"names one.",
	children,
	NULL,
	NULL,
};

/* ---- what is asked for ---- */

static bool is_selected(const struct bench *bench, const char *operation, const char *size)
{
	size_t length = strlen(operation);

	for (size_t i = 0; i < bench->selected_count; i++) {
		const char *word = bench->selected[i];

		if (!strncmp(word, operation, length) &&
		    (!word[length] || (word[length] == ':' && !strcmp(word + length + 1, size))))
			return true;
	}
	return !bench->selected_count;
}

/* The guest's function that a scene measures for a figure; NULL: it does not. */
static const char *function_of(const struct scene *scene, const struct linux_figure *figure)
{
	const char *function = scene->function ? scene->function : figure->operation;

	if (strcmp(scene->figure, figure->operation) != 0)
		return NULL;
	return name_find(function_names, function, strlen(function)) ? function : NULL;
}

static const char *row_name(const struct scene *scene, const struct linux_figure *figure)
{
	return scene->operation ? scene->operation : figure->operation;
}

/* Whether `word` alone would select a row of the figure. `word` NULL: whether there is any. */
static bool is_measured(const struct linux_figure *figure, const char *word)
{
	const struct bench one = { .selected = { word }, .selected_count = word ? 1 : 0 };

	for (size_t i = 0; i < SCENES; i++)
		if (function_of(&scenes[i], figure) &&
		    is_selected(&one, row_name(&scenes[i], figure), figure->size))
			return true;
	return false;
}

/* Every word must name something. */
static int selection_check(const struct bench *bench, struct error *error)
{
	char escaped[100];

	for (size_t i = 0; i < bench->selected_count; i++) {
		const char *word = bench->selected[i];
		bool known = !strcmp(word, "live") || !strcmp(word, "flushes") || !strcmp(word, "cpus");

		for (size_t f = 0; f < bench->figures.count && !known; f++)
			known = is_measured(&bench->figures.items[f], word);
		if (!known)
			return error_set(
				error, ERROR_INPUT, 0, 0,
				"nothing to measure is called `%s`: it is an operation (vmalloc), an "
				"operation and a size that Linux's figures have (vmalloc:4K), live, flushes or cpus",
				text_escape(word, strlen(word), escaped, sizeof(escaped)));
	}
	return 0;
}

/* What Linux has figures for and this guest cannot do. */
static void missing_note(struct bench *bench)
{
	const char *last = "";
	size_t used = 0;

	for (size_t f = 0; f < bench->figures.count && used < sizeof(bench->missing); f++) {
		const struct linux_figure *figure = &bench->figures.items[f];

		if (is_measured(figure, NULL) || !strcmp(last, figure->operation))
			continue;
		used += (size_t)snprintf(bench->missing + used, sizeof(bench->missing) - used, "%s%s",
					 used ? ", " : "", figure->operation);
		last = figure->operation;
	}
}

/* ---- one script ---- */

/* A script that is being written, and the rows that its pairs are to fill. */
struct plan {
	FILE *stream;
	char *text;
	size_t size;
	uint32_t line; /* written so far */
	struct {
		struct {
			uint32_t line; /* of the measured pairs; the line before warms up */
			struct report_bench_row row;
		} * items;
		size_t count, capacity;
	} rows;
	bool failed; /* out of memory */
};

static void plan_open(struct plan *plan)
{
	*plan = (struct plan){ 0 };
	plan->stream = open_memstream(&plan->text, &plan->size);
	plan->failed = !plan->stream;
}

static void plan_close(struct plan *plan)
{
	if (plan->stream)
		fclose(plan->stream);
	free(plan->text);
	free(plan->rows.items);
}

/* Whole lines. */
static void plan_write(struct plan *plan, const char *lines)
{
	if (plan->failed)
		return;
	for (const char *at = lines; *at; at++)
		plan->line += *at == '\n';
	fputs(lines, plan->stream);
}

static void plan_row(struct plan *plan, const char *function, uint64_t bytes,
		     const struct report_bench_row *row)
{
	uint64_t pages = bytes / KVMAP_PAGE_SIZE, pairs = ROW_PAGES / (pages ? pages : 1);
	char lines[200];

	if (pairs > ROW_PAIRS_MAX)
		pairs = ROW_PAIRS_MAX;
	if (pairs < ROW_PAIRS_MIN)
		pairs = ROW_PAIRS_MIN;
	snprintf(lines, sizeof(lines), "pair %s %s %" PRIu64 "\npair %s %s %" PRIu64 "\n", function,
		 row->size, pairs / WARM_UP_PART, function, row->size, pairs);
	plan_write(plan, lines);
	if (array_reserve((void **)&plan->rows.items, &plan->rows.capacity, plan->rows.count,
			  sizeof(*plan->rows.items)) < 0) {
		plan->failed = true;
		return;
	}
	plan->rows.items[plan->rows.count].line = plan->line;
	plan->rows.items[plan->rows.count++].row = *row;
}

static const struct bench_pair *pair_of_line(const struct bench_result *result, uint32_t line)
{
	for (size_t i = 0; i < result->pairs.count; i++)
		if (result->pairs.items[i].line == line)
			return &result->pairs.items[i];
	return NULL;
}

/* Fills the plan's rows. */
static int plan_fill(struct plan *plan, const struct bench_result *result, struct error *error)
{
	for (size_t i = 0; i < plan->rows.count; i++) {
		struct report_bench_row *row = &plan->rows.items[i].row;
		const struct bench_pair *warm = pair_of_line(result, plan->rows.items[i].line - 1);
		const struct bench_pair *pair = pair_of_line(result, plan->rows.items[i].line);

		if (!pair || !warm)
			return error_set(error, ERROR_GUEST, 0, 0,
					 "the guest's report lacks line %" PRIu32 " of the bench's script",
					 plan->rows.items[i].line);
		row->instructions = (pair->ticks + pair->count / 2) / pair->count;
		row->worst = pair->worst > warm->worst ? pair->worst : warm->worst;
		row->beyond = pair->beyond > warm->beyond ? pair->beyond : warm->beyond;
	}
	return 0;
}

/* Runs the plan and fills its rows; *totals, if not NULL, gets the rest, without the pairs. */
static int plan_run(const struct bench *bench, struct plan *plan, uint32_t policy,
		    struct bench_result *totals, struct error *error)
{
	struct bench_machine machine = { bench->program, bench->common.session.memory,
					 bench->common.session.timeout_ns, 1 };
	struct bench_result result;
	int status;

	if (!plan->failed && fflush(plan->stream) != 0)
		plan->failed = true;
	if (plan->failed)
		return error_set(error, ERROR_HOST, ENOMEM, 0, "no memory for the bench's script");
	if (bench_qemu(&machine, policy, plan->text, &result, error) < 0)
		return -1;
	status = plan_fill(plan, &result, error);
	bench_result_destroy(&result);
	if (totals)
		*totals = result;
	return status;
}

/* ---- what is measured ---- */

static int out_of_memory(struct error *error)
{
	return error_set(error, ERROR_HOST, ENOMEM, 0, "no memory for the figures");
}

/* All rows of Linux's figures that one scene has. */
static int measure_scene(struct bench *bench, const struct scene *scene, uint32_t policy, struct error *error)
{
	struct plan plan;
	int status = 0;

	plan_open(&plan);
	plan_write(&plan, scene->setup);
	for (size_t i = 0; i < bench->figures.count; i++) {
		const struct linux_figure *figure = &bench->figures.items[i];
		struct report_bench_row row = { .policy = policy, .reference = figure->best };

		const char *function = function_of(scene, figure);

		if (!function || !is_selected(bench, row_name(scene, figure), figure->size))
			continue;
		snprintf(row.operation, sizeof(row.operation), "%s", row_name(scene, figure));
		memcpy(row.size, figure->size, sizeof(row.size));
		plan_row(&plan, function, figure->bytes, &row);
	}
	if (plan.rows.count)
		status = plan_run(bench, &plan, policy, NULL, error);
	for (size_t i = 0; i < plan.rows.count && status == 0; i++)
		if (array_push(&bench->rows, plan.rows.items[i].row) < 0)
			status = out_of_memory(error);
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

	plan_open(&plan);
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		struct report_bench_row row = {
			.operation = "vmalloc", .size = "4K", .policy = policy, .areas = counts[i]
		};
		char lines[100];

		snprintf(lines, sizeof(lines), "areas %" PRIu64 " 4K\n", counts[i] - live);
		plan_write(&plan, lines);
		plan_row(&plan, "vmalloc", KVMAP_PAGE_SIZE, &row);
		live = counts[i];
	}
	status = plan_run(bench, &plan, policy, NULL, error);
	for (size_t i = 0; i < plan.rows.count && status == 0; i++)
		if (array_push(&bench->live, plan.rows.items[i].row) < 0)
			status = out_of_memory(error);
	plan_close(&plan);
	return status;
}

static int measure_flushes(struct bench *bench, uint32_t policy, struct error *error)
{
	struct bench_result totals;
	struct plan plan;
	int status;

	plan_open(&plan);
	plan_write(&plan, "pair vmalloc 4K 1000\n");
	status = plan_run(bench, &plan, policy, &totals, error);
	plan_close(&plan);
	if (status == 0) {
		struct report_bench_flushes flushes = { policy,
							totals.frees,
							totals.flush_full,
							totals.flush_range,
							totals.flush_pages,
							totals.purged_pages,
							totals.interrupts };

		if (array_push(&bench->flushes, flushes) < 0)
			status = out_of_memory(error);
	}
	return status;
}

static int measure_cpus(struct bench *bench, uint32_t policy, struct error *error)
{
	struct bench_machine machine = { bench->program, bench->common.session.memory,
					 bench->common.session.timeout_ns, 4 };
	struct report_bench_cpus *rows;
	int status = 0;
	size_t count;

	if (bench_cpus(&machine, policy, &rows, &count, error) < 0)
		return -1;
	for (size_t i = 0; i < count && status == 0; i++)
		if (array_push(&bench->cpus, rows[i]) < 0)
			status = out_of_memory(error);
	free(rows);
	return status;
}

static int measure(struct bench *bench, struct error *error)
{
	for (uint32_t policy = 0; policy < KVMAP_NR_POLICIES; policy++) {
		if (bench->common.session.policy != POLICY_ALL && bench->common.session.policy != policy)
			continue;
		for (size_t i = 0; i < SCENES; i++)
			if (measure_scene(bench, &scenes[i], policy, error) < 0)
				return -1;
		if (is_selected(bench, "live", "") && measure_live(bench, policy, error) < 0)
			return -1;
		if (is_selected(bench, "flushes", "") && measure_flushes(bench, policy, error) < 0)
			return -1;
		if (is_selected(bench, "cpus", "") && measure_cpus(bench, policy, error) < 0)
			return -1;
	}
	return 0;
}

static int show(struct bench *bench)
{
	struct report_bench figures = {
		.rows = bench->rows.items,
		.row_count = bench->rows.count,
		.live = bench->live.items,
		.live_count = bench->live.count,
		.flushes = bench->flushes.items,
		.flushes_count = bench->flushes.count,
		.cpus = bench->cpus.items,
		.cpus_count = bench->cpus.count,
		.missing = bench->missing,
	};
	struct report report;

	if (!bench->selected_count)
		missing_note(bench);
	command_report(&report, bench->common.json);
	report_bench(&report, &figures);
	return command_finish(EXIT_VERIFIED);
}

static int run(int argc, char **argv)
{
	struct bench bench = { 0 };
	struct error error;
	int status;

	options_default(&bench.common);
	bench.common.session.policy = POLICY_ALL;
	bench.common.session.memory = 2ull << 30; /* Linux's figures were made with as much */
	if (command_parse(&argp, argc, argv, &bench) < 0)
		return EXIT_NOT_DONE;
	if (session_program(bench.common.program, bench.program, sizeof(bench.program), &error) < 0 ||
	    linux_figures_read(&bench.figures, &error) < 0 || selection_check(&bench, &error) < 0 ||
	    measure(&bench, &error) < 0)
		status = command_fail(&error, NULL);
	else
		status = show(&bench);
	free(bench.figures.items);
	free(bench.rows.items);
	free(bench.live.items);
	free(bench.flushes.items);
	free(bench.cpus.items);
	return status;
}

const struct command bench_command = {
	"bench",
	"what the guest's memory costs in instructions, beside Linux's",
	run,
};
