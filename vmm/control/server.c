/* SPDX-License-Identifier: MIT */
/*
 * server.c: the sockets, and one thread that serves all connections. requests.c makes the replies.
 */
#define _GNU_SOURCE /* accept4, struct ucred */
#include "control/server.h"
#include "base/clock.h"
#include "base/signals.h"
#include "control/socket_path.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define CONNECTIONS_MAX 16

/* Bytes. The thread keeps no reply on its stack; it calls a few ioctls. */
#define SERVER_STACK (128 << 10)

struct server_connection {
	int socket;
	struct control_connection state;
};

struct control_server {
	struct control_vm_state state;
	int listener;
	int quit, hold_end; /* eventfds: the thread shall end; CONTROL_END_HOLD was received */
	bool runs;          /* the thread */
	pthread_t thread;
	pthread_mutex_t lock; /* protects state */
	struct server_connection connections[CONNECTIONS_MAX];
	unsigned int connection_count;
	struct control_reply reply;
	struct sockaddr_un address;
	struct stat bound; /* the socket file, as it was created */
	int removed;       /* of signals_file_remove() */
};

/* ---- connections ---- */

/* Never blocks: a connection that does not read its replies is closed. */
static int send_reply(const struct control_server *server, int socket, bool with_fds)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(CONTROL_FDS_MAX * sizeof(int))] = { 0 };
	const struct control_reply *reply = &server->reply;
	struct iovec bytes = { (void *)reply, sizeof(reply->header) + reply->header.size };
	struct msghdr message = { .msg_iov = &bytes, .msg_iovlen = 1 };

	if (with_fds) {
		size_t size = reply->memory.fd_count * sizeof(int);
		struct cmsghdr *part;

		message.msg_control = control;
		message.msg_controllen = CMSG_SPACE(size);
		part = CMSG_FIRSTHDR(&message);
		part->cmsg_level = SOL_SOCKET;
		part->cmsg_type = SCM_RIGHTS;
		part->cmsg_len = CMSG_LEN(size);
		memcpy(CMSG_DATA(part), server->state.vm->fds, size);
	}
	return sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -1 : 0;
}

static void disconnect(struct control_server *server, unsigned int index)
{
	control_disconnect(&server->state, &server->connections[index].state);
	close(server->connections[index].socket);
	server->connections[index] = server->connections[--server->connection_count];
}

static bool is_allowed(int socket)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	return getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
	       (peer.uid == 0 || peer.uid == geteuid());
}

static void accept_connection(struct control_server *server)
{
	int socket = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (socket < 0)
		return;
	if (is_allowed(socket) && server->connection_count < CONNECTIONS_MAX) {
		server->connections[server->connection_count++] =
			(struct server_connection){ .socket = socket };
		return;
	}
	control_reply_error(0, is_allowed(socket) ? CONTROL_BUSY : CONTROL_DENIED, &server->reply);
	send_reply(server, socket, false);
	close(socket);
}

/* Handles one request. False: the connection is to be closed. */
static bool serve_request(struct control_server *server, struct server_connection *connection)
{
	/* One byte more than a request, so that a longer datagram is detected. */
	uint8_t datagram[sizeof(struct control_request) + 1];
	ssize_t size = recv(connection->socket, datagram, sizeof(datagram), 0);
	enum control_action what;

	if (size < 0)
		return errno == EAGAIN || errno == EINTR;
	if (!size)
		return false; /* the end, or an empty datagram */
	what = control_handle_request(&server->state, &connection->state, datagram, (size_t)size,
				      clock_monotonic_ns, &server->reply);
	return send_reply(server, connection->socket, what == CONTROL_SEND_FDS) == 0 &&
	       what != CONTROL_SEND_CLOSE;
}

/* ---- the thread ---- */

/* Milliseconds until the first pause expires; -1: no pause. */
static int poll_timeout(const struct control_server *server)
{
	uint64_t first = UINT64_MAX, now = clock_monotonic_ns();

	for (unsigned int i = 0; i < server->connection_count; i++) {
		uint64_t deadline = control_pause_deadline(&server->connections[i].state);

		first = deadline < first ? deadline : first;
	}
	if (first == UINT64_MAX)
		return -1;
	return first <= now ? 0 : (int)((first - now) / 1000000) + 1;
}

/* Backwards, since disconnect() replaces a connection by the last one. */
static void serve_all(struct control_server *server, const struct pollfd *polled)
{
	for (unsigned int i = server->connection_count; i-- > 0;) {
		control_pause_expire(&server->state, &server->connections[i].state, clock_monotonic_ns());
		if (polled[i].revents && !serve_request(server, &server->connections[i]))
			disconnect(server, i);
	}
	if (server->state.hold_ended)
		eventfd_write(server->hold_end, 1);
}

static void *server_main(void *argument)
{
	struct control_server *server = argument;
	struct pollfd polled[2 + CONNECTIONS_MAX];

	for (;;) {
		polled[0] = (struct pollfd){ .fd = server->quit, .events = POLLIN };
		polled[1] = (struct pollfd){ .fd = server->listener, .events = POLLIN };
		for (unsigned int i = 0; i < server->connection_count; i++)
			polled[2 + i] = (struct pollfd){ server->connections[i].socket, POLLIN, 0 };
		if (poll(polled, 2 + server->connection_count, poll_timeout(server)) < 0 && errno != EINTR)
			break;
		if (polled[0].revents)
			break;
		pthread_mutex_lock(&server->lock);
		serve_all(server, polled + 2);
		pthread_mutex_unlock(&server->lock);
		if (polled[1].revents)
			accept_connection(server);
	}
	while (server->connection_count)
		disconnect(server, 0);
	return NULL;
}

/* The thread blocks all signals: other threads handle them. */
static int thread_start(struct control_server *server)
{
	pthread_attr_t attributes;
	sigset_t all, before;
	int errnum;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, SERVER_STACK);
	errnum = pthread_create(&server->thread, &attributes, server_main, server);
	pthread_attr_destroy(&attributes);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	server->runs = !errnum;
	return errnum;
}

/* ---- the socket ---- */

/* Removes a stale socket at `path`. Else an errno. */
static int remove_stale(const char *path)
{
	struct stat status;

	if (lstat(path, &status) < 0)
		return errno;
	if (!S_ISSOCK(status.st_mode))
		return EEXIST;
	if (!control_socket_is_stale(path))
		return EADDRINUSE;
	return unlink(path) < 0 ? errno : 0;
}

static int bind_and_listen(struct control_server *server)
{
	const struct sockaddr *address = (const struct sockaddr *)&server->address;
	int errnum = 0;

	/* Linux creates the file with the socket's mode, so that other users can never connect. */
	if (fchmod(server->listener, 0600) < 0)
		return errno;
	if (bind(server->listener, address, sizeof(server->address)) < 0) {
		errnum = errno == EADDRINUSE ? remove_stale(server->address.sun_path) : errno;
		if (!errnum && bind(server->listener, address, sizeof(server->address)) < 0)
			errnum = errno;
	}
	if (errnum)
		return errnum;
	server->removed = signals_file_remove(AT_FDCWD, server->address.sun_path);
	if (lstat(server->address.sun_path, &server->bound) < 0 ||
	    listen(server->listener, CONNECTIONS_MAX) < 0)
		return errno;
	return 0;
}

static int listen_at(struct control_server *server, const char *path, struct error *error)
{
	int errnum;

	if (strlen(path) >= sizeof(server->address.sun_path))
		return error_set(error, ERROR_INPUT, 0, 0,
				 "%s: a socket's path is no longer than %zu bytes: choose a shorter one",
				 path, sizeof(server->address.sun_path) - 1);
	server->address.sun_family = AF_UNIX;
	memcpy(server->address.sun_path, path, strlen(path));
	server->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	server->quit = eventfd(0, EFD_CLOEXEC);
	server->hold_end = eventfd(0, EFD_CLOEXEC);
	if (server->listener < 0 || server->quit < 0 || server->hold_end < 0)
		return error_set(error, ERROR_HOST, errno, 0, "cannot make the control socket");
	errnum = bind_and_listen(server);
	if (!errnum)
		return 0;
	if (errnum == EADDRINUSE)
		return error_set(error, ERROR_INPUT, 0, 0, "%s: another VM listens there", path);
	if (errnum == EEXIST)
		return error_set(error, ERROR_INPUT, 0, 0,
				 "%s: exists and is not a socket: choose another path", path);
	return error_set(error, errnum == EACCES || errnum == EPERM ? ERROR_PERMISSION : ERROR_INPUT, errnum,
			 0, "%s: no control socket can be made there", path);
}

int control_server_start(const char *path, const struct control_vm *vm, struct control_server **out,
			 struct error *error)
{
	struct control_server *server = calloc(1, sizeof(*server));
	int errnum;

	if (!server)
		return error_set(error, ERROR_HOST, 0, 0, "out of memory");
	server->state.vm = vm;
	server->listener = server->quit = server->hold_end = server->removed = -1;
	pthread_mutex_init(&server->lock, NULL);
	if (listen_at(server, path, error) < 0)
		goto failed;
	errnum = thread_start(server);
	if (errnum) {
		error_set(error, ERROR_HOST, errnum, 0, "cannot start the thread of the control socket");
		goto failed;
	}
	*out = server;
	return 0;
failed:
	control_server_stop(server);
	return -1;
}

/* Removes the socket unless another file has replaced it. */
static void remove_socket(const struct control_server *server)
{
	struct stat status;

	if (server->bound.st_ino && lstat(server->address.sun_path, &status) == 0 &&
	    status.st_dev == server->bound.st_dev && status.st_ino == server->bound.st_ino)
		unlink(server->address.sun_path);
	signals_file_keep(server->removed);
}

void control_server_stop(struct control_server *server)
{
	if (!server)
		return;
	if (server->runs) {
		eventfd_write(server->quit, 1);
		pthread_join(server->thread, NULL);
	}
	remove_socket(server);
	if (server->listener >= 0)
		close(server->listener);
	if (server->quit >= 0)
		close(server->quit);
	if (server->hold_end >= 0)
		close(server->hold_end);
	pthread_mutex_destroy(&server->lock);
	free(server);
}

int control_server_at_end(struct control_server *server)
{
	pthread_mutex_lock(&server->lock);
	server->state.at_end = true;
	pthread_mutex_unlock(&server->lock);
	return server->hold_end;
}
