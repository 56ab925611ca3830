/* SPDX-License-Identifier: MIT */
/*
 * The inspecting end of the control socket, and servers that lie to it, refuse, or end.
 */
#define _GNU_SOURCE /* memfd_create */
#include "control/client.h"
#include "control/protocol.h"
#include "no_memory.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
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

TestSuite(client, .init = start, .fini = stop);

struct liar {
	int listener, fd;                /* what it passes; -1: nothing */
	bool pass_always;                /* also with replies to which nothing belongs */
	struct control_reply replies[4]; /* to the first requests; then it hangs up */
	pthread_t thread;
};

static void liar_send(int peer, const struct control_reply *reply, int fd)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(fd))] = { 0 };
	struct iovec bytes = { (void *)reply, sizeof(reply->header) + reply->header.size };
	struct msghdr message = { .msg_iov = &bytes, .msg_iovlen = 1 };

	if (fd >= 0) {
		message.msg_control = control;
		message.msg_controllen = sizeof(control);
		*CMSG_FIRSTHDR(&message) = (struct cmsghdr){ CMSG_LEN(sizeof(fd)), SOL_SOCKET, SCM_RIGHTS };
		memcpy(CMSG_DATA(CMSG_FIRSTHDR(&message)), &fd, sizeof(fd));
	}
	sendmsg(peer, &message, MSG_NOSIGNAL);
}

static void *liar_main(void *argument)
{
	struct liar *liar = argument;
	struct control_request_header request;
	int peer = accept(liar->listener, NULL, NULL);

	for (int i = 0; i < 4 && liar->replies[i].header.magic; i++) {
		if (recv(peer, &request, sizeof(request), 0) <= 0)
			break;
		liar_send(peer, &liar->replies[i],
			  liar->pass_always || request.type == CONTROL_MEMORY ? liar->fd : -1);
	}
	close(peer);
	return NULL;
}

static struct control_reply answer_of(uint16_t type, uint32_t size)
{
	struct control_reply reply;

	memset(&reply, 0, sizeof(reply));
	reply.header =
		(struct control_reply_header){ CONTROL_MAGIC, CONTROL_VERSION, type, CONTROL_OK, size };
	return reply;
}

static void liar_start(struct liar *liar, char *at)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	sprintf(at, "%s/liar", folder);
	strcpy(address.sun_path, at);
	liar->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	cr_assert_eq(bind(liar->listener, (struct sockaddr *)&address, sizeof(address)), 0);
	cr_assert_eq(listen(liar->listener, 1), 0);
	pthread_create(&liar->thread, NULL, liar_main, liar);
}

static void liar_stop(struct liar *liar, const char *at)
{
	pthread_join(liar->thread, NULL);
	close(liar->listener);
	unlink(at);
}

static struct liar liar_make(void)
{
	struct liar liar = { .fd = -1 };

	liar.replies[0] = answer_of(CONTROL_HELLO, sizeof(struct control_hello));
	liar.replies[1] = answer_of(CONTROL_MEMORY, sizeof(uint32_t) * 4 + sizeof(struct control_region));
	liar.replies[1].memory = (struct control_memory){
		.region_count = 1,
		.fd_count = 1,
		.physical_bits = 40,
		.regions = { { .size = 1 << 20 } },
	};
	return liar;
}

/* Its memory is not mapped; with why. */
static void refuses_memory(struct liar *liar)
{
	struct control_client *client;
	char at[80];

	liar_start(liar, at);
	cr_assert_eq(control_client_open(at, &client, &error), 0, "%s", error.text);
	cr_expect_eq(control_client_map(client, &error), -1);
	control_client_close(client);
	liar_stop(liar, at);
}

Test(client, memory_that_could_be_cut_off_is_refused)
{
	struct liar liar = liar_make();

	liar.fd = memfd_create("unsealed", MFD_CLOEXEC);
	cr_assert_eq(ftruncate(liar.fd, 1 << 20), 0);
	refuses_memory(&liar);
	cr_expect(strstr(error.text, "cannot be"), "%s", error.text);
	close(liar.fd);
}

Test(client, memory_that_is_smaller_than_told_wraps_or_is_not_there_is_refused)
{
	struct liar liar = liar_make();

	refuses_memory(&liar);
	liar.fd = memfd_create("small", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	cr_assert_eq(ftruncate(liar.fd, 1 << 16), 0);
	cr_assert_eq(fcntl(liar.fd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
	refuses_memory(&liar);
	liar.replies[1].memory.regions[0] = (struct control_region){ .gpa = -4096ull, .size = 8192 };
	refuses_memory(&liar);
	liar.replies[1].memory.regions[0] = (struct control_region){ .size = 4096, .offset = -4096ull };
	refuses_memory(&liar);
	liar.replies[1].memory.regions[0] = (struct control_region){ .size = 4096, .fd = 1 };
	refuses_memory(&liar);
	liar.replies[1].memory.region_count = ~0u;
	refuses_memory(&liar);
	close(liar.fd);
}

Test(client, a_hello_that_is_none_is_refused)
{
	struct control_client *client;
	struct liar liar;
	char at[80];

	for (int lie = 0; lie < 4; lie++) {
		liar = liar_make();
		switch (lie) {
		case 0:
			memset(liar.replies[0].hello.program, 'x', sizeof(liar.replies[0].hello.program));
			break;
		case 1: liar.replies[0].hello.build_id_size = 21; break;
		case 2: liar.replies[0].header.size--; break;
		case 3: liar.replies[0].hello.state = 17; break;
		}
		liar_start(&liar, at);
		cr_expect_eq(control_client_open(at, &client, &error), -1);
		liar_stop(&liar, at);
	}
}

Test(client, registers_of_more_cpus_than_there_can_be_are_refused)
{
	struct liar liar = liar_make();
	struct control_client *client;
	const struct view *view;
	char at[80];

	liar.replies[1] = answer_of(CONTROL_PAUSE, 8);
	liar.replies[1].cpus.count = 0x10000000;
	liar_start(&liar, at);
	cr_assert_eq(control_client_open(at, &client, &error), 0);
	cr_expect_eq(control_client_pause(client, &view, &error), -1);
	control_client_close(client);
	liar_stop(&liar, at);
}

/* The client's pause is answered with a status; what the client says of it. */
static void pause_is_answered(uint32_t status, const char *sentence)
{
	struct liar liar = liar_make();
	struct control_client *client;
	const struct view *view;
	char at[80];

	liar.replies[1] = answer_of(CONTROL_PAUSE, 0);
	liar.replies[1].header.status = status;
	liar_start(&liar, at);
	cr_assert_eq(control_client_open(at, &client, &error), 0);
	cr_expect_eq(control_client_pause(client, &view, &error), -1);
	cr_expect(strstr(error.text, sentence), "status %u: \"%s\" has no \"%s\"", status, error.text,
		  sentence);
	control_client_close(client);
	liar_stop(&liar, at);
}

Test(client, each_refusal_has_a_sentence)
{
	pause_is_answered(CONTROL_BAD_REQUEST, "another version of kvmap");
	pause_is_answered(CONTROL_DENIED, "another user");
	pause_is_answered(CONTROL_BUSY, "try again");
	pause_is_answered(CONTROL_NOT_PAUSED, "is not paused");
	pause_is_answered(CONTROL_EXPIRED, "after 10 s of pause");
	pause_is_answered(CONTROL_NOT_HELD, "--hold");
	pause_is_answered(CONTROL_FAILED, "KVM refused");
	pause_is_answered(0xffffffff, "KVM refused");
}

Test(client, memory_that_is_too_much_or_not_addressable_is_refused)
{
	struct liar liar = liar_make();

	liar.fd = memfd_create("sealed", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	cr_assert_eq(ftruncate(liar.fd, 1 << 20), 0);
	cr_assert_eq(fcntl(liar.fd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
	liar.replies[1].memory.physical_bits = 53;
	refuses_memory(&liar);
	liar.replies[1].memory.physical_bits = 31;
	refuses_memory(&liar);
	liar.replies[1].memory.physical_bits = 40;
	liar.replies[1].memory.pages_1g = 2;
	refuses_memory(&liar);
	liar.replies[1].memory.pages_1g = 0;
	/* The same addresses twice. */
	liar.replies[1].memory.region_count = 2;
	liar.replies[1].header.size += sizeof(struct control_region);
	liar.replies[1].memory.regions[1] = liar.replies[1].memory.regions[0];
	refuses_memory(&liar);
	cr_expect(strstr(error.text, "the VM's memory: "), "%s", error.text);
	close(liar.fd);
}

Test(client, descriptors_that_were_not_asked_for_are_closed)
{
	struct liar liar = liar_make();
	struct control_client *client;
	const struct view *view;
	int ends[2];
	char at[80], byte;

	cr_assert_eq(pipe(ends), 0);
	liar.fd = ends[1];
	liar.pass_always = true;
	liar.replies[1] = answer_of(CONTROL_PAUSE, 8);
	liar.replies[1].cpus.count = VIEW_CPUS_MAX + 1;
	liar_start(&liar, at);
	cr_assert_eq(control_client_open(at, &client, &error), 0, "%s", error.text);
	cr_expect_eq(control_client_pause(client, &view, &error), -1);
	liar_stop(&liar, at);
	close(ends[1]);
	cr_expect_eq(read(ends[0], &byte, 1), 0, "nobody has the other end any more");
	control_client_close(client);
	close(ends[0]);
}

Test(client, a_server_that_hangs_up_is_a_vm_that_ended)
{
	struct liar liar = liar_make();
	struct control_client *client;
	struct control_pause_time time;
	const struct view *view;
	char at[80];

	liar.replies[1].header.magic = 0;
	liar_start(&liar, at);
	cr_assert_eq(control_client_open(at, &client, &error), 0);
	cr_expect_eq(control_client_map(client, &error), -1);
	cr_expect(strstr(error.text, "ended"), "%s", error.text);
	liar_stop(&liar, at);
	cr_expect_eq(control_client_pause(client, &view, &error), -1);
	cr_expect_eq(control_client_end_hold(client, &error), -1);
	cr_expect_eq(control_client_resume(client, &time, &error), 0, "a VM that ended is paused by nobody");
	control_client_close(client);
}

Test(client, a_socket_that_cannot_be_one_of_kvmap_is_refused)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int listener = socket(AF_UNIX, SOCK_STREAM, 0);
	struct control_client *client;
	char at[200];

	sprintf(at, "%s/%0150d", folder, 0);
	cr_expect_eq(control_client_open(at, &client, &error), -1);
	cr_expect(strstr(error.text, "longer than 107 bytes"), "%s", error.text);
	sprintf(at, "%s/stream", folder);
	strcpy(address.sun_path, at);
	cr_assert_eq(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
	cr_assert_eq(listen(listener, 1), 0);
	cr_expect_eq(control_client_open(at, &client, &error), -1);
	cr_expect(strstr(error.text, "not a socket of kvmap"), "%s", error.text);
	close(listener);
	cr_expect_eq(control_client_open(at, &client, &error), -1);
	unlink(at);
	cr_expect_eq(control_client_open(at, &client, &error), -1);
	cr_expect_eq(error.errnum, ENOENT);
}

Test(client, memory_that_runs_out_is_an_error)
{
	int ends[2];
	struct control_client *client;

	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
	no_memory_at(1);
	cr_expect_eq(control_client_open_socket(ends[0], &client, &error), -1);
	cr_expect(no_memory_failed());
	cr_expect(strstr(error.text, "out of memory"), "%s", error.text);
	cr_expect_eq(fcntl(ends[0], F_GETFD), -1, "the socket is closed");
	close(ends[1]);
}
