/* SPDX-License-Identifier: MIT */
/*
 * print.c: kvmap print SOURCE EXPRESSION
 */
#include "base/escape.h"
#include "base/number.h"
#include "commands/inspection.h"
#include "report/print.h"

#include <inttypes.h>
#include <string.h>

struct print_options {
	struct source_options source;
	uint64_t limit;
};

enum { OPTION_LIMIT = 0x2200 };

static const struct argp_option argp_options[] = {
	{ "limit", OPTION_LIMIT, "N", 0,
	  "elements shown of each array, alike ones counted as one (default 64)", 0 },
	{ 0 },
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
	struct print_options *options = state->input;

	switch (key) {
	case ARGP_KEY_INIT: state->child_inputs[0] = &options->source; return 0;
	case OPTION_LIMIT:
		if (number_parse(argument, strlen(argument), &options->limit) != NUMBER_OK || !options->limit)
			argp_error(state, "--limit `%s` is not a number from 1", argument);
		return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

static int parse_options(int argc, char **argv, struct print_options *out)
{
	const struct argp_child children[] = { { &source_options_argp, 0, NULL, 0 }, { 0 } };
	const struct argp argp = {
		.options = argp_options,
		.parser = parse,
		.args_doc = "SOURCE EXPRESSION",
		.doc = "Prints a variable of the guest of SOURCE, a core file, a VM that runs or a script that is run "
		       "first, or a part of it, with its types. EXPRESSION is as in C, with . -> [] * & and casts; [A..B] "
		       "is a slice.",
		.children = children,
	};

	*out = (struct print_options){ .source = source_options_default("EXPRESSION"), .limit = 64 };
	return command_parse(&argp, argc, argv, out);
}

/* Fails with the column, and the expression with a caret below it. */
static int fail_at(struct inspection *inspection, const char *expression, size_t at,
		   const struct error *error)
{
	char context[700], line[300];
	struct error whole;

	error_set(&whole, error->kind, 0, at, "column %zu: %.400s", at + 1, error->text);
	/* The caret needs one column for each byte: no escaped characters. */
	text_escape(expression, strlen(expression), line, sizeof(line));
	if (strlen(line) == strlen(expression))
		snprintf(context, sizeof(context), "  %s\n  %*s^", line, (int)at, "");
	else
		snprintf(context, sizeof(context), "  %s", line);
	return inspection_fail(inspection, &whole, context);
}

struct print {
	struct print_options options;
	struct debug_info *info; /* opened by the first call of the body that has symbols */
};

static int print(struct inspection *inspection, struct source *source, void *context)
{
	struct print *print = context;
	const char *text = print->options.source.extra;
	struct value_context values = {
		.symbols = source->symbols,
		.view = source->view,
		.mode = &source->mode,
	};
	struct expression expression;
	struct value_tree tree;
	struct report report;
	struct error error;
	size_t at = 0;

	if (!inspection_has_mode(inspection, source))
		return EXIT_NOT_DONE;
	if (!source->symbols)
		return inspection_fail(inspection, &source->no_claims, NULL);
	if (!print->info && debug_info_open(source->symbols, &print->info, &error) < 0)
		return inspection_fail(inspection, &error, NULL);
	values.info = print->info;
	if (expression_parse(text, &expression, &error) < 0)
		return fail_at(inspection, text, error.address, &error);
	if (value_tree_build(&values, &expression, print->options.limit, &tree, &at, &error) < 0)
		return fail_at(inspection, text, at, &error);
	inspection_report(inspection, &report);
	report_print(&report, text, &tree);
	value_tree_destroy(&tree);
	return EXIT_VERIFIED;
}

static int run(int argc, char **argv)
{
	struct print context = { 0 };
	int status;

	if (parse_options(argc, argv, &context.options) < 0)
		return EXIT_NOT_DONE;
	status = inspection_run(&context.options.source, SOURCE_NO_CLAIMS, print, &context);
	debug_info_close(context.info);
	return status;
}

const struct command print_command = {
	"print",
	"a variable of the guest, or a part of it, with its types",
	run,
};
