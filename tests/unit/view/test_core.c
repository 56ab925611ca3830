/* SPDX-License-Identifier: MIT */
/*
 * test_core.c: cores written and read back, and what is no core.
 */
#define _GNU_SOURCE /* memfd_create, SEEK_DATA */
#include "cores.h"
#include "no_memory.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/kvmap-cores-XXXXXX";
static char path[64];

static const struct core_addresses by_gpa = { .physical = true };

static void in_a_folder(void)
{
	cr_assert_not_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/core", folder);
}

static unsigned int files_in_folder(bool remove)
{
	DIR *entries = opendir(folder);
	struct dirent *entry;
	unsigned int count = 0;

	while ((entry = readdir(entries))) {
		if (entry->d_name[0] == '.')
			continue;
		count++;
		if (remove)
			unlinkat(dirfd(entries), entry->d_name, 0);
	}
	closedir(entries);
	return count;
}

static void out_of_the_folder(void)
{
	files_in_folder(true);
	rmdir(folder);
}

TestSuite(core, .init = in_a_folder, .fini = out_of_the_folder);

static struct view_cpu numbered_cpu(uint64_t base)
{
	return (struct view_cpu){
		.rax = base + 1,
		.rbx = base + 2,
		.rcx = base + 3,
		.rdx = base + 4,
		.rsi = base + 5,
		.rdi = base + 6,
		.rbp = base + 7,
		.rsp = base + 8,
		.r8 = base + 9,
		.r9 = base + 10,
		.r10 = base + 11,
		.r11 = base + 12,
		.r12 = base + 13,
		.r13 = base + 14,
		.r14 = base + 15,
		.r15 = base + 16,
		.rip = base + 17,
		.rflags = base + 18,
		.cr0 = base + 19,
		.cr2 = base + 20,
		.cr3 = base + 21,
		.cr4 = base + 22,
		.efer = base + 23,
		.cs = 24,
		.ss = 25,
		.ds = 26,
		.es = 27,
		.fs = 28,
		.gs = 29,
		.fs_base = base + 30,
		.gs_base = base + 31,
		.pat = base + 32,
		.has_pat = true,
	};
}

/* 256 MiB of which 3 pages were touched, and a small piece at 4 GiB. */
static struct view *big_view(void)
{
	static struct view view;
	static uint8_t above[PAGE];
	struct view_region region = { .size = 256 << 20 };
	struct error error;
	uint8_t *memory;

	region.fd = memfd_create("guest", 0);
	cr_assert_eq(ftruncate(region.fd, region.size), 0);
	memory = mmap(NULL, region.size, PROT_READ | PROT_WRITE, MAP_SHARED, region.fd, 0);
	cr_assert_neq(memory, MAP_FAILED);
	memory[0] = 1;
	memory[100 << 20] = 2;
	memory[(256 << 20) - 1] = 3;
	memory[50 << 20] = 0; /* touched, but zero */
	region.bytes = memory;
	view_add_region(&view, &region, &error);
	above[7] = 4;
	view_add_region(&view,
			&(struct view_region){ .gpa = 4ull << 30, .size = PAGE, .bytes = above, .fd = -1 },
			&error);
	cr_assert_eq(view_set_cpus(&view, 2, &error), 0, "%s", error.text);
	view.cpus[0] = numbered_cpu(0xffffffff80000000);
	view.cpus[1] = numbered_cpu(0x1000);
	view.cpus[1].pat = 0x0407050600070106;
	view.cpus[1].has_pat = true;
	view.physical_bits = 43;
	view.pages_1g = true;
	return &view;
}

static uint8_t byte_at(const struct view *view, uint64_t gpa)
{
	uint8_t byte = 0xee;
	struct error error;

	cr_expect_eq(view_read(view, gpa, &byte, 1, &error), 0, "%s", error.text);
	return byte;
}

/* Between gs and fs_base there is padding. */
static void expect_same_cpu(const struct view_cpu *found, const struct view_cpu *expected)
{
	cr_expect(!memcmp(found, expected, offsetof(struct view_cpu, gs) + sizeof(expected->gs)));
	cr_expect_eq(found->fs_base, expected->fs_base);
	cr_expect_eq(found->gs_base, expected->gs_base);
	cr_expect(found->has_pat && expected->has_pat);
	cr_expect_eq(found->pat, expected->pat);
}

Test(core, gives_back_registers_memory_and_program)
{
	const struct view *view = big_view();
	struct view *back;
	char *program;
	struct error error;

	cr_assert_eq(core_write(view, &by_gpa, path, "/images/guest.elf", &error), 0, "%s", error.text);
	cr_assert_eq(core_open(path, &back, &program, &error), 0, "%s", error.text);
	cr_expect_str_eq(program, "/images/guest.elf");
	cr_expect_eq(back->cpu_count, 2);
	cr_expect(back->pages_1g);
	cr_expect_eq(back->physical_bits, 43);
	for (unsigned int i = 0; i < 2; i++)
		expect_same_cpu(&back->cpus[i], &view->cpus[i]);
	cr_assert_eq(back->region_count, 2);
	for (unsigned int i = 0; i < 2; i++) {
		cr_expect_eq(back->regions[i].gpa, view->regions[i].gpa);
		cr_assert_eq(back->regions[i].size, view->regions[i].size);
		cr_expect(!memcmp(back->regions[i].bytes, view->regions[i].bytes, view->regions[i].size));
	}
	cr_expect_null(back->translate);
	free(program);
	view_destroy(back);
}

Test(core, without_a_program_has_none)
{
	struct view *view;
	char *program = (char *)1;
	struct error error;

	cr_assert_eq(core_write(big_view(), &by_gpa, path, NULL, &error), 0);
	cr_assert_eq(core_open(path, &view, &program, &error), 0);
	cr_expect_null(program);
	view_destroy(view);
}

Test(core, of_sparse_memory_is_sparse_and_tells_where_its_data_are)
{
	struct stat status;
	struct view *view;
	char *program;
	struct error error;
	uint64_t start, end;

	cr_assert_eq(core_write(big_view(), &by_gpa, path, NULL, &error), 0);
	cr_assert_eq(stat(path, &status), 0);
	cr_expect_gt(status.st_size, 256 << 20);
	cr_expect_lt(status.st_blocks * 512, 1 << 20, "%ld bytes on disk", status.st_blocks * 512);
	cr_expect_eq(status.st_mode & 0777, 0600);
	cr_assert_eq(core_open(path, &view, &program, &error), 0);
	cr_assert(view_next_data(view, PAGE * 16, ~0ull, &start, &end));
	cr_expect(start > 90 << 20 && start <= 100 << 20 && end > 100 << 20 && end < 110 << 20);
	view_destroy(view);
}

Test(core, writes_of_views_from_cores_are_the_same)
{
	struct view *view;
	char *program, second[80];
	struct error error;
	struct stat first_status, second_status;

	snprintf(second, sizeof(second), "%s/second", folder);
	cr_assert_eq(core_write(big_view(), &by_gpa, path, NULL, &error), 0);
	cr_assert_eq(core_open(path, &view, &program, &error), 0);
	cr_assert_eq(core_write(view, &by_gpa, second, NULL, &error), 0);
	view_destroy(view);
	stat(path, &first_status);
	stat(second, &second_status);
	cr_expect_eq(first_status.st_size, second_status.st_size);
	cr_expect_eq(first_status.st_blocks, second_status.st_blocks);
}

Test(core, that_cannot_be_written_leaves_what_was_there)
{
	const struct view *view = big_view();
	struct rlimit limit = { 1 << 20, RLIM_INFINITY };
	struct error error;
	uint8_t before[CORE_SIZE], kept[CORE_SIZE + 1];
	int fd = open(path, O_CREAT | O_WRONLY, 0600);

	core_make(before);
	cr_assert_eq(write(fd, before, sizeof(before)), (ssize_t)sizeof(before));
	close(fd);
	/* The file size limit has the effect of a full disk: the write fails half way. */
	signal(SIGXFSZ, SIG_IGN);
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	cr_assert_eq(core_write(view, &by_gpa, path, NULL, &error), -1);
	cr_expect_eq(error.kind, ERROR_HOST);
	cr_expect_eq(error.errnum, EFBIG);
	cr_expect_not_null(strstr(error.text, path), "%s", error.text);
	fd = open(path, O_RDONLY);
	cr_expect_eq(read(fd, kept, sizeof(kept)), (ssize_t)sizeof(before));
	cr_expect_arr_eq(kept, before, sizeof(before));
	close(fd);
	cr_expect_eq(files_in_folder(false), 1, "no half-written file stays");
}

Test(core, replaces_a_file_but_nothing_else)
{
	struct error error;
	struct stat status;
	char link[80];

	cr_assert_eq(core_write(big_view(), &by_gpa, path, NULL, &error), 0);
	cr_assert_eq(core_write(big_view(), &by_gpa, path, NULL, &error), 0);
	snprintf(link, sizeof(link), "%s/link", folder);
	cr_assert_eq(symlink(path, link), 0);
	cr_expect_eq(core_write(big_view(), &by_gpa, link, NULL, &error), 0);
	lstat(link, &status);
	cr_expect(S_ISLNK(status.st_mode), "the link stays a link");
	cr_expect_eq(core_write(big_view(), &by_gpa, folder, NULL, &error), -1);
	cr_expect_eq(error.kind, ERROR_INPUT);
	cr_expect_eq(core_write(big_view(), &by_gpa, "/dev/null", NULL, &error), -1);
	stat("/dev/null", &status);
	cr_expect(S_ISCHR(status.st_mode));
	cr_expect_eq(core_write(big_view(), &by_gpa, "/nowhere/at/all", NULL, &error), -1);
	cr_expect_eq(error.kind, ERROR_INPUT);
	cr_expect_eq(files_in_folder(false), 2);
}

Test(core, replaces_no_file_that_is_not_a_core)
{
	static const uint8_t program[64] = { 0x7f, 'E', 'L', 'F', 2, 1, 1, [16] = 2 };
	struct error error;
	struct stat status;
	int fd = open(path, O_CREAT | O_WRONLY, 0600);

	cr_assert_eq(write(fd, "precious", 8), 8);
	cr_expect_eq(core_write(big_view(), &by_gpa, path, NULL, &error), -1);
	cr_expect_eq(error.kind, ERROR_INPUT);
	cr_expect_not_null(strstr(error.text, "not an ELF core"), "%s", error.text);
	stat(path, &status);
	cr_expect_eq(status.st_size, 8);
	cr_assert_eq(pwrite(fd, program, sizeof(program), 0), (ssize_t)sizeof(program));
	cr_expect_eq(core_write(big_view(), &by_gpa, path, NULL, &error), -1, "a program is no core");
	cr_assert_eq(ftruncate(fd, 0), 0);
	cr_expect_eq(core_write(big_view(), &by_gpa, path, NULL, &error), 0, "an empty file may be: %s",
		     error.text);
	close(fd);
}

/* Two pages of virtual memory, in the other order than their frames, and one of the memory at 4 GiB. */
static const struct core_mapping three_mappings[] = {
	{ 0xffffc90000000000, 100 << 20, PAGE, PF_R | PF_W },
	{ 0xffffc90000001000, 0, PAGE, PF_R },
	{ 0xffffffff80000000, 4ull << 30, PAGE, PF_R | PF_X },
};

Test(core, by_virtual_address_is_the_same_view)
{
	const struct view *view = big_view();
	struct view *back;
	struct error error;
	char *program;

	cr_assert_eq(
		core_write(view, &(struct core_addresses){ three_mappings, 3, false }, path, NULL, &error), 0,
		"%s", error.text);
	cr_assert_eq(core_open(path, &back, &program, &error), 0, "%s", error.text);
	cr_assert_eq(back->region_count, 2);
	for (unsigned int i = 0; i < 2; i++) {
		cr_expect_eq(back->regions[i].gpa, view->regions[i].gpa);
		cr_assert_eq(back->regions[i].size, view->regions[i].size);
	}
	cr_expect_eq(byte_at(back, 100 << 20), 2);
	cr_expect_eq(byte_at(back, (4ull << 30) + 7), 4);
	view_destroy(back);
}

Test(core, by_virtual_address_has_the_bytes_where_a_debugger_reads_them)
{
	static const uint8_t bytes[] = { 2, 1, 4 };
	Elf64_Phdr segments[6];
	struct error error;
	uint8_t byte;
	int fd;

	cr_assert_eq(core_write(big_view(), &(struct core_addresses){ three_mappings, 3, false }, path, NULL,
				&error),
		     0);
	fd = open(path, O_RDONLY);
	cr_assert_eq(pread(fd, segments, sizeof(segments), sizeof(Elf64_Ehdr)), (ssize_t)sizeof(segments));
	for (unsigned int i = 0; i < 3; i++) {
		const Elf64_Phdr *segment = &segments[3 + i];

		cr_expect_eq(segment->p_type, PT_LOAD);
		cr_expect_eq(segment->p_vaddr, three_mappings[i].gva);
		cr_expect_eq(segment->p_paddr, three_mappings[i].gpa);
		cr_expect_eq(segment->p_filesz, PAGE);
		cr_expect_eq(segment->p_flags, three_mappings[i].flags);
		cr_assert_eq(pread(fd, &byte, 1, (off_t)segment->p_offset + (i == 2 ? 7 : 0)), 1);
		cr_expect_eq(byte, bytes[i]);
	}
	close(fd);
}

Test(core, may_have_more_segments_than_its_header_can_count)
{
	enum { MANY = 70000 };
	struct core_mapping *many = calloc(MANY, sizeof(*many));
	struct view *back;
	struct error error;
	char *program;

	for (unsigned int i = 0; i < MANY; i++)
		many[i] = (struct core_mapping){ 0xffffc90000000000 + i * 2 * PAGE, i % 1000 * PAGE, PAGE,
						 PF_R };
	cr_assert_eq(
		core_write(big_view(), &(struct core_addresses){ many, MANY, false }, path, NULL, &error), 0,
		"%s", error.text);
	cr_assert_eq(core_open(path, &back, &program, &error), 0, "%s", error.text);
	cr_expect_eq(back->region_count, 2);
	cr_expect_eq(byte_at(back, 0), 1);
	view_destroy(back);
	free(many);
}

static void expect_refused(const char *what, const char *file)
{
	struct view *view = (struct view *)1;
	char *program = (char *)1;
	struct error error;

	cr_assert_eq(core_open(file, &view, &program, &error), -1);
	cr_expect_not_null(strstr(error.text, what), "expected '%s', found '%s'", what, error.text);
	cr_expect_not_null(strstr(error.text, file), "'%s' does not name the file", error.text);
	cr_expect(view == (struct view *)1 && program == (char *)1, "untouched on failure");
}

Test(core, is_not_read_from_what_is_no_regular_file)
{
	char name[80];
	int fd;

	expect_refused("No such file", path);
	expect_refused("folder", folder);
	expect_refused("not a regular file", "/dev/zero");
	snprintf(name, sizeof(name), "%s/fifo", folder);
	cr_assert_eq(mkfifo(name, 0600), 0);
	expect_refused("not a regular file", name); /* and does not wait for a writer */
	fd = open(path, O_CREAT | O_WRONLY, 0600);
	expect_refused("empty", path);
	cr_assert_eq(write(fd, "some text", 9), 9);
	expect_refused("not an ELF file", path);
	close(fd);
	expect_refused("not a core", "/proc/self/exe");
}

Test(core, reads_zeros_where_memory_is_larger_than_the_file_part)
{
	uint8_t core[CORE_SIZE];
	struct view *view;
	struct error error;
	uint64_t half = PAGE + 0x123, start, end;

	core_make(core);
	/* In the file, other bytes than zeros follow. */
	memcpy(core + CORE_SEGMENT(1) + 32, &half, 8);
	cr_assert_eq(core_open_bytes(core, CORE_SIZE, &view, &error), 0, "%s", error.text);
	cr_expect_eq(byte_at(view, half - 1), 0x11);
	cr_expect_eq(byte_at(view, half), 0);
	cr_expect_eq(byte_at(view, 2 * PAGE - 1), 0);
	cr_expect(view_next_data(view, 0, ~0ull, &start, &end));
	cr_expect_eq(start, 0);
	view_destroy(view);

	memset(core + CORE_SEGMENT(1) + 32, 0, 8);
	cr_assert_eq(core_open_bytes(core, CORE_SIZE, &view, &error), 0, "%s", error.text);
	cr_expect_eq(byte_at(view, 0), 0);
	cr_expect_eq(byte_at(view, 2 * PAGE - 1), 0);
	view_destroy(view);
}

Test(core, reads_memory_that_reaches_far_beyond_the_end_of_the_file)
{
	uint8_t core[CORE_SIZE];
	uint64_t large = 1ull << 30, start, end;
	struct view *view;
	struct error error;

	core_make(core);
	memcpy(core + CORE_SEGMENT(2) + 40, &large, 8);
	cr_assert_eq(core_open_bytes(core, CORE_SIZE, &view, &error), 0, "%s", error.text);
	cr_expect_eq(byte_at(view, 1 << 20), 0x22);
	cr_expect_eq(byte_at(view, (1 << 20) + PAGE), 0);
	cr_expect_eq(byte_at(view, (1 << 20) + large - 1), 0);
	cr_expect(!view_next_data(view, (1 << 20) + PAGE, ~0ull, &start, &end), "holes to the end");
	view_destroy(view);
}

Test(core, reads_memory_at_any_offset_of_the_file)
{
	uint8_t core[CORE_SIZE];
	struct view *view;
	struct error error;

	core_make(core);
	for (unsigned int i = 0; i < 3 * PAGE; i++)
		core[PAGE + i] = i / 7;
	for (uint64_t offset = PAGE; offset <= 2 * PAGE; offset += 321) {
		memcpy(core + CORE_SEGMENT(1) + 8, &offset, 8);
		cr_assert_eq(core_open_bytes(core, CORE_SIZE, &view, &error), 0, "%s", error.text);
		for (uint64_t gpa = 0; gpa < 2 * PAGE; gpa += 97)
			cr_assert_eq(byte_at(view, gpa), core[offset + gpa]);
		cr_expect(!memcmp(view_bytes(view, 0, 2 * PAGE), core + offset, 2 * PAGE));
		view_destroy(view);
	}
}

Test(core, memory_that_runs_out_is_an_error)
{
	uint8_t bytes[CORE_SIZE];
	struct error error;
	struct view *view;
	unsigned int n = 0;
	int result;

	core_make(bytes);
	do {
		no_memory_at(++n);
		result = core_open_bytes(bytes, sizeof(bytes), &view, &error);
		cr_assert_eq(result, no_memory_failed() ? -1 : 0, "allocation %u", n);
		if (result < 0) {
			cr_expect_eq(error.kind, ERROR_HOST, "allocation %u: %s", n, error.text);
			cr_expect_eq(error.address, 0, "allocation %u: %s", n, error.text);
		}
	} while (result < 0);
	no_memory_at(0);
	cr_expect_gt(n, 2);
	view_destroy(view);
}
