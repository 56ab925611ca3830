/* SPDX-License-Identifier: MIT */
/*
 * The paths of control sockets: which are used, found and listed.
 */
#include "control/socket_path.h"

#include <criterion/criterion.h>
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
	char mine[128], folder[128], found[128];
	struct stat status;
	int fd;

	cr_assert_eq(control_socket_path_own(mine, sizeof(mine), &error), 0, "%s", error.text);
	cr_expect_eq(strncmp(mine, runtime, strlen(runtime)), 0);
	snprintf(folder, sizeof(folder), "%s/kvmap", runtime);
	cr_assert_eq(stat(folder, &status), 0);
	cr_expect_eq(status.st_mode & 0777, 0700);
	cr_expect_eq(control_socket_path_of_pid((uint32_t)getpid(), found, sizeof(found), &error), -1);
	cr_expect_eq(error.kind, ERROR_INPUT);
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

Test(socket_path, a_folder_in_which_others_can_write_is_not_used)
{
	char mine[128], folder[64], found[128];

	snprintf(folder, sizeof(folder), "%s/kvmap", runtime);
	cr_assert_eq(mkdir(folder, 0700), 0);
	cr_assert_eq(chmod(folder, 0777), 0);
	cr_expect_eq(control_socket_path_own(mine, sizeof(mine), &error), -1);
	cr_expect_eq(error.kind, ERROR_PERMISSION);
	snprintf(mine, sizeof(mine), "%s/%d.sock", folder, getpid());
	close(listen_at(mine));
	cr_expect_not(is_listed(found, sizeof(found)));
	cr_expect_eq(control_socket_path_of_pid((uint32_t)getpid(), found, sizeof(found), &error), -1);
}

Test(socket_path, a_link_to_a_folder_is_not_used)
{
	char mine[128], folder[128], other[128];

	snprintf(folder, sizeof(folder), "%s/kvmap", runtime);
	snprintf(other, sizeof(other), "%s/other", runtime);
	cr_assert_eq(mkdir(other, 0700), 0);
	cr_assert_eq(symlink(other, folder), 0);
	cr_expect_eq(control_socket_path_own(mine, sizeof(mine), &error), -1);
}

Test(socket_path, names_that_are_no_process_are_not_listed)
{
	static const char *const names[] = { "x.sock", ".sock", "12.sock.old", "99999999999.sock", "12" };
	char mine[128], path[256];
	struct control_socket_path *paths;
	int count;

	cr_assert_eq(control_socket_path_own(mine, sizeof(mine), &error), 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/kvmap/%s", runtime, names[i]);
		fclose(fopen(path, "w"));
	}
	count = control_socket_path_list(&paths, &error);
	for (int i = 0; i < count; i++)
		cr_expect_neq(strncmp(paths[i].path, runtime, strlen(runtime)), 0, "%s", paths[i].path);
	free(paths);
}

Test(socket_path, a_process_that_is_not_there_is_named)
{
	char found[128];

	cr_expect_eq(control_socket_path_of_pid(0x7ffffff0, found, sizeof(found), &error), -1);
	cr_expect(strstr(error.text, "2147483632"), "%s", error.text);
}

Test(socket_path, a_runtime_folder_whose_name_is_too_long_is_an_error)
{
	char longer[100] = "/tmp/", mine[128];

	memset(longer + 5, 'x', 90);
	cr_assert_eq(mkdir(longer, 0700), 0);
	setenv("XDG_RUNTIME_DIR", longer, 1);
	cr_expect_eq(control_socket_path_own(mine, sizeof(mine), &error), -1);
	cr_expect_eq(error.kind, ERROR_INPUT);
	cr_expect(strstr(error.text, "--control PATH"), "%s", error.text);
	rmdir(longer);
}

Test(socket_path, a_runtime_folder_that_is_not_this_users_is_not_used)
{
	static const char *const folders[] = { "", "relative", "/nonexistent", "/dev/null" };
	char mine[128], wanted[64];

	snprintf(wanted, sizeof(wanted), "/tmp/kvmap-%u/", geteuid());
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		setenv("XDG_RUNTIME_DIR", folders[i], 1);
		cr_assert_eq(control_socket_path_own(mine, sizeof(mine), &error), 0, "%s", error.text);
		cr_expect_eq(strncmp(mine, wanted, strlen(wanted)), 0, "%s", mine);
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
	cr_expect_eq(error.kind, ERROR_PERMISSION);
	cr_expect_eq(strncmp(error.text, folder, strlen(folder)), 0, "%s", error.text);
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
	cr_expect_eq(error.kind, ERROR_HOST);
	fclose(fopen(elsewhere, "w"));
	snprintf(mine, sizeof(mine), "%s/no/such/folder", runtime);
	cr_expect_eq(control_socket_path_link(mine, elsewhere, &error), -1);
	cr_expect_eq(error.kind, ERROR_PERMISSION);
}

Test(socket_path, a_path_that_no_socket_can_have_is_not_stale)
{
	char longer[200];

	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	cr_expect_not(control_socket_is_stale(longer));
}
