/* SPDX-License-Identifier: MIT */
/*
 * The client of the control socket, with servers that lie, fail or keep silent.
 */
#include "failing.h"
#include "peer.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

TestSuite(client, .init = peer_start, .fini = peer_end);

Test(client, every_status_is_an_error_of_its_own)
{
	static const struct {
		uint32_t status;
		enum error_kind kind;
		const char *text;
	} cases[] = {
		{ CONTROL_BAD_REQUEST, ERROR_HOST,
		  "the VM does not know the request: another version of kvmap runs it" },
		{ CONTROL_DENIED, ERROR_PERMISSION,
		  "the VM belongs to another user: only that user or root may inspect it" },
		{ CONTROL_BUSY, ERROR_HOST, BUSY },
		{ CONTROL_NOT_PAUSED, ERROR_HOST, "the VM is not paused" },
		{ CONTROL_EXPIRED, ERROR_HOST,
		  "the VM continued by itself after a pause of 10 s: what was read may be inconsistent" },
		{ CONTROL_NOT_HELD, ERROR_INPUT,
		  "the VM will not be held at its end: only `kvmap run --hold` holds one" },
		{ CONTROL_FAILED, ERROR_HOST, "KVM failed to read the state of the VM" },
		{ 4711, ERROR_HOST, "KVM failed to read the state of the VM" },
	};
	struct control_client *client = open_client();

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		send_status(CONTROL_PAUSE, cases[i].status);
		pause_fails(client, cases[i].kind, cases[i].text);
	}
	control_client_close(client);
}

Test(client, a_reply_of_another_protocol_is_refused)
{
	struct control_client *client = open_client();
	struct control_reply reply;

	reply = reply_of(CONTROL_PAUSE, offsetof(struct control_cpus, cpus));
	reply.header.magic++;
	send_reply(reply);
	pause_fails(client, ERROR_HOST, VERSION);
	reply = reply_of(CONTROL_PAUSE, offsetof(struct control_cpus, cpus));
	reply.header.version++;
	send_reply(reply);
	pause_fails(client, ERROR_HOST, VERSION);
	/* Shorter than a header, and of another length than the header says. */
	reply = reply_of(CONTROL_PAUSE, offsetof(struct control_cpus, cpus));
	send_bytes(&reply, sizeof(reply.header) - 1, NULL, 0);
	pause_fails(client, ERROR_HOST, VERSION);
	send_bytes(&reply, sizeof(reply.header) + reply.header.size - 1, NULL, 0);
	pause_fails(client, ERROR_HOST, VERSION);
	send_bytes(&reply, sizeof(reply.header) + reply.header.size + 1, NULL, 0);
	pause_fails(client, ERROR_HOST, VERSION);
	control_client_close(client);
}

Test(client, a_reply_to_another_request_or_of_another_size_is_refused)
{
	struct control_client *client = open_client();

	send_reply(reply_of(CONTROL_RESUME, offsetof(struct control_cpus, cpus)));
	pause_fails(client, ERROR_HOST, OTHER);
	send_reply(reply_of(CONTROL_PAUSE, 0));
	pause_fails(client, ERROR_HOST, OTHER);
	send_reply(reply_of(CONTROL_PAUSE, sizeof(struct control_memory)));
	pause_fails(client, ERROR_HOST, OTHER);
	control_client_close(client);
}

Test(client, registers_of_more_cpus_than_there_can_be_are_refused)
{
	static const uint32_t counts[] = { 1, CONTROL_CPUS_MAX, CONTROL_CPUS_MAX + 1, 0x10000000,
					   UINT32_MAX };
	struct control_client *client = open_client();

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		struct control_reply reply = reply_of(CONTROL_PAUSE, offsetof(struct control_cpus, cpus));

		reply.cpus.count = counts[i];
		send_reply(reply);
		pause_fails(client, ERROR_HOST, "the VM does not describe its registers correctly");
	}
	control_client_close(client);
}

Test(client, a_server_that_closes_is_a_vm_that_ended)
{
	struct control_client *client = open_client();

	shutdown(sockets[1], SHUT_WR);
	pause_fails(client, ERROR_HOST, ENDED);
	close(sockets[1]);
	pause_fails(client, ERROR_HOST, ENDED);
	control_client_close(client);
}

Test(client, a_server_that_closes_says_why_first)
{
	struct control_client *client = open_client();

	send_status(0, CONTROL_BUSY);
	close(sockets[1]);
	pause_fails(client, ERROR_HOST, BUSY);
	control_client_close(client);
}

/* Linux reports ECONNRESET once, before the last reply. */
Test(client, a_signal_or_a_reset_does_not_hide_the_reply)
{
	struct control_client *client = open_client();

	send_status(0, CONTROL_BUSY);
	calls_fail("recvmsg", ECONNRESET, 1);
	pause_fails(client, ERROR_HOST, BUSY);
	send_status(0, CONTROL_BUSY);
	calls_fail("recvmsg", EINTR, 3);
	pause_fails(client, ERROR_HOST, BUSY);
	send_status(0, CONTROL_BUSY);
	calls_fail("send", EINTR, 3);
	pause_fails(client, ERROR_HOST, BUSY);
	send_status(0, CONTROL_BUSY);
	calls_fail("send", ECONNRESET, 1);
	pause_fails(client, ERROR_HOST, BUSY);
	calls_fail("recvmsg", ECONNRESET, 2);
	pause_fails(client, ERROR_HOST, ENDED);
	calls_fail("recvmsg", EINPROGRESS, 1);
	pause_fails(client, ERROR_HOST, SILENT);
	control_client_close(client);
}

Test(client, a_server_that_keeps_silent_is_an_error)
{
	struct control_client *client = open_client();
	const struct timeval soon = { .tv_usec = 1 };

	cr_assert_eq(setsockopt(sockets[0], SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof(soon)), 0);
	pause_fails(client, ERROR_HOST, SILENT);
	control_client_close(client);
}

Test(client, a_server_that_reads_no_requests_is_an_error)
{
	struct control_client *client = open_client();
	const struct timeval soon = { .tv_usec = 1 };

	cr_assert_eq(setsockopt(sockets[0], SOL_SOCKET, SO_SNDTIMEO, &soon, sizeof(soon)), 0);
	while (send(sockets[0], "x", 1, MSG_DONTWAIT) > 0)
		;
	pause_fails(client, ERROR_HOST, SILENT);
	control_client_close(client);
}

Test(client, a_hello_with_a_lie_is_refused)
{
	struct control_client *client;

	for (int lie = 0; lie < 5; lie++) {
		struct control_reply reply = reply_of(CONTROL_HELLO, sizeof(struct control_hello));

		close(sockets[1]);
		cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets), 0);
		switch (lie) {
		case 0: memset(reply.hello.program, 'x', sizeof(reply.hello.program)); break;
		case 1: memset(reply.hello.script, 'x', sizeof(reply.hello.script)); break;
		case 2: reply.hello.build_id_size = CONTROL_BUILD_ID_MAX + 1; break;
		case 3: reply.hello.state = CONTROL_AT_END + 1; break;
		case 4: reply.header.size--; break;
		}
		send_reply(reply);
		cr_expect_eq(control_client_open_socket(sockets[0], &client, &error), -1, "lie %d", lie);
		expect_error(ERROR_HOST, lie == 4 ? OTHER : "the VM does not identify itself");
	}
}

Test(client, the_hello_is_kept_whole)
{
	struct control_reply reply = reply_of(CONTROL_HELLO, sizeof(struct control_hello));
	struct control_client *client;

	/* The longest strings and build id, and the last state. */
	reply.hello = (struct control_hello){ .pid = 1,
					      .cpus = 2,
					      .state = CONTROL_AT_END,
					      .build_id_size = CONTROL_BUILD_ID_MAX,
					      .memory = 3,
					      .since_ns = 4,
					      .build_id = { [CONTROL_BUILD_ID_MAX - 1] = 5 } };
	memset(reply.hello.program, 'p', sizeof(reply.hello.program) - 1);
	memset(reply.hello.script, 's', sizeof(reply.hello.script) - 1);
	send_reply(reply);
	cr_assert_eq(control_client_open_socket(sockets[0], &client, &error), 0, "%s", error.text);
	cr_expect(!memcmp(control_client_hello(client), &reply.hello, sizeof(reply.hello)));
	control_client_close(client);
	control_client_close(NULL);
}

Test(client, only_the_state_is_refreshed)
{
	struct control_client *client = open_client();
	const struct control_hello before = *control_client_hello(client);
	struct control_reply reply = reply_of(CONTROL_HELLO, sizeof(struct control_hello));

	cr_assert_neq(before.state, CONTROL_AT_END);
	reply.hello = (struct control_hello){ .pid = before.pid + 1,
					      .cpus = before.cpus + 1,
					      .state = CONTROL_AT_END };
	send_reply(reply);
	cr_assert_eq(control_client_refresh(client, &error), 0, "%s", error.text);
	cr_expect_eq(control_client_hello(client)->state, CONTROL_AT_END);
	cr_expect_eq(control_client_hello(client)->cpus, before.cpus);
	cr_expect_eq(control_client_hello(client)->pid, before.pid);
	reply.hello.state = CONTROL_AT_END + 1;
	send_reply(reply);
	cr_assert_eq(control_client_refresh(client, &error), -1);
	cr_expect_eq(control_client_hello(client)->state, CONTROL_AT_END);
	control_client_close(client);
}

/* ---- translations ---- */

Test(client, translations_that_kvm_refuses_are_missing_and_the_view_is_complete)
{
	struct control_client *client = open_client();
	const struct view *view = paused(client);
	struct view_translation translation;

	send_status(CONTROL_TRANSLATE, CONTROL_FAILED);
	cr_expect_eq(view->translate(view->translate_context, 0, 0x1000, &translation), -1);
	cr_expect(control_client_is_complete(client));
	/* No further request: the socket is empty. */
	cr_expect_eq(view->translate(view->translate_context, 0, 0x2000, &translation), -1);
	control_client_close(client);
}

Test(client, a_translation_that_does_not_come_is_an_error)
{
	struct control_client *client = open_client();
	const struct view *view = paused(client);
	struct view_translation translation;

	/* Of two addresses, when one was sent. */
	send_reply(reply_of(CONTROL_TRANSLATE, 2 * sizeof(struct control_translation)));
	cr_expect_eq(view->translate(view->translate_context, 0, 0x1000, &translation), -1);
	cr_expect_not(control_client_is_complete(client));
	/* The next pause asks again, and fails when the server closes. */
	send_reply(reply_of(CONTROL_PAUSE, offsetof(struct control_cpus, cpus)));
	shutdown(sockets[1], SHUT_WR);
	cr_expect_eq(view->translate(view->translate_context, 0, 0x1000, &translation), 0);
	pause_fails(client, ERROR_HOST, ENDED);
	control_client_close(client);
}

Test(client, a_pause_that_expired_is_an_error_and_one_of_a_vm_that_ended_is_not)
{
	struct control_client *client = open_client();
	struct control_pause_time time;

	paused(client);
	send_status(CONTROL_RESUME, CONTROL_EXPIRED);
	cr_expect_eq(control_client_resume(client, &time, &error), -1);
	expect_error(ERROR_HOST,
		     "the VM continued by itself after a pause of 10 s: what was read may be inconsistent");
	shutdown(sockets[1], SHUT_WR);
	cr_expect_eq(control_client_resume(client, &time, &error), 0);
	cr_expect_eq(time.vm_ns, 0);
	control_client_close(client);
}
