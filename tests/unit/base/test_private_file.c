/* SPDX-License-Identifier: MIT */
#include "base/private_file.h"
#include "errors.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A new temporary file with these bytes. Returns its descriptor. */
static int file_make(const void *bytes, size_t size, char path[64])
{
	int fd;

	strcpy(path, "/tmp/kvmap-test-XXXXXX");
	fd = mkstemp(path);
	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, bytes, size), (ssize_t)size);
	return fd;
}

static struct error read_fails(const char *path)
{
	struct private_file file;
	struct error error = { 0 };

	cr_assert_eq(private_file_read(path, "guest program ", &file, &error), -1);
	return error;
}

Test(private_file, later_writes_and_truncation_change_nothing)
{
	static char bytes[3 * 4096];
	struct private_file file;
	struct error error;
	char path[64];
	int fd;

	memset(bytes, 'a', sizeof(bytes));
	fd = file_make(bytes, sizeof(bytes), path);
	cr_assert_eq(private_file_read(path, "", &file, &error), 0, "%s", error.text);
	cr_assert_eq(pwrite(fd, "other", 5, 0), 5);
	cr_assert_eq(ftruncate(fd, 10), 0);
	cr_expect_eq(file.size, sizeof(bytes));
	cr_expect_eq(memcmp(file.bytes, bytes, sizeof(bytes)), 0);
	private_file_close(&file);
	private_file_close(&file);
	close(fd);
	unlink(path);
}

Test(private_file, holes_stay_holes)
{
	struct private_file file;
	struct stat status;
	struct error error;
	char path[64];
	int fd = file_make("start", 5, path);

	cr_assert_eq(pwrite(fd, "end", 3, (1 << 30) - 3), 3);
	cr_assert_eq(private_file_read(path, "", &file, &error), 0, "%s", error.text);
	cr_expect_eq(file.size, 1u << 30);
	cr_expect_eq(memcmp(file.bytes, "start", 6), 0);
	cr_expect_eq(memcmp(file.bytes + (1 << 30) - 3, "end", 3), 0);
	cr_assert_eq(fstat(file.fd, &status), 0);
	cr_expect_lt(status.st_blocks, 16384, "the copy of a sparse file has %ld blocks",
		     (long)status.st_blocks);
	private_file_close(&file);
	close(fd);
	unlink(path);
}

Test(private_file, what_is_no_such_file_is_named)
{
	char path[64], expected[200];
	struct error error;
	int fd;

	error = read_fails("/nonexistent/\033guest.elf");
	expect_whole_error(&error, ERROR_INPUT, ENOENT, 0,
			   "cannot open guest program /nonexistent/\\x1bguest.elf");
	error = read_fails("/nonexistent/\x1b[31m\n");
	expect_whole_error(&error, ERROR_INPUT, ENOENT, 0,
			   "cannot open guest program /nonexistent/\\x1b[31m\\x0a");
	error = read_fails("/tmp");
	expect_whole_error(&error, ERROR_INPUT, 0, 0, "guest program /tmp is not a regular file");
	error = read_fails("/dev/null");
	expect_whole_error(&error, ERROR_INPUT, 0, 0, "guest program /dev/null is not a regular file");
	fd = file_make("", 0, path);
	snprintf(expected, sizeof(expected), "guest program %s is empty", path);
	error = read_fails(path);
	expect_whole_error(&error, ERROR_INPUT, 0, 0, expected);
	cr_assert_eq(ftruncate(fd, (4ll << 30) + 1), 0);
	snprintf(expected, sizeof(expected), "guest program %s is larger than 4 GiB", path);
	error = read_fails(path);
	expect_whole_error(&error, ERROR_INPUT, 0, 0, expected);
	close(fd);
	unlink(path);
}
