/* SPDX-License-Identifier: MIT */
/*
 * test_core_failures.c: calls of the system that fail, or write less than they should, while a core is written or opened.
 */
#define _GNU_SOURCE
#include "calls.h"
#include "failing.h"
#include "cores.h"
#include "descriptors.h"
#include "no_memory.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static char folder[] = "/tmp/kvmap-failures-XXXXXX";
static char path[64];
static uint8_t whole[CORE_SIZE];

static void init(void)
{
	cr_assert_not_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/core", folder);
	core_make(whole);
}

static void fini(void)
{
	unlink(path);
	cr_expect_eq(rmdir(folder), 0, "a file is left: %s", strerror(errno));
}

TestSuite(core_failures, .init = init, .fini = fini);

/* A write of the core of core_make(). */
static int write_it(const char *to, struct error *error)
{
	static uint8_t low[2 * PAGE], high[PAGE];
	static struct view_cpu cpu = { .rip = 0xffffffff80201234, .cr0 = 0x80000011, .cr3 = 0x1000 };
	static struct view view = { .cpus = &cpu, .cpu_count = 1, .physical_bits = 46 };

	memset(low, 0x11, sizeof(low));
	memset(high, 0x22, sizeof(high));
	if (!view.region_count) {
		view_add_region(&view, &(struct view_region){ .size = 2 * PAGE, .bytes = low, .fd = -1 },
				error);
		view_add_region(
			&view, &(struct view_region){ .gpa = 1 << 20, .size = PAGE, .bytes = high, .fd = -1 },
			error);
	}
	return core_write(&view, &(struct core_addresses){ .physical = true }, to, "/guest.elf", error);
}

static void expect_whole(void)
{
	uint8_t found[CORE_SIZE + 1];
	int fd = open(path, O_RDONLY);

	cr_assert_eq(read(fd, found, sizeof(found)), (ssize_t)CORE_SIZE);
	cr_expect_arr_eq(found, whole, CORE_SIZE);
	close(fd);
}

static void expect_not_written(const char *to, const struct error *error, enum error_kind kind, int errnum)
{
	char text[200];

	snprintf(text, sizeof(text), "%s: the core was not written: %s", to, strerror(errnum));
	cr_expect_str_eq(error->text, text);
	cr_expect_eq(error->kind, kind, "%s", text);
	cr_expect_eq(error->errnum, errnum, "%s", text);
	cr_expect_eq(error->address, 0, "%s", text);
}

Test(core_failures, each_call_that_fails_is_reported_and_leaves_no_file)
{
	static const struct {
		const char *call;
		unsigned int n;
		int errnum;
		enum error_kind kind;
	} cases[] = {
		/* the folder, and the new file */
		{ "openat64", 1, EACCES, ERROR_PERMISSION },
		{ "openat64", 1, ENOENT, ERROR_INPUT },
		{ "getrandom", 1, ENOSYS, ERROR_HOST },
		{ "openat64", 2, EACCES, ERROR_PERMISSION },
		{ "openat64", 2, EPERM, ERROR_PERMISSION },
		{ "openat64", 2, EROFS, ERROR_PERMISSION },
		{ "openat64", 2, ENOENT, ERROR_INPUT },
		{ "openat64", 2, ENOTDIR, ERROR_INPUT },
		{ "openat64", 2, ENAMETOOLONG, ERROR_INPUT },
		{ "openat64", 2, ELOOP, ERROR_INPUT },
		{ "openat64", 2, EMFILE, ERROR_HOST },
		{ "pwrite64", 1, EIO, ERROR_HOST },
		{ "pwrite64", 2, ENOSPC, ERROR_HOST },
		{ "ftruncate64", 1, EFBIG, ERROR_HOST },
		{ "fsync", 1, EIO, ERROR_HOST },
		{ "fchmod", 1, EPERM, ERROR_PERMISSION },
		{ "close", 1, EDQUOT, ERROR_HOST },
		{ "renameat", 1, EPERM, ERROR_PERMISSION },
	};
	unsigned int descriptors = open_descriptors();
	struct error error;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		call_fails(cases[i].call, cases[i].n, cases[i].errnum);
		cr_assert_eq(write_it(path, &error), -1, "%s", cases[i].call);
		cr_expect(call_failed(), "%s", cases[i].call);
		expect_not_written(path, &error, cases[i].kind, cases[i].errnum);
		cr_expect_eq(access(path, F_OK), -1, "%s", cases[i].call);
	}
	cr_expect_eq(open_descriptors(), descriptors);
	no_memory_at(1);
	cr_assert_eq(write_it(path, &error), -1);
	expect_not_written(path, &error, ERROR_HOST, ENOMEM);
}

Test(core_failures, a_name_that_a_file_has_already_is_not_used)
{
	struct error error;

	call_fails("openat64", 2, EEXIST);
	cr_assert_eq(write_it(path, &error), 0, "%s", error.text);
	cr_expect(call_failed());
	expect_whole();
}

Test(core_failures, a_write_that_writes_nothing_is_a_full_disk)
{
	struct error error;

	call_fails("pwrite64", 1, 0);
	cr_assert_eq(write_it(path, &error), -1);
	expect_not_written(path, &error, ERROR_HOST, ENOSPC);
}

Test(core_failures, interrupted_and_short_writes_are_continued)
{
	struct error error;

	call_fails("pwrite64", 2, EINTR);
	cr_assert_eq(write_it(path, &error), 0, "%s", error.text);
	cr_expect(call_failed());
	expect_whole();
	writes_are_short(1000);
	cr_assert_eq(write_it(path, &error), 0, "%s", error.text);
	expect_whole();
}

Test(core_failures, what_is_no_core_is_not_replaced)
{
	static const struct {
		unsigned int at;
		uint8_t value;
	} changes[] = { { 0, 0x7e }, { 3, 'G' }, { 16, 3 }, { 17, 1 } };
	static const char text[] = ": exists and is not an ELF core, so it is not replaced: remove it first";
	unsigned int descriptors;
	struct error error;
	int fd;

	cr_expect_eq(write_it("/dev/null", &error), -1);
	cr_expect_str_eq(error.text, "/dev/null: not a regular file, so no core is written there");
	cr_expect(error.kind == ERROR_INPUT && !error.errnum && !error.address);
	fd = open(path, O_CREAT | O_RDWR, 0600);
	descriptors = open_descriptors();
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		cr_assert_eq(pwrite(fd, whole, 64, 0), 64);
		cr_assert_eq(pwrite(fd, &changes[i].value, 1, changes[i].at), 1);
		cr_expect_eq(write_it(path, &error), -1);
		cr_expect_str_eq(error.text + strlen(path), text);
		cr_expect(error.kind == ERROR_INPUT && !error.errnum && !error.address);
	}
	cr_expect_eq(open_descriptors(), descriptors);
	/* A header and nothing else is a core; a part of one is none. */
	cr_assert_eq(pwrite(fd, whole, 64, 0), 64);
	cr_assert_eq(ftruncate(fd, 63), 0);
	cr_expect_eq(write_it(path, &error), -1);
	cr_assert_eq(pwrite(fd, whole, 64, 0), 64);
	cr_expect_eq(write_it(path, &error), 0, "%s", error.text);
	close(fd);
	expect_whole();
}

/* ---- opening ---- */

struct open_case {
	const char *call; /* "": an allocation */
	unsigned int n;
	int errnum;
	uint64_t address;
	const char *text; /* after the file's name */
};

/* The core cannot be opened, and nothing of it stays open. */
static void expect_not_opened(const struct open_case *wanted)
{
	unsigned int descriptors = open_descriptors();
	struct view *view = (struct view *)1;
	char name[64], *program = (char *)1, text[200];
	int fd = core_file(whole, CORE_SIZE, name);
	struct error error;

	if (*wanted->call)
		call_fails(wanted->call, wanted->n, wanted->errnum);
	else
		no_memory_at(wanted->n);
	cr_expect_eq(core_open(name, &view, &program, &error), -1, "%s %u", wanted->call, wanted->n);
	cr_expect(*wanted->call ? call_failed() : no_memory_failed());
	snprintf(text, sizeof(text), "%s%s: %s", name, wanted->text, strerror(wanted->errnum));
	cr_expect_str_eq(error.text, text);
	cr_expect_eq(error.kind, ERROR_HOST);
	cr_expect_eq(error.errnum, wanted->errnum);
	cr_expect_eq(error.address, wanted->address, "%s", text);
	cr_expect(view == (struct view *)1 && program == (char *)1);
	close(fd);
	cr_expect_eq(open_descriptors(), descriptors);
}

Test(core_failures, each_call_that_fails_while_a_core_is_opened_is_reported)
{
	static const struct open_case cases[] = {
		{ "fstat64", 1, EIO, 0, "" },
		{ "strdup", 1, ENOMEM, 0, "" },
		{ "mmap64", 1, ENODEV, 0, ": cannot be mapped" },
		/* the view, its CPU, the list of pieces, and that of mappings */
		{ "", 1, ENOMEM, 0, "" },
		{ "", 2, ENOMEM, 0, "" },
		{ "", 3, ENOMEM, 0, "" },
		{ "", 4, ENOMEM, 0, ": cannot be mapped" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		expect_not_opened(&cases[i]);
}

#define SECOND ": 0x2000 bytes of guest memory at GPA 0x101000 cannot be mapped"

/* Memory that is not in the file in full is mapped by itself, and its last page is copied. */
Test(core_failures, each_call_that_fails_for_memory_that_is_not_in_the_file_in_full_is_reported)
{
	static const struct open_case cases[] = {
		{ "mmap64", 2, ENOMEM, 0x101000, SECOND },
		{ "mmap64", 3, ENODEV, 0x101000, SECOND },
		{ "mprotect", 1, EACCES, 0x101000, SECOND },
		{ "mprotect", 2, ENOMEM, 0x101000, SECOND },
	};
	const uint64_t gpa = 0x101000, size = PAGE + 8;
	struct error error;
	unsigned int n = 0;

	memcpy(whole + CORE_SEGMENT(1) + 24, &gpa, sizeof(gpa));
	memcpy(whole + CORE_SEGMENT(1) + 32, &size, sizeof(size));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		expect_not_opened(&cases[i]);
	/* libelf reads too: the last read of all that core_open() makes. */
	do {
		struct view *view;

		call_fails("pread64", ++n + 1, EINVAL);
		if (core_open_bytes(whole, CORE_SIZE, &view, &error) == 0)
			view_destroy(view);
	} while (call_failed());
	call_fails("pread64", n, EINVAL);
	cr_expect_eq(core_open_bytes(whole, CORE_SIZE, &(struct view *){ NULL }, &error), -1);
	cr_expect_eq(error.kind, ERROR_HOST);
	cr_expect_eq(error.errnum, EIO);
	cr_expect_eq(error.address, gpa);
	cr_expect_str_eq(strstr(error.text, SECOND), SECOND ": Input/output error");
}

Test(core_failures, a_descriptor_that_cannot_be_opened_is_reported_by_its_errno)
{
	struct view *view;
	char *program, text[200];
	struct error error;

	snprintf(text, sizeof(text), "%s: No such file or directory", path);
	cr_expect_eq(core_open(path, &view, &program, &error), -1);
	cr_expect_str_eq(error.text, text);
	cr_expect(error.kind == ERROR_INPUT && error.errnum == ENOENT && !error.address);
	if (geteuid() == 0)
		cr_assert_eq(seteuid(65534), 0);
	cr_expect_eq(core_open("/etc/shadow", &view, &program, &error), -1);
	cr_expect_str_eq(error.text, "/etc/shadow: Permission denied");
	cr_expect(error.kind == ERROR_PERMISSION && error.errnum == EACCES);
	if (getuid() == 0)
		cr_assert_eq(seteuid(0), 0);
}
