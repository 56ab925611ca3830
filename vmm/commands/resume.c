/* SPDX-License-Identifier: MIT */
/*
 * resume.c: kvmap resume VM
 */
#include "commands/commands.h"
#include "source/source.h"

static error_t parse(int key, char *argument, struct argp_state *state)
{
	const char **vm = state->input;

	switch (key) {
	case ARGP_KEY_ARG:
		if (*vm)
			argp_error(state, "`%s` is one argument too many", argument);
		*vm = argument;
		return 0;
	case ARGP_KEY_END:
		if (!*vm)
			argp_error(state, "VM is missing: a process id, or the path of a control socket");
		return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.parser = parse,
	.args_doc = "VM",
	.doc = "Lets a virtual machine exit that `kvmap run --hold` keeps at its end. VM is a process id or the path "
	       "of a control socket.",
};

static int run(int argc, char **argv)
{
	struct control_client *client;
	const char *vm = NULL;
	struct error error;
	int status = EXIT_VERIFIED;

	if (command_parse(&argp, argc, argv, &vm) < 0)
		return EXIT_NOT_DONE;
	if (source_connect(vm, &client, &error) < 0)
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
