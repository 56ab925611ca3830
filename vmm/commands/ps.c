/* SPDX-License-Identifier: MIT */
/*
 * ps.c: kvmap ps
 */
#include "base/array.h"
#include "commands/commands.h"
#include "commands/progress.h"
#include "control/client.h"
#include "control/socket_path.h"
#include "report/ps.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum { OPTION_JSON = 256 };

static const struct argp_option argp_options[] = {
	{ "json", OPTION_JSON, NULL, 0, "print JSON lines instead of text", 0 },
	{ 0 },
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
	if (key == ARGP_KEY_ARG)
		argp_error(state, "`%s` is one argument too many: ps lists all VMs", argument);
	if (key != OPTION_JSON)
		return ARGP_ERR_UNKNOWN;
	*(bool *)state->input = true;
	return 0;
}

static const struct argp argp = {
	.options = argp_options,
	.parser = parse,
	.doc = "Lists the virtual machines of this user that can be inspected: those of `kvmap run --control` and "
	       "`--hold`. Sockets of killed processes are removed.",
};

struct vms {
	ARRAY_OF(struct report_vm);
	struct control_client **clients; /* of each item */
};

/* Connects to all sockets, and removes stale ones. Prints a line on stderr for a VM that does not answer. */
static int connect_all(const struct control_socket_path *paths, size_t count, struct vms *vms)
{
	struct error error;

	for (size_t i = 0; i < count; i++) {
		struct report_vm vm = { .socket = paths[i].path };

		if (control_socket_is_stale(paths[i].path)) {
			unlink(paths[i].path);
			continue;
		}
		if (control_client_open(paths[i].path, &vms->clients[vms->count], &error) < 0) {
			progress_end();
			fprintf(stderr, "kvmap: %s: %s\n", paths[i].path, error.text);
			continue;
		}
		vm.hello = control_client_hello(vms->clients[vms->count]);
		if (array_push(vms, vm) < 0) {
			control_client_close(vms->clients[vms->count]);
			return -1;
		}
	}
	return 0;
}

static int show(const struct control_socket_path *paths, size_t count, bool json)
{
	struct vms vms = { .clients = calloc(count + 1, sizeof(*vms.clients)) };
	struct report report;
	struct error error;
	int status;

	if (!vms.clients || connect_all(paths, count, &vms) < 0) {
		error_set(&error, ERROR_HOST, ENOMEM, 0, "the list of virtual machines");
		status = command_fail(&error, NULL);
	} else {
		command_report(&report, json);
		report_ps(&report, vms.items, vms.count);
		status = command_finish(EXIT_VERIFIED);
	}
	for (size_t i = 0; i < vms.count; i++)
		control_client_close(vms.clients[i]);
	free(vms.clients);
	free(vms.items);
	return status;
}

static int run(int argc, char **argv)
{
	struct control_socket_path *paths;
	struct error error;
	bool json = false;
	int count, status;

	if (command_parse(&argp, argc, argv, &json) < 0)
		return EXIT_NOT_DONE;
	count = control_socket_path_list(&paths, &error);
	if (count < 0)
		return command_fail(&error, NULL);
	status = show(paths, (size_t)count, json);
	free(paths);
	return status;
}

const struct command ps_command = { "ps", "the virtual machines of this user that can be inspected", run };
