/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* memfd_create */
#include "peer.h"

#include "errors.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

int sockets[2];
int memory;
struct error error;

void peer_start(void)
{
	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets), 0);
	memory = memfd_create("memory", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	cr_assert_eq(ftruncate(memory, MEMORY), 0);
	cr_assert_eq(fcntl(memory, F_ADD_SEALS, F_SEAL_SHRINK), 0);
	error = (struct error){ 0 };
}

void peer_end(void)
{
	close(sockets[1]);
	close(memory);
}

/* Sends `size` bytes of the reply with `count` descriptors. */
void send_bytes(const struct control_reply *reply, size_t size, const int *fds, size_t count)
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

void send_reply(struct control_reply reply)
{
	send_bytes(&reply, sizeof(reply.header) + reply.header.size, NULL, 0);
}

struct control_reply reply_of(uint16_t type, uint32_t size)
{
	struct control_reply reply;

	memset(&reply, 0, sizeof(reply));
	reply.header =
		(struct control_reply_header){ CONTROL_MAGIC, CONTROL_VERSION, type, CONTROL_OK, size };
	return reply;
}

struct control_reply memory_reply(void)
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

void send_status(uint16_t type, uint32_t status)
{
	struct control_reply reply = reply_of(type, 0);

	reply.header.status = status;
	send_reply(reply);
}

/* The client after a valid hello. */
struct control_client *open_client(void)
{
	struct control_client *client;

	send_reply(reply_of(CONTROL_HELLO, sizeof(struct control_hello)));
	cr_assert_eq(control_client_open_socket(sockets[0], &client, &error), 0, "%s", error.text);
	return client;
}

void expect_error(enum error_kind kind, const char *text)
{
	expect_whole_error(&error, kind, 0, 0, text);
}

void pause_fails(struct control_client *client, enum error_kind kind, const char *text)
{
	const struct view *view = NULL;

	cr_expect_eq(control_client_pause(client, &view, &error), -1);
	cr_expect_null(view);
	expect_error(kind, text);
}

/* A pause of a VM without CPUs, whose memory was mapped. */
const struct view *paused(struct control_client *client)
{
	struct control_reply reply = memory_reply();
	const struct view *view;

	send_bytes(&reply, sizeof(reply.header) + reply.header.size, &memory, 1);
	cr_assert_eq(control_client_map(client, &error), 0, "%s", error.text);
	send_reply(reply_of(CONTROL_PAUSE, offsetof(struct control_cpus, cpus)));
	cr_assert_eq(control_client_pause(client, &view, &error), 0, "%s", error.text);
	return view;
}
