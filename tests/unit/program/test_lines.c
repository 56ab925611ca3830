/* SPDX-License-Identifier: MIT */
/* Names and lines of addresses, of functions inlined in each other, and of damaged debug information. */
#include "program/describe.h"
#include "program/program_file.h"
#include "program/symbols.h"
#include "corners_fixture.h"
#include "descriptors.h"
#include "elf_file.h"
#include "file.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>

TestSuite(lines, .init = corners_open, .fini = corners_close);

static uint64_t address_of(const char *name)
{
	uint64_t address = 0;

	cr_assert(symbols_find(symbols, name, &address, NULL), "%s", name);
	return address;
}

struct line_case {
	const char *symbol;
	uint64_t offset;
	const char *text;
};

Test(lines, an_address_has_its_symbol_and_the_line_of_its_instruction)
{
	static const struct line_case cases[] = {
		{ "lines_nested", 0, "lines_nested (a.c:10)" },
		{ "lines_nested", 2, "lines_nested+0x2 (b.c:12)" },
		{ "lines_deep", 0, "lines_deep (a.c:70)" },
		{ "lines_object", 0, "lines_object" },
		{ "lines_outside", 0, "lines_outside" },
		{ "lines_\\less", 1, "lines_\\\\less+0x1" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[96];

		symbols_describe(symbols, address_of(cases[i].symbol) + cases[i].offset, text, sizeof(text));
		cr_expect_str_eq(text, cases[i].text, "%s", text);
	}
}

Test(lines, a_frame_has_the_functions_that_are_inlined_at_it)
{
	static const struct line_case cases[] = {
		{ "lines_nested", 0, "b\\\\ (a.c:10) in a (b.c:20) in lines_nested (a.c:30)" },
		{ "lines_nested", 1, "a (a.c:11) in lines_nested+0x1 (a.c:30)" },
		{ "lines_nested", 2, "lines_nested+0x2 (b.c:12)" },
		{ "lines_nested", 3, "lines_nested+0x3 (a.c:13)" },
		{ "lines_damaged", 0, "no_file (a.c:50) in lines_damaged" },
		{ "lines_damaged", 1, "no_line (a.c:51) in lines_damaged+0x1" },
		{ "lines_damaged", 2, "last_file (a.c:52) in lines_damaged+0x2 (b.c:62)" },
		{ "lines_damaged", 3, "file_beyond (a.c:53) in lines_damaged+0x3" },
		{ "lines_damaged", 4, "last_line (a.c:54) in lines_damaged+0x4 (a.c:2147483647)" },
		{ "lines_damaged", 5, "line_beyond (a.c:55) in lines_damaged+0x5" },
		{ "lines_damaged", 6, "lines_damaged+0x6 (a.c:56)" },
		{ "lines_damaged", 7, "lines_damaged+0x7 (a.c:57)" },
		{ "lines_deep", 0, "seen (a.c:70) in lines_deep (a.c:71)" },
		{ "lines_object", 0, "lines_object (a.c:80)" },
		{ "lines_outside", 0, "lines_outside" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t address = address_of(cases[i].symbol) + cases[i].offset;
		char text[160];

		symbols_describe_frame(symbols, address, true, text, sizeof(text));
		cr_expect_str_eq(text, cases[i].text, "%s", text);
	}
}

Test(lines, a_return_address_has_the_line_of_the_call_before_it)
{
	char text[160];

	symbols_describe_frame(symbols, address_of("lines_nested") + 3, false, text, sizeof(text));
	cr_expect_str_eq(text, "lines_nested+0x3 (b.c:12)", "%s", text);
	symbols_describe_frame(symbols, address_of("lines_damaged"), false, text, sizeof(text));
	cr_expect_str_eq(text, "lines_nested+0x4 (a.c:13)", "%s", text);
	symbols_describe_frame(symbols, address_of("lines_nested") + 1, false, text, sizeof(text));
	cr_expect_str_eq(text, "b\\\\ (a.c:10) in a (b.c:20) in lines_nested+0x1 (a.c:30)", "%s", text);
}

Test(lines, text_that_does_not_fit_is_cut)
{
	char text[12] = "unchanged";

	symbols_describe(symbols, address_of("lines_nested"), text, 6);
	cr_expect_str_eq(text, "lines", "%s", text);
	symbols_describe(symbols, address_of("lines_nested"), text, 0);
	cr_expect_str_eq(text, "lines", "%s", text);
	symbols_describe_frame(symbols, address_of("lines_nested"), true, text, sizeof(text));
	cr_expect_str_eq(text, "b\\\\ (a.c:10", "%s", text);
}

Test(lines, an_address_without_a_symbol_or_a_program_has_no_text)
{
	char text[40];

	memset(text, 'x', sizeof(text));
	cr_expect_str_empty(symbols_describe(symbols, 0x1234, text, sizeof(text)));
	memset(text, 'x', sizeof(text));
	cr_expect_str_empty(symbols_describe_frame(symbols, 0x1234, true, text, sizeof(text)));
	memset(text, 'x', sizeof(text));
	cr_expect_str_empty(describe_address(NULL, address_of("lines_nested"), text, sizeof(text)));
	memset(text, 'x', sizeof(text));
	cr_expect_str_empty(describe_frame(NULL, address_of("lines_nested"), true, text, sizeof(text)));
}

/* libdwfl searches for it in no other file, and takes no descriptor for one. */
Test(lines, a_program_without_debug_information_has_symbols_alone)
{
	unsigned int before = open_descriptors();
	struct symbols *plain;
	struct error error;
	uint64_t address = 0;
	char text[160];

	cr_assert_eq(symbols_open(file_named("PROGRAM_PLAIN"), &plain, &error), 0, "%s", error.text);
	cr_assert(symbols_find(plain, "other_twin", &address, NULL));
	cr_expect_str_eq(symbols_describe(plain, address, text, sizeof(text)), "other_twin", "%s", text);
	cr_expect_str_eq(symbols_describe_frame(plain, address + 1, false, text, sizeof(text)),
			 "other_twin+0x1", "%s", text);
	symbols_close(plain);
	symbols_close(NULL);
	cr_expect_eq(open_descriptors(), before);
}

/* libdwfl finds nothing to describe, or gets no descriptor. */
Test(lines, a_file_that_is_not_read_leaves_no_descriptor_open)
{
	const Elf64_Phdr note = { .p_type = PT_NOTE, .p_vaddr = 0x1000 };
	struct symbols *empty = elf_file_open(&(struct elf_file){ &note, 1 });
	unsigned int before = open_descriptors();
	struct rlimit limit, none;
	char text[40];

	cr_expect_null(describe_open(empty));
	cr_expect_str_empty(symbols_describe(empty, 0x1000, text, sizeof(text)));
	cr_expect_eq(open_descriptors(), before);
	getrlimit(RLIMIT_NOFILE, &limit);
	none = (struct rlimit){ 0, limit.rlim_max };
	setrlimit(RLIMIT_NOFILE, &none);
	cr_expect_null(describe_open(symbols));
	setrlimit(RLIMIT_NOFILE, &limit);
	cr_expect_eq(open_descriptors(), before);
	symbols_close(empty);
}

/* Also of a program at an offset to where it is linked. */
Test(lines, a_description_borrows_the_file)
{
	int fd = symbols_file(symbols)->file.fd;
	unsigned int before = open_descriptors();
	struct describe *describe;
	char text[100];

	for (unsigned int i = 0; i < 2; i++) {
		describe = describe_open(symbols);
		cr_assert_not_null(describe);
		describe_address(describe, address_of("lines_nested"), text, sizeof(text));
		cr_expect(!strncmp(text, "lines_nested (", 14), "%s", text);
		cr_expect_gt(open_descriptors(), before);
		describe_close(describe);
		cr_expect_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
		cr_expect_eq(open_descriptors(), before);
		symbols_set_offset(symbols, 6 << 20);
	}
	describe_close(NULL);
}
