/* SPDX-License-Identifier: MIT */
/* Sections that are read, where the parts of a module lie, and which objects are refused. */
#include "modules.h"

#include "kvmap/layout.h"
#include "no_memory.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct module_bytes file;
static struct module_object object;
static struct error error;

static void read_first(void)
{
	file = module_bytes_read("first-O2.o");
}

static void free_first(void)
{
	free(file.bytes);
}

TestSuite(module_object, .init = read_first, .fini = free_first);

static int open_size(size_t size)
{
	return module_object_open("first.o", file.bytes, size, &object, &error);
}

static void expect_refused(const char *part)
{
	cr_assert_eq(open_size(file.size), -1);
	cr_expect_eq(error.kind, ERROR_INPUT);
	cr_expect(strstr(error.text, part), "%s", error.text);
}

static Elf64_Ehdr *header(void)
{
	return (Elf64_Ehdr *)file.bytes;
}

/* A section that occupies memory and has all these flags. */
static Elf64_Shdr *section_with(uint64_t flags)
{
	Elf64_Shdr *sections = (Elf64_Shdr *)(file.bytes + header()->e_shoff);

	for (int i = 1; i < header()->e_shnum; i++) {
		if (sections[i].sh_size &&
		    (sections[i].sh_flags & (flags | SHF_ALLOC)) == (flags | SHF_ALLOC))
			return &sections[i];
	}
	cr_assert_fail("no such section");
	return NULL;
}

Test(module_object, each_part_has_its_own_pages_and_a_guard)
{
	uint64_t end = 0;

	cr_assert_eq(open_size(file.size), 0, "%s", error.text);
	for (int part = 0; part < MODULE_PARTS; part++) {
		const struct module_pages *pages = &object.parts[part];

		cr_expect_gt(pages->size, 0);
		cr_expect_eq(pages->offset, end);
		end = pages->offset +
		      (pages->size + KVMAP_PAGE_SIZE - 1) / KVMAP_PAGE_SIZE * KVMAP_PAGE_SIZE +
		      KVMAP_GUARD_SIZE;
	}
	cr_expect_eq(object.span, end - KVMAP_GUARD_SIZE);
	module_object_close(&object);
}

Test(module_object, sections_lie_in_their_part_apart_and_aligned)
{
	cr_assert_eq(open_size(file.size), 0, "%s", error.text);
	for (size_t i = 0; i < object.sections.count; i++) {
		const struct module_section *a = &object.sections.items[i];
		const struct module_pages *pages = &object.parts[a->part];

		cr_expect_eq(a->offset % a->align, 0);
		cr_expect_geq(a->offset, pages->offset);
		cr_expect_leq(a->offset + a->size, pages->offset + pages->size);
		cr_expect_eq(module_object_section(&object, a->index), a);
		for (size_t j = 0; j < i; j++) {
			const struct module_section *b = &object.sections.items[j];

			cr_expect(a->offset >= b->offset + b->size || b->offset >= a->offset + a->size);
		}
	}
	cr_expect_null(module_object_section(&object, 0));
	cr_expect_null(module_object_section(&object, ~0ul));
	module_object_close(&object);
}

Test(module_object, other_files_are_refused)
{
	cr_assert_eq(open_size(10), -1);
	cr_expect_str_eq(error.text, "first.o is no 64-bit little-endian ELF file");
	header()->e_machine = EM_AARCH64;
	expect_refused("first.o is for another machine (e_machine 183, not x86-64)");
	header()->e_machine = EM_X86_64;
	header()->e_type = ET_EXEC;
	expect_refused("first.o is linked already");
}

Test(module_object, sections_that_no_page_can_have_are_refused)
{
	Elf64_Shdr *text = section_with(SHF_EXECINSTR);

	text->sh_flags |= SHF_WRITE;
	expect_refused("is writable and executable");
	text->sh_flags = SHF_ALLOC | SHF_TLS;
	expect_refused("is thread-local");
	text->sh_flags = SHF_ALLOC | SHF_COMPRESSED;
	expect_refused("is compressed");
	text->sh_flags = SHF_ALLOC | SHF_EXECINSTR;
	text->sh_addralign = 3;
	expect_refused("has an alignment that is no power of two up to 4096");
	text->sh_addralign = 8192;
	expect_refused("has an alignment that is no power of two up to 4096");
}

Test(module_object, what_is_too_large_is_refused)
{
	Elf64_Shdr *text = section_with(SHF_EXECINSTR);

	text->sh_size = file.size;
	expect_refused("lies outside the file: the file is truncated");
	text->sh_type = SHT_NOBITS;
	text->sh_size = MODULE_SIZE_MAX + 1;
	expect_refused("is larger than 64 MiB");
	text->sh_size = MODULE_SIZE_MAX;
	expect_refused("first.o is too large: a module has at most 64 MiB");
	text->sh_size = ~0ul;
	expect_refused("is larger than 64 MiB");
}

Test(module_object, a_truncated_object_is_refused)
{
	/* The table of sections is at the end of the file. */
	for (size_t size = 0; size < file.size; size += 7)
		cr_expect_eq(open_size(size), -1, "%zu bytes", size);
}

Test(module_object, memory_that_is_out_is_an_error_of_the_host)
{
	no_memory_at(1);
	cr_assert_eq(open_size(file.size), -1);
	cr_expect(no_memory_failed());
	cr_expect_eq(error.kind, ERROR_HOST);
}
