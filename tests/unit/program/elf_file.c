/* SPDX-License-Identifier: MIT */
#include "elf_file.h"
#include "file.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Where the parts are: the bytes up to 3000 more, symbols, names, and section headers. */
#define SYMBOLS  0x2000
#define NAMES    0x3000
#define SECTIONS 0x4000
#define FILE_END (SECTIONS + 3 * sizeof(Elf64_Shdr))

uint8_t *elf_file_make(const struct elf_file *file, size_t *size_out)
{
	const Elf64_Ehdr header = {
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
		.e_type = ET_EXEC,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_phoff = sizeof(header),
		.e_shoff = SECTIONS,
		.e_ehsize = sizeof(header),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = (uint16_t)file->header_count,
		.e_shentsize = sizeof(Elf64_Shdr),
		.e_shnum = 3,
		.e_shstrndx = 2,
	};
	uint8_t *out = calloc(1, FILE_END);
	Elf64_Sym *symbols = (Elf64_Sym *)(out + SYMBOLS);
	uint32_t names = 1;

	memcpy(out, &header, sizeof(header));
	if (file->header_count)
		memcpy(out + sizeof(header), file->headers, file->header_count * sizeof(Elf64_Phdr));
	if (file->size)
		memcpy(out + ELF_FILE_BYTES, file->bytes, file->size);
	for (size_t i = 0; i < file->symbol_count; i++) {
		symbols[i + 1] = file->symbols[i].symbol;
		symbols[i + 1].st_name = names;
		strcpy((char *)out + NAMES + names, file->symbols[i].name);
		names += (uint32_t)strlen(file->symbols[i].name) + 1;
	}
	((Elf64_Shdr *)(out + SECTIONS))[1] = (Elf64_Shdr){
		.sh_type = SHT_SYMTAB,
		.sh_offset = SYMBOLS,
		.sh_size = (file->symbol_count + 1) * sizeof(Elf64_Sym),
		.sh_link = 2,
		.sh_entsize = sizeof(Elf64_Sym),
	};
	((Elf64_Shdr *)(out + SECTIONS))[2] =
		(Elf64_Shdr){ .sh_type = SHT_STRTAB, .sh_offset = NAMES, .sh_size = names };
	*size_out = FILE_END;
	return out;
}

struct symbols *elf_file_open(const struct elf_file *file)
{
	struct symbols *symbols;
	struct error error;
	char path[64];
	size_t size;
	uint8_t *bytes = elf_file_make(file, &size);
	int fd = file_make(bytes, size, path);

	cr_assert_eq(symbols_open(path, &symbols, &error), 0, "%s", error.text);
	close(fd);
	free(bytes);
	return symbols;
}
