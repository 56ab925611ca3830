/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* memfd_create, SEEK_DATA */
#include "base/private_file.h"

#include "base/escape.h"
#include "base/page.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Arguments of the functions below. */
struct reading {
	int fd;
	struct stat status; /* when the file was opened */
	const char *what;
	const struct private_file *file;
	uint8_t *to; /* the copy, writable, from the first byte of the file on */
	struct error *error;
};

struct private_rest {
	struct file_span span;
	struct stat status;
	int fd; /* -1: it was read, or could not be */
	bool failed;
};

#define refuse(reading, kind, errnum, text)                                                                  \
	error_set((reading)->error, kind, errnum, 0, "%s%s " text, (reading)->what, (reading)->file->name)

static int status_check(struct reading *reading)
{
	struct stat *status = &reading->status;

	if (fstat(reading->fd, status) < 0)
		return refuse(reading, ERROR_INPUT, errno, "cannot be read");
	if (!S_ISREG(status->st_mode))
		return refuse(reading, ERROR_INPUT, 0, "is not a regular file");
	if (!status->st_size)
		return refuse(reading, ERROR_INPUT, 0, "is empty");
	if ((uint64_t)status->st_size > PRIVATE_FILE_MAX)
		return refuse(reading, ERROR_INPUT, 0, "is larger than 4 GiB");
	return 0;
}

/* Maps a memfd of the file's size, writable. */
static int copy_map(struct reading *reading, struct private_file *file)
{
	void *bytes;

	file->size = (size_t)reading->status.st_size;
	file->fd = memfd_create("kvmap-file", MFD_CLOEXEC);
	if (file->fd < 0 || ftruncate(file->fd, (off_t)file->size) < 0)
		return refuse(reading, ERROR_HOST, errno, "cannot be copied into memory");
	bytes = mmap(NULL, file->size, PROT_READ | PROT_WRITE, MAP_SHARED, file->fd, 0);
	if (bytes == MAP_FAILED)
		return refuse(reading, ERROR_HOST, errno, "cannot be copied into memory");
	reading->to = file->bytes = bytes;
	return 0;
}

/* Allocates the pages of [start, end) of the copy at once: a page fault for each would cost more than the copying. */
static void pages_populate(const struct reading *reading, uint64_t start, uint64_t end)
{
#ifdef MADV_POPULATE_WRITE /* Linux 5.14; without it pages come by faults */
	start = page_round_down(start, PAGE_4K);
	(void)madvise(reading->to + start, end - start, MADV_POPULATE_WRITE);
#else
	(void)reading, (void)start, (void)end;
#endif
}

/* Copies [start, end), which is data. */
static int stretch_copy(struct reading *reading, uint64_t start, uint64_t end)
{
	pages_populate(reading, start, end);
	while (start < end) {
		ssize_t part = pread(reading->fd, reading->to + start, end - start, (off_t)start);

		if (part < 0 && errno == EINTR)
			continue;
		if (part < 0)
			return refuse(reading, ERROR_INPUT, errno, "cannot be read");
		if (!part)
			return refuse(reading, ERROR_INPUT, 0, "ended while it was being read");
		start += (uint64_t)part;
	}
	return 0;
}

/* Copies what is data of [from, size). */
static int data_copy(struct reading *reading, uint64_t from, uint64_t to)
{
	const struct stat *status = &reading->status;
	off_t size = (off_t)to, start, end;

	if (status->st_blocks >= (status->st_size + 511) / 512)
		return stretch_copy(reading, from, to); /* it has no holes */
	for (off_t at = (off_t)from; at < size; at = end) {
		start = lseek(reading->fd, at, SEEK_DATA);
		if ((start < 0 && errno == ENXIO) || start >= size)
			return 0; /* a hole up to the end */
		end = start < 0 ? -1 : lseek(reading->fd, start, SEEK_HOLE);
		if (end < 0)
			return refuse(reading, ERROR_INPUT, errno, "cannot be read");
		end = end < size ? end : size;
		if (stretch_copy(reading, (uint64_t)start, (uint64_t)end) < 0)
			return -1;
	}
	return 0;
}

/* Another process may have written the file meanwhile: the copy would be half old and half new. */
static int change_check(struct reading *reading)
{
	const struct stat *before = &reading->status;
	struct stat now;

	if (fstat(reading->fd, &now) < 0)
		return refuse(reading, ERROR_INPUT, errno, "cannot be read");
	if (now.st_size == before->st_size && now.st_mtim.tv_sec == before->st_mtim.tv_sec &&
	    now.st_mtim.tv_nsec == before->st_mtim.tv_nsec)
		return 0;
	return refuse(reading, ERROR_INPUT, 0, "changed while it was being read: try again");
}

/* Keeps the open file for what is left out. */
static int rest_keep(struct reading *reading, struct file_span span, struct private_file *file)
{
	if (span.start >= span.end)
		return 0;
	file->rest = malloc(sizeof(*file->rest));
	if (!file->rest)
		return error_set(reading->error, ERROR_HOST, 0, 0, "out of memory");
	*file->rest = (struct private_rest){ .span = span, .status = reading->status, .fd = reading->fd };
	return 0;
}

static int read_parts(struct reading *reading, private_file_choose *choose, struct private_file *file)
{
	struct file_span span = { 0, 0 };

	if (status_check(reading) < 0 || copy_map(reading, file) < 0)
		return -1;
	if (choose)
		span = choose(reading->fd, file->size);
	if (span.start >= span.end || span.end > file->size)
		span = (struct file_span){ 0, 0 };
	if (data_copy(reading, 0, span.start) < 0 || data_copy(reading, span.end, file->size) < 0 ||
	    change_check(reading) < 0)
		return -1;
	return rest_keep(reading, span, file);
}

int private_file_read_without(const char *path, const char *what, private_file_choose *choose,
			      struct private_file *out, struct error *error)
{
	struct private_file file = { .fd = -1 };
	struct reading reading = { .what = what, .file = &file, .error = error };
	int result;

	text_escape(path, strlen(path), file.name, sizeof(file.name));
	/* O_NONBLOCK: do not wait for the writer of a FIFO. */
	reading.fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (reading.fd < 0)
		return error_set(error, errno == EACCES ? ERROR_PERMISSION : ERROR_INPUT, errno, 0,
				 "cannot open %s%s", what, file.name);
	result = read_parts(&reading, choose, &file);
	if (!file.rest)
		close(reading.fd);
	if (result < 0) {
		private_file_close(&file);
		return -1;
	}
	mprotect(file.bytes, file.size, PROT_READ);
	*out = file;
	return 0;
}

int private_file_read(const char *path, const char *what, struct private_file *out, struct error *error)
{
	return private_file_read_without(path, what, NULL, out, error);
}

int private_file_complete(const struct private_file *file, struct error *error)
{
	struct reading reading = { .what = "", .file = file, .error = error };
	struct private_rest *rest = file->rest;
	void *writable;

	if (!rest || (rest->fd < 0 && !rest->failed))
		return 0;
	if (rest->failed)
		return refuse(&reading, ERROR_INPUT, 0, "could not be read whole");
	writable = mmap(NULL, file->size, PROT_READ | PROT_WRITE, MAP_SHARED, file->fd, 0);
	if (writable == MAP_FAILED)
		return refuse(&reading, ERROR_HOST, errno, "cannot be copied into memory");
	reading.fd = rest->fd;
	reading.status = rest->status;
	reading.to = writable;
	rest->failed =
		data_copy(&reading, rest->span.start, rest->span.end) < 0 || change_check(&reading) < 0;
	munmap(writable, file->size);
	close(rest->fd);
	rest->fd = -1;
	return rest->failed ? -1 : 0;
}

void private_file_close(struct private_file *file)
{
	if (file->bytes)
		munmap(file->bytes, file->size);
	if (file->fd >= 0)
		close(file->fd);
	if (file->rest && file->rest->fd >= 0)
		close(file->rest->fd);
	free(file->rest);
	*file = (struct private_file){ .fd = -1 };
}
