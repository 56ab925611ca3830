/* SPDX-License-Identifier: MIT */
#include "commands/source_options.h"

#include "base/escape.h"
#include "base/number.h"
#include "base/spelling.h"
#include "commands/commands.h"

#include <inttypes.h>
#include <string.h>

enum { OPTION_STOP = 640, OPTION_WAIT };

static const struct argp_option options_list[] = {
	{ "stop", OPTION_STOP, NULL, 0,
	  "stop the process of another program while its VM is read (a VM of kvmap is always paused)", 0 },
	{ "wait", OPTION_WAIT, NULL, 0,
	  "wait for a VM of kvmap that is starting, until it has the page tables that are read, a minute at most",
	  0 },
	{ 0 },
};

static error_t parse_vm(int key, char *argument, struct argp_state *state)
{
	struct vm_options *options = state->input;

	(void)argument;
	switch (key) {
	case OPTION_STOP: options->stop = true; return 0;
	case OPTION_WAIT: options->wait = true; return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

const struct argp vm_options_argp = { .options = options_list, .parser = parse_vm };

static int take_argument(struct source_options *options, char *argument, struct argp_state *state)
{
	if (!options->source)
		options->source = argument;
	else if (options->extra_name && !options->extra)
		options->extra = argument; /* with -e one argument too many: see check_arguments() */
	else
		argp_error(state, "`%s` is one argument too many", argument);
	return 0;
}

static int check_arguments(struct source_options *options, struct argp_state *state)
{
	if (options->common.operations) {
		/* -e is the source: the first argument is what else follows it. */
		if (options->extra || (options->source && !options->extra_name))
			argp_error(state, "one SOURCE at a time: `%s` beside -e", options->source);
		options->extra = options->source;
		options->source = "-e";
	}
	if (!options->source)
		argp_error(
			state,
			"SOURCE is missing: a core file, a process id, a control socket, or a script to run first, "
			"by its file, - for standard input, or -e OPERATIONS");
	else if (options->extra_name && !options->extra && !options->extra_optional)
		argp_error(state, "%s is missing", options->extra_name);
	return 0;
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
	struct source_options *options = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = state->child_inputs[1] = &options->common;
		state->child_inputs[2] = &options->vm;
		return 0;
	case ARGP_KEY_ARG: return take_argument(options, argument, state);
	case ARGP_KEY_END: return check_arguments(options, state);
	default: return ARGP_ERR_UNKNOWN;
	}
}

/* The variable or the symbol that is nearest to the name at the start of `text`; "" if none is. Returns out. */
static const char *nearest_name(const char *text, const struct claims *claims, const struct symbols *symbols,
				char *out, size_t size)
{
	size_t length = strcspn(text, "+-"), best = spelling_tolerance(length) + 1;
	const char *nearest = NULL;
	char name[64];

	out[0] = '\0';
	if (length >= sizeof(name) || !length || (*text >= '0' && *text <= '9'))
		return out;
	memcpy(name, text, length);
	name[length] = '\0';
	for (size_t i = 0; claims && i < claims->variables.count; i++) {
		const char *variable = claims->variables.items[i].name;
		size_t distance = spelling_distance(name, length, variable);

		if (*variable && distance < best && distance < length) {
			best = distance;
			nearest = variable;
		}
	}
	if (!nearest && symbols)
		nearest = symbols_nearest(symbols, name);
	return nearest ? text_escape(nearest, strlen(nearest), out, size) : out;
}

/* The error of digits alone: each reading that they have. */
static int refuse_digits(const char *text, struct error *error)
{
	uint64_t decimal = 0;
	size_t length = strlen(text);

	number_parse(text, length, &decimal);
	if (length == 1)
		return error_set(error, ERROR_INPUT, 0, 0, "`%s`: an address is written with 0x: 0x%s", text,
				 text);
	if (length > 16)
		return error_set(error, ERROR_INPUT, 0, 0,
				 "`%s` is more than 64 bits read as hexadecimal, 0x%" PRIx64
				 " read as decimal: write an address with 0x",
				 text, decimal);
	return error_set(error, ERROR_INPUT, 0, 0,
			 "`%s` is 0x%s read as hexadecimal, 0x%" PRIx64
			 " read as decimal: write one of the two",
			 text, text, decimal);
}

int source_options_address_or_name(const char *text, const char *what, const struct claims *claims,
				   const struct symbols *symbols, uint64_t *out, struct error *error)
{
	char escaped[160], nearest[80];

	switch (number_parse_address(text, strlen(text), out)) {
	case NUMBER_OK: return 0;
	case NUMBER_AMBIGUOUS: return refuse_digits(text, error);
	case NUMBER_TOO_LARGE:
		return error_set(error, ERROR_INPUT, 0, 0, "`%s` is more than the 64 bits of an address",
				 text_escape(text, strlen(text), escaped, sizeof(escaped)));
	default:
		nearest_name(text, claims, symbols, nearest, sizeof(nearest));
		return error_set(error, ERROR_INPUT, 0, 0, "`%s` is neither %s%s%s%s",
				 text_escape(text, strlen(text), escaped, sizeof(escaped)), what,
				 *nearest ? "; did you mean `" : "", nearest, *nearest ? "`?" : "");
	}
}

int source_options_address(const char *text, const char *what, uint64_t *out, struct error *error)
{
	return source_options_address_or_name(text, what, NULL, NULL, out, error);
}

error_t source_options_cpu(struct argp_state *state, const char *text, struct source_options *options)
{
	options->one_cpu = true;
	return options_cpu(state, text, &options->cpu);
}

static const struct argp_child children[] = { { &options_argp, 0, NULL, 0 },
					      { &options_verbose_argp, 0, NULL, 0 },
					      { &vm_options_argp, 0, NULL, 0 },
					      { 0 } };
const struct argp source_options_argp = {
	.parser = parse,
	.children = children,
};

struct source_options source_options_default(const char *extra_name)
{
	struct source_options options = { .extra_name = extra_name };

	options_default(&options.common);
	return options;
}

static error_t parse_both(int key, char *argument, struct argp_state *state)
{
	struct source_options *options = state->input;

	(void)argument;
	if (key != ARGP_KEY_INIT)
		return ARGP_ERR_UNKNOWN;
	state->child_inputs[0] = options;
	state->child_inputs[1] = &options->common;
	return 0;
}

int source_options_parse(int argc, char **argv, const char *arguments, const char *doc, bool stage2,
			 struct source_options *out)
{
	static const struct argp_child both[] = { { &source_options_argp, 0, NULL, 0 },
						  { &options_stage2_argp, 0, NULL, 0 },
						  { 0 } };
	struct argp argp = source_options_argp;

	if (stage2)
		argp = (struct argp){ .parser = parse_both, .children = both };
	argp.args_doc = arguments;
	argp.doc = doc;
	return command_parse(&argp, argc, argv, out);
}

struct source_config source_options_config(const struct source_options *options, enum source_claims claims)
{
	return (struct source_config){
		.claims = claims,
		.operations = options->common.operations,
		.program = options->common.program,
		.stop = options->vm.stop,
		.wait = options->vm.wait,
		.one_cpu = options->one_cpu,
		.cpu = options->cpu,
		.session = options->common.session,
	};
}
