/* SPDX-License-Identifier: MIT */
/*
 * program_file.h: the guest's ELF file, read once into this process: what is loaded, the symbols and the lines are of
 * that copy.
 */
#ifndef VMM_PROGRAM_PROGRAM_FILE_H
#define VMM_PROGRAM_PROGRAM_FILE_H

#include "base/elf_image.h"
#include "base/private_file.h"

struct program_file {
	struct private_file file;
	struct elf_image image;
};

/* Takes `file` over, on failure too. ERROR_INPUT if it is not an ELF file for x86-64. */
int program_file_open(struct private_file *file, struct program_file *out, struct error *error);

/* A closed file is allowed. */
void program_file_close(struct program_file *program);

#endif
