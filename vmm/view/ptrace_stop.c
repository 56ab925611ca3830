/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "view/ptrace_stop.h"

#include "base/array.h"
#include "base/clock.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Time for all threads to stop. */
#define STOP_TIMEOUT_NS 2000000000ull
/* Between two polls of a thread that has not stopped. */
#define POLL_NS 50000

struct stopped_thread {
	pid_t id;
	int signal; /* signal that it was about to take; 0: none */
};

struct ptrace_stop {
	ARRAY_OF(struct stopped_thread) threads;
	uint64_t since;
	pid_t watchdog; /* the process that is the tracer */
	int socket;     /* to it */
};

static bool knows(const struct ptrace_stop *stop, pid_t id)
{
	for (size_t i = 0; i < stop->threads.count; i++)
		if (stop->threads.items[i].id == id)
			return true;
	return false;
}

/* Interrupts one thread. 0 too if it has ended. */
static int interrupt(struct ptrace_stop *stop, pid_t pid, pid_t id, struct error *error)
{
	struct stopped_thread thread = { .id = id };

	if (array_reserve((void **)&stop->threads.items, &stop->threads.capacity, stop->threads.count,
			  sizeof(thread)) < 0)
		return error_set(error, ERROR_HOST, 0, 0, "out of memory");
	if (ptrace(PTRACE_SEIZE, id, 0, 0) < 0) {
		if (errno == ESRCH)
			return 0;
		return error_set(
			error, ERROR_PERMISSION, errno, 0,
			"cannot stop process %d: run as root or as its user, and without a debugger on it",
			(int)pid);
	}
	stop->threads.items[stop->threads.count++] = thread;
	ptrace(PTRACE_INTERRUPT, id, 0, 0);
	return 0;
}

/* Waits until it has stopped or ended. */
static int wait_for(struct stopped_thread *thread, uint64_t until, struct error *error)
{
	struct timespec interval = { .tv_nsec = POLL_NS };
	int status;
	pid_t done;

	while ((done = waitpid(thread->id, &status, __WALL | WNOHANG)) == 0 && clock_monotonic_ns() < until)
		nanosleep(&interval, NULL);
	if (done == 0)
		return error_set(error, ERROR_HOST, 0, 0, "thread %d does not stop", (int)thread->id);
	/* Stopped by a signal rather than by the interrupt: the detach delivers it. */
	if (done > 0 && WIFSTOPPED(status) && status >> 16 != PTRACE_EVENT_STOP)
		thread->signal = WSTOPSIG(status);
	return 0;
}

/* Interrupts the threads that are new in /proc: their number, or -1. */
static int interrupt_new(struct ptrace_stop *stop, pid_t pid, struct error *error)
{
	size_t before = stop->threads.count;
	const struct dirent *entry;
	char path[64];
	DIR *folder;
	int result = 0;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	folder = opendir(path);
	if (!folder)
		return error_set(error, ERROR_INPUT, 0, 0, "there is no process %d", (int)pid);
	while (!result && (entry = readdir(folder))) {
		pid_t id = atoi(entry->d_name);

		if (isdigit(entry->d_name[0]) && !knows(stop, id))
			result = interrupt(stop, pid, id, error);
	}
	closedir(folder);
	return result < 0 ? -1 : (int)(stop->threads.count - before);
}

/* Repeats until no new thread appears: a running thread may start others. */
static int stop_all(struct ptrace_stop *stop, pid_t pid, struct error *error)
{
	uint64_t until = clock_monotonic_ns() + STOP_TIMEOUT_NS;
	size_t waited = 0;
	int more;

	while ((more = interrupt_new(stop, pid, error)) > 0)
		for (; waited < stop->threads.count; waited++)
			if (wait_for(&stop->threads.items[waited], until, error) < 0)
				return -1;
	return more;
}

static void continue_all(struct ptrace_stop *stop)
{
	for (size_t i = 0; i < stop->threads.count; i++) {
		const struct stopped_thread *thread = &stop->threads.items[i];

		/* Fails for a thread that has ended. */
		ptrace(PTRACE_DETACH, thread->id, 0, (long)thread->signal);
	}
}

/* The watchdog sends it once the process is stopped, or cannot be. */
struct reply {
	int result;
	struct error error;
};

/*
 * The watchdog: the process that stops the other one. It lets it continue when its own parent closes the pipe or
 * ends, or after the limit, whatever the parent does then. Exits with 1 after the limit.
 */
static void watchdog(pid_t pid, uint64_t limit_ns, int socket)
{
	/* Handlers of the parent are about its files. */
	static const int handled[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE };
	struct pollfd closed = { .fd = socket, .events = POLLIN };
	struct ptrace_stop stop = { .watchdog = -1 };
	struct reply reply = { 0 };
	uint64_t until;
	int ready = 0;

	/* Away from the terminal's signals: Ctrl-Z stops the parent alone. */
	setsid();
	for (size_t i = 0; i < sizeof(handled) / sizeof(handled[0]); i++)
		signal(handled[i], SIG_DFL);
	reply.result = stop_all(&stop, pid, &reply.error);
	until = clock_monotonic_ns() + limit_ns;
	if (send(socket, &reply, sizeof(reply), MSG_NOSIGNAL) == sizeof(reply) && !reply.result)
		do {
			uint64_t now = clock_monotonic_ns();

			ready = now < until ? poll(&closed, 1, (int)((until - now) / 1000000) + 1) : 0;
		} while (ready < 0 || (!ready && clock_monotonic_ns() < until));
	continue_all(&stop);
	_exit(ready ? 0 : 1); /* of a child process */
}

static int watchdog_start(struct ptrace_stop *stop, pid_t pid, uint64_t limit_ns, struct error *error)
{
	struct reply reply;
	int sockets[2];
	ssize_t size;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) < 0)
		return error_set(error, ERROR_HOST, errno, 0, "cannot start the process that stops another");
	stop->watchdog = fork();
	if (stop->watchdog == 0) {
		close(sockets[0]);
		watchdog(pid, limit_ns, sockets[1]);
	}
	close(sockets[1]);
	stop->socket = sockets[0];
	if (stop->watchdog < 0)
		return error_set(error, ERROR_HOST, errno, 0, "cannot start the process that stops another");
	while ((size = recv(stop->socket, &reply, sizeof(reply), 0)) < 0 && errno == EINTR)
		;
	if (size != sizeof(reply))
		return error_set(error, ERROR_HOST, 0, 0, "the process that stops another has ended");
	if (reply.result < 0)
		*error = reply.error;
	return reply.result;
}

int ptrace_stop_begin(pid_t pid, uint64_t limit_ns, struct ptrace_stop **out, struct error *error)
{
	struct ptrace_stop *stop = calloc(1, sizeof(*stop));
	struct ptrace_stop_end ignored;

	if (!stop)
		return error_set(error, ERROR_HOST, 0, 0, "out of memory");
	stop->watchdog = stop->socket = -1;
	stop->since = clock_monotonic_ns();
	if (watchdog_start(stop, pid, limit_ns, error) < 0) {
		ptrace_stop_end(stop, &ignored);
		return -1;
	}
	*out = stop;
	return 0;
}

void ptrace_stop_end(struct ptrace_stop *stop, struct ptrace_stop_end *out)
{
	int status = 0;

	*out = (struct ptrace_stop_end){ 0 };
	if (!stop)
		return;
	/* The watchdog of a later stop has this end, too: only shutdown() tells that it is closed. */
	if (stop->socket >= 0) {
		shutdown(stop->socket, SHUT_RDWR);
		close(stop->socket);
	}
	while (stop->watchdog > 0 && waitpid(stop->watchdog, &status, 0) < 0 && errno == EINTR)
		;
	out->stopped_ns = clock_monotonic_ns() - stop->since;
	out->expired = !WIFEXITED(status) || WEXITSTATUS(status);
	free(stop);
}
