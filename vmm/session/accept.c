/* SPDX-License-Identifier: MIT */
#include "session/accept.h"

#include "control/machine_vm.h"
#include "control/socket_path.h"
#include "control/server.h"
#include "program/build_id.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

struct listener {
	struct control_vm vm;
	struct control_server *server;
	char link[128]; /* to a socket that is not where others look first; "": none */
};

static void fill_hello(const struct session *session, struct control_hello *hello)
{
	const struct session_config *config = &session->config;
	char *program = realpath(config->program, NULL);
	struct build_id id;
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	*hello = (struct control_hello){
		.pid = (uint32_t)getpid(),
		.cpus = config->cpus,
		.memory = config->memory,
		.since_ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec,
	};
	if (build_id_of_file(session->symbols, &id) && id.size <= sizeof(hello->build_id)) {
		hello->build_id_size = (uint32_t)id.size;
		memcpy(hello->build_id, id.bytes, id.size);
	}
	snprintf(hello->program, sizeof(hello->program), "%s", program ? program : config->program);
	snprintf(hello->script, sizeof(hello->script), "%s", config->script->path);
	free(program);
}

/* Elsewhere than at the usual place it is found by its process id all the same, if that place can be had. */
static int listen_somewhere(struct listener *listener, const char *where, struct error *error)
{
	struct error no_place;
	char mine[sizeof(listener->link)];

	if (!strcmp(where, LISTEN_AUTO)) {
		if (control_socket_path_own(mine, sizeof(mine), error) < 0)
			return -1;
		return control_server_start(mine, &listener->vm, &listener->server, error);
	}
	if (control_server_start(where, &listener->vm, &listener->server, error) < 0)
		return -1;
	if (control_socket_path_own(mine, sizeof(mine), &no_place) == 0 &&
	    control_socket_path_link(mine, where, &no_place) == 0)
		memcpy(listener->link, mine, sizeof(mine));
	return 0;
}

int listener_start(struct session *session, struct listener **out, struct error *error)
{
	struct listener *listener = calloc(1, sizeof(*listener));

	if (!listener)
		return error_set(error, ERROR_HOST, 0, 0, "out of memory");
	if (control_vm_open(session->machine, &listener->vm, error) < 0) {
		free(listener);
		return -1;
	}
	fill_hello(session, &listener->vm.hello);
	if (listen_somewhere(listener, session->config.control, error) < 0) {
		listener_stop(listener);
		return -1;
	}
	*out = listener;
	return 0;
}

void listener_stop(struct listener *listener)
{
	if (!listener)
		return;
	if (*listener->link)
		unlink(listener->link);
	control_server_stop(listener->server);
	control_vm_close(&listener->vm);
	free(listener);
}

void listener_hold(struct listener *listener)
{
	struct pollfd polled[2] = { { .events = POLLIN }, { .events = POLLIN } };
	sigset_t ends;

	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGHUP);
	sigprocmask(SIG_BLOCK, &ends, NULL);
	polled[0].fd = control_server_at_end(listener->server);
	polled[1].fd = signalfd(-1, &ends, SFD_CLOEXEC);
	fprintf(stderr,
		"kvmap: the VM stands at its end: `kvmap map %d` looks at it; Ctrl-C or `kvmap resume %d` ends it\n",
		getpid(), getpid());
	while (poll(polled, 2, -1) < 0 && errno == EINTR)
		;
	if (polled[1].fd >= 0)
		close(polled[1].fd);
}
