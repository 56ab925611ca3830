/* SPDX-License-Identifier: MIT */
/*
 * The client of the control socket, with servers that lie, fail or keep silent. All replies are in the socket
 * before the client's first request.
 */
#define _GNU_SOURCE /* memfd_create */
#include "descriptors.h"
#include "control/client.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define MEMORY (64ull << 12)
static int sockets[2]; /* the client's, the server's */
static int memory;     /* a file that the client accepts */
static struct error error;

static void begin(void)
{
	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets), 0);
	memory = memfd_create("memory", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	cr_assert_eq(ftruncate(memory, MEMORY), 0);
	cr_assert_eq(fcntl(memory, F_ADD_SEALS, F_SEAL_SHRINK), 0);
	error = (struct error){ 0 };
}

static void finish(void)
{
	close(sockets[1]);
	close(memory);
}

TestSuite(client, .init = begin, .fini = finish);

/* Sends `size` bytes of the reply with `count` descriptors. */
static void send_bytes(const struct control_reply *reply, size_t size, const int *fds, size_t count)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(32 * sizeof(int))] = { 0 };
	struct iovec bytes = { (void *)reply, size };
	struct msghdr message = { .msg_iov = &bytes, .msg_iovlen = 1 };

	if (count) {
		message.msg_control = control;
		message.msg_controllen = CMSG_SPACE(count * sizeof(int));
		*CMSG_FIRSTHDR(&message) =
			(struct cmsghdr){ CMSG_LEN(count * sizeof(int)), SOL_SOCKET, SCM_RIGHTS };
		memcpy(CMSG_DATA(CMSG_FIRSTHDR(&message)), fds, count * sizeof(int));
	}
	cr_assert_eq(sendmsg(sockets[1], &message, MSG_NOSIGNAL), (ssize_t)size);
}

static void send_reply(struct control_reply reply)
{
	send_bytes(&reply, sizeof(reply.header) + reply.header.size, NULL, 0);
}

static struct control_reply reply_of(uint16_t type, uint32_t size)
{
	struct control_reply reply;

	memset(&reply, 0, sizeof(reply));
	reply.header =
		(struct control_reply_header){ CONTROL_MAGIC, CONTROL_VERSION, type, CONTROL_OK, size };
	return reply;
}

static struct control_reply memory_reply(void)
{
	struct control_reply reply =
		reply_of(CONTROL_MEMORY, sizeof(uint32_t) * 4 + sizeof(struct control_region));

	reply.memory = (struct control_memory){
		.region_count = 1,
		.fd_count = 1,
		.physical_bits = 40,
		.regions = { { .gpa = 0x10000, .size = MEMORY } },
	};
	return reply;
}

static void send_status(uint16_t type, uint32_t status)
{
	struct control_reply reply = reply_of(type, 0);

	reply.header.status = status;
	send_reply(reply);
}

/* The client after a valid hello. */
static struct control_client *open_client(void)
{
	struct control_client *client;

	send_reply(reply_of(CONTROL_HELLO, sizeof(struct control_hello)));
	cr_assert_eq(control_client_open_socket(sockets[0], &client, &error), 0, "%s", error.text);
	return client;
}

static void expect_error(enum error_kind kind, const char *text)
{
	cr_expect_eq(error.kind, kind, "%s", error.text);
	cr_expect(strstr(error.text, text), "expected '%s', found '%s'", text, error.text);
	cr_expect_null(strchr(error.text, '\n'));
}

static void pause_fails(struct control_client *client, enum error_kind kind, const char *text)
{
	const struct view *view = NULL;

	cr_expect_eq(control_client_pause(client, &view, &error), -1);
	cr_expect_null(view);
	expect_error(kind, text);
}

/* A pause of a VM without CPUs, whose memory was mapped. */
static const struct view *paused(struct control_client *client)
{
	struct control_reply reply = memory_reply();
	const struct view *view;

	send_bytes(&reply, sizeof(reply.header) + reply.header.size, &memory, 1);
	cr_assert_eq(control_client_map(client, &error), 0, "%s", error.text);
	send_reply(reply_of(CONTROL_PAUSE, offsetof(struct control_cpus, cpus)));
	cr_assert_eq(control_client_pause(client, &view, &error), 0, "%s", error.text);
	return view;
}

/* ---- replies ---- */

Test(client, every_status_is_an_error_of_its_own)
{
	static const struct {
		uint32_t status;
		enum error_kind kind;
		const char *text;
	} cases[] = {
		{ CONTROL_BAD_REQUEST, ERROR_HOST, "another version of kvmap" },
		{ CONTROL_DENIED, ERROR_PERMISSION, "belongs to another user" },
		{ CONTROL_BUSY, ERROR_HOST, "too many" },
		{ CONTROL_NOT_PAUSED, ERROR_HOST, "not paused" },
		{ CONTROL_EXPIRED, ERROR_HOST, "10 s" },
		{ CONTROL_NOT_HELD, ERROR_INPUT, "--hold" },
		{ CONTROL_FAILED, ERROR_HOST, "KVM failed" },
		{ 4711, ERROR_HOST, "KVM failed" },
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
	pause_fails(client, ERROR_HOST, "not of this version of kvmap");
	reply = reply_of(CONTROL_PAUSE, offsetof(struct control_cpus, cpus));
	reply.header.version++;
	send_reply(reply);
	pause_fails(client, ERROR_HOST, "not of this version of kvmap");
	/* Shorter than a header, and of another length than the header says. */
	reply = reply_of(CONTROL_PAUSE, offsetof(struct control_cpus, cpus));
	send_bytes(&reply, sizeof(reply.header) - 1, NULL, 0);
	pause_fails(client, ERROR_HOST, "not of this version of kvmap");
	send_bytes(&reply, sizeof(reply.header) + reply.header.size - 1, NULL, 0);
	pause_fails(client, ERROR_HOST, "not of this version of kvmap");
	send_bytes(&reply, sizeof(reply.header) + reply.header.size + 1, NULL, 0);
	pause_fails(client, ERROR_HOST, "not of this version of kvmap");
	control_client_close(client);
}

Test(client, a_reply_to_another_request_or_of_another_size_is_refused)
{
	struct control_client *client = open_client();

	send_reply(reply_of(CONTROL_RESUME, offsetof(struct control_cpus, cpus)));
	pause_fails(client, ERROR_HOST, "not to the request");
	send_reply(reply_of(CONTROL_PAUSE, 0));
	pause_fails(client, ERROR_HOST, "not to the request");
	send_reply(reply_of(CONTROL_PAUSE, sizeof(struct control_memory)));
	pause_fails(client, ERROR_HOST, "not to the request");
	control_client_close(client);
}

Test(client, registers_of_more_cpus_than_there_can_be_are_refused)
{
	static const uint32_t counts[] = { 1, CONTROL_CPUS_MAX, CONTROL_CPUS_MAX + 1, UINT32_MAX };
	struct control_client *client = open_client();

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		struct control_reply reply = reply_of(CONTROL_PAUSE, offsetof(struct control_cpus, cpus));

		reply.cpus.count = counts[i];
		send_reply(reply);
		pause_fails(client, ERROR_HOST, "registers");
	}
	control_client_close(client);
}

Test(client, a_server_that_closes_is_a_vm_that_ended)
{
	struct control_client *client = open_client();

	shutdown(sockets[1], SHUT_WR);
	pause_fails(client, ERROR_HOST, "ended");
	close(sockets[1]);
	pause_fails(client, ERROR_HOST, "ended");
	control_client_close(client);
}

Test(client, a_server_that_closes_says_why_first)
{
	struct control_client *client = open_client();

	send_status(0, CONTROL_BUSY);
	close(sockets[1]);
	pause_fails(client, ERROR_HOST, "too many");
	control_client_close(client);
}

Test(client, a_server_that_keeps_silent_is_an_error)
{
	struct control_client *client = open_client();
	const struct timeval soon = { .tv_usec = 1 };

	cr_assert_eq(setsockopt(sockets[0], SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof(soon)), 0);
	pause_fails(client, ERROR_HOST, "does not answer");
	control_client_close(client);
}

Test(client, a_server_that_reads_no_requests_is_an_error)
{
	struct control_client *client = open_client();
	const struct timeval soon = { .tv_usec = 1 };

	cr_assert_eq(setsockopt(sockets[0], SOL_SOCKET, SO_SNDTIMEO, &soon, sizeof(soon)), 0);
	while (send(sockets[0], "x", 1, MSG_DONTWAIT) > 0)
		;
	pause_fails(client, ERROR_HOST, "does not answer");
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
		expect_error(ERROR_HOST, lie == 4 ? "not to the request" : "identify itself");
	}
}

/* ---- memory ---- */

/* The client refuses this memory; `fd` -1: without a descriptor. */
static void expect_memory_refused(struct control_reply reply, int fd, const char *text)
{
	struct control_client *client;

	close(sockets[1]);
	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets), 0);
	client = open_client();
	send_bytes(&reply, sizeof(reply.header) + reply.header.size, &fd, fd >= 0);
	cr_expect_eq(control_client_map(client, &error), -1, "mapped, although: %s", text);
	expect_error(ERROR_HOST, text);
	control_client_close(client);
}

Test(client, memory_that_the_server_could_truncate_is_refused)
{
	int unsealed = memfd_create("unsealed", MFD_CLOEXEC);
	int ends[2];

	cr_assert_eq(ftruncate(unsealed, MEMORY), 0);
	expect_memory_refused(memory_reply(), unsealed, "not in its file");
	cr_assert_eq(pipe(ends), 0);
	expect_memory_refused(memory_reply(), ends[0], "not in its file");
	expect_memory_refused(memory_reply(), -1, "not in its file");
	close(ends[0]);
	close(ends[1]);
	close(unsealed);
}

Test(client, memory_of_huge_pages_is_refused)
{
	int huge = memfd_create("huge", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_HUGETLB);

	if (huge < 0)
		cr_skip_test("no huge pages");
	cr_assert_eq(ftruncate(huge, 2 << 20), 0);
	cr_assert_eq(fcntl(huge, F_ADD_SEALS, F_SEAL_SHRINK), 0);
	expect_memory_refused(memory_reply(), huge, "not in its file");
	close(huge);
}

Test(client, more_memory_than_a_guest_has_is_refused)
{
	struct control_reply reply = memory_reply();

	cr_assert_eq(ftruncate(memory, 32ll << 40), 0);
	reply.memory.regions[0].size = 32ull << 40;
	expect_memory_refused(reply, memory, "not in its file");
	reply = memory_reply();
	reply.memory.region_count = 2;
	reply.header.size = offsetof(struct control_memory, regions) + 2 * sizeof(struct control_region);
	reply.memory.regions[0].gpa = 0;
	reply.memory.regions[0].size = 64ull << 30;
	reply.memory.regions[1] = (struct control_region){ .gpa = 64ull << 30, .size = 4096 };
	expect_memory_refused(reply, memory, "more than a guest of kvmap has");
}

Test(client, regions_that_are_not_in_the_file_are_refused)
{
	static const struct control_region regions[] = {
		{ .size = MEMORY + 4096 },
		{ .size = 4096, .offset = MEMORY },
		{ .size = 4096, .offset = -4096ull },
		{ .size = MEMORY, .offset = 4096 },
		{ .size = 0 },
		{ .size = 4095 },
		{ .size = 4096, .offset = 8 },
		{ .size = 4096, .fd = 1 },
		{ .size = 4096, .fd = UINT32_MAX },
	};

	for (size_t i = 0; i < sizeof(regions) / sizeof(regions[0]); i++) {
		struct control_reply reply = memory_reply();

		reply.memory.regions[0] = regions[i];
		expect_memory_refused(reply, memory, "not in its file");
	}
}

Test(client, regions_that_no_guest_has_are_refused)
{
	static const struct control_region second[] = {
		{ .gpa = 0x10000, .size = 4096 },  /* overlaps the first */
		{ .gpa = 0x100008, .size = 4096 }, /* not aligned */
		{ .gpa = -4096ull, .size = 8192 }, /* wraps */
	};

	for (size_t i = 0; i < sizeof(second) / sizeof(second[0]); i++) {
		struct control_reply reply = memory_reply();

		reply.header.size += sizeof(second[0]);
		reply.memory.region_count = 2;
		reply.memory.regions[1] = second[i];
		expect_memory_refused(reply, memory, "the VM's memory: ");
	}
}

Test(client, the_view_is_as_the_description_of_memory)
{
	struct control_client *client = open_client();
	struct control_reply reply = memory_reply();
	const struct view *view;

	reply.memory.pages_1g = 1;
	send_bytes(&reply, sizeof(reply.header) + reply.header.size, &memory, 1);
	cr_assert_eq(control_client_map(client, &error), 0, "%s", error.text);
	send_reply(reply_of(CONTROL_PAUSE, offsetof(struct control_cpus, cpus)));
	cr_assert_eq(control_client_pause(client, &view, &error), 0, "%s", error.text);
	cr_expect(view->pages_1g);
	cr_expect_eq(view->physical_bits, 40);
	control_client_close(client);
}

Test(client, a_description_of_memory_that_cannot_be_is_refused)
{
	struct control_reply reply;

	reply = memory_reply();
	reply.memory.region_count = 0;
	expect_memory_refused(reply, memory, "describe its memory");
	reply = memory_reply();
	reply.memory.region_count = 2;
	expect_memory_refused(reply, memory, "describe its memory");
	reply = memory_reply();
	reply.memory.region_count = UINT32_MAX;
	expect_memory_refused(reply, memory, "describe its memory");
	reply = memory_reply();
	reply.memory.physical_bits = 31;
	expect_memory_refused(reply, memory, "describe its memory");
	reply.memory.physical_bits = 53;
	expect_memory_refused(reply, memory, "describe its memory");
	reply = memory_reply();
	reply.memory.pages_1g = 2;
	expect_memory_refused(reply, memory, "describe its memory");
}

/* ---- descriptors ---- */

Test(client, descriptors_that_no_request_wants_are_closed)
{
	const int fds[] = { memory, memory, memory };
	struct control_client *client = open_client();
	unsigned int before = open_descriptors();
	struct control_reply reply = reply_of(CONTROL_PAUSE, offsetof(struct control_cpus, cpus));
	const struct view *view;

	send_bytes(&reply, sizeof(reply.header) + reply.header.size, fds, 3);
	cr_assert_eq(control_client_pause(client, &view, &error), 0, "%s", error.text);
	cr_expect_eq(open_descriptors(), before);
	control_client_close(client);
}

Test(client, more_descriptors_than_it_takes_are_not_left_open)
{
	unsigned int before = open_descriptors();
	struct control_client *client = open_client();
	struct control_reply reply = memory_reply();
	int fds[20];

	for (int i = 0; i < 20; i++)
		fds[i] = memory;
	send_bytes(&reply, sizeof(reply.header) + reply.header.size, fds, 20);
	send_bytes(&reply, sizeof(reply.header) + reply.header.size, fds, 8);
	cr_expect_eq(control_client_map(client, &error), 0, "%s", error.text);
	cr_expect_leq(open_descriptors(), before + CONTROL_FDS_MAX);
	/* The second reply overlaps the first; its descriptors find no room. */
	cr_expect_eq(control_client_map(client, &error), -1);
	cr_expect_leq(open_descriptors(), before + CONTROL_FDS_MAX);
	control_client_close(client);
	cr_expect_eq(open_descriptors(), before - 1, "the client's socket is closed too");
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
	pause_fails(client, ERROR_HOST, "ended");
	control_client_close(client);
}

Test(client, a_pause_that_expired_is_an_error_and_one_of_a_vm_that_ended_is_not)
{
	struct control_client *client = open_client();
	struct control_pause_time time;

	paused(client);
	send_status(CONTROL_RESUME, CONTROL_EXPIRED);
	cr_expect_eq(control_client_resume(client, &time, &error), -1);
	expect_error(ERROR_HOST, "inconsistent");
	shutdown(sockets[1], SHUT_WR);
	cr_expect_eq(control_client_resume(client, &time, &error), 0);
	cr_expect_eq(time.vm_ns, 0);
	control_client_close(client);
}
