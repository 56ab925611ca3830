/* SPDX-License-Identifier: MIT */
#include "script/script.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/kvmap-script-XXXXXX";
static char path[64];

static void make_folder(void)
{
	cr_assert_not_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/s.kvs", folder);
}

static void remove_folder(void)
{
	unlink(path);
	rmdir(folder);
}

static void write_file(const char *text)
{
	FILE *file = fopen(path, "w");

	cr_assert_not_null(file);
	fputs(text, file);
	fclose(file);
}

static void check_not_loaded(const char *name, enum error_kind kind, int errnum, const char *message)
{
	struct script *script = NULL;
	struct error error;
	char context[100];

	cr_assert_eq(script_load(name, &script, context, sizeof(context), &error), -1);
	cr_expect_eq(error.kind, kind);
	cr_expect_eq(error.errnum, errnum);
	cr_expect_not_null(strstr(error.text, message), "%s", error.text);
	cr_expect_str_eq(context, "");
}

TestSuite(load, .init = make_folder, .fini = remove_folder);

Test(load, a_file_becomes_a_script)
{
	struct script *script = NULL;
	struct error error;

	write_file("a = vmalloc 4K\nvfree a\n");
	cr_assert_eq(script_load(path, &script, NULL, 0, &error), 0, "%s", error.text);
	cr_expect_eq(script->operations.count, 2);
	cr_expect_str_eq(script->path, path);
	script_destroy(script);
}

Test(load, an_error_in_a_file_comes_with_its_line)
{
	struct script *script = NULL;
	struct error error;
	char context[100], expected[200];

	write_file("purge\nporge\n");
	cr_assert_eq(script_load(path, &script, context, sizeof(context), &error), -1);
	snprintf(expected, sizeof(expected), "%s:2:1: unknown operation 'porge'; did you mean 'purge'?",
		 path);
	cr_expect_str_eq(error.text, expected);
	cr_expect_str_eq(context, "  porge\n  ^");
}

Test(load, an_empty_file_is_an_error)
{
	struct script *script = NULL;
	struct error error;

	write_file("");
	cr_assert_eq(script_load(path, &script, NULL, 0, &error), -1);
	cr_expect_not_null(strstr(error.text, ":1:1: the script is empty;"), "%s", error.text);
}

Test(load, a_missing_file_a_folder_and_a_device_are_told_apart)
{
	check_not_loaded(path, ERROR_INPUT, ENOENT, "no such script: No such file");
	check_not_loaded("/tmp", ERROR_INPUT, 0, "/tmp: a directory, not a regular file as a script is");
	check_not_loaded("/dev/null", ERROR_INPUT, 0,
			 "/dev/null: a device, a pipe or a socket, not a regular file");
}

Test(load, a_pipe_that_nobody_writes_is_refused_and_not_waited_for)
{
	cr_assert_eq(mkfifo(path, 0600), 0);
	check_not_loaded(path, ERROR_INPUT, 0, "a device, a pipe or a socket, not a regular file");
}

Test(load, a_file_that_may_not_be_read_is_a_matter_of_permission)
{
	write_file("purge\n");
	chmod(path, 0);
	if (geteuid() == 0)
		cr_skip_test("root may read everything");
	check_not_loaded(path, ERROR_PERMISSION, EACCES, "the script may not be read: Permission denied");
}

Test(load, an_absurdly_large_file_is_refused_unread)
{
	write_file("purge\n");
	cr_assert_eq(truncate(path, (16 << 20) + 1), 0);
	check_not_loaded(path, ERROR_INPUT, 0, "16777217 bytes; a script has at most 16 MiB (use repeat)");
}
