/* SPDX-License-Identifier: MIT */
/*
 * bench.c: kvmap bench guest [WHAT...], kvmap bench verify [PAGES...]
 */
#include "base/number.h"
#include "bench/bench.h"
#include "commands/commands.h"
#include "commands/options.h"
#include "kvmap/limits.h"

#include <limits.h>
#include <string.h>

#define SELECTED_MAX 64
#define MEMORY_GUEST (2ull << 30) /* as for Linux's figures */

struct bench_options {
	struct options common;
	const char *what;
	const char *selected[SELECTED_MAX];
	size_t selected_count;
	bool log;
	uint32_t cpus;
};

enum { OPTION_LOG = 512, OPTION_BENCH_CPUS };

static const struct argp_option argp_options[] = {
	{ "cpus", OPTION_BENCH_CPUS, "N|all", 0,
	  "CPUs of the rows `cpus`, 1 to 64 (default 4); all: 1, 2, 4, 8, 16, 32 and 64", 0 },
	{ "log", OPTION_LOG, NULL, 0, "also count each row with the event log", 0 },
	{ 0 },
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
	struct bench_options *options = state->input;

	switch (key) {
	case ARGP_KEY_INIT: state->child_inputs[0] = &options->common; return 0;
	case OPTION_BENCH_CPUS:
		if (strcmp(argument, "all") != 0)
			return options_count(state, "--cpus", argument, KVMAP_CPUS_MAX, &options->cpus);
		options->cpus = BENCH_CPUS_ALL;
		return 0;
	case OPTION_LOG: options->log = true; return 0;
	case ARGP_KEY_ARG:
		if (!options->what)
			options->what = argument;
		else if (options->selected_count < SELECTED_MAX)
			options->selected[options->selected_count++] = argument;
		else
			argp_error(state, "`%s` is one argument too many", argument);
		return 0;
	case ARGP_KEY_END:
		if (!options->what)
			argp_error(
				state,
				"what is to be measured is missing: kvmap bench guest, or kvmap bench verify");
		else if (strcmp(options->what, "guest") != 0 && strcmp(options->what, "verify") != 0)
			argp_error(
				state,
				"`%s` cannot be measured, only guest and verify can: kvmap bench guest, or kvmap bench verify",
				options->what);
		else if ((options->log || options->cpus) && !strcmp(options->what, "verify"))
			argp_error(state, "%s is of kvmap bench guest: leave it away",
				   options->log ? "--log" : "--cpus");
		return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_child children[] = { { &options_bench_argp, 0, NULL, 0 }, { 0 } };
static const struct argp argp = {
	argp_options,
	parse,
	"guest [OPERATION[:SIZE]|live|flushes|cpus]...\nverify [PAGES]...",
	"Measures what the guest's memory costs in instructions, under QEMU, beside Linux's figures: each operation and "
	"size, a pair among many live areas, the flushes of 1,000 frees, and several CPUs at the same time. Under all "
	"three policies unless --policy names one.\n"
	"Or measures a verification, on KVM, beside one pass of loads over the guest memory that it reads.",
	children,
	NULL,
	NULL,
};

static void print_results(const struct bench_results *results, bool json)
{
	struct report_bench figures = {
		.rows = results->rows.items,
		.row_count = results->rows.count,
		.live = results->live.items,
		.live_count = results->live.count,
		.flushes = results->flushes.items,
		.flushes_count = results->flushes.count,
		.cpus = results->cpus.items,
		.cpus_count = results->cpus.count,
		.missing = results->missing,
	};
	struct report report;

	command_report(&report, json);
	report_bench(&report, &figures);
}

static int measure(const struct bench_options *options, const char *program)
{
	const struct bench_config config = {
		.program = program,
		.memory = options->common.session.memory,
		.timeout_ns = options->common.session.timeout_ns,
		.policy = options->common.session.policy,
		.log = options->log,
		.cpus = options->cpus,
		.selected = options->selected,
		.selected_count = options->selected_count,
	};
	struct bench_results results;
	struct error error;
	int status;

	if (bench_measure(&config, &results, &error) < 0) {
		status = command_fail(&error, NULL);
	} else {
		print_results(&results, options->common.json);
		status = command_finish(EXIT_VERIFIED);
	}
	bench_results_destroy(&results);
	return status;
}

/* The numbers of pages that are selected. Returns how many; 0: the message is printed. */
static size_t verify_sizes(const struct bench_options *options, uint64_t *pages)
{
	static const uint64_t all[] = { 10000, 100000, 250000, 1000000 };
	struct error error;

	for (size_t i = 0; i < options->selected_count; i++) {
		const char *text = options->selected[i];

		if (number_parse(text, strlen(text), &pages[i]) == NUMBER_OK &&
		    pages[i] >= BENCH_VERIFY_PAGES_MIN && pages[i] <= BENCH_VERIFY_PAGES_MAX)
			continue;
		error_set(&error, ERROR_INPUT, 0, 0, "`%s` is no number of pages from %d to %d", text,
			  BENCH_VERIFY_PAGES_MIN, BENCH_VERIFY_PAGES_MAX);
		command_fail(&error, NULL);
		return 0;
	}
	if (options->selected_count)
		return options->selected_count;
	memcpy(pages, all, sizeof(all));
	return sizeof(all) / sizeof(all[0]);
}

static int measure_verify(const struct bench_options *options, const char *program)
{
	struct session_config config = options->common.session;
	struct report_bench_verify rows[SELECTED_MAX];
	uint64_t pages[SELECTED_MAX];
	size_t count = verify_sizes(options, pages);
	struct report report;
	struct error error;

	if (!count)
		return EXIT_NOT_DONE;
	config.program = program;
	if (bench_verify(&config, pages, count, rows, &error) < 0)
		return command_fail(&error, NULL);
	command_report(&report, options->common.json);
	report_bench_verify(&report, rows, count);
	return command_finish(EXIT_VERIFIED);
}

static int run(int argc, char **argv)
{
	struct bench_options options = { 0 };
	char program[PATH_MAX];
	struct error error;

	options_default(&options.common);
	options.common.session.policy = BENCH_ALL_POLICIES;
	if (command_parse(&argp, argc, argv, &options) < 0)
		return EXIT_NOT_DONE;
	if (session_program(options.common.program, false, program, sizeof(program), &error) < 0)
		return command_fail(&error, NULL);
	if (!strcmp(options.what, "verify"))
		return measure_verify(&options, program);
	if (!options.common.session.memory)
		options.common.session.memory = MEMORY_GUEST;
	return measure(&options, program);
}

const struct command bench_command = {
	"bench",
	"what the guest's memory costs, beside Linux's, and what a verification costs",
	run,
};
