/* SPDX-License-Identifier: MIT */
/*
 * program_file.c: reads and checks the guest's ELF file.
 */
#include "program/program_file.h"

#include <string.h>
#include <unistd.h>

/* ---- what can be left out ---- */

/* Headers of one kind; a file with more is read whole. */
#define HEADERS_MAX 64

struct headers {
	Elf64_Ehdr file;
	Elf64_Phdr segments[HEADERS_MAX];
	Elf64_Shdr sections[HEADERS_MAX];
};

static bool part_read(int fd, void *out, uint64_t size, uint64_t offset)
{
	return offset <= INT64_MAX && pread(fd, out, size, (off_t)offset) == (ssize_t)size;
}

static bool headers_read(int fd, struct headers *out)
{
	const Elf64_Ehdr *header = &out->file;
	struct elf_image image;

	return part_read(fd, &out->file, sizeof(out->file), 0) &&
	       elf_image_open(&out->file, sizeof(out->file), &image) && header->e_phnum <= HEADERS_MAX &&
	       header->e_shnum <= HEADERS_MAX && header->e_phentsize == sizeof(out->segments[0]) &&
	       header->e_shentsize == sizeof(out->sections[0]) &&
	       part_read(fd, out->segments, header->e_phnum * sizeof(out->segments[0]), header->e_phoff) &&
	       part_read(fd, out->sections, header->e_shnum * sizeof(out->sections[0]), header->e_shoff);
}

static bool is_debug(const Elf64_Shdr *section)
{
	return section->sh_type == SHT_PROGBITS && !(section->sh_flags & SHF_ALLOC) && section->sh_size;
}

/* [start, start + size) is apart from the span. */
static bool is_apart(struct file_span span, uint64_t start, uint64_t size)
{
	return !size || start >= span.end || (start < span.start && size <= span.start - start);
}

/* The smallest span with all debug sections. */
static struct file_span span_of_debug(const struct headers *headers, uint64_t file_size)
{
	struct file_span span = { UINT64_MAX, 0 };

	for (unsigned int i = 0; i < headers->file.e_shnum; i++) {
		const Elf64_Shdr *section = &headers->sections[i];

		if (!is_debug(section))
			continue;
		if (section->sh_offset > file_size || section->sh_size > file_size - section->sh_offset)
			return (struct file_span){ 0, 0 };
		if (section->sh_offset < span.start)
			span.start = section->sh_offset;
		if (section->sh_offset + section->sh_size > span.end)
			span.end = section->sh_offset + section->sh_size;
	}
	return span.end ? span : (struct file_span){ 0, 0 };
}

/* The debug sections, if nothing else is between them. */
static struct file_span debug_span(int fd, uint64_t size)
{
	const struct file_span none = { 0, 0 };
	struct headers headers;
	struct file_span span;

	if (!headers_read(fd, &headers))
		return none;
	span = span_of_debug(&headers, size);
	if (!is_apart(span, 0, sizeof(headers.file)) ||
	    !is_apart(span, headers.file.e_phoff, headers.file.e_phnum * sizeof(Elf64_Phdr)) ||
	    !is_apart(span, headers.file.e_shoff, headers.file.e_shnum * sizeof(Elf64_Shdr)))
		return none;
	for (unsigned int i = 0; i < headers.file.e_phnum; i++)
		if (!is_apart(span, headers.segments[i].p_offset, headers.segments[i].p_filesz))
			return none;
	for (unsigned int i = 0; i < headers.file.e_shnum; i++) {
		const Elf64_Shdr *section = &headers.sections[i];

		if (!is_debug(section) && section->sh_type != SHT_NOBITS &&
		    !is_apart(span, section->sh_offset, section->sh_size))
			return none;
	}
	return span;
}

int program_file_read(const char *path, const char *what, struct private_file *out, struct error *error)
{
	return private_file_read_without(path, what, debug_span, out, error);
}

/* ---- */

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
