/* SPDX-License-Identifier: MIT */
/*
 * program_file.h: the guest's ELF file, read once into this process, with its libelf handle.
 */
#ifndef VMM_PROGRAM_PROGRAM_FILE_H
#define VMM_PROGRAM_PROGRAM_FILE_H

#include "base/private_file.h"

#include <libelf.h>

struct program_file {
	struct private_file file; /* as it was read: libelf does not write here */
	uint8_t *scratch;         /* the same bytes for libelf, which writes to what it decompresses */
	Elf *elf;
};

/* Takes `file` over, on failure too. ERROR_INPUT if it is not an ELF file for x86-64. */
int program_file_open(struct private_file *file, struct program_file *out, struct error *error);

/* A closed file is allowed. */
void program_file_close(struct program_file *program);

#endif
