/* SPDX-License-Identifier: MIT */
/*
 * Both ends of the control socket: one looks at a VM that another offers; and what each does when the other
 * does not behave.
 */
#define _GNU_SOURCE /* memfd_create */
#include "control/server.h"
#include "fake_vm.h"
#include "control/client.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <poll.h>
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
static char path[64];
static struct fake_vm fake;
static struct control_server *server;
static struct error error;

static void start(void)
{
	cr_assert(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/vm", folder);
	fake_vm_make(&fake);
	cr_assert_eq(control_server_start(path, &fake.vm, &server, &error), 0, "%s", error.text);
}

static void stop(void)
{
	control_server_stop(server);
	cr_expect_eq(access(path, F_OK), -1, "the socket is removed");
	cr_expect_not(fake.is_held);
	cr_expect_not(fake.misused);
	fake_vm_close(&fake);
	rmdir(folder);
}

static struct control_client *attach(void)
{
	struct control_client *client;

	cr_assert_eq(control_client_open(path, &client, &error), 0, "%s", error.text);
	return client;
}

static int raw_connect(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	strcpy(address.sun_path, path);
	cr_assert_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static struct control_request_header request_of(uint16_t type)
{
	return (struct control_request_header){ .magic = CONTROL_MAGIC,
						.version = CONTROL_VERSION,
						.type = type };
}

TestSuite(server, .init = start, .fini = stop);

Test(server, another_sees_memory_registers_and_translations_of_a_paused_vm)
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
	cr_expect_eq(view->translate(view->translate_context, 7, 0x10, &translation), -1, "one CPU is asked");
	cr_assert_eq(control_client_resume(client, &time, &error), 0);
	cr_expect_not(fake.is_held);
	cr_expect_gt(time.vm_ns, 0);
	cr_expect_leq(time.vm_ns, time.client_ns);
	control_client_close(client);
}

Test(server, what_is_asked_while_it_runs_is_answered_in_the_next_pause)
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
	/* Those that are not asked any more leave room for others. */
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

Test(server, pages_that_were_asked_for_stay_as_they_were_when_the_vm_goes_on)
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

Test(server, a_peer_that_goes_away_in_a_pause_ends_it)
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
	/* Never reads an reply. */
	int flood = raw_connect();
	while (send(flood, &request, sizeof(request), MSG_NOSIGNAL | MSG_DONTWAIT) > 0)
		;
	client = attach();
	control_client_close(client);
	close(flood);
	fake_vm_wait_for_release(&fake);
}

Test(server, one_too_many_is_told_so_and_the_others_stay)
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

Test(server, a_vm_at_its_end_is_let_go)
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

Test(server, a_vm_that_ends_in_a_pause_leaves_its_last_moment)
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

Test(server, a_place_that_is_taken_is_refused_and_what_was_left_behind_is_replaced)
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

/* ---- servers that lie ---- */

struct liar {
	int listener, fd;                /* what it passes; -1: nothing */
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
		liar_send(peer, &liar->replies[i], request.type == CONTROL_MEMORY ? liar->fd : -1);
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

Test(server, memory_that_could_be_cut_off_is_refused)
{
	struct liar liar = liar_make();

	liar.fd = memfd_create("unsealed", MFD_CLOEXEC);
	cr_assert_eq(ftruncate(liar.fd, 1 << 20), 0);
	refuses_memory(&liar);
	cr_expect(strstr(error.text, "cannot be"), "%s", error.text);
	close(liar.fd);
}

Test(server, memory_that_is_smaller_than_told_wraps_or_is_not_there_is_refused)
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

Test(server, a_hello_that_is_none_is_refused)
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

Test(server, registers_of_more_cpus_than_there_can_be_are_refused)
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
