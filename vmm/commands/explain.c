/* SPDX-License-Identifier: MIT */
/*
 * explain.c: kvmap explain [INVARIANT]
 */
#include "commands/commands.h"
#include "report/explain.h"
#include "verify/verify.h"

#include <string.h>

enum { OPTION_JSON = 256 };

struct explain_options {
	bool json;
	unsigned int invariant; /* 0: the rules of all */
};

static const struct argp_option argp_options[] = {
	{ "json", OPTION_JSON, NULL, 0, "print JSON lines instead of text", 0 },
	{ 0 },
};

/* "V9", "v9" or "9". 0: none of them. */
static unsigned int invariant_parse(const char *text)
{
	for (unsigned int i = 1; i <= INVARIANTS; i++)
		if (!strcasecmp(text, invariant_name(i)) || !strcmp(text, invariant_name(i) + 1))
			return i;
	return 0;
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
	struct explain_options *options = state->input;

	switch (key) {
	case OPTION_JSON: options->json = true; return 0;
	case ARGP_KEY_ARG:
		if (options->invariant)
			argp_error(state, "one INVARIANT at a time");
		options->invariant = invariant_parse(argument);
		if (!options->invariant)
			argp_error(state, "`%s` is no invariant: write V1 to V%d", argument, INVARIANTS);
		return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = argp_options,
	.parser = parse,
	.args_doc = "[INVARIANT]",
	.doc = "Explains an invariant: its rule, how it is checked, what it cannot see, the bug that it would be in a real "
	       "kernel, what it costs, and the deliberate bugs that prove it. Without INVARIANT: the rule of each."
	       "\vINVARIANT is V1 and so on, as findings name it. The same text is in kvmap-invariants(7).",
};

static int run(int argc, char **argv)
{
	struct explain_options options = { 0 };
	struct report report;

	if (command_parse(&argp, argc, argv, &options) < 0)
		return EXIT_NOT_DONE;
	command_report(&report, options.json);
	if (options.invariant)
		report_explain(&report, options.invariant, explanations);
	for (unsigned int i = 1; !options.invariant && i <= INVARIANTS; i++)
		report_explain(&report, i, NULL);
	return command_finish(EXIT_VERIFIED);
}

const struct command explain_command = {
	"explain",
	"the rule of an invariant, and the bug that a finding of it is",
	run,
};
