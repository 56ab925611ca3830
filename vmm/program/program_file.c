/* SPDX-License-Identifier: MIT */
/*
 * program_file.c: checks the guest's ELF file, and opens it for libelf.
 */
#include "program/program_file.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

static int ident_check(const struct private_file *file, struct error *error)
{
	if (file->size < SELFMAG || memcmp(file->bytes, ELFMAG, SELFMAG) != 0)
		return error_set(error, ERROR_INPUT, 0, 0, "%s is not an ELF file", file->name);
	if (file->size < sizeof(Elf64_Ehdr))
		return error_set(error, ERROR_INPUT, 0, 0, "%s is truncated: no whole ELF header",
				 file->name);
	if (file->bytes[EI_CLASS] != ELFCLASS64 || file->bytes[EI_DATA] != ELFDATA2LSB)
		return error_set(error, ERROR_INPUT, 0, EI_CLASS, "%s is not a 64-bit x86-64 ELF file",
				 file->name);
	return 0;
}

static int elf_open(struct program_file *program, struct error *error)
{
	const struct private_file *file = &program->file;
	const Elf64_Ehdr *header;
	void *scratch = mmap(NULL, file->size, PROT_READ | PROT_WRITE, MAP_PRIVATE, file->fd, 0);

	if (scratch == MAP_FAILED)
		return error_set(error, ERROR_HOST, errno, 0, "%s cannot be mapped", file->name);
	program->scratch = scratch;
	elf_version(EV_CURRENT);
	program->elf = elf_memory(scratch, file->size);
	header = program->elf ? elf64_getehdr(program->elf) : NULL;
	if (!header)
		return error_set(error, ERROR_INPUT, 0, 0, "%s is not a readable ELF file: %s", file->name,
				 elf_errmsg(-1));
	if (header->e_machine != EM_X86_64)
		return error_set(error, ERROR_INPUT, 0, offsetof(Elf64_Ehdr, e_machine),
				 "%s is not a 64-bit x86-64 ELF file", file->name);
	return 0;
}

int program_file_open(struct private_file *file, struct program_file *out, struct error *error)
{
	struct program_file program = { .file = *file };

	*file = (struct private_file){ .fd = -1 };
	if (ident_check(&program.file, error) < 0 || elf_open(&program, error) < 0) {
		program_file_close(&program);
		return -1;
	}
	*out = program;
	return 0;
}

void program_file_close(struct program_file *program)
{
	if (program->elf)
		elf_end(program->elf);
	if (program->scratch)
		munmap(program->scratch, program->file.size);
	private_file_close(&program->file);
	program->scratch = NULL;
	program->elf = NULL;
}
