/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* memfd_create */
#include "file.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

const char *file_named(const char *variable)
{
	const char *path = getenv(variable);

	cr_assert_not_null(path, "%s must name the program", variable);
	return path;
}

uint8_t *file_read(const char *path, size_t *size_out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat status;
	uint8_t *bytes;

	cr_assert_eq(fstat(fd, &status), 0, "%s", path);
	*size_out = (size_t)status.st_size;
	bytes = malloc(*size_out);
	cr_assert_eq(read(fd, bytes, *size_out), (ssize_t)*size_out);
	close(fd);
	return bytes;
}

int file_make(const void *bytes, size_t size, char path[64])
{
	int fd = memfd_create("program", MFD_CLOEXEC);

	cr_assert_eq(write(fd, bytes, size), (ssize_t)size);
	snprintf(path, 64, "/proc/self/fd/%d", fd);
	return fd;
}
