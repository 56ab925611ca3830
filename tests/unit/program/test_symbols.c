/* SPDX-License-Identifier: MIT */
/* Names, addresses, lines and segments of a program's file; files that are no programs. */
#define _GNU_SOURCE /* memmem */
#include "program/symbols.h"
#include "file.h"
#include "kvmap/layout.h"
#include "kvmap/operation.h"
#include "program.h"

#include <criterion/criterion.h>
#include <elf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct symbols *open_program(void)
{
	struct symbols *symbols = NULL;
	struct error error;

	cr_assert_eq(symbols_open(file_named("PROGRAM_5"), &symbols, &error), 0, "%s", error.text);
	return symbols;
}

static uint8_t *program_bytes(size_t *size_out)
{
	return file_read(file_named("PROGRAM_5"), size_out);
}

Test(symbols, names_have_their_addresses_and_sizes)
{
	struct symbols *symbols = open_program();
	uint64_t address = 0, size = 0;

	cr_assert(symbols_find(symbols, "everything", &address, &size));
	cr_expect_eq(size, sizeof(struct everything));
	cr_expect_gt(address, 0xffffffff80200000);
	cr_expect(symbols_find(symbols, "head", &address, NULL));
	cr_expect_not(symbols_find(symbols, "hea", &address, NULL));
	cr_expect_not(symbols_find(symbols, "", &address, NULL));
	symbols_close(symbols);
}

Test(symbols, an_address_has_a_name_an_offset_and_a_line)
{
	struct symbols *symbols = open_program();
	uint64_t address = 0;
	char text[96], small[5];

	cr_assert(symbols_find(symbols, "twins", &address, NULL));
	symbols_describe(symbols, address, text, sizeof(text));
	cr_expect(!strncmp(text, "twins (program.c:", 17), "%s", text);
	symbols_describe(symbols, address + 3, text, sizeof(text));
	cr_expect(!strncmp(text, "twins+0x3 (program.c:", 21), "%s", text);
	cr_expect_str_eq(symbols_describe(symbols, address, small, sizeof(small)), "twin");
	cr_assert(symbols_find(symbols, "everything", &address, NULL));
	cr_expect_str_eq(symbols_describe(symbols, address + 8, text, sizeof(text)), "everything+0x8");
	cr_expect_str_eq(symbols_describe(symbols, 0, text, sizeof(text)), "");
	cr_expect_str_eq(symbols_describe(symbols, ~0ull, text, sizeof(text)), "");
	cr_expect_str_eq(symbols_describe(symbols, KVMAP_VMALLOC_START, text, sizeof(text)), "");
	symbols_close(symbols);
}

Test(symbols, segments_are_the_bytes_of_the_file)
{
	struct symbols *symbols = open_program();
	const struct symbols_segment *segments;
	size_t count = symbols_segments(symbols, &segments), size, code = 0;
	uint8_t *bytes = program_bytes(&size);

	cr_assert_geq(count, 2);
	for (size_t i = 0; i < count; i++) {
		cr_expect_leq(segments[i].file_size, segments[i].memory_size);
		cr_expect_not(segments[i].writable && segments[i].executable);
		if (!segments[i].executable)
			continue;
		code++;
		cr_expect_not_null(memmem(bytes, size, segments[i].bytes, segments[i].file_size));
	}
	cr_expect_eq(code, 1);
	free(bytes);
	symbols_close(symbols);
}

/* The header of the first section of that type. */
static Elf64_Shdr *section_of(uint8_t *bytes, uint32_t type)
{
	const Elf64_Ehdr *header = (const Elf64_Ehdr *)bytes;
	Elf64_Shdr *sections = (Elf64_Shdr *)(bytes + header->e_shoff);

	for (unsigned int i = 0; i < header->e_shnum; i++)
		if (sections[i].sh_type == type)
			return &sections[i];
	cr_assert_fail("no section of type %u", type);
	return NULL;
}

Test(symbols, names_outside_the_string_table_are_no_names)
{
	size_t size;
	uint8_t *bytes = program_bytes(&size);
	const Elf64_Shdr *section = section_of(bytes, SHT_SYMTAB);
	Elf64_Sym *table = (Elf64_Sym *)(bytes + section->sh_offset);
	struct symbols *symbols;
	struct error error;
	uint64_t address;
	char path[64];
	int fd;

	for (uint64_t i = 0; i < section->sh_size / sizeof(*table); i++)
		table[i].st_name = 0x7fffffff;
	fd = file_make(bytes, size, path);
	cr_assert_eq(symbols_open(path, &symbols, &error), 0, "%s", error.text);
	cr_expect_not(symbols_find(symbols, "everything", &address, NULL));
	cr_expect_null(symbols_nearest(symbols, "everything"));
	symbols_close(symbols);
	close(fd);
	free(bytes);
}

/* Some address of `inlines` has the lines of both functions. */
static void check_inlined(const char *variable)
{
	uint64_t address = 0, function_size = 0;
	bool found = false;
	struct symbols *symbols;
	struct error error;
	char text[160];

	cr_assert_eq(symbols_open(file_named(variable), &symbols, &error), 0, "%s", error.text);
	cr_assert(symbols_find(symbols, "inlines", &address, &function_size));
	for (uint64_t at = 0; at < function_size; at++) {
		symbols_describe_frame(symbols, address + at, true, text, sizeof(text));
		found |= !strncmp(text, "inlined (program.c:", 19) && strstr(text, ") in inlines+0x") &&
			 text[strlen(text) - 1] == ')';
	}
	cr_expect(found, "the last of %lu: %s", function_size, text);
	symbols_describe_frame(symbols, 0x1234, true, text, sizeof(text));
	cr_expect_str_empty(text);
	symbols_close(symbols);
}

Test(symbols, a_frame_in_an_inlined_function_names_both_functions)
{
	check_inlined("PROGRAM_4");
	check_inlined("PROGRAM_5");
}

Test(symbols, a_file_cut_anywhere_is_refused_or_read_within_its_bounds)
{
	size_t size;
	uint8_t *bytes = program_bytes(&size);

	for (size_t cut = 64; cut < size; cut += 61) {
		struct symbols *symbols = NULL;
		struct error error;
		char path[64], text[64];
		int fd = file_make(bytes, cut, path);

		if (symbols_open(path, &symbols, &error) == 0)
			symbols_describe(symbols, 0xffffffff80201000, text, sizeof(text));
		symbols_close(symbols);
		close(fd);
	}
	free(bytes);
}

Test(symbols, a_file_with_random_damage_is_refused_or_read_within_its_bounds)
{
	size_t size;
	uint8_t *bytes = program_bytes(&size);
	uint64_t random = 1;
	unsigned int opened = 0;
	uint64_t sum = 0;

	for (unsigned int round = 0; round < 500; round++) {
		const struct symbols_segment *segments;
		struct symbols *symbols = NULL;
		struct error error;
		uint64_t address;
		char path[64];
		size_t at = 0;
		uint8_t old;
		int fd;

		random = KVMAP_MIX2(KVMAP_MIX1(random + 0x9e3779b97f4a7c15));
		at = random % 2 ? random / 2 % 400 : random / 2 % size; /* headers, or anywhere */
		old = bytes[at];
		bytes[at] = (uint8_t)(random >> 56);
		fd = file_make(bytes, size, path);
		if (symbols_open(path, &symbols, &error) == 0) {
			symbols_find(symbols, "everything", &address, NULL);
			for (size_t i = symbols_segments(symbols, &segments); i-- > 0;)
				for (size_t byte = 0; byte < segments[i].file_size; byte++)
					sum += segments[i].bytes[byte];
			opened++;
		}
		symbols_close(symbols);
		close(fd);
		bytes[at] = old;
	}
	cr_expect_gt(opened, 100);
	cr_expect_gt(sum, 0);
	free(bytes);
}
