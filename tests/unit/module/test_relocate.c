/* SPDX-License-Identifier: MIT */
/* Each relocation type, its value at the edges of its range, and what cannot be relocated. */
#include "modules.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define ADDRESS 0xffffffffa0000000ul

/* Exports for types.S; a test changes one of them. */
enum { FAR, NEAR, NEGATIVE, CLOSE, EXPORTS };
static struct module_export exports[EXPORTS + 1];

static struct module_bytes file;
static struct module_object object;
static uint8_t image[0x4000];
static struct error error;

static void open_types(void)
{
	const struct module_export good[EXPORTS + 1] = {
		[FAR] = { "far", 0x123456789abcdef0 },
		[NEAR] = { "near", 0xfedcba98 },
		[NEGATIVE] = { "negative", 0xffffffff80000000 },
		[CLOSE] = { "close", ADDRESS + 0x1000 },
	};

	memcpy(exports, good, sizeof(exports));
	file = module_bytes_read("types.o");
	cr_assert_eq(module_object_open("types.o", file.bytes, file.size, &object, &error), 0);
	cr_assert_leq(object.span, sizeof(image));
}

static void close_types(void)
{
	module_object_close(&object);
	free(file.bytes);
}

static int relocate(void)
{
	struct module_exports find = module_exports_of(exports);

	return module_relocate(&object, ADDRESS, &find, image, &error);
}

static void expect_error(const char *part)
{
	cr_assert_eq(relocate(), -1);
	cr_expect_eq(error.kind, ERROR_INPUT);
	cr_expect(strstr(error.text, part), "%s", error.text);
	cr_expect(!strncmp(error.text, "types.o: ", 9), "%s", error.text);
}

static uint64_t word(size_t offset, size_t size)
{
	uint64_t value = 0;

	memcpy(&value, image + object.parts[MODULE_RODATA].offset + offset, size);
	return value;
}

TestSuite(relocate, .init = open_types, .fini = close_types);

Test(relocate, each_type_has_its_value)
{
	uint64_t types = ADDRESS + object.parts[MODULE_RODATA].offset;

	cr_assert_eq(relocate(), 0, "%s", error.text);
	cr_expect_eq(word(0, 8), 0x123456789abcdef5);
	cr_expect_eq(word(8, 8), 0x123456789abcdef0 - (types + 8));
	cr_expect_eq(word(16, 4), 0xfedcba98);
	cr_expect_eq(word(20, 4), 0x80000000);
	cr_expect_eq(word(28, 4), (uint32_t)(ADDRESS + 0x1000 - 4 - (types + 28)));
	cr_expect_eq(word(32, 4), (uint32_t)(ADDRESS + 0x1000 - 4 - (types + 32)));
	cr_expect_eq(word(36, 8), ADDRESS + object.parts[MODULE_DATA].offset + 9);
}

Test(relocate, a_zero_extended_value_has_32_bits)
{
	exports[NEAR].address = 0xffffffff;
	cr_expect_eq(relocate(), 0, "%s", error.text);
	exports[NEAR].address = 0x100000000;
	expect_error(".rodata.types+0x10: relocation of type 10 has a value that does not fit");
}

Test(relocate, a_sign_extended_value_has_31_bits_and_the_sign)
{
	exports[NEGATIVE].address = 0x7fffffff;
	cr_expect_eq(relocate(), 0, "%s", error.text);
	exports[NEGATIVE].address = 0x80000000;
	expect_error(".rodata.types+0x14: relocation of type 11 has a value that does not fit");
	exports[NEGATIVE].address = 0xffffffff7fffffff;
	expect_error("relocation of type 11 has a value that does not fit");
}

Test(relocate, a_relative_value_reaches_2_gib)
{
	uint64_t types = ADDRESS + object.parts[MODULE_RODATA].offset;

	exports[CLOSE].address = types + 28 + 4 + 0x7fffffff;
	cr_expect_eq(relocate(), 0, "%s", error.text);
	exports[CLOSE].address++;
	expect_error(".rodata.types+0x1c: relocation of type 2 has a value that does not fit");
	exports[CLOSE].address = types + 32 + 4 - 0x80000000;
	cr_expect_eq(relocate(), 0, "%s", error.text);
	exports[CLOSE].address--;
	expect_error(".rodata.types+0x20: relocation of type 4 has a value that does not fit");
}

Test(relocate, an_unresolved_symbol_is_named)
{
	exports[CLOSE].name = "other";
	expect_error("types.o: symbol close is unresolved: neither the guest nor a module exports it");
}

/* The relocations of .rodata.types, in the file. */
static Elf64_Rela *relocations(Elf64_Shdr **header_out)
{
	Elf64_Shdr *headers = (Elf64_Shdr *)(file.bytes + object.image.header.e_shoff);

	for (uint64_t i = 1; i < elf_image_sections(&object.image); i++) {
		const struct module_section *section = module_object_section(&object, headers[i].sh_info);

		if (headers[i].sh_type == SHT_RELA && section && section->part == MODULE_RODATA) {
			*header_out = &headers[i];
			return (Elf64_Rela *)(file.bytes + headers[i].sh_offset);
		}
	}
	cr_assert_fail("no relocations");
	return NULL;
}

Test(relocate, an_unknown_type_is_named)
{
	Elf64_Shdr *header;
	Elf64_Rela *entry = relocations(&header);

	entry[1].r_info = ELF64_R_INFO(ELF64_R_SYM(entry[1].r_info), R_X86_64_GOTPCREL);
	expect_error("relocation of type 9 is unknown: compile with -mcmodel=kernel -fno-pic");
}

Test(relocate, no_symbol_is_0_and_one_outside_the_table_is_refused)
{
	Elf64_Shdr *header;
	Elf64_Rela *entry = relocations(&header);

	while (ELF64_R_TYPE(entry->r_info) != R_X86_64_64)
		entry++;
	entry->r_info = R_X86_64_64;
	cr_assert_eq(relocate(), 0, "%s", error.text);
	cr_expect_eq(word(entry->r_offset, 8), (uint64_t)entry->r_addend);
	entry->r_info = ELF64_R_INFO(object.symbol_count, R_X86_64_64);
	expect_error("types.o: there is no symbol ");
}

Test(relocate, a_place_outside_the_section_is_refused)
{
	Elf64_Shdr *header;
	Elf64_Rela *entry = relocations(&header);

	while (ELF64_R_TYPE(entry->r_info) != R_X86_64_64)
		entry++;
	entry->r_offset = 44 - 8;
	cr_expect_eq(relocate(), 0, "%s", error.text);
	entry->r_offset = 44 - 7;
	expect_error("lies outside its section");
	entry->r_offset = ~0ul;
	expect_error("lies outside its section");
}

Test(relocate, damaged_relocations_are_refused)
{
	Elf64_Shdr *header;

	relocations(&header);
	header->sh_type = SHT_REL;
	expect_error("its relocations are damaged, or have no addends");
	header->sh_type = SHT_RELA;
	header->sh_entsize = 8;
	expect_error("its relocations are damaged");
	header->sh_entsize = sizeof(Elf64_Rela);
	header->sh_size = file.size;
	expect_error("its relocations are damaged");
}
