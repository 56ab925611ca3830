/* SPDX-License-Identifier: MIT */
/*
 * kvmap judge --kernel FILE
 */
#include "base/elf_image.h"
#include "base/escape.h"
#include "base/number.h"
#include "base/private_file.h"
#include "base/signals.h"
#include "base/strbuf.h"
#include "commands/commands.h"
#include "commands/options.h"
#include "program/symbols.h"
#include "qemu/qemu.h"
#include "report/replay.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

enum {
	OPTION_JSON = 256,
	OPTION_KERNEL,
	OPTION_INITRD,
	OPTION_APPEND,
	OPTION_CPUS,
	OPTION_MEMORY,
	OPTION_SYMBOLS,
	OPTION_TIMEOUT,
	OPTION_RECORD,
	OPTION_DISBELIEVE,
	OPTION_SEED,
	OPTION_STRICT,
	OPTION_ONLY,
	OPTION_PRINT,
};

#define MEMORY_LEAST (UINT64_C(16) << 20)
#define MEMORY_MOST  (UINT64_C(64) << 30)

struct judge_options {
	struct qemu_config qemu;
	const char *symbols;
	bool json, print_arguments;
};

static const struct argp_option argp_options[] = {
	{ "kernel", OPTION_KERNEL, "FILE", 0, "the kernel to boot: as QEMU's -kernel", 0 },
	{ "initrd", OPTION_INITRD, "FILE", 0, "its initial RAM disk", 0 },
	{ "append", OPTION_APPEND, "TEXT", 0, "its command line", 0 },
	{ "cpus", OPTION_CPUS, "N", 0, "1 to 64 CPUs (1)", 0 },
	{ "memory", OPTION_MEMORY, "SIZE", 0, "16M to 64G of memory (512M)", 0 },
	{ "symbols", OPTION_SYMBOLS, "ELF", 0,
	  "names and lines of the kernel's addresses; that of --kernel if it is an ELF file", 0 },
	{ "timeout", OPTION_TIMEOUT, "SECONDS", 0, "end the guest then (no limit)", 0 },
	{ "record", OPTION_RECORD, "FILE", 0, "write the events for kvmap replay", 0 },
	{ "disbelieve", OPTION_DISBELIEVE, "N", 0,
	  "ignore every Nth flush: what the rules then find shows how sensitive they are", 0 },
	{ "seed", OPTION_SEED, "S", 0, "with --disbelieve: which one is the first, 0 to 65535 (0)", 0 },
	{ "strict", OPTION_STRICT, NULL, 0,
	  "each removal is over at once: for a guest that never enters ring 3", 0 },
	{ "only", OPTION_ONLY, "flushes|tables", 0,
	  "count flushes alone, or leave the accesses out: faster, with no rules, or fewer", 0 },
	{ "print-arguments", OPTION_PRINT, NULL, 0,
	  "print what a QEMU command of one's own needs, and run nothing; with --record", 0 },
	{ "json", OPTION_JSON, NULL, 0, "print JSON lines instead of text", 0 },
	{ 0 },
};

static error_t parse_memory(struct argp_state *state, const char *text, uint64_t *out)
{
	if (number_parse(text, strlen(text), out) == NUMBER_OK && *out >= MEMORY_LEAST &&
	    *out <= MEMORY_MOST && *out % MEMORY_LEAST == 0)
		return 0;
	argp_error(state, "--memory `%s` is not a size from 16M to 64G in steps of 16M", text);
	return EINVAL;
}

static error_t parse_only(struct argp_state *state, const char *text, unsigned int *out)
{
	if (!strcmp(text, "flushes"))
		*out = 0;
	else if (!strcmp(text, "tables"))
		*out = 1;
	else
		argp_error(state, "--only `%s`: it is `flushes` or `tables`", text);
	return 0;
}

static error_t parse_seed(struct argp_state *state, const char *text, uint32_t *out)
{
	uint64_t number;

	if (number_parse(text, strlen(text), &number) != NUMBER_OK || number > UINT16_MAX) {
		argp_error(state, "--seed `%s` is not a number from 0 to 65535", text);
		return EINVAL;
	}
	*out = (uint32_t)number;
	return 0;
}

static error_t check(struct argp_state *state, const struct judge_options *options)
{
	if (!options->qemu.kernel && !options->print_arguments)
		argp_error(state, "--kernel FILE is missing");
	if (options->print_arguments && !options->qemu.record)
		argp_error(state, "--print-arguments needs --record FILE, which kvmap replay then reads");
	if (options->qemu.seed && !options->qemu.disbelieve)
		argp_error(state, "--seed is of --disbelieve");
	return 0;
}

static error_t parse_number(int key, char *argument, struct argp_state *state)
{
	struct judge_options *options = state->input;
	struct qemu_config *qemu = &options->qemu;

	switch (key) {
	case OPTION_CPUS: return options_count(state, "--cpus", argument, QEMU_CPUS_MAX, &qemu->cpus);
	case OPTION_MEMORY: return parse_memory(state, argument, &qemu->memory);
	case OPTION_TIMEOUT: return options_count(state, "--timeout", argument, 1000000, &qemu->timeout);
	case OPTION_DISBELIEVE:
		return options_count(state, "--disbelieve", argument, UINT32_MAX, &qemu->disbelieve);
	case OPTION_SEED: return parse_seed(state, argument, &qemu->seed);
	case OPTION_ONLY: return parse_only(state, argument, &qemu->mode);
	case ARGP_KEY_END: return check(state, options);
	default: return ARGP_ERR_UNKNOWN;
	}
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
	struct judge_options *options = state->input;
	struct qemu_config *qemu = &options->qemu;

	switch (key) {
	case OPTION_JSON: options->json = true; return 0;
	case OPTION_STRICT: qemu->strict = true; return 0;
	case OPTION_PRINT: options->print_arguments = true; return 0;
	case OPTION_KERNEL: qemu->kernel = options_path(state, "--kernel", argument); return 0;
	case OPTION_INITRD: qemu->initrd = options_path(state, "--initrd", argument); return 0;
	case OPTION_SYMBOLS: options->symbols = options_path(state, "--symbols", argument); return 0;
	case OPTION_RECORD: qemu->record = options_path(state, "--record", argument); return 0;
	case OPTION_APPEND: qemu->append = argument; return 0;
	case ARGP_KEY_ARGS: qemu->others = state->argv + state->next; return 0;
	default: return parse_number(key, argument, state);
	}
}

static const struct argp argp = {
	.options = argp_options,
	.parser = parse,
	.args_doc = "--kernel FILE [-- QEMU-ARGUMENT...]",
	.doc = "Boots an x86-64 kernel under QEMU's emulation, follows its page tables, TLB flushes and accesses, and says "
	       "which flush is missing. The kernel is not changed."
	       "\vThe guest's serial port goes to standard error. docs/judging.md says what the rules prove. Exit status: 0 "
	       "no findings and the guest ended by itself, 1 at least one finding, 2 it could not be done, or the guest "
	       "panicked, was reset, or was ended.",
};

/* ---- names of addresses ---- */

static void place_fill(struct symbols *symbols, const struct plugin_origin *origin, struct report_place *out)
{
	struct strbuf at = STRBUF(out->at);
	char name[160];

	if (!origin->pc)
		return;
	strbuf_add(&at, "0x%016" PRIx64, origin->pc);
	if (!symbols)
		return;
	strbuf_add(&at, " %s", symbols_describe_frame(symbols, origin->pc, true, name, sizeof(name)));
	for (uint32_t i = 0; i < origin->words && out->caller_count < 6; i++) {
		const struct symbols_segment *segment = symbols_segment_at(symbols, origin->stack[i]);

		if (!segment || !segment->executable)
			continue;
		symbols_describe_frame(symbols, origin->stack[i], false, name, sizeof(name));
		if (*name)
			snprintf(out->callers[out->caller_count++], sizeof(out->callers[0]), "%s", name);
	}
}

static void origins_fill(struct symbols *symbols, const struct plugin_shared *shared,
			 struct report_origin *origins, struct tlb_finding *findings)
{
	for (uint32_t i = 0; i < shared->findings; i++) {
		const struct plugin_finding *from = &shared->finding[i];

		findings[i] = from->is;
		place_fill(symbols, &from->used, &origins[i].used);
		place_fill(symbols, &from->changed, &origins[i].changed);
		origins[i].has_entry = from->has_entry;
		origins[i].entry = from->entry;
		origins[i].old = from->old;
		origins[i].value = from->value;
	}
}

/* --symbols, or --kernel if it is an ELF file. NULL without an error: none. */
static int open_symbols(const struct judge_options *options, struct symbols **out, struct error *error)
{
	const char *path = options->symbols ? options->symbols : options->qemu.kernel;
	struct private_file file = { .fd = -1 };
	struct elf_image image;

	*out = NULL;
	if (private_file_read(path, options->symbols ? "symbols " : "kernel ", &file, error) < 0)
		return -1;
	if (!options->symbols && !elf_image_open(file.bytes, file.size, &image)) {
		private_file_close(&file);
		return 0;
	}
	if (symbols_open_file(&file, out, error) == 0 || !options->symbols)
		return 0;
	return -1;
}

/* ---- the verdict ---- */

static const char *end_text(const struct qemu_outcome *outcome, char *out, size_t size)
{
	static const char *const texts[] = {
		[QEMU_SHUT_DOWN] = "The guest shut down",
		[QEMU_RESET] = "The guest reset the machine (a reboot, or a triple fault)",
		[QEMU_PANICKED] = "The guest panicked",
		[QEMU_TIMED_OUT] = "The guest was ended by --timeout",
		[QEMU_INTERRUPTED] = "The guest was ended by a signal",
	};

	if (texts[outcome->end])
		return texts[outcome->end];
	if (outcome->end == QEMU_EXITED)
		snprintf(out, size, "The guest ended with status %d", WEXITSTATUS(outcome->status));
	else if (WIFSIGNALED(outcome->status))
		snprintf(out, size, "QEMU died of signal %d", WTERMSIG(outcome->status));
	else
		snprintf(out, size, "QEMU ended by itself, with status %d", WEXITSTATUS(outcome->status));
	return out;
}

static const char *not_done_text(const struct judge_options *options, const struct qemu_outcome *outcome)
{
	if (*outcome->shared.problem)
		return outcome->shared.problem;
	if (options->qemu.mode == 0)
		return "--only flushes counts flushes";
	if (outcome->shared.pcids)
		return "the guest uses PCIDs, which QEMU is not known to emulate";
	if (outcome->end == QEMU_SHUT_DOWN || outcome->end == QEMU_EXITED)
		return NULL;
	return "the guest did not come to its end";
}

static uint32_t rules_of(const struct judge_options *options)
{
	const uint32_t tables = TLB_RULE_BIT(TLB_RULE_USER_OWES) | TLB_RULE_BIT(TLB_RULE_TABLE_WRITE);

	return options->qemu.mode == 0 ? 0 : options->qemu.mode == 1 ? tables : tlb_profile_rules('A');
}

static int report_outcome(const struct judge_options *options, struct symbols *symbols,
			  const struct qemu_outcome *outcome)
{
	static struct report_origin origins[PLUGIN_FINDINGS_MAX];
	static struct tlb_finding findings[PLUGIN_FINDINGS_MAX];
	const struct plugin_shared *shared = &outcome->shared;
	struct tlb_result result = {
		.config = tlb_config_default(),
		.seq = shared->seq,
		.stats = shared->stats,
		.findings = findings,
		.finding_count = shared->findings,
	};
	struct report report;
	char end[100], name[256];
	struct report_replay about = {
		.file = text_escape(options->qemu.kernel, strlen(options->qemu.kernel), name, sizeof(name)),
		.result = &result,
		.was_run = true,
		.origins = origins,
		.end = end_text(outcome, end, sizeof(end)),
		.not_done = not_done_text(options, outcome),
		.samples = shared->sample,
		.sample_count = shared->samples,
		.sample_every = shared->sample_every,
	};

	result.config.cpus = options->qemu.cpus;
	result.config.rules = rules_of(options);
	memcpy(result.matches, shared->matches, sizeof(result.matches));
	origins_fill(symbols, shared, origins, findings);
	command_report(&report, options->json);
	report_replay(&report, &about);
	if (tlb_result_findings(&result))
		return command_finish(EXIT_FINDING);
	return command_finish(about.not_done || !result.stats.entries_changed ? EXIT_NOT_DONE
									      : EXIT_VERIFIED);
}

/* The guest's serial port; it may say anything. */
static void console(void *context, const char *bytes, size_t size)
{
	(void)context;
	for (size_t start = 0, at = 0; at <= size; at++) {
		/* A carriage return before the end of a line is part of it. */
		if (at < size && bytes[at] != '\r')
			continue;
		command_write_escaped(stderr, bytes + start, at - start);
		start = at + 1;
	}
}

/* ---- print-arguments ---- */

static int print_arguments(const struct judge_options *options)
{
	struct qemu_arguments arguments = { 0 };
	struct error error;

	if (qemu_arguments_plugin(&options->qemu, -1, &arguments, &error) < 0)
		return command_fail(&error, NULL);
	for (size_t i = 0; i < arguments.count; i++)
		printf("%s%s", i ? " " : "", arguments.items[i]);
	printf("\n");
	qemu_arguments_free(&arguments);
	return command_finish(EXIT_VERIFIED);
}

static int run(int argc, char **argv)
{
	struct judge_options options = {
		.qemu = { .cpus = 1, .memory = UINT64_C(512) << 20, .mode = 2, .console = console },
	};
	static struct qemu_outcome outcome;
	struct symbols *symbols = NULL;
	struct error error;
	int status;

	if (command_parse(&argp, argc, argv, &options) < 0)
		return EXIT_NOT_DONE;
	if (options.print_arguments)
		return print_arguments(&options);
	if (open_symbols(&options, &symbols, &error) < 0)
		return command_fail(&error, NULL);
	memset(&outcome, 0, sizeof(outcome));
	if (qemu_run(&options.qemu, &outcome, &error) < 0)
		status = command_fail(&error, NULL);
	else
		status = report_outcome(&options, symbols, &outcome);
	symbols_close(symbols);
	return status;
}

const struct command judge_command = {
	"judge",
	"which TLB flush any x86-64 kernel misses, under QEMU",
	run,
};
