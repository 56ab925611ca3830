/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "calls.h"

#include <errno.h>
#include <libelf.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *failing;
static unsigned int left;
static int failure;
static bool failed;
static void (*precedes)(void);
static size_t most = SIZE_MAX;

void call_fails(const char *name, unsigned int n, int errnum)
{
	failing = name;
	left = n;
	failure = errnum;
	failed = false;
	precedes = NULL;
}

bool call_failed(void)
{
	return failed;
}

void call_preceded(const char *name, unsigned int n, void (*function)(void))
{
	call_fails(name, n, 0);
	precedes = function;
}

void writes_are_short(size_t size)
{
	most = size;
}

static bool fails(const char *name)
{
	if (!left || strcmp(name, failing) != 0 || --left)
		return false;
	failed = true;
	if (precedes) {
		precedes();
		return false;
	}
	errno = failure;
	return true;
}

/* The linker's names for a function and for the calls of it (--wrap). */
#define CALL(type, name, parameters, arguments, result)                                                      \
	type __real_##name parameters;                                                                       \
	type __wrap_##name parameters;                                                                       \
	type __wrap_##name parameters                                                                        \
	{                                                                                                    \
		return fails(#name) ? (result) : __real_##name arguments;                                    \
	}

CALL(int, close, (int fd), (fd), (__real_close(fd), errno = failure, -1))
CALL(char *, strdup, (const char *text), (text), NULL)
CALL(int, fsync, (int fd), (fd), -1)
CALL(int, ftruncate64, (int fd, off_t size), (fd, size), -1)
CALL(int, fchmod, (int fd, mode_t mode), (fd, mode), -1)
CALL(int, renameat, (int from_folder, const char *from, int to_folder, const char *to),
     (from_folder, from, to_folder, to), -1)
CALL(int, fstat64, (int fd, struct stat *out), (fd, out), -1)
CALL(ssize_t, pread64, (int fd, void *out, size_t size, off_t offset), (fd, out, size, offset), -1)
CALL(ssize_t, pwrite64, (int fd, const void *bytes, size_t size, off_t offset),
     (fd, bytes, size < most ? size : most, offset), failure ? -1 : 0)
CALL(int, mprotect, (void *start, size_t size, int rights), (start, size, rights), -1)
CALL(void *, mmap64, (void *start, size_t size, int rights, int flags, int fd, off_t offset),
     (start, size, rights, flags, fd, offset), MAP_FAILED)
CALL(Elf *, elf_begin, (int fd, Elf_Cmd command, Elf *reference), (fd, command, reference), NULL)
CALL(ssize_t, getrandom, (void *out, size_t size, unsigned int flags), (out, size, flags), -1)
/* The mode is read only with O_CREAT. */
CALL(int, openat64, (int folder, const char *name, int flags, mode_t mode), (folder, name, flags, mode), -1)
CALL(int, poll, (struct pollfd * events, nfds_t count, int timeout), (events, count, timeout), -1)
CALL(long, ptrace, (int request, pid_t id, void *address, void *data), (request, id, address, data), -1)
CALL(pid_t, fork, (void), (), -1)
CALL(pid_t, waitpid, (pid_t id, int *status, int options), (id, status, options), -1)
CALL(int, socketpair, (int domain, int type, int protocol, int fds[2]), (domain, type, protocol, fds), -1)
CALL(ssize_t, send, (int fd, const void *bytes, size_t size, int flags), (fd, bytes, size, flags), -1)
CALL(ssize_t, recv, (int fd, void *bytes, size_t size, int flags), (fd, bytes, size, flags), -1)
CALL(int, eventfd, (unsigned int value, int flags), (value, flags), -1)
CALL(int, ioctl, (int fd, unsigned long request, void *argument), (fd, request, argument), -1)
CALL(int, pthread_create,
     (pthread_t * thread, const pthread_attr_t *attributes, void *(*start)(void *), void *argument),
     (thread, attributes, start, argument), failure)
