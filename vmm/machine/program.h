/* SPDX-License-Identifier: MIT */
/*
 * program.h: checks the guest's ELF file and loads it into guest memory.
 */
#ifndef VMM_MACHINE_PROGRAM_H
#define VMM_MACHINE_PROGRAM_H

#include "base/private_file.h"
#include "machine/guest_memory.h"

#define PROGRAM_SEGMENTS_MAX 16

/* PT_LOAD: `file_size` bytes at `offset` of the file go to `gpa`; zeros follow up to `memory_size`. */
struct program_segment {
	uint64_t gpa;
	uint64_t memory_size;
	uint64_t offset;
	uint64_t file_size;
};

struct program {
	struct program_segment segments[PROGRAM_SEGMENTS_MAX]; /* by ascending gpa */
	unsigned int segment_count;
	uint32_t entry; /* GPA of the 32-bit entry, from the PVH note */
	uint64_t end;   /* GPA after the last segment */
};

/*
 * Checks an ELF file of `size` bytes at `bytes`: an x86-64 executable with a PVH note, whose segments lie in [1 MiB, memory_end), do not overlap, and contain the
 * entry. `name`: the file's name in messages. ERROR_INPUT otherwise; error->address is an offset in the file.
 */
int program_parse(const void *bytes, size_t size, const char *name, uint64_t memory_end, struct program *out,
		  struct error *error);

/* Checks the file as above and copies it into memory below 3 GiB. */
int program_load(const struct private_file *file, const struct guest_memory *memory, struct program *out,
		 struct error *error);

#endif
