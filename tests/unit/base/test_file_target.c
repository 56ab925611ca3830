/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* asprintf */
#include "base/file_target.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/kvmap-test-XXXXXX";

static void enter(void)
{
	cr_assert_not_null(mkdtemp(folder));
	cr_assert_eq(chdir(folder), 0);
	umask(022);
}

static void leave(void)
{
	char *command;

	cr_assert_geq(asprintf(&command, "rm -rf %s", folder), 0);
	cr_assert_eq(system(command), 0);
	free(command);
}

static bool is_list(const void *start, size_t size)
{
	return size >= 4 && !memcmp(start, "list", 4);
}

static const struct file_target_kind list_kind = { "list", "a list", 0664, is_list };

/* Writes `text` to `path`; "" or the error. */
static const char *list_write(const char *path, const char *text)
{
	static struct error error;
	struct file_target target;

	error.text[0] = 0;
	if (file_target_open(path, &list_kind, &target, &error) == 0)
		file_target_close(&target, file_target_write(&target, text, strlen(text), 0), &error);
	return error.text;
}

static void file_make(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	cr_assert_not_null(file);
	fputs(text, file);
	fclose(file);
}

static void expect_file(const char *path, const char *text)
{
	char got[100] = "";
	FILE *file = fopen(path, "r");

	cr_assert_not_null(file, "%s", path);
	cr_expect_eq(fread(got, 1, sizeof(got) - 1, file), strlen(text));
	cr_expect_str_eq(got, text);
	fclose(file);
}

/* Files, folders and links in this folder. */
static unsigned int names(void)
{
	DIR *directory = opendir(".");
	unsigned int count = 0;

	while (readdir(directory))
		count++;
	closedir(directory);
	return count - 2;
}

TestSuite(file_target, .init = enter, .fini = leave);

Test(file_target, new_and_replaced)
{
	struct stat status;

	cr_expect_str_eq(list_write("a", "list 1"), "");
	expect_file("a", "list 1");
	cr_expect_str_eq(list_write("./a", "list 2"), "");
	expect_file("a", "list 2");
	cr_assert_eq(stat("a", &status), 0);
	cr_expect_eq(status.st_mode & 07777, 0644);
	file_make("empty", "");
	cr_expect_str_eq(list_write("empty", "list 3"), "");
	expect_file("empty", "list 3");
	cr_expect_eq(names(), 2);
}

Test(file_target, other_files_stay)
{
	file_make("a", "text");
	cr_expect_str_eq(list_write("a", "list"),
			 "a: exists and is not a list, so it is not replaced: remove it first");
	expect_file("a", "text");
	cr_assert_eq(mkdir("folder", 0700), 0);
	cr_expect_str_eq(list_write("folder", "list"),
			 "folder: not a regular file, so no list is written there");
	cr_expect_str_eq(list_write("folder/", "list"),
			 "folder/: not a regular file, so no list is written there");
	cr_expect_str_eq(list_write("/dev/null", "list"),
			 "/dev/null: not a regular file, so no list is written there");
	cr_expect_str_eq(list_write("no/a", "list"),
			 "no/a: the list was not written: No such file or directory");
	cr_expect_str_eq(list_write("", "list"), ": not a regular file, so no list is written there");
	cr_expect_eq(names(), 2);
}

Test(file_target, links)
{
	struct stat status;

	file_make("a", "text");
	cr_assert_eq(symlink("a", "link"), 0);
	cr_expect_str_eq(list_write("link", "list"),
			 "link: exists and is not a list, so it is not replaced: remove it first");
	cr_assert_eq(unlink("a"), 0);
	cr_expect_str_eq(list_write("link", "list"), "");
	expect_file("a", "list");
	cr_assert_eq(lstat("link", &status), 0);
	cr_expect(S_ISLNK(status.st_mode));
	cr_assert_eq(symlink("b", "c"), 0);
	cr_assert_eq(symlink("c", "b"), 0);
	cr_expect_str_eq(list_write("b", "list"),
			 "b: the list was not written: Too many levels of symbolic links");
	if (geteuid() == 0) {
		cr_assert_eq(lchown("link", 65534, 65534), 0);
		cr_expect_str_eq(list_write("link", "list 2"),
				 "link: a symbolic link of another user, which is not followed: name the "
				 "file itself");
		expect_file("a", "list");
	}
	cr_expect_eq(names(), 4);
}

Test(file_target, a_write_that_fails_leaves_the_old_file)
{
	struct rlimit limit = { 8, 8 };

	cr_expect_str_eq(list_write("a", "list"), "");
	signal(SIGXFSZ, SIG_IGN);
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	cr_expect_str_eq(list_write("a", "list, a longer one"),
			 "a: the list was not written: File too large: the limit is 8 bytes (ulimit -f)");
	cr_expect_str_eq(list_write("b", "list, a longer one"),
			 "b: the list was not written: File too large: the limit is 8 bytes (ulimit -f)");
	expect_file("a", "list");
	cr_expect_eq(names(), 1);
}

Test(file_target, the_callers_error_leaves_the_old_file)
{
	struct file_target target;
	struct error error;

	file_make("a", "list");
	cr_assert_eq(file_target_open("a", &list_kind, &target, &error), 0);
	cr_expect_eq(file_target_write(&target, "list 2", 6, 0), 0);
	cr_expect_eq(file_target_close(&target, ENOMEM, &error), -1);
	cr_expect_str_eq(error.text, "a: the list was not written: Cannot allocate memory");
	expect_file("a", "list");
	cr_expect_eq(names(), 1);
}
