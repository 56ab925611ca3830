/* SPDX-License-Identifier: MIT */
/*
 * stage2.c: kvmap stage2 SOURCE
 */
#include "base/number.h"
#include "commands/commands.h"
#include "commands/source.h"
#include "stage2/reader.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

enum { OPTION_VM = 512 };

struct stage2_options {
	struct options common;
	const char *source;
	int vm_fd; /* -1: the only one */
};

static const struct argp_option argp_options[] = {
	{ "vm", OPTION_VM, "FD", 0, "the VM that is descriptor FD of the process, where it has several", 0 },
	{ 0 },
};

static int parse_fd(struct argp_state *state, const char *text)
{
	uint64_t fd;

	if (number_parse(text, strlen(text), &fd) == NUMBER_OK && fd <= INT_MAX)
		return (int)fd;
	argp_error(state, "--vm `%s` is not the number of a descriptor", text);
	return -1;
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
	struct stage2_options *options = state->input;

	switch (key) {
	case ARGP_KEY_INIT: state->child_inputs[0] = &options->common; return 0;
	case OPTION_VM: options->vm_fd = parse_fd(state, argument); return 0;
	case ARGP_KEY_ARG:
		if (options->source)
			argp_error(state, "`%s` is one argument too many", argument);
		options->source = argument;
		return 0;
	case ARGP_KEY_END:
		if (!options->source)
			argp_error(
				state,
				"SOURCE is missing: a process with a VM, or a script (*.kvs) to run first");
		return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

static int parse_options(int argc, char **argv, struct stage2_options *out)
{
	static const char doc[] =
		"Reads the tables by which KVM translates the memory of SOURCE, a process with a VM (of any program, by "
		"its number) or a script that is run first: EPT, NPT or shadow tables, as the kernel holds them. Counts "
		"them, and compares every page with the memory slots and with the frames that back the process's memory."
		"\vNeeds root, or CAP_BPF, CAP_PERFMON, CAP_SYS_PTRACE and CAP_SYS_ADMIN. Exit status 1: a page is wrong.";
	const struct argp_child children[] = { { &options_argp, 0, NULL, 0 }, { 0 } };
	const struct argp argp = { argp_options, parse, "SOURCE", doc, children, NULL, NULL };

	*out = (struct stage2_options){ .vm_fd = -1 };
	options_default(&out->common);
	return command_parse(&argp, argc, argv, out);
}

struct adding {
	const struct stage2 *stage2;
	struct stage2_effective *out;
};

static int add_leaf(void *context, const struct walk_leaf *leaf)
{
	const struct adding *adding = context;

	stage2_effective_add(adding->stage2, leaf->gpa, leaf->level, adding->out);
	return 0;
}

/* What the second stage makes of the guest's own pages. False where it has no page tables. */
static bool find_effective(const struct source *source, const struct stage2 *stage2,
			   struct stage2_effective *out)
{
	struct adding adding = { stage2, out };
	const struct walk_visitor visitor = { .context = &adding, .leaf = add_leaf };

	if (!source || !source->has_mode)
		return false;
	walk_range(source->view, &source->mode, 0, UINT64_MAX, 0, &visitor);
	return true;
}

/* source: NULL for a process whose guest is not known. */
static int show(const struct stage2_options *options, pid_t pid, int vm_fd, const struct source *source)
{
	struct stage2_effective effective = { 0 };
	struct stage2_verdict verdict;
	struct stage2_reader *reader;
	struct stage2 stage2;
	struct report report;
	struct error error;
	int status;

	if (stage2_reader_open(&reader, &error) < 0)
		return command_fail(&error, NULL);
	if (stage2_read(reader, pid, vm_fd, &stage2, &error) < 0) {
		status = command_fail(&error, NULL);
	} else {
		const struct report_stage2 what = {
			.stage2 = &stage2,
			.pid = pid,
			.effective = find_effective(source, &stage2, &effective) ? &effective : NULL,
		};

		command_report(&report, options->common.json);
		report_stage2(&report, &what, &verdict);
		status = command_finish(verdict.findings ? EXIT_FINDING : EXIT_VERIFIED);
		stage2_destroy(&stage2);
	}
	stage2_reader_close(reader);
	return status;
}

static int show_script(const struct stage2_options *options)
{
	struct source source;
	struct error error;
	int status;

	if (source_open(options->source, &options->common, &source) < 0)
		return EXIT_NOT_DONE;
	if (source.session)
		status = show(options, getpid(), machine_vm_fd(source.session->machine), &source);
	else {
		error_set(&error, ERROR_INPUT, 0, 0,
			  "a core has no second stage: SOURCE is a process with a VM, or a script (*.kvs)");
		status = command_fail(&error, NULL);
	}
	source_close(&source);
	return status;
}

int command_stage2(int argc, char **argv)
{
	struct stage2_options options;
	uint64_t pid;

	if (parse_options(argc, argv, &options) < 0)
		return EXIT_NOT_DONE;
	if (number_parse(options.source, strlen(options.source), &pid) == NUMBER_OK && pid && pid <= INT_MAX)
		return show(&options, (pid_t)pid, options.vm_fd, NULL);
	return show_script(&options);
}
