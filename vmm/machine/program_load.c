/* SPDX-License-Identifier: MIT */
/*
 * program_load.c: loads an ELF file into guest memory.
 */
#include "machine/program.h"

#include <string.h>

int program_load(const struct private_file *file, const struct guest_memory *memory, struct program *out,
		 struct error *error)
{
	struct program program = { 0 };

	if (program_parse(file->bytes, file->size, file->name, guest_memory_low_size(memory->size), &program,
			  error) < 0)
		return -1;
	/* program_parse() has checked the segments against the file and the memory. */
	for (unsigned int i = 0; i < program.segment_count; i++) {
		const struct program_segment *segment = &program.segments[i];

		memcpy(memory->bytes + segment->gpa, file->bytes + segment->offset, segment->file_size);
	}
	*out = program;
	return 0;
}
