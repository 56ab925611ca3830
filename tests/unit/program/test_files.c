/* SPDX-License-Identifier: MIT */
/* Files made by the test: which symbols, segments and names they have, and what is wrong with the others. */
#include "elf_file.h"
#include "failing.h"
#include "descriptors.h"
#include "file.h"
#include "no_memory.h"
#include "program/program_file.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const Elf64_Phdr loaded = { .p_type = PT_LOAD, .p_vaddr = 0x1000, .p_memsz = 16 };

/* The mappings of copies of files. */
static unsigned int mappings(void)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	unsigned int count = 0;
	char line[600];

	while (fgets(line, sizeof(line), maps))
		count += strstr(line, "memfd:kvmap-file") != NULL;
	fclose(maps);
	return count;
}

/* symbols_open of these bytes must fail with this text after the path, and release all. */
static void expect_refused(const void *bytes, size_t size, uint64_t address, const char *what)
{
	struct symbols *symbols = (void *)1;
	struct error error;
	char path[64], text[200];
	int fd = file_make(bytes, size, path);
	unsigned int before = open_descriptors();

	cr_assert_eq(symbols_open(path, &symbols, &error), -1, "not: %s", what);
	snprintf(text, sizeof(text), "%s%s", path, what);
	cr_expect_str_eq(error.text, text, "%s", error.text);
	cr_expect_eq(error.kind, ERROR_INPUT);
	cr_expect_eq(error.errnum, 0);
	cr_expect_eq(error.address, address, "%s: at 0x%lx", error.text, error.address);
	cr_expect_eq(symbols, (void *)1, "an out parameter is untouched on failure");
	cr_expect_eq(open_descriptors(), before, "%s: the file stays open", error.text);
	cr_expect_eq(mappings(), 0, "%s: the file stays mapped", error.text);
	close(fd);
}

/* ---- the file ---- */

/* The copy of a file, which must be readable. */
static struct private_file copy_of(const char *path)
{
	struct private_file file;
	struct error error;

	cr_assert_eq(private_file_read(path, "", &file, &error), 0, "%s", error.text);
	return file;
}

Test(files, a_file_is_open_and_mapped_until_it_is_closed)
{
	unsigned int before = open_descriptors();
	struct program_file program;
	struct private_file file;
	struct error error;
	char path[64];
	size_t size;
	uint8_t *bytes = elf_file_make(&(struct elf_file){ &loaded, 1 }, &size);
	int fd = file_make(bytes, size, path), copy;

	file = copy_of(path);
	copy = file.fd;
	cr_assert_eq(program_file_open(&file, &program, &error), 0, "%s", error.text);
	cr_expect(file.fd == -1 && !file.bytes, "the program has taken the file over");
	cr_expect_eq(program.file.fd, copy);
	cr_expect_str_eq(program.file.name, path);
	cr_expect_eq(program.file.size, size);
	cr_expect_arr_eq(program.file.bytes, bytes, size);
	cr_expect_eq(program.image.bytes, program.file.bytes);
	cr_expect_eq(program.image.size, size);
	cr_expect_arr_eq(&program.image.header, bytes, sizeof(program.image.header));
	cr_expect_eq(fcntl(copy, F_GETFD), FD_CLOEXEC);
	cr_expect_eq(mappings(), 1);
	close(fd);
	program_file_close(&program);
	program_file_close(&program);
	cr_expect_eq(open_descriptors(), before);
	cr_expect_eq(mappings(), 0);
	free(bytes);
}

/* A copy whose descriptor is 0, which must be free. */
static struct private_file copy_at_zero(const char *path)
{
	struct private_file file = copy_of(path);

	cr_expect_eq(fcntl(0, F_GETFD), -1, "the file that was read is closed");
	cr_assert_eq(dup2(file.fd, 0), 0);
	close(file.fd);
	file.fd = 0;
	return file;
}

Test(files, a_file_may_have_the_first_descriptor)
{
	struct program_file program;
	struct private_file file;
	struct error error;
	char path[64], other[64];
	size_t size;
	uint8_t *bytes = elf_file_make(&(struct elf_file){ &loaded, 1 }, &size);
	int fd = file_make(bytes, size, path), none = file_make("no program", 10, other), input = dup(0);

	close(0);
	file = copy_at_zero(path);
	cr_assert_eq(program_file_open(&file, &program, &error), 0, "%s", error.text);
	cr_expect_eq(program.file.fd, 0);
	program_file_close(&program);
	cr_expect_eq(fcntl(0, F_GETFD), -1);
	file = copy_at_zero(other);
	cr_expect_eq(program_file_open(&file, &program, &error), -1);
	cr_expect(file.fd == -1 && !file.bytes, "it is taken over on failure, too");
	cr_expect_eq(fcntl(0, F_GETFD), -1);
	close(fd);
	cr_expect_eq(private_file_read(path, "", &file, &error), -1, "it is closed");
	cr_expect_eq(fcntl(0, F_GETFD), -1);
	dup2(input, 0);
	close(input);
	close(none);
	free(bytes);
}

Test(files, a_path_that_cannot_be_opened_is_an_error_with_its_reason)
{
	char path[] = "/tmp/kvmap-program-XXXXXX";
	struct symbols *symbols;
	struct error error;
	unsigned int before = open_descriptors();
	uid_t user = geteuid();
	char text[100];

	cr_assert_eq(symbols_open("/nonexistent/\x1bguest.elf", &symbols, &error), -1);
	cr_expect_eq(error.kind, ERROR_INPUT);
	cr_expect_eq(error.address, 0);
	cr_expect_str_eq(error.text, "cannot open /nonexistent/\\x1bguest.elf: No such file or directory");
	cr_assert_eq(symbols_open("/", &symbols, &error), -1);
	cr_expect_eq(error.kind, ERROR_INPUT);
	cr_expect_eq(error.address, 0);
	cr_expect_str_eq(error.text, "/ is not a regular file");

	close(mkstemp(path));
	cr_assert_eq(chmod(path, 0), 0);
	cr_assert(user || !seteuid(65534));
	cr_assert_eq(symbols_open(path, &symbols, &error), -1);
	cr_assert(user || !seteuid(0));
	prctl(PR_SET_DUMPABLE, 1); /* as before seteuid: LeakSanitizer needs it */
	unlink(path);
	snprintf(text, sizeof(text), "cannot open %s: Permission denied", path);
	cr_expect_str_eq(error.text, text, "%s", error.text);
	cr_expect_eq(error.kind, ERROR_PERMISSION);
	cr_expect_eq(error.address, 0);
	cr_expect_eq(open_descriptors(), before);
}

Test(files, a_file_that_the_host_does_not_give_is_an_error_of_the_host)
{
	static const struct {
		const char *call;
		enum error_kind kind;
		const char *text;
	} cases[] = { { "fstat64", ERROR_INPUT, " cannot be read: Input/output error" },
		      { "mmap64", ERROR_HOST, " cannot be copied into memory: Input/output error" } };
	unsigned int before = open_descriptors();
	struct symbols *symbols;
	struct error error;
	char path[64], text[200];
	int fd = file_make("bytes", 5, path);

	for (size_t i = 0; i < COUNT(cases); i++) {
		call_fails(cases[i].call, 1, EIO);
		cr_assert_eq(symbols_open(path, &symbols, &error), -1);
		cr_expect(call_failed());
		snprintf(text, sizeof(text), "%s%s", path, cases[i].text);
		cr_expect_str_eq(error.text, text, "%s", error.text);
		cr_expect_eq(error.kind, cases[i].kind);
		cr_expect_eq(error.address, 0);
	}
	close(fd);
	cr_expect_eq(open_descriptors(), before);
}

Test(files, a_pipe_is_not_waited_for, .timeout = 20)
{
	char path[] = "/tmp/kvmap-program-XXXXXX", text[100];
	struct symbols *symbols;
	struct error error;

	close(mkstemp(path));
	unlink(path);
	cr_assert_eq(mkfifo(path, 0600), 0);
	cr_expect_eq(symbols_open(path, &symbols, &error), -1);
	unlink(path);
	snprintf(text, sizeof(text), "%s is not a regular file", path);
	cr_expect_str_eq(error.text, text, "%s", error.text);
}

Test(files, a_header_that_is_not_that_of_a_64_bit_program_is_refused)
{
	size_t size;
	uint8_t *bytes = elf_file_make(&(struct elf_file){ &loaded, 1 }, &size);
	Elf64_Ehdr *header = (Elf64_Ehdr *)bytes, kept = *header;

	expect_refused("", 0, 0, " is empty");
	expect_refused("\x7f", 1, 0, " is not an ELF file");
	expect_refused("#!/bin/sh\n", 10, 0, " is not an ELF file");
	expect_refused(bytes, 4, 0, " is truncated: no whole ELF header");
	expect_refused(bytes, 63, 0, " is truncated: no whole ELF header");
	bytes[EI_CLASS] = ELFCLASS32;
	expect_refused(bytes, size, EI_CLASS, " is not a 64-bit x86-64 ELF file");
	*header = kept;
	bytes[EI_DATA] = ELFDATA2MSB;
	expect_refused(bytes, size, EI_CLASS, " is not a 64-bit x86-64 ELF file");
	*header = kept;
	header->e_machine = EM_AARCH64;
	expect_refused(bytes, size, 18, " is not a 64-bit x86-64 ELF file");
	*header = kept;
	bytes[EI_VERSION] = 9;
	expect_refused(bytes, size, EI_VERSION, " is not a readable ELF file: version 9");
	*header = kept;
	expect_refused(bytes, sizeof(*header), 0, " has no program headers: not a program, or truncated");
	free(bytes);
}

Test(files, without_memory_an_error_says_for_what)
{
	static const char *const texts[] = { "out of memory", "out of memory for the segments of ",
					     "out of memory for the symbols of " };
	unsigned int before = open_descriptors();
	struct symbols *symbols;
	struct error error;
	char path[64], text[100];
	size_t size;
	uint8_t *bytes = elf_file_make(&(struct elf_file){ &loaded, 1 }, &size);
	int fd = file_make(bytes, size, path);

	for (unsigned int i = 0; i < COUNT(texts); i++) {
		no_memory_at(i + 1);
		cr_assert_eq(symbols_open(path, &symbols, &error), -1);
		snprintf(text, sizeof(text), "%s%s", texts[i], i ? path : "");
		cr_expect_str_eq(error.text, text, "%s", error.text);
		cr_expect_eq(error.kind, ERROR_HOST);
		cr_expect_eq(error.address, 0);
	}
	no_memory_at(COUNT(texts) + 1);
	cr_assert_eq(symbols_open(path, &symbols, &error), 0, "%s", error.text);
	no_memory_at(1);
	cr_expect_str_empty(symbols_describe(symbols, 0x1000, text, sizeof(text)));
	cr_expect(no_memory_failed());
	no_memory_at(0);
	symbols_close(symbols);
	close(fd);
	cr_expect_eq(open_descriptors(), before);
	free(bytes);
}

/* ---- segments ---- */

/* One at address 0 after others is no part of the image: per-CPU data of Linux. */
Test(files, segments_are_those_that_are_loaded_up_to_the_end_of_the_file)
{
	size_t size, count;
	const struct symbols_segment *segments;
	Elf64_Phdr headers[5] = {
		{ PT_LOAD, PF_R | PF_X, 0x1000, 0x10000, 0x20000, 0x30, 0x30, 1 },
		{ PT_NOTE, PF_R, 0x1000, 0x50000, 0x50000, 8, 8, 4 },
		{ PT_LOAD, PF_R | PF_W, 0x1040, 0x30000, 0x40000, 0, 0x5000, 1 },
		{ PT_LOAD, PF_W | PF_X, 0, 0x60000, 0x70000, 0, 0x10, 1 },
		{ PT_LOAD, PF_R | PF_W, 0x1000, 0, 0x80000, 8, 8, 1 },
	};
	const struct elf_file file = { headers, COUNT(headers) };
	struct symbols *symbols;

	free(elf_file_make(&file, &size));
	headers[2].p_offset = size - 0x20;
	headers[2].p_filesz = 0x20;
	headers[3].p_offset = size;
	symbols = elf_file_open(&file);
	count = symbols_segments(symbols, &segments);
	cr_assert_eq(count, 3);
	for (size_t i = 0, at = 0; i < count; i++, at++) {
		at += at == 1; /* the note */
		cr_expect_eq(segments[i].gva, headers[at].p_vaddr);
		cr_expect_eq(segments[i].gpa, headers[at].p_paddr);
		cr_expect_eq(segments[i].memory_size, headers[at].p_memsz);
		cr_expect_eq(segments[i].file_size, headers[at].p_filesz);
		cr_expect_eq(segments[i].bytes, symbols_file(symbols)->file.bytes + headers[at].p_offset);
		cr_expect_eq(segments[i].writable, i > 0);
		cr_expect_eq(segments[i].executable, i != 1);
	}
	symbols_close(symbols);
}

Test(files, segments_that_cannot_be_are_refused)
{
	size_t size;
	uint8_t *bytes = elf_file_make(&(struct elf_file){ (Elf64_Phdr[]){ loaded, loaded }, 2 }, &size);
	Elf64_Phdr *second = (Elf64_Phdr *)(bytes + sizeof(Elf64_Ehdr)) + 1;

	second->p_offset = size + 1;
	expect_refused(bytes, size, size + 1, " is truncated: segment 1 is beyond its end");
	second->p_offset = size - 8;
	second->p_filesz = 9;
	expect_refused(bytes, size, size - 8, " is truncated: segment 1 is beyond its end");
	second->p_filesz = 8;
	second->p_memsz = 7;
	expect_refused(bytes, size, size - 8, ": segment 1 is larger in the file than in memory");
	((Elf64_Ehdr *)bytes)->e_phnum = 0;
	expect_refused(bytes, size, 0, " has no program headers: not a program, or truncated");
	free(bytes);
}

/* ---- symbols ---- */

#define SYMBOL(type, bind, section, value, size)                                                             \
	{                                                                                                    \
		.st_info = ELF64_ST_INFO(bind, type), .st_shndx = section, .st_value = value,                \
		.st_size = size                                                                              \
	}

Test(files, of_symbols_with_one_name_a_global_one_counts_else_the_first)
{
	static const struct {
		const char *name;
		uint64_t address, size; /* 0: no such symbol */
	} cases[] = {
		{ "first", 0x10, 1 },
		{ "absolute", 0x20, 2 },
		{ "local_twice", 0x30, 3 },
		{ "hidden", 0x42, 5 },
		{ "seen", 0x50, 6 },
		{ "weak", 0x60, 7 },
		{ "file", 0, 0 },
		{ "section", 0, 0 },
		{ "thread", 0, 0 },
		{ "undefined", 0, 0 },
		{ "", 0, 0 },
		{ "last", 0x80, 9 },
		{ "lastly", 0, 0 },
	};
	const struct elf_file file = {
		.headers = &loaded,
		.header_count = 1,
		.symbols =
			(struct elf_symbol[]){
				{ "first", SYMBOL(STT_FUNC, STB_LOCAL, 1, 0x10, 1) },
				{ "absolute", SYMBOL(STT_NOTYPE, STB_LOCAL, SHN_ABS, 0x20, 2) },
				{ "local_twice", SYMBOL(STT_OBJECT, STB_LOCAL, 1, 0x30, 3) },
				{ "local_twice", SYMBOL(STT_OBJECT, STB_LOCAL, 1, 0x31, 4) },
				{ "hidden", SYMBOL(STT_FUNC, STB_LOCAL, 1, 0x41, 4) },
				{ "hidden", SYMBOL(STT_FUNC, STB_GLOBAL, 1, 0x42, 5) },
				{ "seen", SYMBOL(STT_FUNC, STB_GLOBAL, 1, 0x50, 6) },
				{ "seen", SYMBOL(STT_FUNC, STB_LOCAL, 1, 0x51, 7) },
				{ "weak", SYMBOL(STT_FUNC, STB_LOCAL, 1, 0x60, 7) },
				{ "weak", SYMBOL(STT_FUNC, STB_WEAK, 1, 0x61, 8) },
				{ "file", SYMBOL(STT_FILE, STB_LOCAL, SHN_ABS, 0x70, 8) },
				{ "section", SYMBOL(STT_SECTION, STB_LOCAL, 1, 0x71, 8) },
				{ "thread", SYMBOL(STT_TLS, STB_GLOBAL, 1, 0x72, 8) },
				{ "undefined", SYMBOL(STT_FUNC, STB_GLOBAL, SHN_UNDEF, 0x73, 8) },
				{ "", SYMBOL(STT_FUNC, STB_GLOBAL, 1, 0x74, 8) },
				{ "last", SYMBOL(STT_FUNC, STB_GLOBAL, 1, 0x80, 9) },
			},
		.symbol_count = 16,
	};
	struct symbols *symbols = elf_file_open(&file);

	for (size_t i = 0; i < COUNT(cases); i++) {
		uint64_t address = 0, size = 0;

		cr_expect_eq(symbols_find(symbols, cases[i].name, &address, &size), cases[i].size != 0, "%s",
			     cases[i].name);
		cr_expect_eq(address, cases[i].address, "%s: 0x%lx", cases[i].name, address);
		cr_expect_eq(size, cases[i].size, "%s: %lu", cases[i].name, size);
	}
	symbols_close(symbols);
}

Test(files, the_nearest_name_is_the_first_of_the_most_similar_ones)
{
	static const char *const cases[][2] = {
		{ "abcdef", "abcdef" },
		{ "abcdyz", "abcdef" },
		{ "abcwyz", NULL },
		{ "kmalloc_1", "kmalloc_a" },
		{ "vmallocs", "vmalloc" },
		{ "vmallc", "vmalloc" },
		{ "q", NULL },
		{ "pz", "p" },
		{ "filename", NULL },
	};
	const struct elf_file file = {
		.headers = &loaded,
		.header_count = 1,
		.symbols =
			(struct elf_symbol[]){
				{ "abcdef", SYMBOL(STT_FUNC, STB_LOCAL, 1, 1, 1) },
				{ "kmalloc_a", SYMBOL(STT_FUNC, STB_LOCAL, 1, 2, 1) },
				{ "kmalloc_b", SYMBOL(STT_FUNC, STB_LOCAL, 1, 3, 1) },
				{ "vmallxx", SYMBOL(STT_FUNC, STB_LOCAL, 1, 4, 1) },
				{ "vmalloc", SYMBOL(STT_FUNC, STB_LOCAL, 1, 5, 1) },
				{ "p", SYMBOL(STT_FUNC, STB_LOCAL, 1, 6, 1) },
				{ "filename", SYMBOL(STT_FILE, STB_LOCAL, SHN_ABS, 7, 1) },
			},
		.symbol_count = 7,
	};
	struct symbols *symbols = elf_file_open(&file);

	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *nearest = symbols_nearest(symbols, cases[i][0]);

		cr_expect(cases[i][1] ? nearest && !strcmp(nearest, cases[i][1]) : !nearest, "%s: %s",
			  cases[i][0], nearest ? nearest : "none");
	}
	symbols_close(symbols);
}

/* A name at each place of the hash table, also at its end. */
Test(files, many_symbols_are_found)
{
	static char names[96][8];
	struct elf_symbol list[96];
	struct elf_file file = { &loaded, 1, .symbols = list, .symbol_count = 96 };
	struct symbols *symbols;

	for (size_t i = 0; i < 96; i++) {
		snprintf(names[i], sizeof(names[i]), "name%zu", i);
		list[i].name = names[i];
		list[i].symbol = (Elf64_Sym)SYMBOL(STT_FUNC, STB_GLOBAL, 1, i + 100, 1);
	}
	symbols = elf_file_open(&file);
	for (size_t i = 0; i < 96; i++) {
		uint64_t address = 0;

		cr_expect(symbols_find(symbols, names[i], &address, NULL));
		cr_expect_eq(address, i + 100);
	}
	cr_expect_not(symbols_find(symbols, "name96", &(uint64_t){ 0 }, NULL));
	symbols_close(symbols);
}

Test(files, a_symbol_table_that_cannot_be_read_is_refused)
{
	static const char cut[] = " is truncated: its symbol table is not all there";
	size_t size;
	uint8_t *bytes = elf_file_make(&(struct elf_file){ &loaded, 1 }, &size);
	Elf64_Ehdr *header = (Elf64_Ehdr *)bytes;
	Elf64_Shdr *table = (Elf64_Shdr *)(bytes + header->e_shoff) + 1, *names = table + 1, kept[2];

	memcpy(kept, table, sizeof(kept));
	table->sh_offset = size;
	expect_refused(bytes, size, size, cut);
	memcpy(table, kept, sizeof(kept));
	table->sh_link = 0xffff;
	expect_refused(bytes, size, table->sh_offset, cut);
	memcpy(table, kept, sizeof(kept));
	names->sh_size = 0;
	expect_refused(bytes, size, table->sh_offset, cut);
	memcpy(table, kept, sizeof(kept));
	bytes[names->sh_offset + names->sh_size - 1] = 'x';
	expect_refused(bytes, size, table->sh_offset, " has a damaged symbol table");
	table->sh_type = SHT_PROGBITS;
	expect_refused(bytes, size, 0, " has no symbol table: it is stripped or truncated");
	header->e_shoff = header->e_shnum = header->e_shstrndx = 0;
	expect_refused(bytes, size, 0, " has no symbol table: it is stripped or truncated");
	free(bytes);
}
