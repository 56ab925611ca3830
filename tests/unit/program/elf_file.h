/* SPDX-License-Identifier: MIT */
/*
 * elf_file.h: small ELF files made by a test: program headers, a symbol table with its names, and some bytes.
 */
#ifndef TESTS_UNIT_PROGRAM_ELF_FILE_H
#define TESTS_UNIT_PROGRAM_ELF_FILE_H

#include "program/symbols.h"

#include <elf.h>

#define ELF_FILE_BYTES 0x1000 /* offset of the bytes */

struct elf_symbol {
	const char *name;
	Elf64_Sym symbol; /* without st_name */
};

struct elf_file {
	const Elf64_Phdr *headers;
	size_t header_count;
	const struct elf_symbol *symbols; /* after the null symbol */
	size_t symbol_count;
	const void *bytes; /* from ELF_FILE_BYTES on */
	size_t size;
};

/* The file, to be freed. */
uint8_t *elf_file_make(const struct elf_file *file, size_t *size_out);

/* Opens it, which must succeed. */
struct symbols *elf_file_open(const struct elf_file *file);

#endif
