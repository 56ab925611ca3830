/* SPDX-License-Identifier: MIT */
/*
 * resume.c: kvmap resume VM
 */
#include "commands/commands.h"
#include "source/source.h"

struct resume_options {
	const char *vm;
	bool wait;
};

enum { OPTION_WAIT = 512 };

static const struct argp_option argp_options[] = {
	{ "wait", OPTION_WAIT, NULL, 0, "wait for a VM that is starting, a minute at most", 0 },
	{ 0 },
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
	struct resume_options *options = state->input;

	switch (key) {
	case OPTION_WAIT: options->wait = true; return 0;
	case ARGP_KEY_ARG:
		if (options->vm)
			argp_error(state, "`%s` is one argument too many", argument);
		options->vm = argument;
		return 0;
	case ARGP_KEY_END:
		if (!options->vm)
			argp_error(state, "VM is missing: a process id, or the path of a control socket");
		return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = argp_options,
	.parser = parse,
	.args_doc = "VM",
	.doc = "Lets a virtual machine exit that `kvmap run --hold` keeps at its end. Before the end it is "
	       "remembered: the machine then exits at its end. VM is a process id or the path of a control socket.",
};

static int run(int argc, char **argv)
{
	struct control_client *client;
	struct resume_options options = { 0 };
	struct error error;
	int status = EXIT_VERIFIED;

	if (command_parse(&argp, argc, argv, &options) < 0)
		return EXIT_NOT_DONE;
	if (options.wait)
		source_wait_for_socket(options.vm);
	if (source_connect(options.vm, &client, &error) < 0)
		return command_fail(&error, NULL);
	if (control_client_end_hold(client, &error) < 0)
		status = command_fail(&error, NULL);
	control_client_close(client);
	return status;
}

const struct command resume_command = {
	"resume",
	"let a virtual machine that --hold keeps at its end exit",
	run,
};
