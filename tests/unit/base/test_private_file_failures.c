/* SPDX-License-Identifier: MIT */
/*
 * A file that cannot be read or copied. The linker replaces the calls of the system, so that they can fail.
 */
#define _GNU_SOURCE
#include "base/private_file.h"
#include "descriptors.h"
#include "errors.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *failing; /* the call that fails, with `failure`, after `left` that do not */
static unsigned int left;
static int failure;
/* Results of sendfile() by turns: bytes to copy at most, 0: the end, else a negative errno. NULL: all. */
static const int *copies;
static size_t most = SIZE_MAX; /* bytes that one pread() reads */

static bool fails(const char *name)
{
	if (!failing || strcmp(failing, name) != 0 || left--)
		return false;
	failing = NULL;
	errno = failure;
	return true;
}

static void call_fails(const char *name, unsigned int after, int errnum)
{
	failing = name;
	left = after;
	failure = errnum;
}

/* The linker's names for a function and for the calls of it (--wrap). */
#define CALL(type, name, parameters, arguments, result)                                                      \
	type __real_##name parameters;                                                                       \
	type __wrap_##name parameters;                                                                       \
	type __wrap_##name parameters                                                                        \
	{                                                                                                    \
		return fails(#name) ? (result) : __real_##name arguments;                                    \
	}

CALL(int, fstat64, (int fd, struct stat64 *out), (fd, out), -1)
CALL(int, ftruncate64, (int fd, off64_t size), (fd, size), -1)
CALL(off64_t, lseek64, (int fd, off64_t offset, int whence), (fd, offset, whence), -1)
CALL(int, memfd_create, (const char *name, unsigned int flags), (name, flags), -1)
CALL(void *, mmap64, (void *start, size_t size, int rights, int flags, int fd, off64_t offset),
     (start, size, rights, flags, fd, offset), MAP_FAILED)
CALL(ssize_t, pread64, (int fd, void *out, size_t size, off64_t offset),
     (fd, out, size < most ? size : most, offset), -1)
CALL(ssize_t, pwrite64, (int fd, const void *bytes, size_t size, off64_t offset), (fd, bytes, size, offset),
     -1)

ssize_t __real_sendfile64(int to, int from, off64_t *offset, size_t size);
ssize_t __wrap_sendfile64(int to, int from, off64_t *offset, size_t size);

ssize_t __wrap_sendfile64(int to, int from, off64_t *offset, size_t size)
{
	int turn = copies ? *copies++ : (int)size;

	if (turn < 0) {
		errno = -turn;
		return -1;
	}
	return turn ? __real_sendfile64(to, from, offset, size < (size_t)turn ? size : (size_t)turn) : 0;
}

#define SIZE 50000

static char path[64];
static uint8_t bytes[SIZE];

static void start(void)
{
	int fd;

	strcpy(path, "/tmp/kvmap-test-XXXXXX");
	fd = mkstemp(path);
	for (unsigned int i = 0; i < SIZE; i++)
		bytes[i] = (uint8_t)(i * 7 + i / 256);
	cr_assert_eq(write(fd, bytes, SIZE), SIZE);
	close(fd);
}

static void end(void)
{
	unlink(path);
}

TestSuite(private_file_failures, .init = start, .fini = end);

/* The mappings of copies. */
static unsigned int mappings(void)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	unsigned int count = 0;
	char line[600];

	while (fgets(line, sizeof(line), maps))
		count += strstr(line, "memfd:kvmap-file") != NULL;
	fclose(maps);
	return count;
}

/* The file is refused with "guest program PATH" and `text`. */
static void expect_refused(enum error_kind kind, int errnum, const char *text)
{
	struct private_file file = { .size = 77 };
	unsigned int before = open_descriptors();
	struct error error = { 0 };
	char whole[200];

	cr_assert_eq(private_file_read(path, "guest program ", &file, &error), -1, "not: %s", text);
	snprintf(whole, sizeof(whole), "guest program %s %s", path, text);
	expect_whole_error(&error, kind, errnum, 0, whole);
	cr_expect_eq(open_descriptors(), before, "%s", text);
	cr_expect_eq(mappings(), 0, "%s", text);
	cr_expect_eq(file.size, 77, "an out parameter is untouched on failure");
}

static void expect_read(void)
{
	unsigned int before = open_descriptors();
	struct private_file file;
	struct error error;

	cr_assert_eq(private_file_read(path, "", &file, &error), 0, "%s", error.text);
	cr_expect_str_eq(file.name, path);
	cr_assert_eq(file.size, SIZE);
	cr_expect_arr_eq(file.bytes, bytes, SIZE);
	cr_expect_eq(fcntl(file.fd, F_GETFD), FD_CLOEXEC);
	cr_expect_eq(open_descriptors(), before + 1, "the file itself is closed");
	cr_expect_eq(mappings(), 1);
	private_file_close(&file);
	cr_expect_eq(open_descriptors(), before);
	cr_expect_eq(mappings(), 0);
}

Test(private_file_failures, each_call_that_fails_is_reported_and_leaves_nothing)
{
	static const struct {
		const char *call;
		unsigned int after;
		int errnum;
		enum error_kind kind;
		const char *text;
	} cases[] = {
		{ "fstat64", 0, EIO, ERROR_INPUT, "cannot be read" },
		{ "fstat64", 1, EIO, ERROR_INPUT, "cannot be read" },
		{ "memfd_create", 0, EMFILE, ERROR_HOST, "cannot be copied into memory" },
		{ "ftruncate64", 0, ENOMEM, ERROR_HOST, "cannot be copied into memory" },
		{ "lseek64", 0, EINVAL, ERROR_HOST, "cannot be copied into memory" },
		{ "mmap64", 0, ENODEV, ERROR_HOST, "cannot be copied into memory" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		call_fails(cases[i].call, cases[i].after, cases[i].errnum);
		expect_refused(cases[i].kind, cases[i].errnum, cases[i].text);
	}
}

Test(private_file_failures, a_file_that_ends_or_cannot_be_read_on_is_refused)
{
	static const int ends[] = { 100, 50, 0 }, breaks[] = { -EINTR, 7, -EIO };

	copies = ends;
	expect_refused(ERROR_INPUT, 0, "ended while it was being read");
	copies = breaks;
	expect_refused(ERROR_INPUT, EIO, "cannot be read");
}

Test(private_file_failures, a_file_is_read_piece_by_piece_and_after_signals)
{
	static const int pieces[] = { 100, -EINTR, 1, -EINTR, -EINTR, 300, SIZE };

	copies = pieces;
	expect_read();
}

/* EINVAL: a file system without it. */
Test(private_file_failures, a_file_that_sendfile_does_not_read_is_read_by_pread)
{
	static const int none[] = { -EINVAL, -EINVAL, -EINVAL, -EINVAL, -EINVAL, -EINVAL, -EINVAL, -EINVAL };

	copies = none;
	expect_read();
	copies = none;
	most = 7000;
	expect_read();
	copies = none;
	most = 0;
	expect_refused(ERROR_INPUT, 0, "ended while it was being read");
	most = SIZE_MAX;
	copies = none;
	call_fails("pread64", 1, EINTR);
	expect_read();
	copies = none;
	call_fails("pread64", 2, EIO);
	expect_refused(ERROR_INPUT, EIO, "cannot be read");
}

Test(private_file_failures, a_hole_that_cannot_be_found_is_an_error)
{
	for (unsigned int after = 0; after < 2; after++) {
		cr_assert_eq(truncate(path, 1 << 20), 0); /* a hole at the end */
		call_fails("lseek64", after, EIO);
		expect_refused(ERROR_INPUT, EIO, "cannot be read");
	}
}

Test(private_file_failures, a_file_that_may_not_be_read_is_a_matter_of_permission)
{
	unsigned int before = open_descriptors();
	struct private_file file;
	uid_t user = geteuid();
	struct error error;
	char text[100];

	cr_assert_eq(chmod(path, 0), 0);
	cr_assert(user || !seteuid(65534));
	cr_expect_eq(private_file_read(path, "guest program ", &file, &error), -1);
	cr_assert(user || !seteuid(0));
	prctl(PR_SET_DUMPABLE, 1); /* as before seteuid: LeakSanitizer needs it */
	snprintf(text, sizeof(text), "cannot open guest program %s", path);
	expect_whole_error(&error, ERROR_PERMISSION, EACCES, 0, text);
	cr_expect_eq(open_descriptors(), before);
}

Test(private_file_failures, a_pipe_is_not_waited_for, .timeout = 20)
{
	unlink(path);
	cr_assert_eq(mkfifo(path, 0600), 0);
	expect_refused(ERROR_INPUT, 0, "is not a regular file");
}

/* The file that is read gets descriptor 0, and then its copy. */
Test(private_file_failures, a_file_and_its_copy_may_have_the_first_descriptor)
{
	struct private_file file;
	struct error error;
	int input = dup(0);

	close(0);
	expect_read();
	cr_expect_eq(fcntl(0, F_GETFD), -1);
	cr_assert_eq(private_file_read(path, "", &file, &error), 0, "%s", error.text);
	cr_assert_eq(dup2(file.fd, 0), 0);
	close(file.fd);
	file.fd = 0;
	private_file_close(&file);
	cr_expect_eq(fcntl(0, F_GETFD), -1);
	dup2(input, 0);
	close(input);
}
