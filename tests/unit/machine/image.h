/* SPDX-License-Identifier: MIT */
/*
 * image.h: a guest program made in the test: a whole ELF file as one struct, so that a test can spoil any
 * field.
 */
#ifndef TESTS_UNIT_MACHINE_IMAGE_H
#define TESTS_UNIT_MACHINE_IMAGE_H

#include <elf.h>
#include <stddef.h>
#include <stdint.h>

#define IMAGE_GPA      0x200000u
#define IMAGE_CODE_MAX 512

struct image {
	Elf64_Ehdr header;
	Elf64_Phdr load;
	Elf64_Phdr spare; /* PT_NULL: for a second segment */
	Elf64_Phdr notes;
	struct {
		Elf64_Nhdr header;
		char name[4];
		uint32_t entry;
	} note;
	uint8_t code[IMAGE_CODE_MAX];
};

/* A good image: `code` is 32-bit, loaded and entered at IMAGE_GPA. */
struct image image_make(const void *code, size_t size);

/* Writes the first `size` bytes of the image to a new temporary file; its path goes to path[]. */
void image_write(const struct image *image, size_t size, char path[64]);

#endif
