/* SPDX-License-Identifier: MIT */
/*
 * client.c: the client side of the control socket.
 */
#define _GNU_SOURCE /* F_GET_SEALS, MSG_CMSG_CLOEXEC */
#include "control/client.h"

#include "base/clock.h"
#include "base/page.h"
#include "control/socket_path.h"
#include "machine/machine.h"
#include "view/snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

/* Time limit of one reply. A server needs some milliseconds, also to stop its vCPUs. */
#define REPLY_TIMEOUT_SECONDS 5

/* Bytes that a guest may touch between the map and the last pause; see bound_data_size(). */
#define MEMORY_SLACK (64ull << 20)

/* Addresses to translate by KVM, and the translations of the last pause. */
struct translations {
	unsigned int cpu; /* all addresses are of this vCPU */
	unsigned int count;
	unsigned int answered; /* the first `answered` addresses have an answer */
	bool refused;          /* KVM_TRANSLATE failed */
	uint64_t addresses[CONTROL_ADDRESSES_MAX];
	struct control_translation answers[CONTROL_ADDRESSES_MAX];
	bool used[CONTROL_ADDRESSES_MAX]; /* translated since the last pause */
};

struct control_client {
	int socket;
	bool paused;
	uint64_t paused_at;
	struct snapshot snapshot;
	struct translations translations;
	struct control_hello hello;
	int fds[CONTROL_FDS_MAX];
	unsigned int fd_count;
	struct view view;
	struct control_reply reply; /* the last one */
};

/* ---- requests ---- */

static int status_error(uint32_t status, struct error *error)
{
	switch (status) {
	case CONTROL_BAD_REQUEST:
		return error_set(error, ERROR_HOST, 0, 0,
				 "the VM does not know the request: another version of kvmap runs it");
	case CONTROL_DENIED:
		return error_set(error, ERROR_PERMISSION, 0, 0,
				 "the VM belongs to another user: only that user or root may inspect it");
	case CONTROL_BUSY:
		return error_set(error, ERROR_HOST, 0, 0, "the VM has too many connections: try again");
	case CONTROL_NOT_PAUSED: return error_set(error, ERROR_HOST, 0, 0, "the VM is not paused");
	case CONTROL_EXPIRED:
		return error_set(error, ERROR_HOST, 0, 0,
				 "the VM continued by itself after a pause of %llu s: what was read may be "
				 "inconsistent",
				 CONTROL_PAUSE_MAX_NS / 1000000000);
	case CONTROL_NOT_HELD:
		return error_set(error, ERROR_INPUT, 0, 0,
				 "the VM will not be held at its end: only `kvmap run --hold` holds one");
	default: return error_set(error, ERROR_HOST, 0, 0, "KVM failed to read the state of the VM");
	}
}

static int lost(int errnum, struct error *error)
{
	if (errnum == EAGAIN || errnum == EINPROGRESS)
		return error_set(error, ERROR_HOST, 0, 0, "the VM does not answer within %d s",
				 REPLY_TIMEOUT_SECONDS);
	return error_set(error, ERROR_HOST, 0, 0, "the VM ended during the snapshot");
}

/* Takes the descriptors of a message; closes them unless they are expected. */
static void take_fds(struct control_client *client, struct msghdr *message, bool expected)
{
	for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part; part = CMSG_NXTHDR(message, part)) {
		size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < count; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(part) + i * sizeof(fd), sizeof(fd));
			if (expected && client->fd_count < CONTROL_FDS_MAX)
				client->fds[client->fd_count++] = fd;
			else
				close(fd);
		}
	}
}

/* Receives one datagram into client->reply and its descriptors into client->fds. Its size, or -1 with errno. */
static ssize_t receive(struct control_client *client, bool with_fds)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(CONTROL_FDS_MAX * sizeof(int))];
	struct iovec bytes = { &client->reply, sizeof(client->reply) };
	struct msghdr message = {
		.msg_iov = &bytes,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	bool was_reset = false;
	ssize_t size;

	/* If the server closed without reading, Linux returns ECONNRESET first, and its last reply next. */
	while ((size = recvmsg(client->socket, &message, MSG_CMSG_CLOEXEC)) < 0) {
		if (errno != EINTR && (errno != ECONNRESET || was_reset))
			break;
		was_reset |= errno == ECONNRESET;
	}
	if (size >= 0)
		take_fds(client, &message, with_fds);
	return size;
}

/* Payload: `least` to `size` bytes, if the status is OK. */
static int check_reply(const struct control_client *client, ssize_t got, uint16_t type, size_t least,
		       size_t size, struct error *error)
{
	const struct control_reply_header *header = &client->reply.header;

	if ((size_t)got < sizeof(*header) || header->magic != CONTROL_MAGIC ||
	    header->version != CONTROL_VERSION || header->size != (size_t)got - sizeof(*header))
		return error_set(error, ERROR_HOST, 0, 0, "the reply is not of this version of kvmap");
	if (header->status != CONTROL_OK)
		return status_error(header->status, error);
	if (header->type != type || header->size < least || header->size > size)
		return error_set(error, ERROR_HOST, 0, 0, "the reply of the VM is not to the request");
	return 0;
}

static int send_request(struct control_client *client, const struct control_request_header *request,
			size_t least, size_t size, struct error *error)
{
	size_t length = sizeof(*request) + request->count * sizeof(uint64_t);
	ssize_t done;

	do
		done = send(client->socket, request, length, MSG_NOSIGNAL);
	while (done < 0 && errno == EINTR);
	if (done < 0 && errno != EPIPE && errno != ECONNRESET)
		return lost(errno, error);
	/* After EPIPE too: the reason may be in a reply that is still in the socket. */
	memset(&client->reply, 0, sizeof(client->reply.header));
	done = receive(client, request->type == CONTROL_MEMORY);
	if (done <= 0)
		return lost(done ? errno : 0, error);
	return check_reply(client, done, request->type, least, size, error);
}

static struct control_request_header request_of(enum control_type type)
{
	return (struct control_request_header){
		.magic = CONTROL_MAGIC,
		.version = CONTROL_VERSION,
		.type = (uint16_t)type,
	};
}

/* ---- opening ---- */

/* Requests the VM's description, checked, in client->reply.hello. */
static int request_hello(struct control_client *client, struct error *error)
{
	struct control_request_header request = request_of(CONTROL_HELLO);
	const struct control_hello *hello = &client->reply.hello;

	if (send_request(client, &request, sizeof(*hello), sizeof(*hello), error) < 0)
		return -1;
	if (!memchr(hello->program, 0, sizeof(hello->program)) ||
	    !memchr(hello->script, 0, sizeof(hello->script)) ||
	    hello->build_id_size > sizeof(hello->build_id) || hello->state > CONTROL_AT_END)
		return error_set(error, ERROR_HOST, 0, 0, "the VM does not identify itself");
	return 0;
}

int control_client_refresh(struct control_client *client, struct error *error)
{
	if (request_hello(client, error) < 0)
		return -1;
	client->hello.state = client->reply.hello.state;
	return 0;
}

int control_client_open_socket(int socket, struct control_client **out, struct error *error)
{
	struct control_client *client = calloc(1, sizeof(*client));

	if (!client) {
		close(socket);
		return error_set(error, ERROR_HOST, 0, 0, "out of memory");
	}
	client->socket = socket;
	if (request_hello(client, error) < 0) {
		control_client_close(client);
		return -1;
	}
	client->hello = client->reply.hello;
	*out = client;
	return 0;
}

int control_client_open(const char *path, struct control_client **out, struct error *error)
{
	int socket = control_socket_connect(path, REPLY_TIMEOUT_SECONDS, error);

	return socket < 0 ? -1 : control_client_open_socket(socket, out, error);
}

void control_client_close(struct control_client *client)
{
	if (!client)
		return;
	snapshot_destroy(&client->snapshot);
	for (unsigned int i = 0; i < client->fd_count; i++)
		close(client->fds[i]);
	close(client->socket);
	view_clear(&client->view);
	free(client);
}

const struct control_hello *control_client_hello(const struct control_client *client)
{
	return &client->hello;
}

/* ---- memory ---- */

/*
 * Whether the file has these bytes and is sealed: a truncation by the server would cause SIGBUS here. So would a
 * hole of a file on hugetlbfs, where the host has no huge page left; a memfd of kvmap is on tmpfs.
 */
static bool has_bytes(int fd, uint64_t offset, uint64_t size)
{
	struct statfs system;
	struct stat status;
	int seals = fcntl(fd, F_GET_SEALS);

	return seals >= 0 && fstatfs(fd, &system) == 0 && system.f_type == TMPFS_MAGIC &&
	       seals & F_SEAL_SHRINK && fstat(fd, &status) == 0 && status.st_size >= 0 &&
	       offset <= (uint64_t)status.st_size && size <= (uint64_t)status.st_size - offset;
}

static int map_region(struct control_client *client, const struct control_region *region, struct error *error)
{
	struct view_region mapped = { .gpa = region->gpa, .size = region->size, .offset = region->offset };
	struct error why;

	if (region->fd >= client->fd_count || !region->size || region->size > MACHINE_MEMORY_MAX ||
	    (region->size | region->offset) % PAGE_4K ||
	    !has_bytes(client->fds[region->fd], region->offset, region->size))
		return error_set(error, ERROR_HOST, 0, region->gpa,
				 "the VM's memory at GPA 0x%" PRIx64 " is not in its file", region->gpa);
	mapped.fd = client->fds[region->fd];
	if (snapshot_map(&client->snapshot, &mapped, mapped.fd, region->offset) < 0)
		return error_set(error, ERROR_HOST, errno, region->gpa,
				 "cannot map the VM's memory at GPA 0x%" PRIx64, region->gpa);
	if (view_add_region(&client->view, &mapped, &why) == 0)
		return 0;
	return error_set(error, ERROR_HOST, 0, region->gpa, "the VM's memory: %.400s", why.text);
}

/* Bounds the data now: reading the holes of the file during a pause takes too long. */
static void bound_data_size(struct view *view)
{
	uint64_t size = view_size(view), data = view_data_size(view);

	view->data_size_max = size - data > data + MEMORY_SLACK ? 2 * data + MEMORY_SLACK : size;
}

int control_client_map(struct control_client *client, struct error *error)
{
	const struct control_memory *memory = &client->reply.memory;
	struct control_request_header request = request_of(CONTROL_MEMORY);

	if (send_request(client, &request, offsetof(struct control_memory, regions), sizeof(*memory), error) <
	    0)
		return -1;
	if (!memory->region_count || memory->region_count > CONTROL_REGIONS_MAX ||
	    client->reply.header.size != offsetof(struct control_memory, regions) +
						 memory->region_count * sizeof(memory->regions[0]) ||
	    memory->physical_bits < 32 || memory->physical_bits > 52 || memory->pages_1g > 1)
		return error_set(error, ERROR_HOST, 0, 0, "the VM does not describe its memory correctly");
	client->view.physical_bits = memory->physical_bits;
	client->view.pages_1g = memory->pages_1g;
	client->view.tracks_access = true;
	for (uint32_t i = 0; i < memory->region_count; i++)
		if (map_region(client, &memory->regions[i], error) < 0)
			return -1;
	if (view_size(&client->view) > MACHINE_MEMORY_MAX)
		return error_set(error, ERROR_HOST, 0, 0,
				 "the VM says that it has 0x%" PRIx64
				 " bytes of memory, more than a guest of kvmap has",
				 view_size(&client->view));
	bound_data_size(&client->view);
	return 0;
}

/* ---- pausing ---- */

/* Requests the translations that are still missing in this pause. */
static int request_translations(struct control_client *client, struct error *error)
{
	struct translations *translations = &client->translations;
	struct control_request request = { .header = request_of(CONTROL_TRANSLATE) };
	uint32_t count = translations->count - translations->answered;
	size_t size = count * sizeof(translations->answers[0]);

	if (!count || translations->refused)
		return 0;
	request.header.cpu = translations->cpu;
	request.header.count = count;
	memcpy(request.addresses, &translations->addresses[translations->answered],
	       count * sizeof(request.addresses[0]));
	if (send_request(client, &request.header, size, size, error) == 0) {
		memcpy(&translations->answers[translations->answered], client->reply.translations, size);
		translations->answered += count;
		return 0;
	}
	/* A failed KVM_TRANSLATE is a result; a missing or wrong reply is an error. */
	translations->refused =
		client->reply.header.magic == CONTROL_MAGIC && client->reply.header.status == CONTROL_FAILED;
	return translations->refused ? 0 : -1;
}

/* Drops the addresses that were not translated since the last pause. */
static void forget_unused(struct translations *translations)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < translations->count; i++)
		if (translations->used[i])
			translations->addresses[count++] = translations->addresses[i];
	translations->count = count;
	translations->answered = 0;
	memset(translations->used, 0, sizeof(translations->used));
}

static unsigned int find_address(const struct translations *translations, uint64_t gva)
{
	unsigned int i = 0;

	while (i < translations->count && translations->addresses[i] != gva)
		i++;
	return i;
}

/* view->translate. A new address is translated in this pause, or in the next one if the VM is not paused. */
static int translate(void *context, unsigned int cpu, uint64_t gva, struct view_translation *out)
{
	struct control_client *client = context;
	struct translations *translations = &client->translations;
	unsigned int i = find_address(translations, gva);
	struct error ignored;

	if (i == CONTROL_ADDRESSES_MAX || (translations->count && cpu != translations->cpu))
		return -1;
	if (i == translations->count) {
		translations->cpu = cpu;
		translations->addresses[translations->count++] = gva;
		if (client->paused && request_translations(client, &ignored) < 0)
			return -1;
	}
	if (translations->refused)
		return -1;
	translations->used[i] = true;
	*out = (struct view_translation){ 0 };
	if (i < translations->answered && translations->answers[i].valid)
		*out = (struct view_translation){ .valid = true, .gpa = translations->answers[i].gpa };
	return 0;
}

static int read_registers(struct control_client *client, struct error *error)
{
	const struct control_cpus *cpus = &client->reply.cpus;
	struct view *view = &client->view;

	if (cpus->count > CONTROL_CPUS_MAX ||
	    client->reply.header.size !=
		    offsetof(struct control_cpus, cpus) + cpus->count * sizeof(cpus->cpus[0]))
		return error_set(error, ERROR_HOST, 0, 0, "the VM does not describe its registers correctly");
	if (view_set_cpus(view, cpus->count, error) < 0)
		return -1;
	if (cpus->count)
		memcpy(view->cpus, cpus->cpus, cpus->count * sizeof(cpus->cpus[0]));
	view->translate = translate;
	view->translate_context = client;
	view->translate_max = CONTROL_ADDRESSES_MAX;
	return 0;
}

int control_client_pause(struct control_client *client, const struct view **view_out, struct error *error)
{
	struct control_request_header request = request_of(CONTROL_PAUSE);

	if (snapshot_prepare(&client->snapshot) < 0)
		return error_set(error, ERROR_HOST, ENOMEM, 0, "the pages to be read");
	forget_unused(&client->translations);
	client->paused_at = clock_monotonic_ns();
	if (send_request(client, &request, offsetof(struct control_cpus, cpus), sizeof(struct control_cpus),
			 error) < 0)
		return -1;
	client->paused = true;
	if (read_registers(client, error) < 0)
		return -1;
	snapshot_copy(&client->snapshot);
	if (request_translations(client, error) < 0)
		return -1;
	*view_out = &client->view;
	return 0;
}

bool control_client_is_complete(const struct control_client *client)
{
	const struct translations *translations = &client->translations;

	return snapshot_is_complete(&client->snapshot) &&
	       (translations->refused || translations->answered == translations->count);
}

int control_client_resume(struct control_client *client, struct control_pause_time *out, struct error *error)
{
	const struct control_paused *paused = &client->reply.paused;
	struct control_request_header request = request_of(CONTROL_RESUME);
	struct control_pause_time time = { 0 };

	client->paused = false;
	if (send_request(client, &request, sizeof(*paused), sizeof(*paused), error) == 0)
		time.vm_ns = paused->ns;
	else if (client->reply.header.magic)
		return -1;
	time.client_ns = clock_monotonic_ns() - client->paused_at;
	*out = time;
	return 0;
}

int control_client_end_hold(struct control_client *client, struct error *error)
{
	struct control_request_header request = request_of(CONTROL_END_HOLD);

	return send_request(client, &request, 0, 0, error);
}
