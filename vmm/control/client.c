/* SPDX-License-Identifier: MIT */
/*
 * client.c: the looking side of the control socket.
 */
#define _GNU_SOURCE /* F_GET_SEALS, MSG_CMSG_CLOEXEC */
#include "control/client.h"

#include "view/snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* The other side answers in far less, even when its vCPUs must be stopped first. */
#define ANSWER_SECONDS 5

#define PAGE 0x1000ull

#define MEMORY_SLACK (64ull << 20)

/* What KVM was asked, and what it answered in the last pause. */
struct translations {
	unsigned int cpu; /* of all of them */
	unsigned int count;
	unsigned int answered; /* so many of the first */
	bool refused;          /* KVM did not answer */
	uint64_t addresses[CONTROL_ADDRESSES_MAX];
	struct control_translation answers[CONTROL_ADDRESSES_MAX];
	bool used[CONTROL_ADDRESSES_MAX]; /* asked since the last pause */
};

struct attached {
	int socket;
	bool paused;
	uint64_t paused_at;
	struct kept kept;
	struct translations translations;
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
	size_t length = sizeof(*request) + request->count * sizeof(uint64_t);
	ssize_t done;

	do
		done = send(attached->socket, request, length, MSG_NOSIGNAL);
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
	kept_destroy(&attached->kept);
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

	if (region->fd >= attached->fd_count || !region->size || (region->size | region->offset) % PAGE ||
	    !can_hold(attached->fds[region->fd], region->offset, region->size))
		return error_set(error, ERROR_HOST, 0, region->gpa,
				 "the VM's memory at GPA 0x%" PRIx64 " cannot be as it says", region->gpa);
	mapped.fd = attached->fds[region->fd];
	if (kept_map(&attached->kept, &mapped, mapped.fd, region->offset) < 0)
		return error_set(error, ERROR_HOST, errno, region->gpa,
				 "cannot map the VM's memory at GPA 0x%" PRIx64, region->gpa);
	if (view_add_region(&attached->view, &mapped, &why) == 0)
		return 0;
	return error_set(error, ERROR_HOST, 0, region->gpa, "the VM's memory: %.400s", why.text);
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
	attached->view.by_page = true;
	for (uint32_t i = 0; i < memory->region_count; i++)
		if (map_region(attached, &memory->regions[i], error) < 0)
			return -1;
	bound_data(&attached->view);
	return 0;
}

/* ---- pausing ---- */

/* Has KVM answer what it has not answered in this pause. */
static int ask_translations(struct attached *attached, struct error *error)
{
	struct translations *translations = &attached->translations;
	struct control_question question = { .request = request_of(CONTROL_TRANSLATE) };
	uint32_t count = translations->count - translations->answered;
	size_t size = count * sizeof(translations->answers[0]);

	if (!count || translations->refused)
		return 0;
	question.request.cpu = translations->cpu;
	question.request.count = count;
	memcpy(question.addresses, &translations->addresses[translations->answered],
	       count * sizeof(question.addresses[0]));
	if (ask(attached, &question.request, size, size, error) == 0) {
		memcpy(&translations->answers[translations->answered], attached->answer.translations, size);
		translations->answered += count;
		return 0;
	}
	/* That KVM refuses is an answer, too; that nobody answers is not. */
	translations->refused = attached->answer.reply.magic == CONTROL_MAGIC &&
				attached->answer.reply.status == CONTROL_FAILED;
	return translations->refused ? 0 : -1;
}

/* Those that nobody asked since the last pause are not asked again. */
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

static unsigned int find_question(const struct translations *translations, uint64_t gva)
{
	unsigned int i = 0;

	while (i < translations->count && translations->addresses[i] != gva)
		i++;
	return i;
}

/* A new question is answered in a pause only: in this one, or in the next. */
static int translate(void *context, unsigned int cpu, uint64_t gva, struct view_translation *out)
{
	struct attached *attached = context;
	struct translations *translations = &attached->translations;
	unsigned int i = find_question(translations, gva);
	struct error ignored;

	if (i == CONTROL_ADDRESSES_MAX || (translations->count && cpu != translations->cpu))
		return -1;
	if (i == translations->count) {
		translations->cpu = cpu;
		translations->addresses[translations->count++] = gva;
		if (attached->paused && ask_translations(attached, &ignored) < 0)
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

static int read_registers(struct attached *attached, struct error *error)
{
	const struct control_cpus *cpus = &attached->answer.cpus;
	struct view *view = &attached->view;

	if (cpus->count > VIEW_CPUS_MAX ||
	    attached->answer.reply.size !=
		    offsetof(struct control_cpus, cpus) + cpus->count * sizeof(cpus->cpus[0]))
		return error_set(error, ERROR_HOST, 0, 0, "the VM does not say what its registers are");
	memcpy(view->cpus, cpus->cpus, cpus->count * sizeof(cpus->cpus[0]));
	view->cpu_count = cpus->count;
	view->translate = translate;
	view->translate_context = attached;
	view->translate_most = CONTROL_ADDRESSES_MAX;
	return 0;
}

int attached_pause(struct attached *attached, const struct view **view_out, struct error *error)
{
	struct control_request request = request_of(CONTROL_PAUSE);

	if (kept_prepare(&attached->kept) < 0)
		return error_set(error, ERROR_HOST, ENOMEM, 0, "the pages to be read");
	forget_unused(&attached->translations);
	attached->paused_at = now_ns();
	if (ask(attached, &request, offsetof(struct control_cpus, cpus), sizeof(struct control_cpus), error) <
	    0)
		return -1;
	attached->paused = true;
	if (read_registers(attached, error) < 0)
		return -1;
	kept_copy(&attached->kept);
	if (ask_translations(attached, error) < 0)
		return -1;
	*view_out = &attached->view;
	return 0;
}

bool attached_is_whole(const struct attached *attached)
{
	const struct translations *translations = &attached->translations;

	return kept_is_whole(&attached->kept) &&
	       (translations->refused || translations->answered == translations->count);
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
