/* SPDX-License-Identifier: MIT */
/*
 * program_load.c: loads an ELF file into guest memory.
 */
#include "machine/program.h"
#include "base/escape.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Bytes of a path in a message of struct error. */
#define NAME_SIZE 200

/* Opens a regular file that is not empty: its descriptor, or -1. */
static int file_open(const char *path, const char *name, size_t *size_out, struct error *error)
{
	/* O_NONBLOCK: do not wait for the writer of a FIFO. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat status;

	if (fd < 0)
		return error_set(error, errno == EACCES ? ERROR_PERMISSION : ERROR_INPUT, errno, 0,
				 "cannot open guest program %s", name);
	if (fstat(fd, &status) < 0)
		error_set(error, ERROR_INPUT, errno, 0, "cannot read guest program %s", name);
	else if (!S_ISREG(status.st_mode))
		error_set(error, ERROR_INPUT, 0, 0, "guest program %s is not a regular file", name);
	else if (!status.st_size)
		error_set(error, ERROR_INPUT, 0, 0, "guest program %s is empty", name);
	else {
		*size_out = (size_t)status.st_size;
		return fd;
	}
	close(fd);
	return -1;
}

static int segment_read(int fd, const char *name, const struct program_segment *segment, uint8_t *to,
			struct error *error)
{
	uint64_t done = 0;

	while (done < segment->file_size) {
		ssize_t part =
			pread(fd, to + done, segment->file_size - done, (off_t)(segment->offset + done));

		if (part < 0 && errno == EINTR)
			continue;
		if (part <= 0)
			return error_set(error, ERROR_INPUT, part ? errno : 0, segment->offset + done,
					 "guest program %s ended while it was being read", name);
		done += (uint64_t)part;
	}
	return 0;
}

static int file_parse(int fd, size_t size, const char *name, uint64_t memory_end, struct program *out,
		      struct error *error)
{
	void *bytes = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
	int result;

	if (bytes == MAP_FAILED)
		return error_set(error, ERROR_INPUT, errno, 0, "cannot map guest program %s", name);
	result = program_parse(bytes, size, name, memory_end, out, error);
	munmap(bytes, size);
	return result;
}

int program_load(const char *path, const struct guest_memory *memory, struct program *out,
		 struct error *error)
{
	struct program program = { 0 };
	char name[NAME_SIZE];
	size_t size = 0;
	int result, fd;

	text_escape(path, strlen(path), name, sizeof(name));
	fd = file_open(path, name, &size, error);
	if (fd < 0)
		return -1;
	result = file_parse(fd, size, name, guest_memory_low_size(memory->size), &program, error);
	for (unsigned int i = 0; result == 0 && i < program.segment_count; i++)
		result = segment_read(fd, name, &program.segments[i], memory->bytes + program.segments[i].gpa,
				      error);
	close(fd);
	if (result == 0)
		*out = program;
	return result;
}
