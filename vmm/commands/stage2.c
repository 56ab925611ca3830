/* SPDX-License-Identifier: MIT */
/*
 * stage2.c: kvmap stage2 SOURCE
 */
#include "base/number.h"
#include "commands/commands.h"
#include "source/source.h"
#include "kvm/kvm.h"
#include "stage2/reader.h"
#include "stage2/stats.h"

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
	SOURCE_STOP_OPTION,
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
	case SOURCE_OPTION_STOP: options->common.stop = true; return 0;
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
	out->common.stage2 = true;
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

/* What the second stage makes of the guest's own pages. */
static void find_effective(const struct source *source, const struct stage2 *stage2,
			   struct stage2_effective *out)
{
	struct adding adding = { stage2, out };
	const struct walk_visitor visitor = { .context = &adding, .leaf = add_leaf };

	walk_range(source->view, &source->mode, 0, UINT64_MAX, 0, &visitor);
}

/* What KVM counts in any case; false if that cannot be read either. */
static bool find_stats(pid_t pid, const struct source *source, struct stage2_stats *out)
{
	struct error ignored;
	bool done;
	int fd;

	if (!source || !source->session)
		return stage2_stats_of_process("/sys/kernel/debug/kvm", pid, out, &ignored) == 0;
	fd = kvm_vm_stats(machine_vm_fd(source->session->machine), &ignored);
	done = fd >= 0 && stage2_stats_read(fd, out, &ignored) == 0;
	if (fd >= 0)
		close(fd);
	return done;
}

/* Whether there is a KVM that can be asked what the guest's tables say, and what came of it. */
static bool find_translated(const struct source *source, struct translated *out)
{
	return source->has_mode && source->view->translate &&
	       translated_compare(source->view, &source->mode, out) == 0;
}

/* source: NULL where it could not be opened. */
static void tell_not_seen(struct report *report, pid_t pid, const struct source *source)
{
	struct report_not_seen what = { .pid = pid };
	struct translated translated;
	struct stage2_stats stats;

	if (find_stats(pid, source, &stats))
		what.stats = &stats;
	if (source) {
		what.view = source->view;
		what.own = source->session;
		if (find_translated(source, &translated))
			what.translated = &translated;
	}
	if (what.stats || what.view)
		report_stage2_not_seen(report, &what);
}

/* What the second stage of a source is, with its guest's pages where it has page tables. */
static int show(struct source *source, void *context)
{
	const struct stage2_options *options = context;
	struct stage2_effective effective = { 0 };
	struct report_stage2 what = { .pid = (pid_t)source_pid(source) };
	struct stage2_verdict verdict;
	struct report report;
	struct error error;

	if (!what.pid) {
		error_set(&error, ERROR_INPUT, 0, 0,
			  "a core has no second stage: SOURCE is a process with a VM, or a script (*.kvs)");
		return source_fail(source, &error, NULL);
	}
	source_report(source, &report, options->common.json);
	what.stage2 = source_stage2(source, &error);
	if (!what.stage2) {
		tell_not_seen(&report, what.pid, source);
		return source_fail(source, &error, NULL);
	}
	if (source->has_mode) {
		find_effective(source, what.stage2, &effective);
		what.effective = &effective;
	} else {
		what.no_effective = source->no_claims.text;
	}
	report_stage2(&report, &what, &verdict);
	return verdict.findings ? EXIT_FINDING : EXIT_VERIFIED;
}

/* A process that is no kvmap, or not one that answers. */
static int show_process(struct stage2_options *options, pid_t pid)
{
	struct source source;
	struct report report;
	struct error error;
	int status;

	if (source_open_foreign(pid, options->vm_fd, &options->common, SOURCE_NO_CLAIMS, &source, &error) ==
	    0) {
		status = source_look(&source, 1, show, options);
		source_close(&source);
		return status;
	}
	/* Of a VM that is not there nothing can be told. */
	command_report(&report, options->common.json);
	if (error.kind != ERROR_INPUT)
		tell_not_seen(&report, pid, NULL);
	return command_fail(&error, NULL);
}

/* A script, or a VM of another kvmap. */
static int show_source(struct stage2_options *options)
{
	struct source source;
	int status;

	if (source_open(options->source, &options->common, SOURCE_NO_CLAIMS, &source) < 0)
		return EXIT_NOT_DONE;
	status = source_look(&source, 1, show, options);
	source_close(&source);
	return status;
}

/* Is it a VM of another kvmap? */
static bool answers(const char *name)
{
	struct control_client *client;
	struct error ignored;

	if (source_attach(name, &client, &ignored) < 0)
		return false;
	control_client_close(client);
	return true;
}

int command_stage2(int argc, char **argv)
{
	struct stage2_options options;
	uint64_t pid;

	if (parse_options(argc, argv, &options) < 0)
		return EXIT_NOT_DONE;
	if (number_parse(options.source, strlen(options.source), &pid) == NUMBER_OK && pid &&
	    pid <= INT_MAX && !answers(options.source))
		return show_process(&options, (pid_t)pid);
	return show_source(&options);
}
