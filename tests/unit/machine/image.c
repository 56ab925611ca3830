/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "image.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static_assert(sizeof(struct image) == 64 + 3 * 56 + 20 + IMAGE_CODE_MAX + 4, "no padding before the code");

struct image image_make(const void *code, size_t size)
{
	struct image image = {
		.header = {
			.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
			.e_type = ET_EXEC,
			.e_machine = EM_X86_64,
			.e_version = EV_CURRENT,
			.e_entry = IMAGE_GPA,
			.e_phoff = offsetof(struct image, load),
			.e_ehsize = sizeof(Elf64_Ehdr),
			.e_phentsize = sizeof(Elf64_Phdr),
			.e_phnum = 3,
			.e_shentsize = sizeof(Elf64_Shdr),
		},
		.load = {
			.p_type = PT_LOAD,
			.p_flags = PF_R | PF_W | PF_X,
			.p_offset = offsetof(struct image, code),
			.p_vaddr = IMAGE_GPA,
			.p_paddr = IMAGE_GPA,
			.p_filesz = IMAGE_CODE_MAX,
			.p_memsz = 0x2000,
		},
		.notes = {
			.p_type = PT_NOTE,
			.p_offset = offsetof(struct image, note),
			.p_filesz = sizeof(image.note),
			.p_memsz = sizeof(image.note),
			.p_align = 4,
		},
		.note = { { .n_namesz = 4, .n_descsz = 4, .n_type = 18 }, "Xen", IMAGE_GPA },
	};

	if (size > sizeof(image.code))
		abort();
	memcpy(image.code, code, size);
	return image;
}

void image_write(const struct image *image, size_t size, char path[64])
{
	int fd;

	strcpy(path, "/tmp/kvmap-image-XXXXXX");
	fd = mkstemp(path);
	if (fd < 0 || write(fd, image, size) != (ssize_t)size) {
		perror(path);
		abort();
	}
	close(fd);
}
