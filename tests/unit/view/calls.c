/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "calls.h"

#include "failing.h"

#include <errno.h>
#include <libelf.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
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
WRAP(int, fsync, (int fd), (fd), -1)
WRAP(int, ftruncate64, (int fd, off_t size), (fd, size), -1)
WRAP(int, fchmod, (int fd, mode_t mode), (fd, mode), -1)
WRAP(int, renameat, (int from_folder, const char *from, int to_folder, const char *to),
     (from_folder, from, to_folder, to), -1)
WRAP(int, fstat64, (int fd, struct stat *out), (fd, out), -1)
WRAP(ssize_t, pread64, (int fd, void *out, size_t size, off_t offset), (fd, out, size, offset), -1)
WRAP(ssize_t, pwrite64, (int fd, const void *bytes, size_t size, off_t offset),
     (fd, bytes, size < most ? size : most, offset), errno ? -1 : 0)
WRAP(int, mprotect, (void *start, size_t size, int rights), (start, size, rights), -1)
WRAP(void *, mmap64, (void *start, size_t size, int rights, int flags, int fd, off_t offset),
     (start, size, rights, flags, fd, offset), MAP_FAILED)
WRAP(Elf *, elf_begin, (int fd, Elf_Cmd command, Elf *reference), (fd, command, reference), NULL)
WRAP(ssize_t, getrandom, (void *out, size_t size, unsigned int flags), (out, size, flags), -1)
/* The mode is read only with O_CREAT. */
WRAP(int, openat64, (int folder, const char *name, int flags, mode_t mode), (folder, name, flags, mode), -1)
WRAP(int, poll, (struct pollfd * events, nfds_t count, int timeout), (events, count, timeout), -1)
WRAP(long, ptrace, (int request, pid_t id, void *address, void *data), (request, id, address, data), -1)
WRAP(pid_t, fork, (void), (), -1)
WRAP(pid_t, waitpid, (pid_t id, int *status, int options), (id, status, options), -1)
WRAP(int, socketpair, (int domain, int type, int protocol, int fds[2]), (domain, type, protocol, fds), -1)
WRAP(ssize_t, send, (int fd, const void *bytes, size_t size, int flags), (fd, bytes, size, flags), -1)
WRAP(ssize_t, recv, (int fd, void *bytes, size_t size, int flags), (fd, bytes, size, flags), -1)
WRAP(int, eventfd, (unsigned int value, int flags), (value, flags), -1)
WRAP(int, ioctl, (int fd, unsigned long request, void *argument), (fd, request, argument), -1)
WRAP(int, pthread_create,
     (pthread_t * thread, const pthread_attr_t *attributes, void *(*start)(void *), void *argument),
     (thread, attributes, start, argument), errno)
