/* SPDX-License-Identifier: MIT */
/*
 * program_parse.c: checks that an ELF file can be booted by PVH (xen/include/public/elfnote.h).
 *
 * Numbers from the file are never added, since sums could wrap: sizes are compared with the rest that is left.
 */
#include "base/elf_image.h"
#include "machine/program.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#define XEN_ELFNOTE_PHYS32_ENTRY 18

/* Arguments of the functions below. */
struct parse {
	struct elf_image image;
	const uint8_t *bytes;
	size_t size;
	const char *name;
	uint64_t memory_end;
	struct error *error;
};

#define refuse(parse, offset, ...) error_set((parse)->error, ERROR_INPUT, 0, (offset), __VA_ARGS__)

static bool in_file(const struct parse *parse, uint64_t offset, uint64_t size)
{
	return offset <= parse->size && size <= parse->size - offset;
}

static int ident_check(const struct parse *parse)
{
	const uint8_t *ident = parse->bytes;

	if (!parse->size)
		return refuse(parse, 0, "guest program %s is empty", parse->name);
	if (parse->size < SELFMAG || memcmp(ident, ELFMAG, SELFMAG) != 0)
		return refuse(parse, 0, "guest program %s is not an ELF file", parse->name);
	if (parse->size > EI_CLASS && ident[EI_CLASS] == ELFCLASS32)
		return refuse(parse, EI_CLASS, "guest program %s is a 32-bit ELF file: build it for x86-64",
			      parse->name);
	if (parse->size < sizeof(Elf64_Ehdr))
		return refuse(parse, parse->size,
			      "guest program %s is truncated in the middle of its ELF header", parse->name);
	if (ident[EI_CLASS] != ELFCLASS64 || ident[EI_DATA] != ELFDATA2LSB || ident[EI_VERSION] != EV_CURRENT)
		return refuse(parse, EI_CLASS, "guest program %s is not a little-endian 64-bit ELF file",
			      parse->name);
	return 0;
}

/* *count_out: number of program headers. */
static int header_check(const struct parse *parse, size_t *count_out)
{
	const Elf64_Ehdr header = parse->image.header;

	if (header.e_machine != EM_X86_64)
		return refuse(parse, offsetof(Elf64_Ehdr, e_machine),
			      "guest program %s is for ELF machine %u, not for x86-64 (62)", parse->name,
			      header.e_machine);
	if (header.e_type != ET_EXEC)
		return refuse(
			parse, offsetof(Elf64_Ehdr, e_type),
			"guest program %s is not an executable (ELF type %u, not 2): link it at fixed addresses",
			parse->name, header.e_type);
	if (!header.e_phnum)
		return refuse(parse, offsetof(Elf64_Ehdr, e_phnum), "guest program %s has no program headers",
			      parse->name);
	if (header.e_phentsize != sizeof(Elf64_Phdr))
		return refuse(parse, offsetof(Elf64_Ehdr, e_phentsize),
			      "guest program %s: program headers of %u bytes, not of 56", parse->name,
			      header.e_phentsize);
	if (!in_file(parse, header.e_phoff, (uint64_t)header.e_phnum * sizeof(Elf64_Phdr)))
		return refuse(parse, header.e_phoff,
			      "guest program %s is truncated: its program headers lie beyond its end",
			      parse->name);
	*count_out = header.e_phnum;
	return 0;
}

static int segment_check(const struct parse *parse, const struct program_segment *segment)
{
	const char *name = parse->name;
	uint64_t gpa = segment->gpa, size = segment->memory_size;

	if (segment->file_size > size)
		return refuse(parse, segment->offset,
			      "guest program %s: the segment at GPA 0x%" PRIx64 " has 0x%" PRIx64
			      " bytes in the file, but only 0x%" PRIx64 " in memory",
			      name, gpa, segment->file_size, size);
	if (!in_file(parse, segment->offset, segment->file_size))
		return refuse(parse, segment->offset,
			      "guest program %s is truncated: its segment at GPA 0x%" PRIx64
			      " lies at 0x%" PRIx64 "+0x%" PRIx64 " of a file of 0x%zx bytes",
			      name, gpa, segment->offset, segment->file_size, parse->size);
	if (size > UINT64_MAX - gpa)
		return refuse(parse, segment->offset,
			      "guest program %s: the segment at GPA 0x%" PRIx64
			      " wraps around the end of the address space",
			      name, gpa);
	if (gpa < GUEST_RAM_START)
		return refuse(parse, segment->offset,
			      "guest program %s: the segment at GPA 0x%" PRIx64
			      " lies below 1 MiB: link it higher",
			      name, gpa);
	if (gpa >= parse->memory_end)
		return refuse(parse, segment->offset,
			      "guest program %s: the segment at GPA 0x%" PRIx64
			      " lies outside RAM, which ends at 0x%" PRIx64 ": give the guest more memory",
			      name, gpa, parse->memory_end);
	if (size > parse->memory_end - gpa)
		return refuse(parse, segment->offset,
			      "guest program %s: the segment at GPA 0x%" PRIx64 " of 0x%" PRIx64
			      " bytes does not fit into RAM, which ends at 0x%" PRIx64
			      ": give the guest more memory",
			      name, gpa, size, parse->memory_end);
	return 0;
}

/* Inserts the segment in order. */
static int segment_add(const struct parse *parse, const struct program_segment *segment,
		       struct program *program)
{
	unsigned int index = program->segment_count;

	if (program->segment_count == PROGRAM_SEGMENTS_MAX)
		return refuse(parse, segment->offset, "guest program %s has more than %d segments",
			      parse->name, PROGRAM_SEGMENTS_MAX);
	for (; index && program->segments[index - 1].gpa > segment->gpa; index--)
		program->segments[index] = program->segments[index - 1];
	program->segments[index] = *segment;
	program->segment_count++;
	return 0;
}

/* Segments are checked, so their ends do not wrap. */
static int overlap_check(const struct parse *parse, struct program *program)
{
	const struct program_segment *last = NULL;

	for (unsigned int i = 0; i < program->segment_count; i++) {
		const struct program_segment *segment = &program->segments[i];

		if (last && last->gpa + last->memory_size > segment->gpa)
			return refuse(parse, segment->offset,
				      "guest program %s: the segments at GPA 0x%" PRIx64 " and 0x%" PRIx64
				      " overlap",
				      parse->name, last->gpa, segment->gpa);
		last = segment;
	}
	if (!last)
		return refuse(parse, 0, "guest program %s has nothing to load (no PT_LOAD)", parse->name);
	program->end = last->gpa + last->memory_size;
	return 0;
}

/* Reads the entry from the notes of this PT_NOTE; false if they have none. */
static bool note_find_entry(const struct parse *parse, const Elf64_Phdr *header, uint64_t *entry_out)
{
	struct elf_notes notes = elf_image_notes(&parse->image, header);
	struct elf_note note;

	while (elf_notes_next(&notes, &note)) {
		if (note.type == XEN_ELFNOTE_PHYS32_ENTRY && note.name_size == 4 &&
		    memcmp(note.name, "Xen", 4) == 0 && (note.value_size == 4 || note.value_size == 8)) {
			*entry_out = 0;
			memcpy(entry_out, note.value, note.value_size);
			return true;
		}
	}
	return false;
}

static int entry_check(const struct parse *parse, uint64_t entry, struct program *program)
{
	for (unsigned int i = 0; i < program->segment_count; i++) {
		const struct program_segment *segment = &program->segments[i];

		if (entry >= segment->gpa && entry - segment->gpa < segment->file_size &&
		    entry <= UINT32_MAX) {
			program->entry = (uint32_t)entry;
			return 0;
		}
	}
	return refuse(parse, 0, "guest program %s: its PVH entry 0x%" PRIx64 " lies in none of its segments",
		      parse->name, entry);
}

static int headers_read(const struct parse *parse, struct program *program)
{
	bool has_entry = false;
	uint64_t entry = 0;
	size_t count = 0;

	if (header_check(parse, &count) < 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		Elf64_Phdr header;

		if (!elf_image_segment(&parse->image, (uint32_t)i, &header))
			return refuse(parse, 0, "guest program %s: bad program header %zu", parse->name, i);
		if (header.p_type == PT_NOTE && !has_entry)
			has_entry = note_find_entry(parse, &header, &entry);
		if (header.p_type == PT_LOAD && (header.p_memsz || header.p_filesz)) {
			struct program_segment segment = {
				.gpa = header.p_paddr,
				.memory_size = header.p_memsz,
				.offset = header.p_offset,
				.file_size = header.p_filesz,
			};

			if (segment_check(parse, &segment) < 0 || segment_add(parse, &segment, program) < 0)
				return -1;
		}
	}
	if (overlap_check(parse, program) < 0)
		return -1;
	if (!has_entry)
		return refuse(
			parse, 0,
			"guest program %s has no PVH entry (ELF note Xen, type 18): it cannot be booted",
			parse->name);
	return entry_check(parse, entry, program);
}

int program_parse(const void *bytes, size_t size, const char *name, uint64_t memory_end, struct program *out,
		  struct error *error)
{
	struct parse parse = {
		.bytes = bytes, .size = size, .name = name, .memory_end = memory_end, .error = error
	};
	struct program program = { 0 };

	/* ident_check() has the reasons. */
	if (ident_check(&parse) < 0 || !elf_image_open(bytes, size, &parse.image) ||
	    headers_read(&parse, &program) < 0)
		return -1;
	*out = program;
	return 0;
}
