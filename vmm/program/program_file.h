/* SPDX-License-Identifier: MIT */
/*
 * program_file.h: the guest's ELF file, mapped read-only into this process, with its libelf handle.
 */
#ifndef VMM_PROGRAM_PROGRAM_FILE_H
#define VMM_PROGRAM_PROGRAM_FILE_H

#include "base/error.h"

#include <libelf.h>
#include <stddef.h>

struct program_file {
	int fd;
	size_t size;
	uint8_t *bytes; /* read-only */
	Elf *elf;
	char name[256]; /* the path, escaped, for messages */
};

/* ERROR_INPUT if it is missing, not a regular file, empty, or not an ELF file for x86-64. */
int program_file_open(const char *path, struct program_file *out, struct error *error);
void program_file_close(struct program_file *file);

#endif
