/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "calls.h"

#include "failing.h"

#include <errno.h>
#include <libelf.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static size_t most = SIZE_MAX;

void writes_are_short(size_t size)
{
	most = size;
}

int __real_close(int fd);

/* Closes the descriptor, though it fails. */
static int close_and_fail(int fd)
{
	int errnum = errno;

	__real_close(fd);
	errno = errnum;
	return -1;
}

WRAP(int, close, (int fd), (fd), close_and_fail(fd))
WRAP(char *, strdup, (const char *text), (text), NULL)
WRAP(int, mkostemp64, (char *name, int flags), (name, flags), -1)
WRAP(int, fsync, (int fd), (fd), -1)
WRAP(int, ftruncate64, (int fd, off_t size), (fd, size), -1)
WRAP(int, rename, (const char *from, const char *to), (from, to), -1)
WRAP(int, fstat64, (int fd, struct stat *out), (fd, out), -1)
WRAP(ssize_t, pread64, (int fd, void *out, size_t size, off_t offset), (fd, out, size, offset), -1)
WRAP(ssize_t, pwrite64, (int fd, const void *bytes, size_t size, off_t offset),
     (fd, bytes, size < most ? size : most, offset), errno ? -1 : 0)
WRAP(int, mprotect, (void *start, size_t size, int rights), (start, size, rights), -1)
WRAP(void *, mmap64, (void *start, size_t size, int rights, int flags, int fd, off_t offset),
     (start, size, rights, flags, fd, offset), MAP_FAILED)
WRAP(Elf *, elf_begin, (int fd, Elf_Cmd command, Elf *reference), (fd, command, reference), NULL)
WRAP(int, poll, (struct pollfd * events, nfds_t count, int timeout), (events, count, timeout), -1)
WRAP(long, ptrace, (int request, pid_t id, void *address, void *data), (request, id, address, data), -1)
WRAP(int, eventfd, (unsigned int value, int flags), (value, flags), -1)
WRAP(int, ioctl, (int fd, unsigned long request, void *argument), (fd, request, argument), -1)
WRAP(int, pthread_create,
     (pthread_t * thread, const pthread_attr_t *attributes, void *(*start)(void *), void *argument),
     (thread, attributes, start, argument), errno)

/* Its arguments cannot be passed on. */
int __wrap_asprintf(char **out, const char *format, ...);
int __wrap_asprintf(char **out, const char *format, ...)
{
	va_list arguments;
	int result;

	if (call_is_failing("asprintf"))
		return -1;
	va_start(arguments, format);
	result = vasprintf(out, format, arguments);
	va_end(arguments);
	return result;
}
