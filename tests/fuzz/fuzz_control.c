/* SPDX-License-Identifier: MIT */
/*
 * fuzz_control.c: both ends of the control socket; the input is the other end.
 *
 * Input: a byte, then messages. Even: requests of four connections to a VM; each is a byte with the connection's
 * number, a byte of seconds that pass before, one of its length, and its bytes. Odd: replies of a VM to a client;
 * each is a byte of flags, two of its length, and its bytes.
 */
#define _GNU_SOURCE /* memfd_create */
#include "fuzz.h"

#include "control/requests.h"
#include "control/client.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define PEERS        4
#define MESSAGES_MAX 16
#define MEMORY       0x10000ull

/* ---- requests to a VM ---- */

struct vm {
	bool is_held;
	uint64_t holds;
};

static uint64_t clock_ns;

static uint64_t now_ns(void)
{
	return clock_ns;
}

static void hold(void *context)
{
	struct vm *vm = context;

	fuzz_expect(!vm->is_held);
	vm->is_held = true;
	vm->holds++;
}

static void release(void *context)
{
	struct vm *vm = context;

	fuzz_expect(vm->is_held);
	vm->is_held = false;
}

/* Every fifth hold they fail. */
static int registers(void *context, struct view_cpu cpus[CONTROL_CPUS_MAX])
{
	const struct vm *vm = context;

	fuzz_expect(vm->is_held);
	memset(cpus, 0xaa, CONTROL_CPUS_MAX * sizeof(cpus[0]));
	return vm->holds % 5 == 4 ? -1 : CONTROL_CPUS_MAX;
}

static int translate(void *context, unsigned int cpu, uint64_t gva, struct view_translation *out)
{
	const struct vm *vm = context;

	fuzz_expect(vm->is_held);
	out->valid = gva % 2;
	out->gpa = gva;
	return cpu ? -1 : 0;
}

static size_t take_bytes(struct fuzz_input *input, void *out, size_t size)
{
	if (size > input->left)
		size = input->left;
	memcpy(out, input->at, size);
	input->at += size;
	input->left -= size;
	return size;
}

static void expect_consistent(const struct vm *vm, const struct control_vm_state *state,
			      const struct control_connection connections[PEERS])
{
	unsigned int pausing = 0;

	for (int i = 0; i < PEERS; i++)
		pausing += connections[i].pauses;
	fuzz_expect(pausing == state->pausing);
	fuzz_expect(vm->is_held == (pausing > 0));
}

static void handle_requests(struct fuzz_input *input)
{
	static struct control_reply reply;
	struct control_connection connections[PEERS] = { 0 };
	struct vm fake = { 0 };
	const struct control_vm vm = {
		.context = &fake,
		.hold = hold,
		.release = release,
		.registers = registers,
		.translate = translate,
		.memory = { .region_count = CONTROL_REGIONS_MAX, .fd_count = 1 },
	};
	struct control_vm_state state = { .vm = &vm };

	while (input->left) {
		uint64_t who = fuzz_number(input, 1);
		struct control_connection *connection = &connections[who % PEERS];
		uint8_t datagram[4096];
		enum control_action what;
		size_t size;

		clock_ns += fuzz_number(input, 1) * 1000000000ull;
		size = take_bytes(input, datagram, fuzz_number(input, 1) * (who & 0x40 ? 9 : 1));
		state.at_end = who & 0x80;
		for (int i = 0; i < PEERS; i++) {
			control_pause_expire(&state, &connections[i], clock_ns);
			fuzz_expect(control_pause_deadline(&connections[i]) > clock_ns);
		}
		what = control_handle_request(&state, connection, datagram, size, now_ns, &reply);
		fuzz_expect(reply.header.magic == CONTROL_MAGIC);
		fuzz_expect(reply.header.size <= sizeof(reply) - sizeof(reply.header));
		fuzz_expect(reply.header.status == CONTROL_OK || !reply.header.size);
		if (what == CONTROL_SEND_CLOSE) {
			control_disconnect(&state, connection);
			*connection = (struct control_connection){ 0 };
		}
		expect_consistent(&fake, &state, connections);
	}
	for (int i = 0; i < PEERS; i++)
		control_disconnect(&state, &connections[i]);
	fuzz_expect(!fake.is_held);
}

/* ---- replies of a VM ---- */

enum {
	REPLY_HEADER = 1, /* a valid header precedes the bytes; its type is in the upper bits */
	REPLY_FD = 2,     /* a descriptor of memory comes with it */
	REPLY_SECOND_FD = 4,
	REPLY_UNSEALED = 8, /* that memory could be truncated */
};

static int sealed, unsealed;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	sealed = memfd_create("sealed", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	unsealed = memfd_create("unsealed", MFD_CLOEXEC);
	fuzz_expect(sealed >= 0 && ftruncate(sealed, MEMORY) == 0);
	fuzz_expect(unsealed >= 0 && ftruncate(unsealed, MEMORY) == 0);
	fuzz_expect(fcntl(sealed, F_ADD_SEALS, F_SEAL_SHRINK) == 0);
	return 0;
}

static void send_reply(int socket, uint64_t flags, struct control_reply *reply, size_t size)
{
	const int fds[2] = { flags & REPLY_UNSEALED ? unsealed : sealed, sealed };
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(fds))] = { 0 };
	size_t fds_size = flags & REPLY_SECOND_FD ? sizeof(fds) : sizeof(fds[0]);
	struct iovec bytes = { reply, size };
	struct msghdr message = { .msg_iov = &bytes, .msg_iovlen = 1 };
	struct cmsghdr *part;

	if (flags & REPLY_FD) {
		message.msg_control = control;
		message.msg_controllen = CMSG_SPACE(fds_size);
		part = CMSG_FIRSTHDR(&message);
		part->cmsg_level = SOL_SOCKET;
		part->cmsg_type = SCM_RIGHTS;
		part->cmsg_len = CMSG_LEN(fds_size);
		memcpy(CMSG_DATA(part), fds, fds_size);
	}
	sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* All replies are in the socket before the first request, so that no call blocks. */
static void send_replies(int socket, struct fuzz_input *input)
{
	static struct control_reply reply;

	for (int i = 0; i < MESSAGES_MAX && input->left; i++) {
		uint64_t flags = fuzz_number(input, 1);
		size_t size = fuzz_number(input, 2);

		memset(&reply, 0, sizeof(reply));
		if (!(flags & REPLY_HEADER)) {
			size = take_bytes(input, &reply, size < sizeof(reply) ? size : sizeof(reply));
			send_reply(socket, flags, &reply, size);
			continue;
		}
		/* As long as it says, with zeros where the input has ended. */
		if (size > sizeof(reply) - sizeof(reply.header))
			size = sizeof(reply) - sizeof(reply.header);
		take_bytes(input, &reply.hello, size);
		reply.header = (struct control_reply_header){
			.magic = CONTROL_MAGIC,
			.version = CONTROL_VERSION,
			.type = (uint16_t)(flags >> 4),
			.size = (uint32_t)size,
		};
		send_reply(socket, flags, &reply, sizeof(reply.header) + size);
	}
}

/* All of it is there. */
static void read_memory(const struct view *view)
{
	for (unsigned int i = 0; i < view->region_count; i++) {
		const struct view_region *region = &view->regions[i];
		const volatile uint8_t *bytes = region->bytes;

		fuzz_expect(region->size <= MEMORY);
		for (uint64_t offset = 0; offset < region->size; offset += 0x1000)
			(void)bytes[offset];
	}
}

static void inspect(struct control_client *client)
{
	struct view_translation translation;
	struct control_pause_time time;
	const struct view *view = NULL;
	struct error error;

	fuzz_expect(memchr(control_client_hello(client)->script, 0,
			   sizeof(control_client_hello(client)->script)));
	fuzz_expect(control_client_hello(client)->build_id_size <= CONTROL_BUILD_ID_MAX);
	if (control_client_map(client, &error) < 0 || control_client_pause(client, &view, &error) < 0)
		return;
	fuzz_expect(view->cpu_count <= CONTROL_CPUS_MAX);
	fuzz_expect(view->physical_bits >= 32 && view->physical_bits <= 52);
	read_memory(view);
	view->translate(view->translate_context, 0, 0x1000, &translation);
	control_client_resume(client, &time, &error);
	for (uint64_t gva = 0; gva < 2 * CONTROL_ADDRESSES_MAX; gva++)
		view->translate(view->translate_context, 0, gva, &translation);
	control_client_pause(client, &view, &error);
	control_client_end_hold(client, &error);
}

static void inspect_liar(struct fuzz_input *input)
{
	struct control_client *client;
	struct error error;
	int sockets[2];

	fuzz_expect(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) == 0);
	send_replies(sockets[1], input);
	shutdown(sockets[1], SHUT_WR);
	if (control_client_open_socket(sockets[0], &client, &error) == 0) {
		inspect(client);
		control_client_close(client);
	}
	close(sockets[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { data, size };

	if (fuzz_number(&input, 1) % 2)
		inspect_liar(&input);
	else
		handle_requests(&input);
	return 0;
}
