/* SPDX-License-Identifier: MIT */
#include "commands/source.h"

#include "commands/commands.h"
#include "inspect/build_id.h"
#include "view/core.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static error_t parse(int key, char *argument, struct argp_state *state)
{
	struct source_options *options = state->input;

	switch (key) {
	case ARGP_KEY_INIT: state->child_inputs[0] = &options->common; return 0;
	case ARGP_KEY_ARG:
		if (!options->source)
			options->source = argument;
		else if (options->extra_name && !options->extra)
			options->extra = argument;
		else
			argp_error(state, "`%s` is one argument too many", argument);
		return 0;
	case ARGP_KEY_END:
		if (!options->source)
			argp_error(state, "SOURCE is missing: a core file, or a script (*.kvs) to run first");
		else if (options->extra_name && !options->extra)
			argp_error(state, "%s is missing", options->extra_name);
		return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_child source_children[] = { { &options_argp, 0, NULL, 0 }, { 0 } };
const struct argp source_argp = { .parser = parse, .children = source_children };

void source_options_default(struct source_options *options, const char *extra_name)
{
	*options = (struct source_options){ .extra_name = extra_name };
	options_default(&options->common);
}

int source_parse(int argc, char **argv, const char *arguments, const char *doc, const char *extra_name,
		 struct source_options *out)
{
	const struct argp argp = { NULL, parse, arguments, doc, source_children, NULL, NULL };

	source_options_default(out, extra_name);
	return command_parse(&argp, argc, argv, out);
}

static bool is_script(const char *name)
{
	size_t length = strlen(name);

	return length > 4 && !strcmp(name + length - 4, ".kvs");
}

static int open_script(const char *name, const struct options *options, struct source *source, char *context,
		       size_t context_size, struct error *error)
{
	struct session_config config;

	if (options_program(options, source->program, sizeof(source->program), error) < 0 ||
	    script_load(name, &source->script, context, context_size, error) < 0)
		return -1;
	config = options_session(options, source->program, source->script);
	if (session_run(&config, &source->session, error) < 0)
		return -1;
	source->has_mode = source->session->has_mode;
	source->view = source->session->view;
	source->mode = source->session->mode;
	source->symbols = source->session->symbols;
	if (source->session->run.claims)
		source->claims = &source->session->claims;
	else
		error_set(&source->no_claims, ERROR_GUEST, 0, 0, "%s: the guest ended %s: see `kvmap run`",
			  name, source->has_mode ? "before its claims could be read" : "without page tables");
	return 0;
}

static void open_core_claims(const struct options *options, struct source *source)
{
	struct error *error = &source->no_claims;
	const char *program = options->program ? options->program : source->core_program;

	if (program)
		snprintf(source->program, sizeof(source->program), "%s", program);
	else if (options_program(options, source->program, sizeof(source->program), error) < 0)
		return;
	if (symbols_open(source->program, &source->core_symbols, error) < 0 ||
	    build_id_check(source->core_symbols, source->view, &source->mode, error) < 0)
		return;
	source->symbols = source->core_symbols;
	if (claims_layout_open(source->program, source->core_symbols, &source->core_layout, error) == 0 &&
	    claims_read(source->view, &source->mode, source->core_layout, &source->core_claims, error) == 0)
		source->claims = &source->core_claims;
}

static int open_core(const char *name, const struct options *options, struct source *source,
		     struct error *error)
{
	if (core_open(name, &source->core, &source->core_program, error) < 0)
		return -1;
	source->view = source->core;
	if (walk_mode_of_cpu(source->view, 0, &source->mode, error) < 0)
		return -1;
	source->has_mode = true;
	open_core_claims(options, source);
	return 0;
}

int source_open(const char *name, const struct options *options, struct source *out)
{
	char context[1024] = "";
	struct error error;
	int result;

	memset(out, 0, sizeof(*out));
	result = is_script(name) ? open_script(name, options, out, context, sizeof(context), &error)
				 : open_core(name, options, out, &error);
	if (result == 0)
		return 0;
	command_fail(&error, context);
	source_close(out);
	return -1;
}

void source_warn(const struct source *source)
{
	if (source->symbols)
		return;
	fflush(stdout);
	fprintf(stderr, "kvmap: %s; going on without names\n", source->no_claims.text);
}

void source_close(struct source *source)
{
	session_destroy(source->session);
	script_destroy(source->script);
	claims_destroy(&source->core_claims);
	claims_layout_close(source->core_layout);
	symbols_close(source->core_symbols);
	view_destroy(source->core);
	free(source->core_program);
}
