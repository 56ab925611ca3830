/* SPDX-License-Identifier: MIT */
/*
 * program_file.c: opens and maps the guest's ELF file.
 */
#include "program/program_file.h"
#include "base/escape.h"
#include "program/symbols.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int file_map(struct program_file *file, struct error *error)
{
	struct stat status;

	if (fstat(file->fd, &status) < 0)
		return error_set(error, ERROR_INPUT, errno, 0, "%s", file->name);
	if (!S_ISREG(status.st_mode))
		return error_set(error, ERROR_INPUT, 0, 0, "%s is not a regular file", file->name);
	if (status.st_size == 0)
		return error_set(error, ERROR_INPUT, 0, 0, "%s is empty", file->name);
	file->size = (size_t)status.st_size;
	file->bytes = mmap(NULL, file->size, PROT_READ, MAP_PRIVATE, file->fd, 0);
	if (file->bytes == MAP_FAILED) {
		file->bytes = NULL;
		return error_set(error, ERROR_HOST, errno, 0, "%s cannot be mapped", file->name);
	}
	return 0;
}

static int file_check(struct program_file *file, struct error *error)
{
	const Elf64_Ehdr *header;

	if (file->size < SELFMAG || memcmp(file->bytes, ELFMAG, SELFMAG) != 0)
		return error_set(error, ERROR_INPUT, 0, 0, "%s is not an ELF file", file->name);
	if (file->size < sizeof(Elf64_Ehdr))
		return error_set(error, ERROR_INPUT, 0, 0, "%s is truncated: no whole ELF header",
				 file->name);
	if (file->bytes[EI_CLASS] != ELFCLASS64 || file->bytes[EI_DATA] != ELFDATA2LSB)
		return error_set(error, ERROR_INPUT, 0, EI_CLASS, "%s is not a 64-bit x86-64 ELF file",
				 file->name);
	elf_version(EV_CURRENT);
	file->elf = elf_memory((char *)file->bytes, file->size);
	header = file->elf ? elf64_getehdr(file->elf) : NULL;
	if (!header)
		return error_set(error, ERROR_INPUT, 0, 0, "%s is not a readable ELF file: %s", file->name,
				 elf_errmsg(-1));
	if (header->e_machine != EM_X86_64)
		return error_set(error, ERROR_INPUT, 0, offsetof(Elf64_Ehdr, e_machine),
				 "%s is not a 64-bit x86-64 ELF file", file->name);
	return 0;
}

int program_file_open(const char *path, struct program_file *out, struct error *error)
{
	struct program_file file = { .elf = NULL };

	text_escape(path, strlen(path), file.name, sizeof(file.name));
	file.fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* do not wait at a FIFO */
	if (file.fd < 0)
		return error_set(error, errno == EACCES ? ERROR_PERMISSION : ERROR_INPUT, errno, 0, "%s",
				 file.name);
	if (file_map(&file, error) < 0 || file_check(&file, error) < 0) {
		program_file_close(&file);
		return -1;
	}
	*out = file;
	return 0;
}

void program_file_close(struct program_file *file)
{
	elf_end(file->elf);
	if (file->bytes)
		munmap(file->bytes, file->size);
	close(file->fd);
}
