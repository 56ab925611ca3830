/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "fail_call.h"

#include "base/clock.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

static const char *failing;
static int failing_errnum;
static atomic_uint failures_left;
static _Atomic uint64_t clock_ns;
static atomic_int poll_timeout = -2;
static size_t stack_size;

static bool fails(const char *name)
{
	if (!failures_left || strcmp(failing, name) != 0)
		return false;
	failures_left--;
	errno = failing_errnum;
	return true;
}

/* RETURN __real_NAME(), or what it returns on failure. */
#define WRAP(type, name, failed, parameters, arguments)                                                      \
	type __real_##name parameters;                                                                       \
	type __wrap_##name parameters;                                                                       \
	type __wrap_##name parameters                                                                        \
	{                                                                                                    \
		return fails(#name) ? (failed) : __real_##name arguments;                                    \
	}

WRAP(ssize_t, recvmsg, -1, (int fd, struct msghdr *message, int flags), (fd, message, flags))
WRAP(ssize_t, send, -1, (int fd, const void *bytes, size_t size, int flags), (fd, bytes, size, flags))
WRAP(int, socket, -1, (int domain, int type, int protocol), (domain, type, protocol))
WRAP(int, connect, -1, (int fd, const struct sockaddr *address, socklen_t size), (fd, address, size))
WRAP(int, listen, -1, (int fd, int backlog), (fd, backlog))
WRAP(int, fchmod, -1, (int fd, mode_t mode), (fd, mode))
WRAP(int, eventfd, -1, (unsigned int value, int flags), (value, flags))
WRAP(void *, mmap64, MAP_FAILED, (void *at, size_t size, int protection, int flags, int fd, off64_t offset),
     (at, size, protection, flags, fd, offset))

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*function)(void *),
			  void *argument);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*function)(void *),
			  void *argument);

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*function)(void *),
			  void *argument)
{
	pthread_attr_getstacksize(attributes, &stack_size);
	return fails("pthread_create") ? errno
				       : __real_pthread_create(thread, attributes, function, argument);
}

int __real_poll(struct pollfd *polled, nfds_t count, int timeout);
int __wrap_poll(struct pollfd *polled, nfds_t count, int timeout);

int __wrap_poll(struct pollfd *polled, nfds_t count, int timeout)
{
	if (gettid() != getpid())
		poll_timeout = timeout;
	return fails("poll") ? -1 : __real_poll(polled, count, timeout);
}

uint64_t __real_clock_monotonic_ns(void);
uint64_t __wrap_clock_monotonic_ns(void);

uint64_t __wrap_clock_monotonic_ns(void)
{
	return clock_ns ? clock_ns : __real_clock_monotonic_ns();
}

void fail_call(const char *name, int errnum, unsigned int times)
{
	failures_left = 0;
	failing = name;
	failing_errnum = errnum;
	failures_left = times;
}

void set_clock_ns(uint64_t ns)
{
	clock_ns = ns;
}

int last_poll_timeout(void)
{
	return poll_timeout;
}

size_t last_stack_size(void)
{
	return stack_size;
}
