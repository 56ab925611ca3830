/* SPDX-License-Identifier: MIT */
/*
 * The paths of control sockets: which are used, found and listed.
 */
#include "control/socket_path.h"
#include "descriptors.h"
#include "errors.h"
#include "failing.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static char runtime[] = "/tmp/kvmap-test-XXXXXX";
static struct error error;

static void enter(void)
{
	cr_assert(mkdtemp(runtime));
	setenv("XDG_RUNTIME_DIR", runtime, 1);
}

static void leave(void)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -rf %s", runtime);
	cr_expect_eq(system(command), 0);
}

static int listen_at(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);

	strcpy(address.sun_path, path);
	cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	cr_assert_eq(listen(fd, 1), 0);
	return fd;
}

/* The one of this process in the list. */
static bool is_listed(char *path_out, size_t size)
{
	struct control_socket_path *paths;
	int count = control_socket_path_list(&paths, &error);
	bool found = false;

	cr_assert_geq(count, 0);
	for (int i = 0; i < count; i++) {
		if (paths[i].pid == (uint32_t)getpid()) {
			snprintf(path_out, size, "%s", paths[i].path);
			found = true;
		}
	}
	free(paths);
	return found;
}

TestSuite(socket_path, .init = enter, .fini = leave);

Test(socket_path, is_a_private_folder_and_found_by_process_id)
{
	char mine[128], wanted[128], folder[128], found[128], text[200];
	struct stat status;
	int fd;

	cr_assert_eq(control_socket_path_own(mine, sizeof(mine), &error), 0, "%s", error.text);
	snprintf(wanted, sizeof(wanted), "%s/kvmap/%d.sock", runtime, getpid());
	cr_expect_str_eq(mine, wanted);
	snprintf(folder, sizeof(folder), "%s/kvmap", runtime);
	cr_assert_eq(stat(folder, &status), 0);
	cr_expect_eq(status.st_mode & 0777, 0700);
	cr_expect_eq(control_socket_path_of_pid((uint32_t)getpid(), found, sizeof(found), &error), -1);
	snprintf(
		text, sizeof(text),
		"process %d is no VM that can be inspected: `kvmap run --control auto` starts one, `kvmap ps` "
		"lists them, --wait waits for one that is starting",
		getpid());
	expect_whole_error(&error, ERROR_INPUT, 0, 0, text);
	fd = listen_at(mine);
	cr_assert_eq(control_socket_path_of_pid((uint32_t)getpid(), found, sizeof(found), &error), 0, "%s",
		     error.text);
	cr_expect_str_eq(found, mine);
	cr_expect(is_listed(found, sizeof(found)));
	cr_expect_str_eq(found, mine);
	cr_expect_not(control_socket_is_stale(mine));
	close(fd);
	cr_expect(control_socket_is_stale(mine));
}

Test(socket_path, a_socket_elsewhere_is_found_through_a_link)
{
	char mine[128], elsewhere[128], found[128];
	int fd;

	cr_assert_eq(control_socket_path_own(mine, sizeof(mine), &error), 0);
	snprintf(elsewhere, sizeof(elsewhere), "%s/elsewhere", runtime);
	fd = listen_at(elsewhere);
	cr_assert_eq(control_socket_path_link(mine, elsewhere, &error), 0, "%s", error.text);
	cr_assert_eq(control_socket_path_link(mine, elsewhere, &error), 0,
		     "what was left behind is replaced");
	cr_expect(is_listed(found, sizeof(found)));
	cr_expect_not(control_socket_is_stale(mine));
	unlink(elsewhere);
	cr_expect(control_socket_is_stale(mine));
	close(fd);
}

static void expect_own_refused(const char *folder)
{
	char mine[128], text[256];

	snprintf(text, sizeof(text),
		 "%s: other users can write there, so no control socket is made there: use --control PATH",
		 folder);
	cr_expect_eq(control_socket_path_own(mine, sizeof(mine), &error), -1, "%s", folder);
	expect_whole_error(&error, ERROR_PERMISSION, 0, 0, text);
}

Test(socket_path, a_folder_in_which_others_can_write_is_not_used)
{
	static const struct {
		mode_t mode;
		bool used;
	} cases[] = { { 0700, true }, { 0755, true }, { 0702, false }, { 0720, false }, { 0777, false } };
	char mine[128], folder[64], found[128];

	snprintf(folder, sizeof(folder), "%s/kvmap", runtime);
	cr_assert_eq(mkdir(folder, 0700), 0);
	snprintf(mine, sizeof(mine), "%s/%d.sock", folder, getpid());
	close(listen_at(mine));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cr_assert_eq(chmod(folder, cases[i].mode), 0);
		cr_expect_eq(is_listed(found, sizeof(found)), cases[i].used, "mode %o", cases[i].mode);
		cr_expect_eq(control_socket_path_of_pid((uint32_t)getpid(), found, sizeof(found), &error),
			     cases[i].used ? 0 : -1, "mode %o", cases[i].mode);
		if (cases[i].used)
			cr_expect_eq(control_socket_path_own(found, sizeof(found), &error), 0);
		else
			expect_own_refused(folder);
	}
	if (geteuid() == 0) {
		cr_assert_eq(chmod(folder, 0700) | chown(folder, 65534, 65534), 0);
		expect_own_refused(folder);
		cr_expect_not(is_listed(found, sizeof(found)), "a folder of another user");
	}
}

Test(socket_path, a_link_to_a_folder_is_not_used)
{
	char folder[128], other[128];

	snprintf(folder, sizeof(folder), "%s/kvmap", runtime);
	snprintf(other, sizeof(other), "%s/other", runtime);
	cr_assert_eq(mkdir(other, 0700), 0);
	cr_assert_eq(symlink(other, folder), 0);
	expect_own_refused(folder);
}

/* The list of this user's sockets in the test's folder. */
static unsigned int list(uint32_t *pids, unsigned int most)
{
	struct control_socket_path *paths;
	int all = control_socket_path_list(&paths, &error);
	unsigned int count = 0;
	char wanted[128];

	for (int i = 0; i < all; i++) {
		if (strncmp(paths[i].path, runtime, strlen(runtime)) != 0)
			continue;
		cr_assert_lt(count, most);
		pids[count++] = paths[i].pid;
		snprintf(wanted, sizeof(wanted), "%s/kvmap/%u.sock", runtime, paths[i].pid);
		cr_expect_str_eq(paths[i].path, wanted);
	}
	free(paths);
	return count;
}

Test(socket_path, the_list_is_sorted_by_process_and_has_no_other_names)
{
	static const char *const names[] = { "100.sock",        "x.sock",          "9.sock",
					     ".sock",           "12.sock.old",     "12",
					     "2147483647.sock", "2147483648.sock", "99999999999.sock",
					     "11.socks",        "12x.sock",        "11.sock" };
	static const uint32_t wanted[] = { 9, 11, 100, 2147483647 };
	char mine[128], path[256];
	unsigned int before = open_descriptors();
	uint32_t pids[8];

	cr_assert_eq(control_socket_path_own(mine, sizeof(mine), &error), 0);
	cr_expect_eq(list(pids, 8), 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/kvmap/%s", runtime, names[i]);
		fclose(fopen(path, "w"));
	}
	cr_assert_eq(list(pids, 8), 4);
	cr_expect(!memcmp(pids, wanted, sizeof(wanted)), "%u, %u, %u, %u", pids[0], pids[1], pids[2],
		  pids[3]);
	cr_expect_eq(open_descriptors(), before);
}

Test(socket_path, a_process_that_is_not_there_is_named)
{
	char found[128];

	cr_expect_eq(control_socket_path_of_pid(0x7ffffff0, found, sizeof(found), &error), -1);
	expect_whole_error(&error, ERROR_INPUT, 0, 0,
			   "there is no process 2147483632: `kvmap ps` lists the VMs");
}

/* With "/kvmap" 96 bytes are too many, 95 are not. */
Test(socket_path, a_runtime_folder_whose_name_is_too_long_is_an_error)
{
	char longer[100] = "/tmp/", mine[128], found[128], made[128];
	int fd;

	memset(longer + 5, 'x', 85);
	cr_assert_eq(mkdir(longer, 0700), 0);
	setenv("XDG_RUNTIME_DIR", longer, 1);
	cr_expect_eq(control_socket_path_own(mine, sizeof(mine), &error), -1);
	expect_whole_error(&error, ERROR_INPUT, 0, 0,
			   "XDG_RUNTIME_DIR is too long for a socket in it: use --control PATH");
	cr_expect_not(is_listed(found, sizeof(found)));
	rmdir(longer);
	longer[89] = '\0';
	cr_assert_eq(mkdir(longer, 0700), 0);
	setenv("XDG_RUNTIME_DIR", longer, 1);
	cr_expect_eq(control_socket_path_own(mine, sizeof(mine), &error), 0, "%s", error.text);
	fd = open(mine, O_CREAT | O_WRONLY, 0600);
	cr_expect(is_listed(found, sizeof(found)));
	cr_expect_str_eq(found, mine);
	close(fd);
	unlink(mine);
	snprintf(made, sizeof(made), "%s/kvmap", longer);
	cr_expect_eq(rmdir(made) | rmdir(longer), 0);
}

Test(socket_path, a_runtime_folder_that_is_not_this_users_is_not_used)
{
	static const char *const folders[] = { "", "relative", "/nonexistent", "/dev/null" };
	char mine[128], wanted[64];

	snprintf(wanted, sizeof(wanted), "/tmp/kvmap-%u/%d.sock", geteuid(), getpid());
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		setenv("XDG_RUNTIME_DIR", folders[i], 1);
		cr_assert_eq(control_socket_path_own(mine, sizeof(mine), &error), 0, "%s", error.text);
		cr_expect_str_eq(mine, wanted);
	}
}

Test(socket_path, a_folder_that_cannot_be_made_is_an_error)
{
	char mine[128], folder[64];

	snprintf(folder, sizeof(folder), "%s/kvmap", runtime);
	if (geteuid() == 0) {
		cr_assert_eq(chown(runtime, 65534, 65534) | chmod(runtime, 0500), 0);
		cr_assert_eq(seteuid(65534), 0);
	} else {
		cr_assert_eq(chmod(runtime, 0500), 0);
	}
	cr_expect_eq(control_socket_path_own(mine, sizeof(mine), &error), -1);
	strcat(folder, ": cannot be made");
	expect_whole_error(&error, ERROR_PERMISSION, EACCES, 0, folder);
	if (getuid() == 0)
		cr_assert_eq(seteuid(0), 0);
	chmod(runtime, 0700);
}

Test(socket_path, a_link_to_no_socket_or_in_no_folder_is_an_error)
{
	char mine[128], elsewhere[128];

	cr_assert_eq(control_socket_path_own(mine, sizeof(mine), &error), 0);
	snprintf(elsewhere, sizeof(elsewhere), "%s/elsewhere", runtime);
	cr_expect_eq(control_socket_path_link(mine, elsewhere, &error), -1);
	expect_whole_error(&error, ERROR_HOST, ENOENT, 0, elsewhere);
	fclose(fopen(elsewhere, "w"));
	snprintf(mine, sizeof(mine), "%s/no/such/folder", runtime);
	cr_expect_eq(control_socket_path_link(mine, elsewhere, &error), -1);
	expect_whole_error(&error, ERROR_PERMISSION, ENOENT, 0, mine);
}

Test(socket_path, a_path_that_no_socket_can_have_is_not_stale)
{
	unsigned int before = open_descriptors();
	char at[200];

	/* 108 bytes, and 107, where there is nothing. */
	snprintf(at, sizeof(at), "%s/%0*d", runtime, (int)(107 - strlen(runtime)), 0);
	cr_expect_not(control_socket_is_stale(at));
	at[107] = '\0';
	cr_expect(control_socket_is_stale(at));
	calls_fail("socket", EMFILE, 1);
	cr_expect_not(control_socket_is_stale(at));
	calls_fail("connect", EACCES, 1);
	cr_expect_not(control_socket_is_stale(at));
	cr_expect_eq(open_descriptors(), before);
}
