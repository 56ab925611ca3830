/* SPDX-License-Identifier: MIT */
/*
 * Loading the guest's ELF file into memory. The linker replaces pread(), fstat() and mmap(), so that they can fail.
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
#include <sys/stat.h>
#include <unistd.h>

static bool fstat_fails, mmap_fails;
/* Results of pread() by turns: bytes to read at most, 0: the end, -1: EINTR, -2: EIO. */
static const int *reads;
static bool was_unmapped; /* the whole image */

ssize_t __real_pread64(int fd, void *bytes, size_t size, off64_t offset);
ssize_t __wrap_pread64(int fd, void *bytes, size_t size, off64_t offset);
int __real_fstat64(int fd, struct stat64 *status);
int __wrap_fstat64(int fd, struct stat64 *status);
void *__real_mmap64(void *at, size_t size, int protection, int flags, int fd, off64_t offset);
void *__wrap_mmap64(void *at, size_t size, int protection, int flags, int fd, off64_t offset);
int __real_munmap(void *at, size_t size);
int __wrap_munmap(void *at, size_t size);

ssize_t __wrap_pread64(int fd, void *bytes, size_t size, off64_t offset)
{
	int most = reads ? *reads++ : (int)size;

	if (most < 0) {
		errno = most == -1 ? EINTR : EIO;
		return -1;
	}
	return most ? __real_pread64(fd, bytes, size < (size_t)most ? size : (size_t)most, offset) : 0;
}

int __wrap_fstat64(int fd, struct stat64 *status)
{
	if (!fstat_fails)
		return __real_fstat64(fd, status);
	errno = EIO;
	return -1;
}

void *__wrap_mmap64(void *at, size_t size, int protection, int flags, int fd, off64_t offset)
{
	if (!mmap_fails || fd < 0 || protection & PROT_WRITE)
		return __real_mmap64(at, size, protection, flags, fd, offset);
	errno = ENODEV;
	return MAP_FAILED;
}

int __wrap_munmap(void *at, size_t size)
{
	was_unmapped |= size == sizeof(struct image);
	return __real_munmap(at, size);
}

static struct error load_fails(const char *path)
{
	struct guest_memory memory;
	struct program program;
	struct error error = { 0 };
	unsigned int before;

	cr_assert(eq(int, guest_memory_create(16 << 20, &memory, &error), 0));
	before = open_descriptors();
	cr_assert(eq(int, program_load(path, &memory, &program, &error), -1));
	cr_expect(eq(uint, open_descriptors(), before));
	guest_memory_destroy(&memory);
	return error;
}

Test(load, loading_puts_the_bytes_where_they_belong)
{
	struct image image = image_make("code", 4);
	struct guest_memory memory;
	unsigned int before;
	struct program program;
	struct error error;
	char path[64];

	image_write(&image, sizeof(image), path);
	cr_assert(eq(int, guest_memory_create(16 << 20, &memory, &error), 0));
	close(0); /* the file's descriptor, then */
	before = open_descriptors();
	cr_assert(eq(int, program_load(path, &memory, &program, &error), 0));
	unlink(path);
	cr_expect(eq(uint, open_descriptors(), before));
	cr_expect(eq(u32, program.entry, IMAGE_GPA));
	cr_expect(eq(u32, program.segment_count, 1));
	cr_expect(eq(int, memcmp(memory.bytes + IMAGE_GPA, image.code, IMAGE_CODE_MAX), 0));
	guest_memory_destroy(&memory);
}

Test(load, a_missing_file_is_named)
{
	struct error error = load_fails("/nonexistent/guest.elf");

	expect_whole_error(&error, ERROR_INPUT, ENOENT, 0,
			   "cannot open guest program /nonexistent/guest.elf");
}

Test(load, a_directory_is_not_a_regular_file)
{
	struct error error = load_fails("/tmp");

	expect_whole_error(&error, ERROR_INPUT, 0, 0, "guest program /tmp is not a regular file");
}

Test(load, a_fifo_does_not_hang)
{
	char path[64];

	snprintf(path, sizeof(path), "/tmp/kvmap-fifo-%d", (int)getpid());
	cr_assert(eq(int, mkfifo(path, 0600), 0));
	cr_expect(ne(ptr, strstr(load_fails(path).text, "is not a regular file"), NULL));
	unlink(path);
}

Test(load, an_empty_file_is_refused)
{
	struct image image = image_make("\xf4", 1);
	char path[64], text[128];
	struct error error;

	image_write(&image, 0, path);
	error = load_fails(path);
	unlink(path);
	snprintf(text, sizeof(text), "guest program %s is empty", path);
	expect_whole_error(&error, ERROR_INPUT, 0, 0, text);
}

Test(load, a_file_that_may_not_be_read_is_a_matter_of_permission)
{
	struct image image = image_make("\xf4", 1);
	char path[64], text[128];
	struct error error;

	image_write(&image, sizeof(image), path);
	chmod(path, 0);
	if (geteuid() == 0)
		cr_assert(eq(int, seteuid(65534), 0));
	error = load_fails(path);
	if (getuid() == 0)
		cr_assert(eq(int, seteuid(0), 0));
	unlink(path);
	snprintf(text, sizeof(text), "cannot open guest program %s", path);
	expect_whole_error(&error, ERROR_PERMISSION, EACCES, 0, text);
}

Test(load, a_name_with_control_characters_is_shown_without_them)
{
	expect_text(load_fails("/nonexistent/\x1b[31m\n").text,
		    "cannot open guest program /nonexistent/\\x1b[31m\\x0a: No such file or directory");
}

/* The error of loading a good image; its path is added to the text. */
static void good_image_fails(int errnum, uint64_t address, const char *before, const char *after)
{
	struct image image = image_make("code", 4);
	char path[64], text[160];
	struct error error;

	image_write(&image, sizeof(image), path);
	error = load_fails(path);
	unlink(path);
	snprintf(text, sizeof(text), "%s %s%s", before, path, after);
	expect_whole_error(&error, ERROR_INPUT, errnum, address, text);
}

Test(load, a_file_that_cannot_be_read_is_an_error_at_the_place_where_it_fails)
{
	static const int ends[] = { 100, 50, 0 }, breaks[] = { -1, 7, -2 };
	const uint64_t code = offsetof(struct image, code);

	reads = ends;
	good_image_fails(0, code + 150, "guest program", " ended while it was being read");
	reads = breaks;
	good_image_fails(EIO, code + 7, "guest program", " ended while it was being read");
	reads = NULL;
	fstat_fails = true;
	good_image_fails(EIO, 0, "cannot read guest program", "");
	fstat_fails = false;
	mmap_fails = true;
	good_image_fails(ENODEV, 0, "cannot map guest program", "");
}

Test(load, a_file_is_read_piece_by_piece_and_after_signals)
{
	static const int pieces[] = { 100, -1, 1, -1, -1, 300, 1000 };
	struct image image = image_make("", 0);
	struct guest_memory memory;
	struct program program;
	struct error error;
	char path[64];

	for (unsigned int i = 0; i < IMAGE_CODE_MAX; i++)
		image.code[i] = (uint8_t)(i * 7);
	image_write(&image, sizeof(image), path);
	cr_assert(eq(int, guest_memory_create(16 << 20, &memory, &error), 0));
	reads = pieces;
	cr_assert(eq(int, program_load(path, &memory, &program, &error), 0));
	unlink(path);
	cr_expect(eq(int, memcmp(memory.bytes + IMAGE_GPA, image.code, IMAGE_CODE_MAX), 0));
	cr_expect(eq(u8, memory.bytes[IMAGE_GPA + IMAGE_CODE_MAX], 0), "and no byte more");
	cr_expect(was_unmapped, "and it is unmapped");
	guest_memory_destroy(&memory);
}
