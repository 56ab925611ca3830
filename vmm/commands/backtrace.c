/* SPDX-License-Identifier: MIT */
/*
 * backtrace.c: kvmap backtrace SOURCE [--cpu N]
 */
#include "commands/inspection.h"
#include "report/backtrace.h"

struct backtrace_options {
	struct source_options source;
	unsigned int cpu;
	bool one_cpu;
};

enum { OPTION_CPU = 0x2100 };

static const struct argp_option argp_options[] = {
	{ "cpu", OPTION_CPU, "N", 0, "only CPU N (default: all)", 0 },
	{ 0 },
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
	struct backtrace_options *options = state->input;

	switch (key) {
	case ARGP_KEY_INIT: state->child_inputs[0] = &options->source; return 0;
	case OPTION_CPU: options->one_cpu = true; return options_cpu(state, argument, &options->cpu);
	default: return ARGP_ERR_UNKNOWN;
	}
}

static int parse_options(int argc, char **argv, struct backtrace_options *out)
{
	const struct argp_child children[] = { { &source_options_argp, 0, NULL, 0 }, { 0 } };
	const struct argp argp = {
		.options = argp_options,
		.parser = parse,
		.args_doc = "SOURCE",
		.doc = "Prints the stack backtrace of each CPU of SOURCE, a core file, a VM that runs or a script that is run first.",
		.children = children,
	};

	*out = (struct backtrace_options){ .source = source_options_default(NULL) };
	return command_parse(&argp, argc, argv, out);
}

/* Reports one CPU. False if it has no backtrace; the report says why. */
static bool show_cpu(struct report *report, struct unwinder *unwinder, const struct source *source,
		     unsigned int cpu)
{
	const struct view_cpu *registers = &source->view->cpus[cpu];
	struct backtrace backtrace;
	struct walk_mode mode;
	struct error error;

	if (walk_mode_of_cpu(source->view, cpu, &mode, &error) < 0) {
		report_backtrace(report, cpu, registers, NULL, error.text, source->symbols);
		return false;
	}
	if (registers->lacks & (VIEW_LACKS_RIP | VIEW_LACKS_RSP)) {
		report_backtrace(
			report, cpu, registers, NULL,
			"RIP or RSP is not known: VT-x keeps it, and KVM has not read it since the last exit",
			source->symbols);
		return false;
	}
	if (registers->cs & 3) {
		report_backtrace(report, cpu, registers, NULL, "it is in user mode", source->symbols);
		return false;
	}
	unwinder_take(unwinder, source->view, &mode, registers, &backtrace);
	report_backtrace(report, cpu, registers, &backtrace, NULL, source->symbols);
	return true;
}

static int show(struct inspection *inspection, struct source *source, void *context)
{
	const struct backtrace_options *options = context;
	struct unwinder *unwinder;
	struct report report;
	struct error error;
	bool any = false;

	if (options->one_cpu && options->cpu >= source->view->cpu_count) {
		error_set(&error, ERROR_INPUT, 0, 0, "there is no CPU %u: %s has %u", options->cpu,
			  options->source.source, source->view->cpu_count);
		return inspection_fail(inspection, &error, NULL);
	}
	unwinder = unwinder_open(source->symbols);
	if (!unwinder) {
		error_set(&error, ERROR_HOST, 0, 0, "out of memory");
		return inspection_fail(inspection, &error, NULL);
	}
	inspection_warn(inspection);
	inspection_report(inspection, &report);
	for (unsigned int cpu = 0; cpu < source->view->cpu_count; cpu++)
		if (!options->one_cpu || cpu == options->cpu)
			any |= show_cpu(&report, unwinder, source, cpu);
	unwinder_close(unwinder);
	return any ? EXIT_VERIFIED : EXIT_NOT_DONE;
}

static int run(int argc, char **argv)
{
	struct backtrace_options options;

	if (parse_options(argc, argv, &options) < 0)
		return EXIT_NOT_DONE;
	return inspection_run(&options.source, SOURCE_NO_CLAIMS, show, &options);
}

const struct command backtrace_command = { "backtrace", "stack backtrace of each CPU", run };
