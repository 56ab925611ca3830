/* SPDX-License-Identifier: MIT */
#include "program/program_elf.h"

#include <errno.h>
#include <sys/mman.h>

int program_elf_open(const struct program_file *program, struct program_elf *out, struct error *error)
{
	const struct private_file *file = &program->file;
	struct program_elf opened = { .size = file->size };
	void *scratch;

	scratch = mmap(NULL, file->size, PROT_READ | PROT_WRITE, MAP_PRIVATE, file->fd, 0);
	if (scratch == MAP_FAILED)
		return error_set(error, ERROR_HOST, errno, 0, "%s cannot be mapped", file->name);
	opened.scratch = scratch;
	elf_version(EV_CURRENT);
	opened.elf = elf_memory(scratch, file->size);
	if (!opened.elf) {
		program_elf_close(&opened);
		return error_set(error, ERROR_INPUT, 0, 0, "%s is not a readable ELF file: %s", file->name,
				 elf_errmsg(-1));
	}
	*out = opened;
	return 0;
}

void program_elf_close(struct program_elf *program)
{
	if (program->elf)
		elf_end(program->elf);
	if (program->scratch)
		munmap(program->scratch, program->size);
	*program = (struct program_elf){ 0 };
}
