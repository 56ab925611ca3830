/* SPDX-License-Identifier: MIT */
/*
 * attached.c: the looking side of the control socket.
 */
#define _GNU_SOURCE /* F_GET_SEALS, MSG_CMSG_CLOEXEC */
#include "view/attached.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* The other side answers in far less, even when its vCPUs must be stopped first. */
#define ANSWER_SECONDS 5

#define PAGE 0x1000ull

#define MEMORY_SLACK (64ull << 20)

struct attached {
	int socket;
	bool paused;
	uint64_t paused_at;
	struct control_hello hello;
	int fds[CONTROL_FDS_MAX];
	unsigned int fd_count;
	struct view view;
	struct control_answer answer; /* the last one */
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* ---- one question, one answer ---- */

static int status_error(uint32_t status, struct error *error)
{
	switch (status) {
	case CONTROL_BAD_REQUEST:
		return error_set(error, ERROR_HOST, 0, 0,
				 "the VM does not understand: it is run by another version of kvmap");
	case CONTROL_DENIED:
		return error_set(error, ERROR_PERMISSION, 0, 0,
				 "the VM belongs to another user: only that user or root may look at it");
	case CONTROL_BUSY:
		return error_set(error, ERROR_HOST, 0, 0, "too many others look at the VM: try again");
	case CONTROL_NOT_PAUSED: return error_set(error, ERROR_HOST, 0, 0, "the VM is not paused");
	case CONTROL_EXPIRED:
		return error_set(error, ERROR_HOST, 0, 0,
				 "the VM went on by itself after %llu s of pause: what was read may be of "
				 "two moments",
				 CONTROL_PAUSE_MAX_NS / 1000000000);
	case CONTROL_NOT_HELD:
		return error_set(error, ERROR_INPUT, 0, 0,
				 "the VM does not stand at its end: only `kvmap run --hold` keeps one there");
	default: return error_set(error, ERROR_HOST, 0, 0, "KVM refused to show the state of the VM");
	}
}

static int lost(int errnum, struct error *error)
{
	if (errnum == EAGAIN || errnum == EINPROGRESS)
		return error_set(error, ERROR_HOST, 0, 0, "the VM does not answer within %d s",
				 ANSWER_SECONDS);
	return error_set(error, ERROR_HOST, 0, 0, "the VM ended while it was looked at");
}

/* What belongs to a message; closed unless it is expected. */
static void take_fds(struct attached *attached, struct msghdr *message, bool expected)
{
	for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part; part = CMSG_NXTHDR(message, part)) {
		size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < count; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(part) + i * sizeof(fd), sizeof(fd));
			if (expected && attached->fd_count < CONTROL_FDS_MAX)
				attached->fds[attached->fd_count++] = fd;
			else
				close(fd);
		}
	}
}

/* One datagram into attached->answer, its descriptors into attached->fds. Its size, or -1 with errno. */
static ssize_t receive(struct attached *attached, bool with_fds)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(CONTROL_FDS_MAX * sizeof(int))];
	struct iovec bytes = { &attached->answer, sizeof(attached->answer) };
	struct msghdr message = {
		.msg_iov = &bytes,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	bool was_reset = false;
	ssize_t size;

	/* The other side may have hung up without reading: Linux tells that first, and then what it wrote. */
	while ((size = recvmsg(attached->socket, &message, MSG_CMSG_CLOEXEC)) < 0) {
		if (errno != EINTR && (errno != ECONNRESET || was_reset))
			break;
		was_reset |= errno == ECONNRESET;
	}
	if (size >= 0)
		take_fds(attached, &message, with_fds);
	return size;
}

/* `size` bytes of payload at most, `least` at least, where the status is OK. */
static int check_answer(const struct attached *attached, ssize_t got, uint16_t type, size_t least,
			size_t size, struct error *error)
{
	const struct control_reply *reply = &attached->answer.reply;

	if ((size_t)got < sizeof(*reply) || reply->magic != CONTROL_MAGIC ||
	    reply->version != CONTROL_VERSION || reply->size != (size_t)got - sizeof(*reply))
		return error_set(error, ERROR_HOST, 0, 0, "what answers is not this version of kvmap");
	if (reply->status != CONTROL_OK)
		return status_error(reply->status, error);
	if (reply->type != type || reply->size < least || reply->size > size)
		return error_set(error, ERROR_HOST, 0, 0, "the VM answered what it was not asked");
	return 0;
}

static int ask(struct attached *attached, const struct control_request *request, size_t least, size_t size,
	       struct error *error)
{
	ssize_t done;

	do
		done = send(attached->socket, request, sizeof(*request), MSG_NOSIGNAL);
	while (done < 0 && errno == EINTR);
	if (done < 0 && errno != EPIPE && errno != ECONNRESET)
		return lost(errno, error);
	/* After EPIPE too: why the other side hung up may be waiting to be read. */
	memset(&attached->answer, 0, sizeof(attached->answer.reply));
	done = receive(attached, request->type == CONTROL_MEMORY);
	if (done <= 0)
		return lost(done ? errno : 0, error);
	return check_answer(attached, done, request->type, least, size, error);
}

static struct control_request request_of(enum control_type type)
{
	return (struct control_request){
		.magic = CONTROL_MAGIC,
		.version = CONTROL_VERSION,
		.type = (uint16_t)type,
	};
}

/* ---- opening ---- */

static int no_connection(const char *path, int errnum, struct error *error)
{
	switch (errnum) {
	case ECONNREFUSED:
		return error_set(error, ERROR_INPUT, 0, 0,
				 "%s: the VM that listened there has ended: `kvmap ps` lists those running",
				 path);
	case EACCES:
	case EPERM: return error_set(error, ERROR_PERMISSION, errnum, 0, "%s", path);
	case EPROTOTYPE: return error_set(error, ERROR_INPUT, 0, 0, "%s: not a socket of kvmap", path);
	case EAGAIN: return error_set(error, ERROR_HOST, 0, 0, "%s: the VM does not answer", path);
	default: return error_set(error, ERROR_INPUT, errnum, 0, "%s", path);
	}
}

static int connect_to(const char *path, struct error *error)
{
	const struct timeval patience = { .tv_sec = ANSWER_SECONDS };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof(address.sun_path))
		return error_set(error, ERROR_INPUT, 0, 0,
				 "%s: longer than %zu bytes, which no socket's path is", path,
				 sizeof(address.sun_path) - 1);
	memcpy(address.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return error_set(error, ERROR_HOST, errno, 0, "cannot make a socket");
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) == 0 &&
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) == 0 &&
	    connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	no_connection(path, errno, error);
	close(fd);
	return -1;
}

static int hello(struct attached *attached, struct error *error)
{
	struct control_request request = request_of(CONTROL_HELLO);
	const struct control_hello *hello = &attached->answer.hello;

	if (ask(attached, &request, sizeof(*hello), sizeof(*hello), error) < 0)
		return -1;
	if (!memchr(hello->program, 0, sizeof(hello->program)) ||
	    !memchr(hello->script, 0, sizeof(hello->script)) ||
	    hello->build_id_size > sizeof(hello->build_id) || hello->state > CONTROL_AT_END)
		return error_set(error, ERROR_HOST, 0, 0, "the VM does not say what it is");
	attached->hello = *hello;
	return 0;
}

int attached_open_socket(int socket, struct attached **out, struct error *error)
{
	struct attached *attached = calloc(1, sizeof(*attached));

	if (!attached) {
		close(socket);
		return error_set(error, ERROR_HOST, 0, 0, "out of memory");
	}
	attached->socket = socket;
	if (hello(attached, error) < 0) {
		attached_close(attached);
		return -1;
	}
	*out = attached;
	return 0;
}

int attached_open(const char *path, struct attached **out, struct error *error)
{
	int socket = connect_to(path, error);

	return socket < 0 ? -1 : attached_open_socket(socket, out, error);
}

void attached_close(struct attached *attached)
{
	if (!attached)
		return;
	for (unsigned int i = 0; i < attached->view.region_count; i++)
		munmap((void *)attached->view.regions[i].bytes, attached->view.regions[i].size);
	for (unsigned int i = 0; i < attached->fd_count; i++)
		close(attached->fds[i]);
	close(attached->socket);
	free(attached);
}

const struct control_hello *attached_hello(const struct attached *attached)
{
	return &attached->hello;
}

/* ---- memory ---- */

/* A file that the other process could shorten would end this one by SIGBUS. */
static bool can_hold(int fd, uint64_t offset, uint64_t size)
{
	struct stat status;
	int seals = fcntl(fd, F_GET_SEALS);

	return seals >= 0 && seals & F_SEAL_SHRINK && fstat(fd, &status) == 0 && status.st_size >= 0 &&
	       offset <= (uint64_t)status.st_size && size <= (uint64_t)status.st_size - offset;
}

static int map_region(struct attached *attached, const struct control_region *region, struct error *error)
{
	struct view_region mapped = { .gpa = region->gpa, .size = region->size, .offset = region->offset };
	struct error why;
	void *bytes;

	if (region->fd >= attached->fd_count || !region->size || (region->size | region->offset) % PAGE ||
	    !can_hold(attached->fds[region->fd], region->offset, region->size))
		return error_set(error, ERROR_HOST, 0, region->gpa,
				 "the VM's memory at GPA 0x%" PRIx64 " cannot be as it says", region->gpa);
	mapped.fd = attached->fds[region->fd];
	/* Private and writable, so that attached_keep() can have pages of its own. Nothing else writes. */
	bytes = mmap(NULL, region->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, mapped.fd,
		     (off_t)region->offset);
	if (bytes == MAP_FAILED)
		return error_set(error, ERROR_HOST, errno, region->gpa,
				 "cannot map the VM's memory at GPA 0x%" PRIx64, region->gpa);
	mapped.bytes = bytes;
	if (view_add_region(&attached->view, &mapped, &why) == 0)
		return 0;
	munmap(bytes, region->size);
	return error_set(error, ERROR_HOST, 0, region->gpa, "the VM's memory: %.400s", why.text);
}

/* Page tables of this process for what the guest has touched; where it fails, a pause is a little longer. */
static void bring_in(const struct view *view)
{
	uint64_t gpa = 0, start, end;

	for (; view_next_data(view, gpa, UINT64_MAX, &start, &end); gpa = end) {
		uint64_t first = start & ~(PAGE - 1);
		const void *bytes = view_bytes(view, first, end - first);

		if (bytes)
			madvise((void *)bytes, end - first, MADV_POPULATE_READ);
	}
}

/* In a pause there is no time to ask for every hole. The guest may touch more until then, but hardly as much.
 */
static void bound_data(struct view *view)
{
	uint64_t size = view_size(view), data = view_data_size(view);

	if (size <= MEMORY_SLACK || data > (size - MEMORY_SLACK) / 2)
		view->data_most = size;
	else
		view->data_most = 2 * data + MEMORY_SLACK;
}

int attached_map(struct attached *attached, struct error *error)
{
	const struct control_memory *memory = &attached->answer.memory;
	struct control_request request = request_of(CONTROL_MEMORY);

	if (ask(attached, &request, offsetof(struct control_memory, regions), sizeof(*memory), error) < 0)
		return -1;
	if (!memory->region_count || memory->region_count > VIEW_REGIONS_MAX ||
	    attached->answer.reply.size != offsetof(struct control_memory, regions) +
						   memory->region_count * sizeof(memory->regions[0]) ||
	    memory->physical_bits < 32 || memory->physical_bits > 52 || memory->pages_1g > 1)
		return error_set(error, ERROR_HOST, 0, 0, "the VM does not say where its memory is");
	attached->view.physical_bits = memory->physical_bits;
	attached->view.pages_1g = memory->pages_1g;
	for (uint32_t i = 0; i < memory->region_count; i++)
		if (map_region(attached, &memory->regions[i], error) < 0)
			return -1;
	bring_in(&attached->view);
	bound_data(&attached->view);
	return 0;
}

int attached_keep(struct attached *attached, uint64_t gpa, uint64_t size)
{
	const void *bytes = view_bytes(&attached->view, gpa, size);

	if (!bytes)
		return -1;
	/* A page of a private mapping that is written becomes this process's own, with what it holds now. */
	return madvise((void *)bytes, size, MADV_POPULATE_WRITE);
}

/* ---- pausing ---- */

static int translate(void *context, unsigned int cpu, uint64_t gva, struct view_translation *out)
{
	const struct control_translation *translation;
	struct control_request request = request_of(CONTROL_TRANSLATE);
	struct attached *attached = context;
	struct error ignored;

	request.cpu = cpu;
	request.address = gva;
	translation = &attached->answer.translation;
	if (!attached->paused ||
	    ask(attached, &request, sizeof(*translation), sizeof(*translation), &ignored) < 0)
		return -1;
	out->valid = translation->valid;
	out->gpa = translation->valid ? translation->gpa : 0;
	return 0;
}

int attached_pause(struct attached *attached, const struct view **view_out, struct error *error)
{
	const struct control_cpus *cpus = &attached->answer.cpus;
	struct control_request request = request_of(CONTROL_PAUSE);
	struct view *view = &attached->view;

	attached->paused_at = now_ns();
	if (ask(attached, &request, offsetof(struct control_cpus, cpus), sizeof(*cpus), error) < 0)
		return -1;
	attached->paused = true;
	if (cpus->count > VIEW_CPUS_MAX ||
	    attached->answer.reply.size !=
		    offsetof(struct control_cpus, cpus) + cpus->count * sizeof(cpus->cpus[0]))
		return error_set(error, ERROR_HOST, 0, 0, "the VM does not say what its registers are");
	memcpy(view->cpus, cpus->cpus, cpus->count * sizeof(cpus->cpus[0]));
	view->cpu_count = cpus->count;
	view->translate = translate;
	view->translate_context = attached;
	*view_out = view;
	return 0;
}

int attached_resume(struct attached *attached, struct attached_pause_time *out, struct error *error)
{
	const struct control_paused *paused = &attached->answer.paused;
	struct control_request request = request_of(CONTROL_RESUME);
	struct attached_pause_time time = { 0 };

	attached->paused = false;
	if (ask(attached, &request, sizeof(*paused), sizeof(*paused), error) == 0)
		time.vm_ns = paused->ns;
	else if (attached->answer.reply.magic)
		return -1;
	time.client_ns = now_ns() - attached->paused_at;
	*out = time;
	return 0;
}

int attached_let_go(struct attached *attached, struct error *error)
{
	struct control_request request = request_of(CONTROL_LET_GO);

	return ask(attached, &request, 0, 0, error);
}
