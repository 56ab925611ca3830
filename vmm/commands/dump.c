/* SPDX-License-Identifier: MIT */
/*
 * dump.c: kvmap dump SOURCE FILE
 */
#include "base/page.h"
#include "base/progress.h"
#include "commands/core_dump.h"
#include "commands/inspection.h"

enum { OPTION_PHYSICAL = 512 };

struct dump_options {
	struct source_options source;
	bool physical;
};

static const struct argp_option options_list[] = {
	{ "physical", OPTION_PHYSICAL, NULL, 0,
	  "memory at its physical addresses and the kernel's image alone; default: where the guest maps it",
	  0 },
	{ 0 },
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
	struct dump_options *options = state->input;

	(void)argument;
	switch (key) {
	case ARGP_KEY_INIT: state->child_inputs[0] = &options->source; return 0;
	case OPTION_PHYSICAL: options->physical = true; return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

static int parse_options(int argc, char **argv, struct dump_options *out)
{
	const struct argp_child children[] = { { &source_options_argp, 0, NULL, 0 }, { 0 } };
	const struct argp argp = {
		options_list,
		parse,
		"SOURCE FILE",
		"Writes SOURCE, a core file, a VM that runs or a script that is run first, to FILE as an ELF core: "
		"registers of all CPUs and all memory. Pages of zeros take no space."
		"\vFILE is replaced if it is an ELF core, or empty; else that is refused.",
		children,
		NULL,
		NULL
	};

	*out = (struct dump_options){ .source = source_options_default("FILE") };
	return command_parse(&argp, argc, argv, out);
}

/* The program of the guest; NULL: unknown. */
static const char *program_of(const struct source *source)
{
	return source->symbols ? source->program : source->core_program;
}

/* Reads all memory that was ever touched, so that the snapshot has it. */
static void want_all(const struct view *view)
{
	uint64_t gpa = 0, start, end;

	for (; view_next_data(view, gpa, UINT64_MAX, &start, &end); gpa = end)
		view_bytes(view, page_round_down(start, PAGE_4K), end - start);
}

/* The core is of one moment only if the process did not go on while it was read. */
static int end_stop(void *source, struct error *error)
{
	return source_end_stop(source, error);
}

static int dump_source(struct inspection *inspection, struct source *source, void *context)
{
	const struct dump_options *options = context;
	struct core_dump dump = {
		.view = source->view,
		.mode = source->has_mode ? &source->mode : NULL,
		.no_mode = source->no_claims.text,
		.symbols = source->symbols,
		.program = program_of(source),
		.physical = options->physical,
		.check = end_stop,
		.check_context = source,
	};
	struct report_dump written;
	struct report report;
	struct error error;
	int status = EXIT_VERIFIED;

	/* A line says whose tables they are. */
	if (source->has_mode)
		inspection_has_mode(inspection, source);
	want_all(source->view);
	if (core_dump_collect(&dump, &error) < 0) {
		status = inspection_fail(inspection, &error, NULL);
	} else if (source_is_final(source)) {
		/* The file is written only in the last call. */
		progress_set("writing %s", options->source.extra);
		if (core_dump_write(&dump, options->source.extra, &written, &error) < 0) {
			status = inspection_fail(inspection, &error, NULL);
		} else {
			inspection_report(inspection, &report);
			report_dump(&report, &written);
		}
	}
	core_dump_destroy(&dump);
	return status;
}

static int run(int argc, char **argv)
{
	struct dump_options options;
	struct error error;

	if (parse_options(argc, argv, &options) < 0)
		return EXIT_NOT_DONE;
	if (core_check_path(options.source.extra, &error) < 0)
		return command_fail(&error, NULL);
	return inspection_run(&options.source, SOURCE_NO_CLAIMS, dump_source, &options);
}

const struct command dump_command = {
	"dump",
	"write an ELF core that gdb opens: registers and all memory",
	run,
};
