/* SPDX-License-Identifier: MIT */
/*
 * process.c: maps empty memory for each piece; a thread copies pages into it on their first access.
 */
#define _GNU_SOURCE
#include "view/process.h"

#include "base/page.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Maximum read-ahead of a sequential read, in pages. */
#define AHEAD_PAGES 64

struct process_view {
	struct view view;
	int memory;  /* /proc/PID/mem */
	int faults;  /* userfaultfd */
	int leave;   /* eventfd: the thread shall exit */
	bool filled; /* the thread was started */
	pthread_t thread;
	atomic_uint_least64_t lost;
	uint64_t next;                       /* address after the last copy */
	uint64_t pages;                      /* in the last copy */
	uint8_t copy[AHEAD_PAGES * PAGE_4K]; /* buffer of the copy */
};

/* ---- the thread ---- */

static const struct view_region *region_of(const struct process_view *process, uint64_t address)
{
	for (unsigned int i = 0; i < process->view.region_count; i++) {
		const struct view_region *region = &process->view.regions[i];

		if (address - (uintptr_t)region->bytes < region->size)
			return region;
	}
	return NULL;
}

/* Reads up to `size` bytes at `hva` of the process into the buffer: bytes of whole pages read. */
static uint64_t read_pages(struct process_view *process, uint64_t hva, uint64_t size)
{
	ssize_t got = pread(process->memory, process->copy, size, (off_t)hva);

	return got > 0 ? page_round_down((uint64_t)got, PAGE_4K) : 0;
}

/* Bytes to read ahead: twice the last size if the access is sequential, else one page. */
static uint64_t size_ahead(const struct process_view *process, const struct view_region *region,
			   uint64_t address)
{
	uint64_t pages = address == process->next ? 2 * process->pages : 1;
	uint64_t left = region->size - (address - (uintptr_t)region->bytes);

	pages = pages < AHEAD_PAGES ? pages : AHEAD_PAGES;
	return pages * PAGE_4K < left ? pages * PAGE_4K : left;
}

static void fill_in(struct process_view *process, uint64_t address)
{
	const struct view_region *region = region_of(process, address);
	struct uffdio_copy copy = { .dst = address, .src = (uintptr_t)process->copy };
	struct uffdio_range wake = { .start = address, .len = PAGE_4K };

	if (!region)
		return;
	copy.len = read_pages(process, region->hva + (address - (uintptr_t)region->bytes),
			      size_ahead(process, region, address));
	if (!copy.len) {
		memset(process->copy, 0, PAGE_4K);
		copy.len = PAGE_4K;
		atomic_fetch_add(&process->lost, 1);
	}
	process->next = address + copy.len;
	process->pages = copy.len / PAGE_4K;
	/* EEXIST: another fault has copied the page; its contents stay, and waiting threads are woken. */
	if (ioctl(process->faults, UFFDIO_COPY, &copy) < 0)
		ioctl(process->faults, UFFDIO_WAKE, &wake);
}

static void *fill(void *context)
{
	struct process_view *process = context;
	struct pollfd events[2] = { { .fd = process->faults, .events = POLLIN },
				    { .fd = process->leave, .events = POLLIN } };
	struct uffd_msg message;

	while (poll(events, 2, -1) >= 0 || errno == EINTR) {
		if (events[1].revents)
			break;
		if (read(process->faults, &message, sizeof(message)) == sizeof(message) &&
		    message.event == UFFD_EVENT_PAGEFAULT)
			fill_in(process, page_round_down(message.arg.pagefault.address, PAGE_4K));
	}
	return NULL;
}

/* ---- opening ---- */

static void close_opened(int fd)
{
	if (fd >= 0)
		close(fd);
}

static void process_view_release(struct view *view)
{
	struct process_view *process = (struct process_view *)view;

	if (process->filled) {
		eventfd_write(process->leave, 1);
		pthread_join(process->thread, NULL);
	}
	for (unsigned int i = 0; i < view->region_count; i++)
		munmap((void *)view->regions[i].bytes, view->regions[i].size);
	close_opened(process->memory);
	close_opened(process->faults);
	close_opened(process->leave);
}

/* Handles faults in system calls too, if this user may (userfaultfd(2)). */
static int open_faults(void)
{
	struct uffdio_api api = { .api = UFFD_API };
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);

	if (fd < 0 && errno == EPERM)
		fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | UFFD_USER_MODE_ONLY);
	if (fd >= 0 && ioctl(fd, UFFDIO_API, &api) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static int open_memory(pid_t pid, struct error *error)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/mem", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		return fd;
	return error_set(error, errno == ENOENT ? ERROR_INPUT : ERROR_PERMISSION, errno, 0,
			 "cannot read the memory of process %d: run as root, or with CAP_SYS_PTRACE",
			 (int)pid);
}

static int add_piece(struct process_view *process, const struct process_memory *piece, struct error *error)
{
	struct uffdio_register range = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	struct view_region region = { .gpa = piece->gpa, .size = piece->size, .fd = -1, .hva = piece->hva };
	void *bytes = mmap(NULL, piece->size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (bytes == MAP_FAILED)
		return error_set(error, ERROR_HOST, errno, piece->gpa,
				 "no room for %" PRIu64 " bytes of guest memory at GPA 0x%" PRIx64,
				 piece->size, piece->gpa);
	region.bytes = bytes;
	range.range.start = (uintptr_t)bytes;
	range.range.len = piece->size;
	if (ioctl(process->faults, UFFDIO_REGISTER, &range) < 0)
		error_set(error, ERROR_HOST, errno, piece->gpa, "userfaultfd does not accept guest memory");
	else if (view_add_region(&process->view, &region, error) == 0)
		return 0;
	munmap(bytes, piece->size);
	return -1;
}

static int set_up(struct process_view *process, pid_t pid, const struct process_memory *pieces, size_t count,
		  struct error *error)
{
	process->memory = open_memory(pid, error);
	if (process->memory < 0)
		return -1;
	process->faults = open_faults();
	process->leave = eventfd(0, EFD_CLOEXEC);
	if (process->faults < 0 || process->leave < 0)
		return error_set(error, ERROR_HOST, errno, 0,
				 "no userfaultfd, by which the memory of another process is read");
	for (size_t i = 0; i < count; i++)
		if (add_piece(process, &pieces[i], error) < 0)
			return -1;
	if (pthread_create(&process->thread, NULL, fill, process) != 0)
		return error_set(error, ERROR_HOST, 0, 0, "cannot start a thread");
	process->filled = true;
	return 0;
}

int process_view_open(pid_t pid, const struct process_memory *pieces, size_t count, struct view **out,
		      struct error *error)
{
	struct process_view *process = calloc(1, sizeof(*process));

	if (!process)
		return error_set(error, ERROR_HOST, 0, 0, "out of memory");
	process->memory = process->faults = process->leave = -1;
	process->view.release = process_view_release;
	if (set_up(process, pid, pieces, count, error) < 0) {
		view_destroy(&process->view);
		return -1;
	}
	*out = &process->view;
	return 0;
}

uint64_t process_view_lost_pages(const struct view *view)
{
	return atomic_load(&((const struct process_view *)view)->lost);
}
