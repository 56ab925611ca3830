/* SPDX-License-Identifier: MIT */
/*
 * The thread of the server: time, users, signals and descriptors.
 */
#include "descriptors.h"
#include "errors.h"
#include "failing.h"
#include "host.h"
#include "server_world.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SECOND 1000000000ull

TestSuite(server_thread, .init = server_world_start, .fini = server_world_end);

static void wait_for_timeout(int milliseconds)
{
	while (last_poll_timeout() != milliseconds)
		sched_yield();
}

/* Wakes the thread up. */
static void wake(void)
{
	control_client_close(attach());
}

Test(server_thread, a_pause_ends_ten_seconds_after_it_began, .timeout = 60)
{
	struct control_client *first = attach(), *second = attach();
	struct control_pause_time time;
	const struct view *view;

	set_clock_ns(SECOND);
	cr_assert_eq(control_client_pause(first, &view, &error), 0);
	wait_for_timeout(10001);
	set_clock_ns(4 * SECOND);
	cr_assert_eq(control_client_pause(second, &view, &error), 0);
	wait_for_timeout(7001);
	set_clock_ns(11 * SECOND - 1);
	wake();
	wait_for_timeout(1);
	set_clock_ns(11 * SECOND);
	wait_for_timeout(3001);
	cr_expect(fake.is_held, "the second pause goes on");
	cr_expect_eq(control_client_resume(first, &time, &error), -1);
	expect_whole_error(
		&error, ERROR_HOST, 0, 0,
		"the VM continued by itself after a pause of 10 s: what was read may be inconsistent");
	set_clock_ns(14 * SECOND);
	wake();
	fake_vm_wait_for_release(&fake);
	wait_for_timeout(-1);
	control_client_close(first);
	control_client_close(second);
}

/* The registers of the VM are read for eleven seconds. */
Test(server_thread, a_pause_that_was_too_long_when_it_began_ends_at_once, .timeout = 60)
{
	struct control_client *client = attach();
	const struct view *view;

	set_clock_ns(SECOND);
	fake.clock_after_registers = 12 * SECOND;
	cr_assert_eq(control_client_pause(client, &view, &error), 0);
	fake_vm_wait_for_release(&fake);
	control_client_close(client);
}

Test(server_thread, the_length_of_a_pause_is_that_of_both_clocks)
{
	struct control_client *client = attach();
	struct control_pause_time time;
	const struct view *view;

	set_clock_ns(SECOND);
	cr_assert_eq(control_client_pause(client, &view, &error), 0);
	set_clock_ns(3 * SECOND);
	cr_assert_eq(control_client_resume(client, &time, &error), 0);
	cr_expect_eq(time.vm_ns, 2 * SECOND);
	cr_expect_eq(time.client_ns, 2 * SECOND);
	control_client_close(client);
}

Test(server_thread, an_interrupted_poll_is_repeated_and_one_that_fails_ends_all_connections)
{
	struct control_client *client = attach();

	calls_fail("poll", EINTR, 3);
	wake();
	cr_expect_eq(control_client_map(client, &error), 0, "%s", error.text);
	calls_fail("poll", ENOMEM, 1);
	while (control_client_end_hold(client, &error) < 0 && error.kind == ERROR_INPUT)
		;
	expect_whole_error(&error, ERROR_HOST, 0, 0, "the VM ended during the snapshot");
	control_client_close(client);
}

static uint64_t blocked_signals(pid_t thread)
{
	char status[64], line[256];
	uint64_t blocked = 0;
	FILE *file;

	snprintf(status, sizeof(status), "/proc/self/task/%d/status", thread);
	cr_assert(file = fopen(status, "r"));
	while (fgets(line, sizeof(line), file))
		if (!strncmp(line, "SigBlk:", 7))
			blocked = strtoull(line + 7, NULL, 16);
	fclose(file);
	return blocked;
}

Test(server_thread, blocks_the_signals_that_other_threads_handle_and_needs_a_small_stack)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGCHLD, SIGALRM, SIGPIPE, SIGUSR1 };
	struct control_client *client = attach();
	const struct view *view;

	cr_assert_eq(control_client_pause(client, &view, &error), 0);
	cr_assert_neq(fake.thread, getpid());
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		cr_expect(blocked_signals(fake.thread) >> (signals[i] - 1) & 1, "signal %d", signals[i]);
		cr_expect_not(blocked_signals(getpid()) >> (signals[i] - 1) & 1, "signal %d", signals[i]);
	}
	cr_expect_eq(last_stack_size(), 128 << 10);
	control_client_close(client);
}

/* Descriptors that have the flag. */
static unsigned int count_flag(int command, int flag)
{
	unsigned int count = 0;

	for (int fd = 0; fd < 1024; fd++) {
		int flags = fcntl(fd, command);

		count += flags >= 0 && flags & flag;
	}
	return count;
}

Test(server_thread, its_descriptors_are_closed_on_exec_and_its_sockets_do_not_block)
{
	unsigned int open = open_descriptors(), on_exec = count_flag(F_GETFD, FD_CLOEXEC),
		     no_wait = count_flag(F_GETFL, O_NONBLOCK);
	struct control_server *second;
	struct control_client *client;
	char other[80];

	snprintf(other, sizeof(other), "%s/other", folder);
	cr_assert_eq(control_server_start(other, &fake.vm, &second, &error), 0, "%s", error.text);
	cr_expect_eq(count_flag(F_GETFD, FD_CLOEXEC), on_exec + 3);
	cr_expect_eq(count_flag(F_GETFL, O_NONBLOCK), no_wait + 1);
	cr_assert_eq(control_client_open(other, &client, &error), 0, "%s", error.text);
	cr_expect_eq(open_descriptors(), open + 5);
	cr_expect_eq(count_flag(F_GETFD, FD_CLOEXEC), on_exec + 5);
	cr_expect_eq(count_flag(F_GETFL, O_NONBLOCK), no_wait + 2);
	control_client_close(client);
	while (open_descriptors() != open + 3)
		sched_yield();
	control_server_stop(second);
	cr_expect_eq(open_descriptors(), open);
}

/* The status of the first reply to a client of this user. */
static int status_of_user(uid_t user)
{
	struct control_request_header request = request_of(CONTROL_HELLO);
	struct control_reply_header header, wanted = { CONTROL_MAGIC, CONTROL_VERSION, 0, 0, 0 };
	pid_t child = fork();
	int status, fd;

	if (!child) {
		if (seteuid(0) || seteuid(user))
			_exit(101);
		fd = raw_connect();
		send(fd, &request, sizeof(request), MSG_NOSIGNAL);
		/* A server that closes without reading the request resets the connection before the reply. */
		if (recv(fd, &header, sizeof(header), 0) != sizeof(header) &&
		    recv(fd, &header, sizeof(header), 0) != sizeof(header))
			_exit(102);
		wanted.status = header.status;
		if (header.status && memcmp(&header, &wanted, sizeof(header)) != 0)
			_exit(103);
		_exit((int)header.status);
	}
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

Test(server_thread, serves_its_own_user_and_root_alone)
{
	if (geteuid() != 0)
		cr_skip_test("only root can become another user");
	cr_assert_eq(chmod(folder, 0755) | chmod(path, 0777), 0);
	cr_expect_eq(status_of_user(0), CONTROL_OK);
	cr_expect_eq(status_of_user(65534), CONTROL_DENIED);
	cr_assert_eq(seteuid(65534), 0);
	cr_expect_eq(status_of_user(0), CONTROL_OK);
	cr_expect_eq(status_of_user(65534), CONTROL_OK);
	cr_expect_eq(status_of_user(65533), CONTROL_DENIED);
	cr_assert_eq(seteuid(0), 0);
}

Test(server_thread, one_connection_too_many_gets_a_reply_without_a_request)
{
	struct control_reply_header header, wanted = { CONTROL_MAGIC, CONTROL_VERSION, 0, CONTROL_BUSY, 0 };
	struct control_client *others[16];
	int fd;

	for (int i = 0; i < 16; i++)
		others[i] = attach();
	fd = raw_connect();
	cr_assert_eq(recv(fd, &header, sizeof(header), 0), (ssize_t)sizeof(header));
	cr_expect(!memcmp(&header, &wanted, sizeof(header)));
	cr_expect_eq(recv(fd, &header, sizeof(header), 0), 0, "it is closed");
	close(fd);
	for (int i = 0; i < 16; i++)
		control_client_close(others[i]);
}
