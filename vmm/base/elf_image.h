/* SPDX-License-Identifier: MIT */
/*
 * elf_image.h: headers and notes of a 64-bit little-endian ELF file in memory. The file may be truncated or
 * hostile: what lies beyond its end is not there, and nothing is added to its numbers.
 */
#ifndef VMM_BASE_ELF_IMAGE_H
#define VMM_BASE_ELF_IMAGE_H

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct elf_image {
	const uint8_t *bytes;
	size_t size;
	Elf64_Ehdr header;
};

/* False if the bytes do not begin with the whole header of such a file. The bytes are borrowed. */
bool elf_image_open(const void *bytes, size_t size, struct elf_image *out);

/* NULL if the file does not have all of these bytes. */
const uint8_t *elf_image_bytes(const struct elf_image *image, uint64_t offset, uint64_t size);

/* Numbers of headers: of the ELF header, or of section 0 if they have no room there. 0: none. */
uint32_t elf_image_segments(const struct elf_image *image);
uint64_t elf_image_sections(const struct elf_image *image);

/* False if there is no such header, or it lies beyond the end of the file. */
bool elf_image_segment(const struct elf_image *image, uint32_t index, Elf64_Phdr *out);
bool elf_image_section(const struct elf_image *image, uint64_t index, Elf64_Shdr *out);

/* The notes of a PT_NOTE: none if it lies beyond the end of the file. */
struct elf_notes {
	const uint8_t *bytes;
	uint64_t left;
	unsigned int align;
};

struct elf_note {
	uint32_t type;
	uint32_t name_size, value_size;
	const uint8_t *name; /* with its NUL, if it has one */
	const uint8_t *value;
};

struct elf_notes elf_image_notes(const struct elf_image *image, const Elf64_Phdr *segment);

/* False after the last whole note. */
bool elf_notes_next(struct elf_notes *notes, struct elf_note *out);

#endif
