/* SPDX-License-Identifier: MIT */
/*
 * program_file.c: checks the guest's ELF file.
 */
#include "program/program_file.h"

#include <string.h>

static int image_open(struct program_file *program, struct error *error)
{
	const struct private_file *file = &program->file;

	if (file->size < SELFMAG || memcmp(file->bytes, ELFMAG, SELFMAG) != 0)
		return error_set(error, ERROR_INPUT, 0, 0, "%s is not an ELF file", file->name);
	if (file->size < sizeof(Elf64_Ehdr))
		return error_set(error, ERROR_INPUT, 0, 0, "%s is truncated: no whole ELF header",
				 file->name);
	if (!elf_image_open(file->bytes, file->size, &program->image))
		return error_set(error, ERROR_INPUT, 0, EI_CLASS, "%s is not a 64-bit x86-64 ELF file",
				 file->name);
	if (program->image.header.e_ident[EI_VERSION] != EV_CURRENT)
		return error_set(error, ERROR_INPUT, 0, EI_VERSION,
				 "%s is not a readable ELF file: version %u", file->name,
				 program->image.header.e_ident[EI_VERSION]);
	if (program->image.header.e_machine != EM_X86_64)
		return error_set(error, ERROR_INPUT, 0, offsetof(Elf64_Ehdr, e_machine),
				 "%s is not a 64-bit x86-64 ELF file", file->name);
	return 0;
}

int program_file_open(struct private_file *file, struct program_file *out, struct error *error)
{
	struct program_file program = { .file = *file };

	*file = (struct private_file){ .fd = -1 };
	if (image_open(&program, error) < 0) {
		program_file_close(&program);
		return -1;
	}
	*out = program;
	return 0;
}

void program_file_close(struct program_file *program)
{
	private_file_close(&program->file);
}
