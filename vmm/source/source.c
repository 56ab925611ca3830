/* SPDX-License-Identifier: MIT */
#include "source/source.h"

#include "base/number.h"
#include "commands/commands.h"
#include "control/socket_path.h"
#include "stage2/process.h"
#include "view/core.h"
#include "view/process.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static error_t parse(int key, char *argument, struct argp_state *state)
{
	struct source_options *options = state->input;

	switch (key) {
	case ARGP_KEY_INIT: state->child_inputs[0] = &options->common; return 0;
	case SOURCE_OPTION_STOP: options->common.stop = true; return 0;
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
			argp_error(
				state,
				"SOURCE is missing: a core file, a process id, a control socket, or a script (*.kvs) to run first");
		else if (options->extra_name && !options->extra)
			argp_error(state, "%s is missing", options->extra_name);
		return 0;
	default: return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option source_argp_options[] = { SOURCE_STOP_OPTION, { 0 } };
static const struct argp_child source_children[] = { { &options_argp, 0, NULL, 0 }, { 0 } };
const struct argp source_argp = { .options = source_argp_options,
				  .parser = parse,
				  .children = source_children };

void source_options_default(struct source_options *options, const char *extra_name)
{
	*options = (struct source_options){ .extra_name = extra_name };
	options_default(&options->common);
}

int source_parse(int argc, char **argv, const char *arguments, const char *doc, const char *extra_name,
		 struct source_options *out)
{
	const struct argp argp = { source_argp_options, parse, arguments, doc, source_children, NULL, NULL };

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

/* The names and types of the guest's program: that of --guest, the one that the source names, or kvmap's own.
 */
static void open_program(const struct options *options, const char *named, struct source *source)
{
	struct error *error = &source->no_program;
	const char *program = options->program ? options->program : named;

	if (program)
		snprintf(source->program, sizeof(source->program), "%s", program);
	else if (options_program(options, source->program, sizeof(source->program), error) < 0)
		return;
	if (symbols_open(source->program, &source->own_symbols, error) == 0 &&
	    source->wanted != SOURCE_NO_CLAIMS)
		claims_layout_open(source->own_symbols, &source->own_layout, error);
}

static int open_core(const char *name, const struct options *options, struct source *source,
		     struct error *error)
{
	if (core_open(name, &source->core, &source->core_program, error) < 0)
		return -1;
	source->view = source->core;
	open_program(options, source->core_program, source);
	return 0;
}

/* ---- a VM of another process ---- */

static bool is_pid(const char *name, uint32_t *out)
{
	uint64_t pid;

	if (strspn(name, "0123456789") != strlen(name) ||
	    number_parse(name, strlen(name), &pid) != NUMBER_OK || pid > INT32_MAX)
		return false;
	*out = (uint32_t)pid;
	return true;
}

int source_attach(const char *name, struct control_client **out, struct error *error)
{
	char path[128];
	uint32_t pid;

	if (!is_pid(name, &pid))
		return control_client_open(name, out, error);
	if (control_socket_path_of_pid(pid, path, sizeof(path), error) < 0 ||
	    control_client_open(path, out, error) < 0)
		return -1;
	if (control_client_hello(*out)->pid == pid)
		return 0;
	error_set(error, ERROR_INPUT, 0, 0, "%s: process %" PRIu32 " listens there, not process %" PRIu32,
		  path, control_client_hello(*out)->pid, pid);
	control_client_close(*out);
	return -1;
}

/* A number, or a socket. A file whose name is a number is ./NUMBER. */
static bool is_vm(const char *name)
{
	struct stat status;
	uint32_t pid;

	return is_pid(name, &pid) || (stat(name, &status) == 0 && S_ISSOCK(status.st_mode));
}

static int open_vm(const char *name, const struct options *options, struct source *source,
		   struct error *error)
{
	if (source_attach(name, &source->vm.client, error) < 0 ||
	    control_client_map(source->vm.client, error) < 0)
		return -1;
	open_program(options, control_client_hello(source->vm.client)->program, source);
	return 0;
}

/* ---- a VM of another program ---- */

/* A process with a VM that does not answer as a kvmap does. */
static bool is_foreign(const char *name, uint32_t *pid_out)
{
	struct error ignored;
	char path[128];

	return is_pid(name, pid_out) &&
	       control_socket_path_of_pid(*pid_out, path, sizeof(path), &ignored) < 0 &&
	       process_has_vm((pid_t)*pid_out);
}

static int open_foreign(pid_t pid, int vm_fd, const struct options *options, struct source *source,
			struct error *error)
{
	char ignored[256];

	source->look.pid = (uint32_t)pid;
	source->vm_fd = vm_fd;
	open_program(options, NULL, source);
	/* The first question opens the line table: not while it stands still. */
	if (source->own_symbols)
		symbols_describe(source->own_symbols, KVMAP_IMAGE_BASE + KVMAP_IMAGE_GPA, ignored,
				 sizeof(ignored));
	return source_foreign_view(source, options->stop, error);
}

int source_open_foreign(pid_t pid, int vm_fd, const struct options *options, enum source_claims wanted,
			struct source *out, struct error *error)
{
	*out = (struct source){ .wanted = wanted, .stage2 = options->stage2 };
	if (open_foreign(pid, vm_fd, options, out, error) == 0)
		return 0;
	source_close(out);
	return -1;
}

uint32_t source_pid(const struct source *source)
{
	if (source->vm.client)
		return control_client_hello(source->vm.client)->pid;
	if (source->process)
		return source->look.pid;
	return source->session ? (uint32_t)getpid() : 0;
}

const struct stage2 *source_stage2(struct source *source, struct error *error)
{
	if (!source_pid(source)) {
		error_set(error, ERROR_INPUT, 0, 0, "a core does not hold it");
		return NULL;
	}
	if (!source->stage2) {
		error_set(error, ERROR_INPUT, 0, 0, "not asked for: --stage2");
		return NULL;
	}
	if (!source->vm.client)
		return stage2_on_demand_read(
			&source->stage2_reading, (pid_t)source_pid(source),
			source->session ? machine_vm_fd(source->session->machine) : source->vm_fd, error);
	*error = source->no_stage2;
	return source->stage2_seen;
}

int source_open(const char *name, const struct options *options, enum source_claims wanted,
		struct source *out)
{
	char context[1024] = "";
	struct error error;
	uint32_t pid;
	int result;

	*out = (struct source){ .wanted = wanted, .stage2 = options->stage2, .vm_fd = -1 };
	if (out->stage2)
		stage2_on_demand_open(&out->stage2_reading);
	if (is_script(name))
		result = open_script(name, options, out, context, sizeof(context), &error);
	else if (is_foreign(name, &pid))
		result = open_foreign((pid_t)pid, -1, options, out, &error);
	else if (is_vm(name))
		result = open_vm(name, options, out, &error);
	else
		result = open_core(name, options, out, &error);
	if (result == 0)
		return 0;
	command_fail(&error, context);
	source_close(out);
	return -1;
}

void source_close(struct source *source)
{
	stage2_on_demand_close(&source->stage2_reading);
	session_destroy(source->session);
	script_destroy(source->script);
	claims_destroy(&source->own_claims);
	claims_layout_close(source->own_layout);
	symbols_close(source->own_symbols);
	control_client_close(source->vm.client);
	ptrace_stop_end(source->ptrace_stop);
	view_destroy(source->process);
	view_destroy(source->core);
	free(source->core_program);
}
