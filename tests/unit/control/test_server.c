/* SPDX-License-Identifier: MIT */
/*
 * Both ends of the control socket: a client inspects the VM of a server, and the server withstands clients that
 * misbehave. Servers that misbehave: test_client.c.
 */
#include "errors.h"
#include "failing.h"
#include "no_memory.h"
#include "server_world.h"

#include "descriptors.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

TestSuite(server, .init = server_world_start, .fini = server_world_end);

Test(server, a_client_sees_memory_registers_and_translations_of_a_paused_vm)
{
	struct control_client *client = attach();
	struct view_translation translation;
	struct control_pause_time time;
	const struct view *view;

	cr_expect_eq(control_client_hello(client)->pid, FAKE_PID);
	cr_expect_str_eq(control_client_hello(client)->script, "fake.kvs");
	cr_assert_eq(control_client_map(client, &error), 0, "%s", error.text);
	cr_assert_eq(control_client_pause(client, &view, &error), 0, "%s", error.text);
	cr_expect(fake.is_held);
	cr_expect_eq(view_size(view), FAKE_MEMORY);
	for (uint64_t page = 0; page < FAKE_MEMORY / 4096; page++)
		cr_expect_eq(*(const uint8_t *)view_bytes(view, 0x10000 + page * 4096, 1), page);
	cr_expect_eq(view->physical_bits, 40);
	cr_expect_eq(view->cpu_count, 2);
	cr_expect_eq(view->cpus[1].rip, 0x2222);
	cr_expect_eq(view->translate(view->translate_context, 1, 0x10, &translation), 0);
	cr_expect_eq(translation.gpa, 0x11);
	cr_expect_eq(view->translate(view->translate_context, 7, 0x10, &translation), -1,
		     "one CPU at a time");
	cr_assert_eq(control_client_resume(client, &time, &error), 0);
	cr_expect_not(fake.is_held);
	cr_expect_gt(time.vm_ns, 0);
	cr_expect_leq(time.vm_ns, time.client_ns);
	control_client_close(client);
}

Test(server, a_translation_asked_for_while_it_runs_comes_with_the_next_pause)
{
	struct control_client *client = attach();
	struct view_translation translation;
	struct control_pause_time time;
	const struct view *view;

	cr_assert_eq(control_client_map(client, &error), 0);
	for (int look = 0; look < 3; look++) {
		cr_assert_eq(control_client_pause(client, &view, &error), 0, "%s", error.text);
		cr_assert_eq(control_client_resume(client, &time, &error), 0);
		for (uint64_t gva = 0; gva < CONTROL_ADDRESSES_MAX; gva++) {
			cr_assert_eq(view->translate(view->translate_context, 1, gva, &translation), 0);
			if (look)
				cr_assert_eq(translation.gpa, gva + 1);
		}
		cr_expect_eq(control_client_is_complete(client), look > 0);
		cr_expect_eq(view->translate(view->translate_context, 1, CONTROL_ADDRESSES_MAX, &translation),
			     -1, "not more than the view said");
	}
	/* Addresses that are not used any more are dropped, which leaves room for others. */
	for (int look = 0; look < 3; look++) {
		cr_assert_eq(control_client_pause(client, &view, &error), 0);
		cr_assert_eq(control_client_resume(client, &time, &error), 0);
		if (look)
			cr_expect_eq(view->translate(view->translate_context, 1, 0x3000, &translation), 0);
	}
	cr_expect_eq(translation.gpa, 0x3001);
	cr_expect(control_client_is_complete(client));
	control_client_close(client);
}

Test(server, the_memory_that_it_passes_cannot_be_written)
{
	struct control_client *client = attach();
	const struct view *view;

	cr_assert_eq(control_client_map(client, &error), 0);
	cr_assert_eq(control_client_pause(client, &view, &error), 0);
	cr_expect_eq(fcntl(view->regions[0].fd, F_GETFL) & O_ACCMODE, O_RDONLY);
	control_client_close(client);
}

Test(server, pages_that_were_read_stay_as_they_were_when_the_vm_continues)
{
	struct control_client *client = attach();
	struct control_pause_time time;
	const struct view *view;

	cr_assert_eq(control_client_map(client, &error), 0);
	cr_assert_eq(control_client_pause(client, &view, &error), 0);
	cr_expect(control_client_is_complete(client));
	cr_assert_not_null(view_bytes(view, 0x11800, 0x1000));
	cr_expect_not(control_client_is_complete(client));
	cr_assert_eq(control_client_resume(client, &time, &error), 0);
	cr_assert_eq(control_client_pause(client, &view, &error), 0);
	cr_assert_eq(control_client_resume(client, &time, &error), 0);
	for (uint64_t page = 0; page < 4; page++)
		cr_assert_eq(pwrite(fake.memory, "x", 1, (off_t)(page * 4096)), 1);
	cr_expect_eq(*(const uint8_t *)view_bytes(view, 0x11000, 1), 1);
	cr_expect_eq(*(const uint8_t *)view_bytes(view, 0x12000, 1), 2);
	cr_expect(control_client_is_complete(client));
	cr_expect_eq(*(const uint8_t *)view_bytes(view, 0x10000, 1), 'x');
	cr_expect_not(control_client_is_complete(client));
	/* The next moment has them all. */
	cr_assert_eq(control_client_pause(client, &view, &error), 0);
	cr_expect_eq(*(const uint8_t *)view_bytes(view, 0x11000, 1), 'x');
	cr_expect(control_client_is_complete(client));
	control_client_close(client);
}

Test(server, a_connection_that_closes_in_a_pause_ends_it)
{
	struct control_client *client = attach();
	const struct view *view;

	cr_assert_eq(control_client_pause(client, &view, &error), 0);
	control_client_close(client);
	fake_vm_wait_for_release(&fake);
}

Test(server, garbage_and_floods_end_the_connection_and_nothing_else)
{
	struct control_request_header request = request_of(CONTROL_PAUSE);
	struct control_client *client;
	char bytes[512];

	for (int i = 0; i < 200; i++) {
		int fd = raw_connect();

		for (size_t j = 0; j < sizeof(bytes); j++)
			bytes[j] = (char)random();
		send(fd, &request, sizeof(request), MSG_NOSIGNAL);
		send(fd, bytes, (size_t)i, MSG_NOSIGNAL);
		close(fd);
	}
	/* Reads no reply. */
	int flood = raw_connect();
	while (send(flood, &request, sizeof(request), MSG_NOSIGNAL | MSG_DONTWAIT) > 0)
		;
	client = attach();
	control_client_close(client);
	close(flood);
	fake_vm_wait_for_release(&fake);
}

Test(server, one_connection_too_many_is_refused_and_the_others_stay)
{
	struct control_client *others[16], *one_more;

	for (int i = 0; i < 16; i++)
		others[i] = attach();
	cr_expect_eq(control_client_open(path, &one_more, &error), -1);
	cr_expect(strstr(error.text, "too many"), "%s", error.text);
	control_client_close(others[0]);
	cr_expect_eq(control_client_map(others[15], &error), 0, "%s", error.text);
	for (int i = 1; i < 16; i++)
		control_client_close(others[i]);
}

Test(server, a_hold_at_the_end_is_ended_by_a_client_only_there)
{
	struct control_client *client = attach();
	struct pollfd go;

	cr_expect_eq(control_client_end_hold(client, &error), -1);
	cr_expect_eq(error.kind, ERROR_INPUT);
	go = (struct pollfd){ control_server_at_end(server), POLLIN, 0 };
	cr_expect_eq(poll(&go, 1, 0), 0);
	cr_assert_eq(control_client_end_hold(client, &error), 0, "%s", error.text);
	cr_expect_eq(poll(&go, 1, -1), 1);
	control_client_close(client);
}

Test(server, a_vm_that_ends_in_a_pause_leaves_its_last_state)
{
	struct control_client *client = attach();
	struct control_pause_time time;
	const struct view *view;

	cr_assert_eq(control_client_map(client, &error), 0);
	cr_assert_eq(control_client_pause(client, &view, &error), 0);
	control_server_stop(server);
	server = NULL;
	cr_expect_eq(*(const uint8_t *)view_bytes(view, 0x11000, 1), 1);
	cr_assert_eq(control_client_resume(client, &time, &error), 0);
	cr_expect_eq(time.vm_ns, 0);
	control_client_close(client);
}

Test(server, a_vm_that_ends_before_it_is_paused_is_an_error)
{
	struct control_client *client = attach();
	const struct view *view;

	control_server_stop(server);
	server = NULL;
	cr_expect_eq(control_client_pause(client, &view, &error), -1);
	cr_expect(strstr(error.text, "ended"), "%s", error.text);
	control_client_close(client);
	cr_expect_eq(control_client_open(path, &client, &error), -1);
	cr_expect_eq(error.kind, ERROR_INPUT);
}

Test(server, a_path_that_is_taken_is_refused_and_a_stale_socket_is_replaced)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct control_server *second;
	struct stat status;
	char other[80];
	int fd;

	cr_expect_eq(control_server_start(path, &fake.vm, &second, &error), -1);
	cr_expect(strstr(error.text, "another VM"), "%s", error.text);
	control_client_close(attach());
	snprintf(other, sizeof(other), "%s/other", folder);
	close(open(other, O_CREAT | O_WRONLY, 0600));
	cr_expect_eq(control_server_start(other, &fake.vm, &second, &error), -1);
	cr_expect(strstr(error.text, "not a socket"), "%s", error.text);
	unlink(other);
	strcpy(address.sun_path, other);
	fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	close(fd);
	cr_assert_eq(control_server_start(other, &fake.vm, &second, &error), 0, "%s", error.text);
	cr_assert_eq(stat(other, &status), 0);
	cr_expect_eq(status.st_mode & 0777, 0600);
	control_server_stop(second);
	cr_expect_eq(access(other, F_OK), -1);
}

static int bound_socket(const char *at, int type)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	strcpy(address.sun_path, at);
	cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

/* `text` follows the path. */
static void start_fails(const char *at, enum error_kind kind, int errnum, const char *text)
{
	struct control_server *second = NULL;
	unsigned int before = open_descriptors();
	char whole[600];

	snprintf(whole, sizeof(whole), "%s%s", at, text);
	cr_expect_eq(control_server_start(at, &fake.vm, &second, &error), -1);
	cr_expect_null(second);
	expect_whole_error(&error, kind, errnum, 0, whole);
	cr_expect_eq(open_descriptors(), before);
}

Test(server, a_path_at_which_no_socket_can_be_is_refused)
{
	static const char *const nowhere = ": no control socket can be made there";
	char other[80], longer[120];
	int fd;

	snprintf(longer, sizeof(longer), "%s/%0*d", folder, (int)(107 - strlen(folder)), 0);
	start_fails(longer, ERROR_INPUT, 0,
		    ": a socket's path is no longer than 107 bytes: choose a shorter one");
	snprintf(other, sizeof(other), "%s/no/such/folder", folder);
	start_fails(other, ERROR_INPUT, ENOENT, nowhere);
	snprintf(other, sizeof(other), "%s/vm/below-a-socket", folder);
	start_fails(other, ERROR_INPUT, ENOTDIR, nowhere);
	snprintf(other, sizeof(other), "%s/other", folder);
	close(open(other, O_CREAT | O_WRONLY, 0600));
	start_fails(other, ERROR_INPUT, 0, ": exists and is not a socket: choose another path");
	unlink(other);
	calls_fail("listen", EPERM, 1);
	start_fails(other, ERROR_PERMISSION, EPERM, nowhere);
	cr_expect_eq(access(other, F_OK), -1, "the socket is removed");
	calls_fail("fchmod", EIO, 1);
	start_fails(other, ERROR_INPUT, EIO, nowhere);
	if (geteuid() != 0)
		return;
	/* A stale socket that may be connected to, in a folder in which nothing may be removed. */
	cr_assert_eq(chmod(folder, 0755), 0);
	fd = bound_socket(other, SOCK_SEQPACKET);
	close(fd);
	cr_assert_eq(chmod(other, 0777), 0);
	cr_assert_eq(seteuid(65534), 0);
	start_fails(other, ERROR_PERMISSION, EACCES, nowhere);
	unlink(other);
	cr_assert_eq(seteuid(0), 0);
	unlink(other);
	cr_assert_eq(seteuid(65534), 0);
	start_fails(other, ERROR_PERMISSION, EACCES, nowhere);
	cr_assert_eq(seteuid(0), 0);
}

Test(server, the_longest_path_of_a_socket_is_served)
{
	struct control_server *second;
	struct control_client *client;
	char longest[120];

	snprintf(longest, sizeof(longest), "%s/%0*d", folder, (int)(106 - strlen(folder)), 0);
	cr_assert_eq(strlen(longest), 107);
	cr_assert_eq(control_server_start(longest, &fake.vm, &second, &error), 0, "%s", error.text);
	cr_expect_eq(control_client_open(longest, &client, &error), 0, "%s", error.text);
	control_client_close(client);
	control_server_stop(second);
}

Test(server, that_cannot_start_leaves_nothing)
{
	static const struct {
		const char *call;
		int errnum;
		const char *text;
	} cases[] = {
		{ "socket", EMFILE, "cannot make the control socket" },
		{ "eventfd", EMFILE, "cannot make the control socket" },
		{ "pthread_create", EAGAIN, "cannot start the thread of the control socket" },
		{ "calloc", 0, "out of memory" },
	};
	unsigned int before = open_descriptors();
	char other[80];

	snprintf(other, sizeof(other), "%s/other", folder);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct control_server *second = NULL;

		no_memory_at(cases[i].errnum ? 0 : 1);
		calls_fail(cases[i].call, cases[i].errnum, 1);
		cr_expect_eq(control_server_start(other, &fake.vm, &second, &error), -1);
		cr_expect_null(second);
		expect_whole_error(&error, ERROR_HOST, cases[i].errnum, 0, cases[i].text);
		cr_expect_eq(open_descriptors(), before, "%s", cases[i].call);
		cr_expect_eq(access(other, F_OK), -1, "%s", cases[i].call);
	}
	control_server_stop(NULL);
}

Test(server, a_file_that_replaced_its_socket_is_not_removed)
{
	struct control_server *second;
	char at[80], moved[80];

	snprintf(at, sizeof(at), "%s/second", folder);
	snprintf(moved, sizeof(moved), "%s/moved", folder);
	cr_assert_eq(control_server_start(at, &fake.vm, &second, &error), 0, "%s", error.text);
	cr_assert_eq(rename(at, moved), 0);
	close(open(at, O_CREAT | O_WRONLY, 0600));
	control_server_stop(second);
	cr_expect_eq(access(at, F_OK), 0);
	cr_expect_eq(unlink(at) | unlink(moved), 0);
}

Test(server, a_datagram_of_no_bytes_ends_the_connection)
{
	int fd = raw_connect();
	char byte;

	cr_assert_eq(send(fd, "", 0, MSG_NOSIGNAL), 0);
	cr_expect_eq(recv(fd, &byte, 1, 0), 0);
	close(fd);
}

Test(server, a_request_with_a_byte_too_many_is_answered_and_ends_the_connection)
{
	struct {
		struct control_request request;
		char more;
	} longer = { .request.header = request_of(CONTROL_HELLO) };
	struct control_reply reply;
	int fd = raw_connect();

	cr_assert_gt(send(fd, &longer, sizeof(longer.request) + 1, MSG_NOSIGNAL), 0);
	cr_assert_eq(recv(fd, &reply, sizeof(reply), 0), (ssize_t)sizeof(reply.header));
	cr_expect_eq(reply.header.status, CONTROL_BAD_REQUEST);
	cr_expect_eq(recv(fd, &reply, sizeof(reply), 0), 0);
	close(fd);
}

/* ---- connecting ---- */

/* `text` follows the path. */
static void open_fails(const char *at, enum error_kind kind, int errnum, const char *text)
{
	struct control_client *client = NULL;
	unsigned int before = open_descriptors();
	char whole[600];

	snprintf(whole, sizeof(whole), "%s%s", at, text);
	cr_expect_eq(control_client_open(at, &client, &error), -1);
	cr_expect_null(client);
	expect_whole_error(&error, kind, errnum, 0, whole);
	cr_expect_eq(open_descriptors(), before);
}

Test(server, a_path_without_a_vm_is_an_error_that_says_what_is_there)
{
	static const char *const has_ended =
		": the VM that listened there has ended: `kvmap ps` lists those running";
	char at[80], longer[120];
	int fd;

	snprintf(at, sizeof(at), "%s/none", folder);
	open_fails(at, ERROR_INPUT, ENOENT, "");
	snprintf(longer, sizeof(longer), "%s/%0*d", folder, (int)(107 - strlen(folder)), 0);
	open_fails(longer, ERROR_INPUT, 0, ": longer than 107 bytes, which no socket's path is");

	fd = bound_socket(at, SOCK_STREAM);
	cr_assert_eq(listen(fd, 1), 0);
	open_fails(at, ERROR_INPUT, 0, ": not a socket of kvmap");
	close(fd);
	unlink(at);

	fd = bound_socket(at, SOCK_SEQPACKET);
	close(fd);
	open_fails(at, ERROR_INPUT, 0, has_ended);
	unlink(at);
	calls_fail("connect", EACCES, 1);
	open_fails(path, ERROR_PERMISSION, EACCES, "");
	calls_fail("connect", EPERM, 1);
	open_fails(path, ERROR_PERMISSION, EPERM, "");
	calls_fail("connect", EAGAIN, 1);
	open_fails(path, ERROR_HOST, 0, ": the VM does not answer");
	calls_fail("socket", EMFILE, 1);
	cr_expect_eq(control_client_open(path, &(struct control_client *){ NULL }, &error), -1);
	expect_whole_error(&error, ERROR_HOST, EMFILE, 0, "cannot make a socket");
}

Test(server, a_client_waits_five_seconds_and_its_socket_is_closed_on_exec)
{
	const int next = 0; /* the lowest that is free */
	struct timeval send_timeout = { 0 }, receive_timeout = { 0 };
	socklen_t size = sizeof(send_timeout);
	struct control_client *client;

	close(next);
	client = attach();
	cr_assert_eq(getsockopt(next, SOL_SOCKET, SO_SNDTIMEO, &send_timeout, &size), 0);
	cr_assert_eq(getsockopt(next, SOL_SOCKET, SO_RCVTIMEO, &receive_timeout, &size), 0);
	cr_expect(send_timeout.tv_sec == 5 && !send_timeout.tv_usec);
	cr_expect(receive_timeout.tv_sec == 5 && !receive_timeout.tv_usec);
	cr_expect_eq(fcntl(next, F_GETFD), FD_CLOEXEC);
	control_client_close(client);
}
