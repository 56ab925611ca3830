/* SPDX-License-Identifier: MIT */
#include "program/debug_sections.h"

#include "base/escape.h"
#include "program/program_elf.h"

#include <gelf.h>
#include <string.h>

/* ELFCOMPRESS_ZSTD, which elf.h names from glibc 2.36 on. */
#define COMPRESSION_ZSTD 2

static bool is_compressed(const Elf64_Shdr *header)
{
	return header->sh_flags & SHF_COMPRESSED && header->sh_type != SHT_NOBITS;
}

/* The name of a section, escaped; "" if it has none. Returns out. */
static const char *section_name(const struct elf_image *image, const Elf64_Shdr *section, char *out,
				size_t size)
{
	Elf64_Shdr names;
	const uint8_t *bytes;
	size_t length = 0;

	out[0] = '\0';
	if (!elf_image_section(image, image->header.e_shstrndx, &names) || section->sh_name >= names.sh_size)
		return out;
	bytes = elf_image_bytes(image, names.sh_offset, names.sh_size);
	if (!bytes)
		return out;
	length = strnlen((const char *)bytes + section->sh_name, names.sh_size - section->sh_name);
	return text_escape((const char *)bytes + section->sh_name, length, out, size);
}

static int damaged(const struct program_file *file, const Elf64_Shdr *header, struct error *error)
{
	char name[64];

	return error_set(error, ERROR_INPUT, 0, header->sh_offset,
			 "%s: its compressed section `%s` is damaged, so that no debug information is read",
			 file->file.name, section_name(&file->image, header, name, sizeof(name)));
}

/* Decompresses a section in libelf's copy of the file. */
static int check_section(const struct program_file *file, const Elf64_Shdr *header, Elf_Scn *section,
			 struct error *error)
{
	const uint8_t *bytes = elf_image_bytes(&file->image, header->sh_offset, header->sh_size);
	Elf64_Chdr compression;

	if (!bytes || header->sh_size < sizeof(compression))
		return damaged(file, header, error);
	memcpy(&compression, bytes, sizeof(compression));
	if (section && elf_compress(section, 0, 0) >= 0)
		return 0;
	if (compression.ch_type == ELFCOMPRESS_ZLIB)
		return damaged(file, header, error);
	return error_set(error, ERROR_INPUT, 0, header->sh_offset,
			 "%s: its debug sections are compressed by %s, and libelf cannot decompress them: "
			 "`objcopy --decompress-debug-sections` makes a readable copy",
			 file->file.name,
			 compression.ch_type == COMPRESSION_ZSTD ? "zstd" : "an unknown method");
}

int debug_sections_check(const struct program_file *file, struct error *error)
{
	struct program_elf copy = { 0 };
	Elf64_Shdr header;
	int result = 0;

	for (uint64_t i = 0; result == 0 && elf_image_section(&file->image, i, &header); i++) {
		if (!is_compressed(&header))
			continue;
		if (!copy.elf && program_elf_open(file, &copy, error) < 0)
			return -1;
		result = check_section(file, &header, elf_getscn(copy.elf, i), error);
	}
	program_elf_close(&copy);
	return result;
}

static struct error first_error;
static bool has_error;

int debug_sections_want(const struct program_file *file)
{
	struct error error;

	if (debug_sections_check(file, &error) == 0)
		return 0;
	if (!has_error)
		first_error = error;
	has_error = true;
	return -1;
}

const struct error *debug_sections_error(void)
{
	return has_error ? &first_error : NULL;
}
