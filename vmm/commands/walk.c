/* SPDX-License-Identifier: MIT */
/*
 * walk.c: kvmap walk SOURCE ADDRESS
 */
#include "base/number.h"
#include "commands/address_parse.h"
#include "commands/inspection.h"
#include "report/walk.h"

#include <string.h>

struct walk_options {
	struct source_options source;
	bool has_pkru;
	uint32_t pkru;
};

enum { OPTION_CPU = 0x2000, OPTION_PKRU };

static const struct argp_option walk_argp_options[] = {
	{ "cpu", OPTION_CPU, "N", 0, "walk with the registers of CPU N (default: the first CPU with paging)",
	  0 },
	{ "pkru", OPTION_PKRU, "VALUE", 0, "the register of protection keys, which no source holds", 0 },
	{ 0 },
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
	struct walk_options *options = state->input;
	uint64_t value = 0;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &options->source;
		state->child_inputs[1] = &options->source.common;
		return 0;
	case OPTION_CPU: return source_options_cpu(state, argument, &options->source);
	case OPTION_PKRU:
		if (number_parse(argument, strlen(argument), &value) != NUMBER_OK || value > UINT32_MAX)
			argp_error(state, "--pkru `%s` is not a number of 32 bits", argument);
		options->pkru = (uint32_t)value;
		options->has_pkru = true;
		return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

static int parse_options(int argc, char **argv, struct walk_options *out)
{
	const struct argp_child children[] = { { &source_options_argp, 0, NULL, 0 },
					       { &options_stage2_argp, 0, NULL, 0 },
					       { 0 } };
	const struct argp argp = {
		.options = walk_argp_options,
		.parser = parse,
		.args_doc = "SOURCE ADDRESS",
		.doc = "Explains one translation of SOURCE, a core file, a VM that runs or a script that is run first. ADDRESS is a "
		       "number, a variable of the guest's script, a or a+4096, or SYMBOL[+OFFSET]. Exit status 1: the address is not mapped.",
		.children = children,
	};

	*out = (struct walk_options){ .source = source_options_default("ADDRESS") };
	return command_parse(&argp, argc, argv, out);
}

static int walk_source(struct inspection *inspection, struct source *source, void *context)
{
	const struct walk_options *options = context;
	struct error error;
	struct access_rules rules;
	struct report report;
	uint64_t address;
	struct walk walk;
	struct report_walk input = {
		.walk = &walk,
		.mode = &source->mode,
		.view = source->view,
		.cpu = source->cpu,
		.rules = &rules,
		.claims = source->claims,
		.symbols = source->symbols,
		.no_stage2 = error.text,
	};

	if (!inspection_has_mode(inspection, source))
		return EXIT_NOT_DONE;
	if (address_parse(options->source.extra, source->claims, source->symbols, &address, &error) < 0)
		return inspection_fail(inspection, &error, NULL);
	access_rules_of_cpu(&source->view->cpus[source->cpu], &rules);
	rules.has_pkru = options->has_pkru;
	rules.pkru = options->pkru;
	walk_translate(source->view, &source->mode, address, &walk);
	input.stage2 = source_stage2(source, &error);
	inspection_warn(inspection);
	inspection_report(inspection, &report);
	report_walk(&report, &input);
	return walk.stop == WALK_MAPPED ? EXIT_VERIFIED : EXIT_FINDING;
}

static int run(int argc, char **argv)
{
	struct walk_options options;

	if (parse_options(argc, argv, &options) < 0)
		return EXIT_NOT_DONE;
	return inspection_run(&options.source, SOURCE_AREAS, walk_source, &options);
}

const struct command walk_command = { "walk", "one translation, explained level by level", run };
