/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* memfd_create, SEEK_DATA */
#include "base/private_file.h"

#include "base/escape.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

/* Arguments of the functions below. */
struct reading {
	int fd;
	struct stat status; /* when the file was opened */
	const char *what;
	struct private_file *file;
	struct error *error;
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

static int copy_make(struct reading *reading)
{
	struct private_file *file = reading->file;

	file->size = (size_t)reading->status.st_size;
	file->fd = memfd_create("kvmap-file", MFD_CLOEXEC);
	if (file->fd < 0 || ftruncate(file->fd, (off_t)file->size) < 0)
		return refuse(reading, ERROR_HOST, errno, "cannot be copied into memory");
	return 0;
}

/* sendfile() for files that it does not read. */
static ssize_t part_copy(int to, int from, off_t start, size_t size)
{
	char bytes[16 << 10];
	ssize_t part = pread(from, bytes, size < sizeof(bytes) ? size : sizeof(bytes), start);

	return part > 0 ? pwrite(to, bytes, (size_t)part, start) : part;
}

/*
 * Copies [start, end), which is data. By the kernel: by a mapping of the copy, each of its pages would be cleared first,
 * and be a page fault.
 */
static int stretch_copy(struct reading *reading, off_t start, off_t end)
{
	int to = reading->file->fd;

	if (lseek(to, start, SEEK_SET) < 0)
		return refuse(reading, ERROR_HOST, errno, "cannot be copied into memory");
	while (start < end) {
		off_t from = start;
		ssize_t part = sendfile(to, reading->fd, &from, (size_t)(end - start));

		if (part < 0 && errno == EINVAL)
			part = part_copy(to, reading->fd, start, (size_t)(end - start));
		if (part < 0 && errno == EINTR)
			continue;
		if (part < 0)
			return refuse(reading, ERROR_INPUT, errno, "cannot be read");
		if (!part)
			return refuse(reading, ERROR_INPUT, 0, "ended while it was being read");
		start += part;
	}
	return 0;
}

/* Copies what is data. */
static int data_copy(struct reading *reading)
{
	const struct stat *status = &reading->status;
	off_t size = status->st_size, start, end;

	if (status->st_blocks >= (status->st_size + 511) / 512)
		return stretch_copy(reading, 0, size); /* it has no holes */
	for (off_t at = 0; at < size; at = end) {
		start = lseek(reading->fd, at, SEEK_DATA);
		if ((start < 0 && errno == ENXIO) || start >= size)
			return 0; /* a hole up to the end */
		end = start < 0 ? -1 : lseek(reading->fd, start, SEEK_HOLE);
		if (end < 0)
			return refuse(reading, ERROR_INPUT, errno, "cannot be read");
		end = end < size ? end : size;
		if (stretch_copy(reading, start, end) < 0)
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

static int copy_map(struct reading *reading)
{
	struct private_file *file = reading->file;
	void *bytes = mmap(NULL, file->size, PROT_READ, MAP_SHARED, file->fd, 0);

	if (bytes == MAP_FAILED)
		return refuse(reading, ERROR_HOST, errno, "cannot be copied into memory");
	file->bytes = bytes;
	return 0;
}

int private_file_read(const char *path, const char *what, struct private_file *out, struct error *error)
{
	struct private_file file = { .fd = -1 };
	struct reading reading = { .what = what, .file = &file, .error = error };
	int result = -1;

	text_escape(path, strlen(path), file.name, sizeof(file.name));
	/* O_NONBLOCK: do not wait for the writer of a FIFO. */
	reading.fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (reading.fd < 0)
		return error_set(error, errno == EACCES ? ERROR_PERMISSION : ERROR_INPUT, errno, 0,
				 "cannot open %s%s", what, file.name);
	if (status_check(&reading) == 0 && copy_make(&reading) == 0 && data_copy(&reading) == 0 &&
	    change_check(&reading) == 0)
		result = copy_map(&reading);
	close(reading.fd);
	if (result < 0) {
		private_file_close(&file);
		return -1;
	}
	*out = file;
	return 0;
}

void private_file_close(struct private_file *file)
{
	if (file->bytes)
		munmap(file->bytes, file->size);
	if (file->fd >= 0)
		close(file->fd);
	*file = (struct private_file){ .fd = -1 };
}
