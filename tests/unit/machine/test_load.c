/* SPDX-License-Identifier: MIT */
/*
 * Loading the guest's ELF file into memory. The linker replaces pwrite(), so that it can fail. How a file is read, and
 * why it cannot be, is in ../base/test_private_file.c and test_private_file_failures.c.
 */
#define _GNU_SOURCE
#include "descriptors.h"
#include "errors.h"
#include "image.h"
#include "machine/program.h"
#include "text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Results of pwrite() by turns: bytes to write at most, 0: none, -1: EINTR, -2: EIO. */
static const int *writes;

ssize_t __real_pwrite64(int fd, const void *bytes, size_t size, off64_t offset);
ssize_t __wrap_pwrite64(int fd, const void *bytes, size_t size, off64_t offset);

ssize_t __wrap_pwrite64(int fd, const void *bytes, size_t size, off64_t offset)
{
	int most = writes ? *writes++ : (int)size;

	if (most < 0) {
		errno = most == -1 ? EINTR : EIO;
		return -1;
	}
	return most ? __real_pwrite64(fd, bytes, size < (size_t)most ? size : (size_t)most, offset) : 0;
}

/* The copy of a file with this image. */
static struct private_file file_of(const struct image *image)
{
	struct private_file file;
	struct error error;
	char path[64];

	image_write(image, sizeof(*image), path);
	cr_assert(eq(int, private_file_read(path, "guest program ", &file, &error), 0));
	unlink(path);
	return file;
}

static struct guest_memory memory_make(void)
{
	struct guest_memory memory;
	struct error error;

	cr_assert(eq(int, guest_memory_create(16 << 20, &memory, &error), 0));
	return memory;
}

Test(load, loading_puts_the_bytes_where_they_belong)
{
	struct image image = image_make("code", 4);
	struct guest_memory memory = memory_make();
	struct private_file file = file_of(&image);
	unsigned int before = open_descriptors();
	struct program program;
	struct error error;

	cr_assert(eq(int, program_load(&file, &memory, &program, &error), 0));
	cr_expect(eq(uint, open_descriptors(), before), "the file is borrowed");
	cr_expect(eq(int, memcmp(file.bytes, &image, sizeof(image)), 0));
	private_file_close(&file);
	cr_expect(eq(u32, program.entry, IMAGE_GPA));
	cr_expect(eq(u32, program.segment_count, 1));
	cr_expect(eq(int, memcmp(memory.bytes + IMAGE_GPA, image.code, IMAGE_CODE_MAX), 0));
	guest_memory_destroy(&memory);
}

Test(load, a_file_that_is_no_program_is_named_and_leaves_memory_and_result_as_they_were)
{
	struct image image = image_make("code", 4);
	struct guest_memory memory = memory_make();
	struct program program = { .entry = 77 };
	struct private_file file;
	struct error error;
	char text[400];

	image.header.e_type = ET_DYN;
	file = file_of(&image);
	cr_assert(eq(int, program_load(&file, &memory, &program, &error), -1));
	snprintf(text, sizeof(text),
		 "guest program %s is not an executable (ELF type 3, not 2): link it at fixed addresses",
		 file.name);
	expect_whole_error(&error, ERROR_INPUT, 0, offsetof(Elf64_Ehdr, e_type), text);
	cr_expect(eq(u32, program.entry, 77));
	cr_expect(eq(u8, memory.bytes[IMAGE_GPA], 0));
	private_file_close(&file);
	guest_memory_destroy(&memory);
}

Test(load, memory_that_cannot_be_written_is_an_error_at_the_address_of_the_segment)
{
	static const int breaks[] = { -1, 7, -2 }, ends[] = { 100, -1, 0 };
	struct image image = image_make("code", 4);
	struct guest_memory memory = memory_make();
	struct private_file file = file_of(&image);
	struct program program = { .entry = 77 };
	struct error error;
	char text[300];

	snprintf(text, sizeof(text), "guest program %s cannot be loaded", file.name);
	writes = breaks;
	cr_assert(eq(int, program_load(&file, &memory, &program, &error), -1));
	expect_whole_error(&error, ERROR_HOST, EIO, IMAGE_GPA, text);
	/* A write of nothing is none that a signal interrupted, whatever errno was. */
	writes = ends;
	cr_assert(eq(int, program_load(&file, &memory, &program, &error), -1));
	expect_whole_error(&error, ERROR_HOST, ENOSPC, IMAGE_GPA, text);
	cr_expect(eq(u32, program.entry, 77));
	private_file_close(&file);
	guest_memory_destroy(&memory);
}

Test(load, a_program_is_written_piece_by_piece_and_after_signals)
{
	static const int pieces[] = { 100, -1, 1, -1, -1, 300, 1000 };
	struct image image = image_make("", 0);
	struct guest_memory memory = memory_make();
	struct private_file file;
	struct program program;
	struct error error;

	for (unsigned int i = 0; i < IMAGE_CODE_MAX; i++)
		image.code[i] = (uint8_t)(i * 7);
	file = file_of(&image);
	writes = pieces;
	cr_assert(eq(int, program_load(&file, &memory, &program, &error), 0));
	private_file_close(&file);
	cr_expect(eq(int, memcmp(memory.bytes + IMAGE_GPA, image.code, IMAGE_CODE_MAX), 0));
	cr_expect(eq(u8, memory.bytes[IMAGE_GPA + IMAGE_CODE_MAX], 0), "and no byte more");
	cr_expect(eq(u8, memory.bytes[IMAGE_GPA - 1], 0), "and none before");
	guest_memory_destroy(&memory);
}
