/* SPDX-License-Identifier: MIT */
#include "session/accept.h"

#include "base/signals.h"
#include "control/machine_vm.h"
#include "control/server.h"
#include "control/socket_path.h"
#include "program/build_id.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

struct acceptor {
	struct control_vm vm;
	struct control_server *server;
	char link[128];       /* in the folder of sockets, to a socket that is elsewhere; "": none */
	int resumed, signals; /* eventfds for acceptor_wait(): resumed by a client; a signal came */
	int link_removed;     /* of signals_file_remove() */
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

/* A socket at a path of the user's gets a link in the folder of sockets, so that it is found by the process
 * id. Without that folder there is no link. */
static int open_socket(struct acceptor *acceptor, const char *where, struct error *error)
{
	struct error no_link;
	char mine[sizeof(acceptor->link)];

	if (!strcmp(where, ACCEPT_AUTO)) {
		if (control_socket_path_own(mine, sizeof(mine), error) < 0)
			return -1;
		return control_server_start(mine, &acceptor->vm, &acceptor->server, error);
	}
	if (control_server_start(where, &acceptor->vm, &acceptor->server, error) < 0)
		return -1;
	if (control_socket_path_own(mine, sizeof(mine), &no_link) == 0 &&
	    control_socket_path_link(mine, where, &no_link) == 0) {
		memcpy(acceptor->link, mine, sizeof(mine));
		acceptor->link_removed = signals_file_remove(AT_FDCWD, mine);
	}
	return 0;
}

int acceptor_start(struct session *session, struct acceptor **out, struct error *error)
{
	struct acceptor *acceptor = calloc(1, sizeof(*acceptor));

	if (!acceptor)
		return error_set(error, ERROR_HOST, 0, 0, "out of memory");
	acceptor->link_removed = acceptor->signals = -1;
	if (control_vm_open(session->machine, &acceptor->vm, error) < 0) {
		free(acceptor);
		return -1;
	}
	fill_hello(session, &acceptor->vm.hello);
	acceptor->vm.held = session->config.hold;
	if (open_socket(acceptor, session->config.control, error) < 0) {
		acceptor_stop(acceptor);
		return -1;
	}
	*out = acceptor;
	return 0;
}

void acceptor_stop(struct acceptor *acceptor)
{
	if (!acceptor)
		return;
	if (*acceptor->link)
		unlink(acceptor->link);
	signals_file_keep(acceptor->link_removed);
	control_server_stop(acceptor->server);
	control_vm_close(&acceptor->vm);
	if (acceptor->signals >= 0)
		close(acceptor->signals);
	free(acceptor);
}

/* In a signal handler. */
static void wake(void *context)
{
	const struct acceptor *acceptor = context;

	eventfd_write(acceptor->signals, 1);
}

bool acceptor_hold(struct acceptor *acceptor)
{
	struct pollfd resumed;

	if (acceptor->signals < 0)
		acceptor->signals = eventfd(0, EFD_CLOEXEC);
	signals_defer(wake, acceptor);
	acceptor->resumed = control_server_at_end(acceptor->server);
	resumed = (struct pollfd){ .fd = acceptor->resumed, .events = POLLIN };
	return poll(&resumed, 1, 0) <= 0;
}

void acceptor_wait(struct acceptor *acceptor)
{
	struct pollfd polled[] = {
		{ .fd = acceptor->resumed, .events = POLLIN },
		{ .fd = acceptor->signals, .events = POLLIN },
	};

	while (!signals_received() && poll(polled, 2, -1) < 0 && errno == EINTR)
		;
	signals_defer(NULL, NULL);
	if (acceptor->signals >= 0)
		close(acceptor->signals);
	acceptor->signals = -1;
}
