/* SPDX-License-Identifier: MIT */
/*
 * core_file.c: opens a file and checks its ELF header and program headers.
 */
#include "view/core_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int bad(const struct core_file *file, struct error *error, const char *what)
{
	return error_set(error, ERROR_INPUT, 0, 0, "%s: %s", file->path, what);
}

static int check_regular(struct core_file *file, struct error *error)
{
	struct stat status;

	if (fstat(file->fd, &status) < 0)
		return error_set(error, ERROR_HOST, errno, 0, "%s", file->path);
	if (!S_ISREG(status.st_mode))
		return bad(file, error,
			   S_ISDIR(status.st_mode) ? "a folder, not a core file" : "not a regular file");
	if (!status.st_size)
		return bad(file, error, "empty, not a core file");
	file->size = status.st_size;
	return 0;
}

/* Dump formats other than ELF, by their first bytes. */
static const struct {
	const char *magic;
	const char *what;
} other_formats[] = {
	{ "KDUMP   ", "a dump in kdump's compressed format" },
	{ "makedumpfile", "a dump in makedumpfile's flattened format" },
	{ "PAGEDU64", "a Windows crash dump" },
	{ "PAGEDUMP", "a Windows crash dump" },
	{ "QEVM", "a saved state of QEMU's (savevm, migrate)" },
};

static int not_elf(const struct core_file *file, struct error *error)
{
	char start[16] = "";

	if (pread(file->fd, start, sizeof(start) - 1, 0) > 0)
		for (size_t i = 0; i < sizeof(other_formats) / sizeof(other_formats[0]); i++)
			if (!strncmp(start, other_formats[i].magic, strlen(other_formats[i].magic)))
				return error_set(error, ERROR_INPUT, 0, 0,
						 "%s: %s; only ELF cores are read (QEMU: dump-guest-memory "
						 "without -z, -l, -s, -w)",
						 file->path, other_formats[i].what);
	return bad(file, error, "not an ELF file");
}

/* e_phnum is PN_XNUM: the number of program headers is in sh_info of section 0. */
static int count_segments(const struct core_file *file, size_t *out, struct error *error)
{
	Elf_Scn *first = elf_getscn(file->elf, 0);
	GElf_Shdr section;

	if (!first || !gelf_getshdr(first, &section))
		return bad(
			file, error,
			"the number of program headers is not where it should be (PN_XNUM, but no section)");
	*out = section.sh_info;
	return 0;
}

static int check_header(struct core_file *file, struct error *error)
{
	GElf_Ehdr header;
	size_t count;

	if (elf_kind(file->elf) != ELF_K_ELF || !gelf_getehdr(file->elf, &header))
		return not_elf(file, error);
	if (header.e_ident[EI_CLASS] != ELFCLASS64)
		return bad(file, error, "a 32-bit ELF file; a core of an x86-64 guest is wanted");
	if (header.e_ident[EI_DATA] != ELFDATA2LSB)
		return bad(file, error, "a big-endian ELF file; a core of an x86-64 guest is wanted");
	if (header.e_type != ET_CORE)
		return bad(file, error, "an ELF file, but not a core");
	if (header.e_machine != EM_X86_64)
		return bad(file, error, "a core, but not of an x86-64 machine");
	if (header.e_phentsize != sizeof(Elf64_Phdr))
		return bad(file, error, "program headers of a form that no core of a guest has");
	count = header.e_phnum;
	if (count == PN_XNUM && count_segments(file, &count, error) < 0)
		return -1;
	if (header.e_phoff > file->size || count > (file->size - header.e_phoff) / sizeof(Elf64_Phdr))
		return error_set(error, ERROR_INPUT, 0, header.e_phoff,
				 "%s: %zu program headers at offset 0x%" PRIx64
				 ": beyond the end of the file",
				 file->path, count, header.e_phoff);
	file->segment_count = count;
	return 0;
}

int core_file_open(const char *path, struct core_file *out, struct error *error)
{
	struct core_file file = { .path = path };

	/* O_NONBLOCK: do not wait for the writer of a FIFO. */
	file.fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (file.fd < 0)
		return error_set(error, errno == EACCES ? ERROR_PERMISSION : ERROR_INPUT, errno, 0, "%s",
				 path);
	elf_version(EV_CURRENT);
	if (check_regular(&file, error) < 0)
		goto fail;
	file.elf = elf_begin(file.fd, ELF_C_READ, NULL);
	if (!file.elf) {
		error_set(error, ERROR_HOST, 0, 0, "%s: %s", path, elf_errmsg(-1));
		goto fail;
	}
	if (check_header(&file, error) < 0)
		goto fail;
	*out = file;
	return 0;
fail:
	core_file_close(&file);
	return -1;
}

void core_file_close(struct core_file *file)
{
	elf_end(file->elf);
	if (file->fd >= 0)
		close(file->fd);
}

int core_file_segment(const struct core_file *file, size_t index, GElf_Phdr *out, struct error *error)
{
	GElf_Phdr segment;

	if (!gelf_getphdr(file->elf, (int)index, &segment))
		return error_set(error, ERROR_INPUT, 0, 0, "%s: program header %zu: %s", file->path, index,
				 elf_errmsg(-1));
	/* The offset of a segment without bytes is undefined: QEMU writes all ones. */
	if (!segment.p_filesz)
		segment.p_offset = 0;
	if (segment.p_offset > file->size || segment.p_filesz > file->size - segment.p_offset)
		return error_set(error, ERROR_INPUT, 0, segment.p_offset,
				 "%s: segment %zu (offset 0x%" PRIx64 ", 0x%" PRIx64
				 " bytes) goes beyond the end of the file: truncated?",
				 file->path, index, segment.p_offset, segment.p_filesz);
	*out = segment;
	return 0;
}
