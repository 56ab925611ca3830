/* SPDX-License-Identifier: MIT */
/*
 * program_elf.h: the guest's ELF file for libelf.
 */
#ifndef VMM_PROGRAM_PROGRAM_ELF_H
#define VMM_PROGRAM_PROGRAM_ELF_H

#include "program/program_file.h"

#include <libelf.h>

/* The whole file for libelf, in a copy of its own: libelf writes to what it decompresses. */
struct program_elf {
	Elf *elf;
	uint8_t *scratch;
	size_t size;
};

/* ERROR_INPUT if libelf cannot read it. */
int program_elf_open(const struct program_file *program, struct program_elf *out, struct error *error);

/* A closed one is allowed. */
void program_elf_close(struct program_elf *program);

#endif
