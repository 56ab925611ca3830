/* SPDX-License-Identifier: MIT */
/*
 * stage2.c: kvmap stage2 SOURCE
 */
#include "base/number.h"
#include "commands/inspection.h"
#include "kvm/kvm.h"
#include "report/stage2.h"
#include "stage2/reader.h"
#include "stage2/stats.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

enum { OPTION_VM = 512 };

struct stage2_options {
	struct source_options source;
	int vm_fd; /* -1: the process has one VM only */
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
	case ARGP_KEY_INIT: state->child_inputs[0] = &options->source; return 0;
	case OPTION_VM: options->vm_fd = parse_fd(state, argument); return 0;
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
	const struct argp_child children[] = { { &source_options_argp, 0, NULL, 0 }, { 0 } };
	const struct argp argp = { argp_options, parse, "SOURCE", doc, children, NULL, NULL };

	*out = (struct stage2_options){ .source = source_options_default(NULL), .vm_fd = -1 };
	out->source.common.session.stage2 = true;
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

/* Sums up the effective TLB page size of all pages of the guest, of tables that are mapped several times once. */
static void find_effective(const struct source *source, const struct stage2 *stage2,
			   struct stage2_effective *out)
{
	struct adding adding = { stage2, out };
	const struct walk_visitor visitor = { .context = &adding, .leaf = add_leaf, .visits = 1 };

	walk_range(source->view, &source->mode, 0, UINT64_MAX, 0, &visitor);
}

/* Reads KVM's statistics of the VM. False if they cannot be read. */
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

/* Compares the guest's tables with KVM_TRANSLATE. False if the source has no KVM or no tables. */
static bool find_translated(const struct source *source, struct translated *out)
{
	return source->has_mode && source->view->translate &&
	       translated_compare(source->view, &source->mode, out) == 0;
}

/* Reports what is known without the second stage. source: NULL if it could not be opened. */
static void show_not_seen(struct report *report, pid_t pid, const struct source *source)
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

/* Reports the second stage, and the effective TLB page size if the guest has page tables. */
static int show(struct inspection *inspection, struct source *source, void *context)
{
	struct stage2_effective effective = { 0 };
	struct report_stage2 what = { .pid = (pid_t)source_pid(source) };
	struct stage2_verdict verdict;
	struct report report;
	struct error error;

	(void)context;
	if (!what.pid) {
		error_set(
			&error, ERROR_INPUT, 0, 0,
			"a core has no second stage: SOURCE is a process id, a control socket, or a script to run first, "
			"by its file, - for standard input, or -e OPERATIONS");
		return inspection_fail(inspection, &error, NULL);
	}
	what.stage2 = source_stage2(source, &error);
	inspection_report(inspection, &report);
	if (!what.stage2) {
		show_not_seen(&report, what.pid, source);
		return inspection_fail(inspection, &error, NULL);
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

/* A process that is no kvmap, or one without a control socket. */
static int show_process(struct stage2_options *options, pid_t pid)
{
	const struct source_config config = source_options_config(&options->source, SOURCE_NO_CLAIMS);
	struct source source;
	struct report report;
	struct error error;
	int status;

	if (source_open_process(pid, options->vm_fd, &config, &source, &error) == 0) {
		status = inspection_run_sources(&source, 1, &options->source.common, show, NULL);
		source_close(&source);
		return status;
	}
	command_report(&report, options->source.common.json);
	/* With ERROR_INPUT there is no VM. */
	if (error.kind != ERROR_INPUT)
		show_not_seen(&report, pid, NULL);
	return command_fail(&error, NULL);
}

/* Whether it is a VM of another kvmap. */
static bool is_kvmap(const char *name)
{
	struct control_client *client;
	struct error ignored;

	if (source_connect(name, &client, &ignored) < 0)
		return false;
	control_client_close(client);
	return true;
}

static int run(int argc, char **argv)
{
	struct stage2_options options;
	const char *name;
	uint64_t pid;

	if (parse_options(argc, argv, &options) < 0)
		return EXIT_NOT_DONE;
	name = options.source.source;
	if (number_parse(name, strlen(name), &pid) == NUMBER_OK && pid && pid <= INT_MAX && !is_kvmap(name))
		return show_process(&options, (pid_t)pid);
	return inspection_run(&options.source, SOURCE_NO_CLAIMS, show, NULL);
}

const struct command stage2_command = {
	"stage2",
	"the second-stage tables as the kernel holds them, checked",
	run,
};
