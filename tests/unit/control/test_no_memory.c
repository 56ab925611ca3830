/* SPDX-License-Identifier: MIT */
/*
 * Allocations that fail in the client and in the list of sockets.
 */
#include "control/client.h"
#include "control/socket_path.h"
#include "errors.h"
#include "no_memory.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static char folder[] = "/tmp/kvmap-test-XXXXXX";
static struct error error;

static void start(void)
{
	cr_assert(mkdtemp(folder));
}

static void stop(void)
{
	rmdir(folder);
}

TestSuite(no_memory, .init = start, .fini = stop);

static int listen_at(const char *path, int type)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int listener = socket(AF_UNIX, type, 0);

	strcpy(address.sun_path, path);
	cr_assert_eq(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
	cr_assert_eq(listen(listener, 1), 0);
	return listener;
}

Test(no_memory, the_client_reports_it_and_closes_its_socket)
{
	int ends[2];
	struct control_client *client;

	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
	no_memory_at(1);
	cr_expect_eq(control_client_open_socket(ends[0], &client, &error), -1);
	cr_expect(no_memory_failed());
	expect_whole_error(&error, ERROR_HOST, 0, 0, "out of memory");
	cr_expect_eq(fcntl(ends[0], F_GETFD), -1, "the socket is closed");
	close(ends[1]);
}

Test(no_memory, the_list_of_sockets_reports_it)
{
	char own[128], kvmap[64];
	struct control_socket_path *paths;
	int listener;

	setenv("XDG_RUNTIME_DIR", folder, 1);
	cr_assert_eq(control_socket_path_own(own, sizeof(own), &error), 0);
	listener = listen_at(own, SOCK_SEQPACKET);
	no_memory_at(1);
	cr_expect_eq(control_socket_path_list(&paths, &error), -1);
	cr_expect(no_memory_failed());
	expect_whole_error(&error, ERROR_HOST, 0, 0, "out of memory");
	close(listener);
	unlink(own);
	snprintf(kvmap, sizeof(kvmap), "%s/kvmap", folder);
	rmdir(kvmap);
}
