/* SPDX-License-Identifier: MIT */
/*
 * The control socket of a session: where it is, and how the session describes itself.
 */
#define _GNU_SOURCE
#include "calls.h"
#include "descriptors.h"
#include "errors.h"
#include "no_memory.h"
#include "world.h"

#include "base/signals.h"
#include "session/accept.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static struct acceptor *acceptor;
static struct error error;

static void start(void)
{
	static char folder[] = "/tmp/kvmap-test-XXXXXX";

	world_start();
	session.config.program = "/bin/../bin/sh";
	session.config.memory = 8 << 20;
	session.config.cpus = 3;
	session.config.control = "elsewhere";
	cr_assert(mkdtemp(folder));
	snprintf(world_own_path, sizeof(world_own_path), "%s/own.sock", folder);
	/* Objects that calls.c knows. */
	cr_assert_eq(machine_create(&(struct machine_config){ 0 }, &session.machine, &error), 0);
	cr_assert_eq(private_file_read("the/program", "guest program ", &session.program_file, &error), 0);
	cr_assert_eq(symbols_open_file(&session.program_file, &session.symbols, &error), 0);
	calls.log[0] = '\0';
}

static void end(void)
{
	acceptor_stop(acceptor);
	cr_expect_str_eq(calls_open, "ms");
	unlink(world_own_path);
	*strrchr(world_own_path, '/') = '\0';
	rmdir(world_own_path);
	world_end();
}

TestSuite(accept, .init = start, .fini = end);

Test(accept, describes_the_session)
{
	struct control_hello wanted = {
		.cpus = 3, .memory = 8 << 20, .build_id_size = 3, .build_id = { 1, 2, 3 }
	};
	struct timespec before, after;
	char *real = realpath("/bin/sh", NULL);
	struct control_hello hello;

	calls.build_id_size = 3;
	clock_gettime(CLOCK_REALTIME, &before);
	cr_assert_eq(acceptor_start(&session, &acceptor, &error), 0, "%s", error.text);
	clock_gettime(CLOCK_REALTIME, &after);
	hello = calls.served->hello;
	cr_expect_geq(hello.since_ns, before.tv_sec * 1000000000ull + (uint64_t)before.tv_nsec);
	cr_expect_leq(hello.since_ns, after.tv_sec * 1000000000ull + (uint64_t)after.tv_nsec);
	wanted.pid = (uint32_t)getpid();
	wanted.since_ns = hello.since_ns;
	strcpy(wanted.program, real);
	strcpy(wanted.script, "t.kvs");
	cr_expect(!memcmp(&hello, &wanted, sizeof(hello)));
	cr_expect_eq(calls.served->memory.region_count, 5);
	free(real);
}

Test(accept, names_a_program_that_is_gone_as_it_was_given_and_leaves_out_a_build_id_that_is_too_long)
{
	session.config.program = "no/such/program";
	calls.build_id_size = CONTROL_BUILD_ID_MAX + 1;
	cr_assert_eq(acceptor_start(&session, &acceptor, &error), 0, "%s", error.text);
	cr_expect_str_eq(calls.served->hello.program, "no/such/program");
	cr_expect_eq(calls.served->hello.build_id_size, 0);
	acceptor_stop(acceptor);
	calls.build_id_size = CONTROL_BUILD_ID_MAX;
	cr_assert_eq(acceptor_start(&session, &acceptor, &error), 0, "%s", error.text);
	cr_expect_eq(calls.served->hello.build_id_size, CONTROL_BUILD_ID_MAX);
}

Test(accept, auto_is_the_path_of_the_process)
{
	session.config.control = ACCEPT_AUTO;
	cr_assert_eq(acceptor_start(&session, &acceptor, &error), 0, "%s", error.text);
	cr_expect_str_eq(calls.log, "control_vm_open control_socket_path_own control_server_start ");
	cr_expect_str_eq(calls.socket, world_own_path);
}

static bool link_exists(void)
{
	return access(world_own_path, F_OK) == 0;
}

Test(accept, another_path_gets_a_link_that_is_removed_in_the_end)
{
	cr_assert_eq(acceptor_start(&session, &acceptor, &error), 0, "%s", error.text);
	cr_expect_str_eq(
		calls.log,
		"control_vm_open control_server_start control_socket_path_own control_socket_path_link ");
	cr_expect_str_eq(calls.socket, "elsewhere");
	cr_expect_str_eq(calls.link, world_own_path);
	cr_expect_str_eq(calls.linked, "elsewhere");
	fclose(fopen(world_own_path, "w"));
	acceptor_stop(acceptor);
	acceptor = NULL;
	cr_expect_not(link_exists());
}

Test(accept, without_a_link_it_is_served_and_nothing_is_removed)
{
	static const char *const names[] = { "control_socket_path_own", "control_socket_path_link" };

	fclose(fopen(world_own_path, "w"));
	for (size_t i = 0; i < 2; i++) {
		calls.failing = names[i];
		cr_assert_eq(acceptor_start(&session, &acceptor, &error), 0, "%s", error.text);
		acceptor_stop(acceptor);
		acceptor = NULL;
		cr_expect(link_exists(), "%s", names[i]);
	}
}

Test(accept, that_fails_closes_what_it_opened)
{
	static const char *const names[] = { "control_vm_open", "control_server_start" };

	for (size_t i = 0; i < 2; i++) {
		calls.failing = names[i];
		calls.failing_kind = ERROR_PERMISSION;
		cr_expect_eq(acceptor_start(&session, &acceptor, &error), -1);
		expect_whole_error(&error, ERROR_PERMISSION, 0, 0x77, names[i]);
		cr_expect_str_eq(calls_open, "ms");
	}
	session.config.control = ACCEPT_AUTO;
	calls.failing = "control_socket_path_own";
	cr_expect_eq(acceptor_start(&session, &acceptor, &error), -1);
	expect_whole_error(&error, ERROR_PERMISSION, 0, 0x77, "control_socket_path_own");
	no_memory_at(1);
	cr_expect_eq(acceptor_start(&session, &acceptor, &error), -1);
	expect_whole_error(&error, ERROR_HOST, 0, 0, "out of memory");
	cr_expect_null(acceptor);
}

/* ---- hold ---- */

static void start_hold(void)
{
	/* A signal that the parent process ignores, as nohup's does SIGHUP, would stay ignored. */
	signal(SIGHUP, SIG_DFL);
	signals_begin(NULL);
	session.config.hold = true;
	cr_assert_eq(acceptor_start(&session, &acceptor, &error), 0, "%s", error.text);
	cr_expect(calls.served->held);
	world_resumed = eventfd(0, EFD_CLOEXEC);
}

Test(accept, says_whether_it_will_hold_the_vm)
{
	cr_assert_eq(acceptor_start(&session, &acceptor, &error), 0, "%s", error.text);
	cr_expect_not(calls.served->held);
}

Test(accept, a_hold_ends_with_a_client)
{
	unsigned int before;

	start_hold();
	before = open_descriptors();
	cr_expect(acceptor_hold(acceptor));
	cr_expect_eq(open_descriptors(), before + 1);
	eventfd_write(world_resumed, 1);
	acceptor_wait(acceptor);
	cr_expect_eq(open_descriptors(), before);
	cr_expect_eq(signals_received(), 0);
	/* A client that comes before the hold. */
	cr_expect_not(acceptor_hold(acceptor));
	acceptor_wait(acceptor);
	cr_expect_eq(open_descriptors(), before);
	close(world_resumed);
}

static void hold_until(int number)
{
	unsigned int before;

	/* A signal that the parent process ignores would stay ignored. */
	signal(number, SIG_DFL);
	start_hold();
	before = open_descriptors();
	cr_expect(acceptor_hold(acceptor));
	cr_expect_eq(open_descriptors(), before + 1);
	raise(number);
	acceptor_wait(acceptor);
	cr_expect_eq(open_descriptors(), before);
	cr_expect_eq(signals_received(), number);
	close(world_resumed);
}

Test(accept, a_hold_ends_with_sigint)
{
	hold_until(SIGINT);
}

Test(accept, a_hold_ends_with_sigterm)
{
	hold_until(SIGTERM);
}

Test(accept, a_hold_ends_with_sighup)
{
	hold_until(SIGHUP);
}

/* The socket's link is among the files that a signal removes, until the acceptor removes it. */
Test(accept, a_signal_that_ends_the_process_removes_the_link)
{
	pid_t child;
	int status;

	fclose(fopen(world_own_path, "w"));
	child = fork();
	if (child == 0) {
		signals_begin(NULL);
		if (acceptor_start(&session, &acceptor, &error) == 0)
			raise(SIGTERM);
		_exit(1);
	}
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
	cr_expect_not(link_exists());
}
