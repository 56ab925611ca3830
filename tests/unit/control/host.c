/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "host.h"

#include "base/clock.h"
#include "failing.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

static _Atomic uint64_t clock_ns;
static atomic_int poll_timeout = -2;
static size_t stack_size;

WRAP(ssize_t, recvmsg, (int fd, struct msghdr *message, int flags), (fd, message, flags), -1)
WRAP(ssize_t, send, (int fd, const void *bytes, size_t size, int flags), (fd, bytes, size, flags), -1)
WRAP(int, socket, (int domain, int type, int protocol), (domain, type, protocol), -1)
WRAP(int, connect, (int fd, const struct sockaddr *address, socklen_t size), (fd, address, size), -1)
WRAP(int, listen, (int fd, int backlog), (fd, backlog), -1)
WRAP(int, fchmod, (int fd, mode_t mode), (fd, mode), -1)
WRAP(int, eventfd, (unsigned int value, int flags), (value, flags), -1)
WRAP(void *, mmap64, (void *at, size_t size, int protection, int flags, int fd, off64_t offset),
     (at, size, protection, flags, fd, offset), MAP_FAILED)

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*function)(void *),
			  void *argument);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*function)(void *),
			  void *argument);

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*function)(void *),
			  void *argument)
{
	pthread_attr_getstacksize(attributes, &stack_size);
	return call_is_failing("pthread_create")
		       ? errno
		       : __real_pthread_create(thread, attributes, function, argument);
}

int __real_poll(struct pollfd *polled, nfds_t count, int timeout);
int __wrap_poll(struct pollfd *polled, nfds_t count, int timeout);

int __wrap_poll(struct pollfd *polled, nfds_t count, int timeout)
{
	if (gettid() != getpid())
		poll_timeout = timeout;
	return call_is_failing("poll") ? -1 : __real_poll(polled, count, timeout);
}

uint64_t __real_clock_monotonic_ns(void);
uint64_t __wrap_clock_monotonic_ns(void);

uint64_t __wrap_clock_monotonic_ns(void)
{
	return clock_ns ? clock_ns : __real_clock_monotonic_ns();
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
