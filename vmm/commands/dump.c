/* SPDX-License-Identifier: MIT */
/*
 * dump.c: kvmap dump SOURCE FILE
 */
#include "commands/commands.h"
#include "commands/source.h"
#include "inspect/mappings.h"
#include "view/core.h"

#include <sys/stat.h>

enum { OPTION_VIRTUAL = 512, OPTION_PHYSICAL };

struct dump_options {
	struct source_options source;
	bool physical;
};

static const struct argp_option options_list[] = {
	{ "virtual", OPTION_VIRTUAL, NULL, 0,
	  "memory where the guest maps it, too, as a debugger wants it (default)", 0 },
	{ "physical", OPTION_PHYSICAL, NULL, 0,
	  "memory by physical address alone, at the direct map's virtual address", 0 },
	{ 0 },
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
	struct dump_options *options = state->input;

	(void)argument;
	switch (key) {
	case ARGP_KEY_INIT: state->child_inputs[0] = &options->source; return 0;
	case OPTION_VIRTUAL: options->physical = false; return 0;
	case OPTION_PHYSICAL: options->physical = true; return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

static int parse_options(int argc, char **argv, struct dump_options *out)
{
	const struct argp_child children[] = { { &source_argp, 0, NULL, 0 }, { 0 } };
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

	*out = (struct dump_options){ 0 };
	source_options_default(&out->source, "FILE");
	return command_parse(&argp, argc, argv, out);
}

/* The program that the guest runs, as far as known; NULL: unknown. */
static const char *program_of(const struct source *source)
{
	return source->symbols ? source->program : source->core_program;
}

static int write_it(const struct dump_options *options, struct source *source, struct report_dump *dump,
		    struct error *error)
{
	struct mappings mappings = { 0 };
	int result = 0;

	if (!options->physical)
		result = mappings_collect(source->view, &source->mode, &mappings, error);
	if (result == 0)
		result = core_write_virtual(source->view, mappings.items, mappings.count, dump->file,
					    dump->program, error);
	dump->mappings = mappings.count;
	mappings_destroy(&mappings);
	return result;
}

static int dump_source(const struct dump_options *options, struct source *source)
{
	struct report_dump dump = {
		.file = options->source.extra,
		.program = program_of(source),
		.view = source->view,
		.physical = options->physical,
	};
	struct report report;
	struct error error;
	struct stat status;

	if (write_it(options, source, &dump, &error) < 0)
		return command_fail(&error, NULL);
	if (stat(dump.file, &status) == 0)
		dump.stored = (uint64_t)status.st_blocks * 512;
	source_report(source, &report, options->source.common.json);
	report_dump(&report, &dump);
	return source_finish(source, &report, EXIT_VERIFIED);
}

int command_dump(int argc, char **argv)
{
	struct dump_options options;
	struct source source;
	int status;

	if (parse_options(argc, argv, &options) < 0 ||
	    source_open(options.source.source, &options.source.common, &source) < 0)
		return EXIT_NOT_DONE;
	if (!source.has_mode && !options.physical)
		status = command_fail(&source.no_claims, "without page tables only --physical is possible");
	else
		status = dump_source(&options, &source);
	source_close(&source);
	return status;
}
