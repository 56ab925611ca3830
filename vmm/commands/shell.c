/* SPDX-License-Identifier: MIT */
/*
 * shell.c: kvmap shell [SOURCE]
 */
#include "base/signals.h"
#include "commands/inspection.h"
#include "shell/shell.h"
#include "shell/words.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The inspecting commands, NULL-terminated. The first argument of each is a SOURCE. */
static const char *const inspecting[] = { "map",    "walk",  "areas", "frames", "backtrace", "diff",
					  "stage2", "print", "dump",  "verify", "proc",      NULL };

/* The same on a guest of the shell, where `verify` is an operation. */
static const char *const inspecting_guest[] = { "map",    "walk",  "areas", "frames", "backtrace", "diff",
						"stage2", "print", "dump",  "proc",   NULL };

/* How the command line calls the guest as it is, and as it was at the stop before. */
static const char *const names[] = { "the guest now", "the guest at the last stop" };

struct shell_options {
	struct options common;
	const char *source;
	const char *control;
	struct vm_options vm;
};

#define OPTIONS_MAX 5 /* arguments that repeat options of the shell */

enum { OPTION_CONTROL = 512 };

static const struct argp_option argp_options[] = {
	{ "control", OPTION_CONTROL, "PATH", 0,
	  "let other commands inspect the VM, through a socket at PATH; `auto`: where they find it by its process id",
	  0 },
	{ 0 },
};

static const struct argp_child children[] = { { &options_argp, 0, NULL, 0 },
					      { &options_stage2_argp, 0, NULL, 0 },
					      { &vm_options_argp, 0, NULL, 0 },
					      { 0 } };

static error_t parse(int key, char *argument, struct argp_state *state)
{
	struct shell_options *options = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = state->child_inputs[1] = &options->common;
		state->child_inputs[2] = &options->vm;
		return 0;
	case OPTION_CONTROL: options->control = argument; return 0;
	case ARGP_KEY_ARG:
		options_script(state, argument, &options->common, &options->source);
		if (!strcmp(argument, "-"))
			argp_error(state, "standard input has what is typed: give the script as a file");
		return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	argp_options,
	parse,
	"[SOURCE]",
	"Boots the guest, and runs operations and inspecting commands that are typed one by one: what each changes, "
	"and whether it is right, is shown at once."
	"\vSOURCE is a script to begin with. A core file or another VM can be inspected only. `help` lists what can be "
	"typed. Exit status: 0 all verified, 1 at least one finding, 2 it could not be done, or, where input comes from no "
	"terminal, a line was wrong or refused, or operations were not verified.",
	children,
	NULL,
	NULL,
};

struct context {
	const struct shell_options *options;
};

static struct source_config guest_config(const struct options *options)
{
	return (struct source_config){
		.claims = SOURCE_CLAIMS,
		.program = options->program,
		.session = options->session,
	};
}

static bool takes_stage2(const char *command)
{
	return !strcmp(command, "walk") || !strcmp(command, "areas") || !strcmp(command, "verify");
}

/* The options of the shell that are the command's, too. Returns their number. */
static int repeat_options(const struct shell_options *options, const char *command,
			  char *arguments[OPTIONS_MAX])
{
	static char json[] = "--json", guest[] = "--guest", stop[] = "--stop", stage2[] = "--stage2";
	int count = 0;

	if (options->common.json)
		arguments[count++] = json;
	if (options->common.program) {
		arguments[count++] = guest;
		arguments[count++] = (char *)options->common.program;
	}
	if (options->vm.stop)
		arguments[count++] = stop;
	if (options->common.session.stage2 && takes_stage2(command))
		arguments[count++] = stage2;
	return count;
}

/* "kvmap NAME", SOURCE, options of the shell, the other words. */
static enum shell_inspection run_command(const struct context *context, const char *const *sources,
					 size_t source_count, int count, char **words)
{
	char *arguments[1 + 2 + OPTIONS_MAX + WORDS_MAX + 1], name[64];
	int used = 0, status;

	snprintf(name, sizeof(name), "kvmap %s", words[0]);
	arguments[used++] = name;
	for (size_t i = 0; i < source_count; i++)
		arguments[used++] = (char *)sources[i];
	used += repeat_options(context->options, words[0], &arguments[used]);
	for (int i = 1; i < count; i++)
		arguments[used++] = words[i];
	arguments[used] = NULL;
	status = command_find(words[0])->run(used, arguments);
	if (status == EXIT_NOT_DONE)
		return command_helped() ? SHELL_INSPECTED : SHELL_NOT_DONE;
	return status == EXIT_FINDING && !strcmp(words[0], "verify") ? SHELL_FOUND : SHELL_INSPECTED;
}

static enum shell_inspection inspect_guest(const struct context *context, struct session *session,
					   const struct view *last, int count, char **words)
{
	const struct source_config config = guest_config(&context->options->common);
	const char *const both[] = { names[1], names[0] };
	struct source sources[2];
	struct inspection_names named = { names, sources, last ? 2 : 1 };
	bool diff = !strcmp(words[0], "diff");
	enum shell_inspection result;

	source_of_session(session, &config, &sources[0]);
	if (last)
		source_of_copy(last, session, &config, &sources[1]);
	inspection_use(&named);
	result = run_command(context, diff ? both : names, diff ? 2 : 1, count, words);
	inspection_use(NULL);
	return result;
}

static enum shell_inspection inspect(void *data, struct session *session, const struct view *last, int count,
				     char **words)
{
	const struct context *context = data;
	const char *source = context->options->source;

	if (session)
		return inspect_guest(context, session, last, count, words);
	return run_command(context, &source, source ? 1 : 0, count, words);
}

static int run_shell(const struct shell_options *options, const struct session_config *session,
		     struct script *script)
{
	struct context context = { options };
	struct shell_config config = {
		.script = script,
		.commands = script ? inspecting_guest : inspecting,
		.inspect = inspect,
		.context = &context,
		.input = stdin,
		.errors = stderr,
	};
	struct shell_result result;
	struct error error;

	if (session)
		config.session = *session;
	command_report(&config.report, options->common.json);
	command_parse_in_shell(options->common.json ? stderr : stdout);
	if (shell_run(&config, &result, &error) < 0)
		return command_fail(&error, NULL);
	if (result.findings)
		return command_finish(EXIT_FINDING);
	return command_finish(result.failed ? EXIT_NOT_DONE : EXIT_VERIFIED);
}

/* The script to begin with. */
static int load(const struct shell_options *options, struct script **out, char *detail, size_t size,
		struct error *error)
{
	if (options->source || options->common.operations)
		return options_load(&options->common, options->source, out, detail, size, error);
	*out = script_empty("shell");
	return *out ? 0 : error_set(error, ERROR_HOST, 0, 0, "out of memory");
}

static int run_guest(struct shell_options *options)
{
	char program[PATH_MAX], context[1024] = "";
	struct session_config config;
	struct script *script = NULL;
	struct error error;
	int status;

	if (session_program(options->common.program, options->common.session.debug_locks, program,
			    sizeof(program), &error) < 0)
		return command_fail(&error, NULL);
	if (load(options, &script, context, sizeof(context), &error) < 0)
		return command_fail(&error, context);
	config = options->common.session;
	if (session_settle(&config, script, context, sizeof(context), &error) < 0) {
		script_destroy(script);
		return command_fail(&error, context);
	}
	config.program = program;
	config.interruptible = true;
	config.columns = command_columns();
	config.ring = true;
	config.control = options->control;
	status = run_shell(options, &config, script);
	script_destroy(script);
	return status;
}

/* A core, or a VM of another process. */
static int run_source(const struct shell_options *options)
{
	struct source_config config = guest_config(&options->common);
	struct source source;

	config.stop = options->vm.stop;
	config.wait = options->vm.wait;
	/* Each command opens it again. */
	if (inspection_open(options->source, &config, &source) < 0)
		return EXIT_NOT_DONE;
	source_close(&source);
	return run_shell(options, NULL, NULL);
}

static int run(int argc, char **argv)
{
	struct shell_options options = { 0 };

	options_default(&options.common);
	/* A person has Ctrl-C. */
	if (isatty(STDIN_FILENO))
		options.common.session.timeout_ns = 0;
	if (command_parse(&argp, argc, argv, &options) < 0)
		return EXIT_NOT_DONE;
	signals_defer(NULL, NULL);
	if (!options.source || options.common.operations || script_is_file(options.source))
		return run_guest(&options);
	return run_source(&options);
}

const struct command shell_command = {
	"shell",
	"operations and inspecting commands, typed one by one",
	run,
};
