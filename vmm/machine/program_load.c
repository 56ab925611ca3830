/* SPDX-License-Identifier: MIT */
/*
 * program_load.c: loads an ELF file into guest memory.
 */
#include "machine/program.h"

#include <errno.h>
#include <unistd.h>

/* By writing to the memory's file: a store to its mapping is a page fault for each page. */
static int segment_write(const struct program_segment *segment, const struct private_file *file,
			 const struct guest_memory *memory)
{
	for (uint64_t done = 0; done < segment->file_size;) {
		ssize_t part = pwrite(memory->fd, file->bytes + segment->offset + done,
				      segment->file_size - done, (off_t)(segment->gpa + done));

		if (part < 0 && errno == EINTR)
			continue;
		if (!part)
			errno = ENOSPC;
		if (part <= 0)
			return -1;
		done += (uint64_t)part;
	}
	return 0;
}

int program_load(const struct private_file *file, const struct guest_memory *memory, struct program *out,
		 struct error *error)
{
	struct program program = { 0 };

	if (program_parse(file->bytes, file->size, file->name, guest_memory_low_size(memory->size), &program,
			  error) < 0)
		return -1;
	/* program_parse() has checked the segments against the file and the memory. */
	for (unsigned int i = 0; i < program.segment_count; i++)
		if (segment_write(&program.segments[i], file, memory) < 0)
			return error_set(error, ERROR_HOST, errno, program.segments[i].gpa,
					 "guest program %s cannot be loaded", file->name);
	*out = program;
	return 0;
}
