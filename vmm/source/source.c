/* SPDX-License-Identifier: MIT */
#include "source/source.h"

#include "base/data_path.h"
#include "base/signals.h"
#include "control/socket_path.h"
#include "source/internal.h"
#include "stage2/process.h"
#include "view/core.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Compiles the script that `name` is, or -e. A text that is no script may be meant as a core, unless its name says so. */
static int load_script(const char *name, const struct source_config *config, struct script **out,
		       char *detail, size_t detail_size, struct error *error)
{
	size_t length = strlen(name);
	struct error why;

	if (config->operations)
		return script_compile("-e", config->operations, strlen(config->operations), out, detail,
				      detail_size, error);
	if (script_load(name, out, detail, detail_size, error) == 0)
		return 0;
	if (error->kind != ERROR_INPUT || !strcmp(name, "-") ||
	    (length > 4 && !strcmp(name + length - 4, ".kvs")))
		return -1;
	*detail = 0;
	why = *error;
	return error_set(error, ERROR_INPUT, 0, 0, "%.400s (a script, since it is not an ELF core)",
			 why.text);
}

/* A signal ended the guest, or came when the guest had ended. The process then dies of it. */
static int interrupted(const struct report_run *run, struct error *error)
{
	if (!run->interrupted)
		return error_set(error, ERROR_HOST, 0, 0, "ended by %s", signals_name(signals_received()));
	return error_set(error, ERROR_HOST, 0, 0, "interrupted by %s: %s", run->interrupted,
			 run->interrupted_at);
}

/* Sets the members that commands use. */
static void use_session(const char *name, struct source *source)
{
	source->has_mode = source->session->has_mode;
	source->view = source->session->view;
	source->mode = source->session->mode;
	source->symbols = source->session->symbols;
	if (source->session->run.claims)
		source->claims = &source->session->claims;
	else
		error_set(&source->no_claims, ERROR_GUEST, 0, 0, "%s: the guest ended %s: see `kvmap run`",
			  name, source->has_mode ? "before its claims could be read" : "without page tables");
}

static int open_script(const char *name, const struct source_config *config, struct source *source,
		       char *detail, size_t detail_size, struct error *error)
{
	struct session_config session = config->session;

	if (session_program(config->program, session.debug_locks, source->program, sizeof(source->program),
			    error) < 0 ||
	    load_script(name, config, &source->script, detail, detail_size, error) < 0)
		return -1;
	session.program = source->program;
	session.interruptible = true;
	if (session_settle(&session, source->script, detail, detail_size, error) < 0)
		return -1;
	if (session_run(&session, &source->session, error) < 0)
		return -1;
	session_end_interruptible(source->session);
	if (signals_received())
		return interrupted(&source->session->run, error);
	use_session(name, source);
	return 0;
}

/*
 * The names and types of the guest's program: --guest, else the one that the source names, else kvmap's own.
 */
static void open_program(const struct source_config *config, const char *named, struct source *source)
{
	struct error *error = &source->no_program;

	if (session_program(config->program ? config->program : named, config->session.debug_locks,
			    source->program, sizeof(source->program), error) < 0)
		return;
	if (symbols_open(source->program, &source->own_symbols, error) == 0 &&
	    source->wanted != SOURCE_NO_CLAIMS)
		claims_layout_open(source->own_symbols, &source->own_layout, error);
}

static int open_core(const char *name, const struct source_config *config, struct source *source,
		     struct error *error)
{
	if (core_open(name, &source->core, &source->core_program, error) < 0)
		return -1;
	source->view = source->core;
	open_program(config, source->core_program, source);
	return 0;
}

/* ---- a VM of another kvmap ---- */

int source_connect(const char *name, struct control_client **out, struct error *error)
{
	char path[128];
	uint32_t pid;

	if (!source_is_pid(name, &pid))
		return control_client_open(name, out, error);
	if (source_is_starting(pid))
		return error_set(error, ERROR_INPUT, 0, 0,
				 "the VM of process %" PRIu32
				 " is starting: it has no control socket yet; try again, or use --wait",
				 pid);
	if (control_socket_path_of_pid(pid, path, sizeof(path), error) < 0 ||
	    control_client_open(path, out, error) < 0)
		return -1;
	if (control_client_hello(*out)->pid == pid)
		return 0;
	error_set(error, ERROR_INPUT, 0, 0,
		  "%s is the socket of process %" PRIu32 ", not of process %" PRIu32, path,
		  control_client_hello(*out)->pid, pid);
	control_client_close(*out);
	return -1;
}

/* Whether it is a number or a socket. A file whose name is a number is ./NUMBER. */
static bool is_vm(const char *name)
{
	struct stat status;
	uint32_t pid;

	return source_is_pid(name, &pid) || (stat(name, &status) == 0 && S_ISSOCK(status.st_mode));
}

static int open_vm(const char *name, const struct source_config *config, struct source *source,
		   struct error *error)
{
	if (source_connect(name, &source->vm.client, error) < 0 ||
	    control_client_map(source->vm.client, error) < 0)
		return -1;
	open_program(config, control_client_hello(source->vm.client)->program, source);
	return config->wait ? source_wait_for_tables(source, error) : 0;
}

/* ---- a VM of another program ---- */

/* Whether it is a process with a VM and without kvmap's control socket. -1: this user may not find out. */
static int is_process(const char *name, uint32_t *pid_out, struct error *error)
{
	struct error ignored;
	char path[128];

	if (!source_is_pid(name, pid_out) ||
	    control_socket_path_of_pid(*pid_out, path, sizeof(path), &ignored) == 0 ||
	    source_is_starting(*pid_out))
		return 0;
	return process_has_vm((pid_t)*pid_out, error);
}

static int open_process(pid_t pid, const struct source_config *config, struct source *source,
			struct error *error)
{
	char ignored[256];

	source->process.summary.pid = (uint32_t)pid;
	open_program(config, NULL, source);
	/* The first description loads the line table, which takes long: before the process is stopped. */
	if (source->own_symbols)
		symbols_describe(source->own_symbols, KVMAP_IMAGE_BASE + KVMAP_IMAGE_GPA, ignored,
				 sizeof(ignored));
	return source_read_process(source, config->stop, error);
}

/* ---- all of them ---- */

static struct source source_new(const struct source_config *config, int vm_fd)
{
	return (struct source){
		.wanted = config->claims,
		.stage2 = config->session.stage2,
		.process.vm_fd = vm_fd,
		.one_cpu = config->one_cpu,
		.cpu = config->cpu,
	};
}

int source_open_process(pid_t pid, int vm_fd, const struct source_config *config, struct source *out,
			struct error *error)
{
	*out = source_new(config, vm_fd);
	if (open_process(pid, config, out, error) == 0)
		return 0;
	source_close(out);
	return -1;
}

int source_open(const char *name, const struct source_config *config, struct source *out, char *detail,
		size_t detail_size, struct error *error)
{
	uint32_t pid = 0;
	int result;

	*detail = 0;
	*out = source_new(config, -1);
	if (out->stage2)
		stage2_on_demand_open(&out->stage2_reading);
	if (config->wait && !config->operations && (source_is_pid(name, &pid) || access(name, F_OK) < 0))
		source_wait_for_socket(name);
	if (config->operations || script_is_file(name))
		result = open_script(name, config, out, detail, detail_size, error);
	else if ((result = is_process(name, &pid, error)) != 0)
		result = result < 0 ? -1 : open_process((pid_t)pid, config, out, error);
	else if (is_vm(name))
		result = open_vm(name, config, out, error);
	else
		result = open_core(name, config, out, error);
	if (result < 0)
		source_close(out);
	return result;
}

void source_of_session(struct session *session, const struct source_config *config, struct source *out)
{
	*out = source_new(config, -1);
	out->borrowed = true;
	out->session = session;
	snprintf(out->program, sizeof(out->program), "%s", session->config.program);
	use_session("shell", out);
}

void source_of_copy(const struct view *copy, const struct session *session,
		    const struct source_config *config, struct source *out)
{
	*out = source_new(config, -1);
	out->borrowed = true;
	out->view = copy;
	out->own_symbols = session->symbols;
	out->own_layout = session->layout;
	snprintf(out->program, sizeof(out->program), "%s", session->config.program);
}

void source_close(struct source *source)
{
	struct ptrace_stop_end ignored;

	if (source->borrowed) {
		stage2_on_demand_close(&source->stage2_reading);
		claims_destroy(&source->own_claims);
		return;
	}
	stage2_on_demand_close(&source->stage2_reading);
	session_destroy(source->session);
	script_destroy(source->script);
	claims_destroy(&source->own_claims);
	claims_layout_close(source->own_layout);
	symbols_close(source->own_symbols);
	control_client_close(source->vm.client);
	ptrace_stop_end(source->process.stop, &ignored);
	view_destroy(source->process.view);
	view_destroy(source->core);
	free(source->core_program);
}

uint32_t source_pid(const struct source *source)
{
	if (source->vm.client)
		return control_client_hello(source->vm.client)->pid;
	if (source->process.view)
		return source->process.summary.pid;
	return source->session ? (uint32_t)getpid() : 0;
}

const struct stage2 *source_stage2(struct source *source, struct error *error)
{
	if (!source_pid(source)) {
		error_set(error, ERROR_INPUT, 0, 0, "a core does not have it");
		return NULL;
	}
	if (!source->stage2) {
		if (stage2_reader_check(error) == 0)
			error_set(error, ERROR_INPUT, 0, 0, "without --stage2");
		return NULL;
	}
	if (source->vm.client) {
		*error = source->no_stage2;
		return source->stage2_paused;
	}
	return stage2_on_demand_read(
		&source->stage2_reading, (pid_t)source_pid(source),
		source->session ? machine_vm_fd(source->session->machine) : source->process.vm_fd, error);
}
