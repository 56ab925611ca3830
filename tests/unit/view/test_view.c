/* SPDX-License-Identifier: MIT */
/*
 * test_view.c: regions and the checked access to them.
 */
#define _GNU_SOURCE /* memfd_create */
#include "view/view.h"
#include "no_memory.h"
#include "view/extents.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MANY 20000
#define PAGE 0x1000ull

static uint8_t bytes[8 * PAGE];

static int add(struct view *view, uint64_t gpa, uint64_t size, uint64_t from)
{
	struct view_region region = { .gpa = gpa, .size = size, .bytes = bytes + from, .fd = -1 };
	struct error error;

	return view_add_region(view, &region, &error);
}

Test(view, keeps_regions_sorted)
{
	static struct view view;

	cr_assert_eq(add(&view, 8 * PAGE, PAGE, 0), 0);
	cr_assert_eq(add(&view, 0, PAGE, 0), 0);
	cr_assert_eq(add(&view, 4 * PAGE, 2 * PAGE, 0), 0);
	cr_assert_eq(view.region_count, 3);
	cr_expect_eq(view.regions[0].gpa, 0);
	cr_expect_eq(view.regions[1].gpa, 4 * PAGE);
	cr_expect_eq(view.regions[2].gpa, 8 * PAGE);
	cr_expect_eq(view_size(&view), 4 * PAGE);
}

Test(view, refuses_regions_that_are_unaligned_empty_wrapping_or_overlapping)
{
	static struct view view;

	cr_assert_eq(add(&view, 4 * PAGE, 4 * PAGE, 0), 0);
	cr_expect_eq(add(&view, 1, PAGE, 0), -1);
	cr_expect_eq(add(&view, 0, PAGE + 8, 0), -1);
	cr_expect_eq(add(&view, 0, 0, 0), -1);
	cr_expect_eq(add(&view, -PAGE, PAGE, 0), -1);
	cr_expect_eq(add(&view, -PAGE, 2 * PAGE, 0), -1);
	cr_expect_eq(add(&view, 0, 4 * PAGE + PAGE, 0), -1);
	cr_expect_eq(add(&view, 7 * PAGE, 2 * PAGE, 0), -1);
	cr_expect_eq(add(&view, 5 * PAGE, PAGE, 0), -1);
	cr_expect_eq(add(&view, 0, 16 * PAGE, 0), -1);
	cr_expect_eq(view.region_count, 1);
	cr_expect_eq(add(&view, 0, 4 * PAGE, 0), 0, "up to the next region");
	cr_expect_eq(add(&view, 8 * PAGE, PAGE, 0), 0, "from the end of the last one");
}

/* The text and the address of each refusal; the view has one region, of 4 pages at page 4. */
Test(view, says_which_region_it_refuses_and_why)
{
	static const struct {
		uint64_t gpa, size;
		const char *text;
	} cases[] = {
		{ 0x1008, 0x1000, "memory at GPA 0x1008, size 0x1000: not a whole number of pages" },
		{ 0x1000, 0x1001, "memory at GPA 0x1000, size 0x1001: not a whole number of pages" },
		{ 0x1000, 0, "memory at GPA 0x1000, size 0x0: not a whole number of pages" },
		{ -PAGE, PAGE,
		  "memory at GPA 0xfffffffffffff000, size 0x1000: wraps around the address space" },
		{ 0x1000, 0x4000, "memory at GPA 0x1000, size 0x4000: overlaps the memory at GPA 0x4000" },
		{ 0x7000, 0x1000, "memory at GPA 0x7000, size 0x1000: overlaps the memory at GPA 0x4000" },
	};
	static struct view view;

	cr_assert_eq(add(&view, 4 * PAGE, 4 * PAGE, 0), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct view_region region = { .gpa = cases[i].gpa, .size = cases[i].size, .fd = -1 };
		struct error error;

		cr_expect_eq(view_add_region(&view, &region, &error), -1);
		cr_expect_str_eq(error.text, cases[i].text);
		cr_expect(error.kind == ERROR_INPUT && !error.errnum);
		cr_expect_eq(error.address, cases[i].gpa);
	}
	cr_expect_eq(add(&view, -2 * PAGE, PAGE, 0), 0, "the last page that does not wrap");
}

/* In any order, and nothing but the regions changes. */
Test(view, holds_any_number_of_regions)
{
	for (unsigned int descending = 0; descending < 2; descending++) {
		struct view *view = calloc(1, sizeof(*view));
		const unsigned int count = descending ? MANY / 10 : MANY;
		struct error error;

		cr_assert_eq(view_set_cpus(view, 2, &error), 0);
		memset(view->cpus, 0x5a, 2 * sizeof(view->cpus[0]));
		for (unsigned int i = 0; i < count; i++)
			cr_assert_eq(add(view, (descending ? count - 1 - i : i) * 2 * PAGE, PAGE, 0), 0);
		cr_expect_eq(view->region_count, count);
		for (unsigned int i = 0; i < count; i++)
			cr_expect_eq(view->regions[i].gpa, i * 2 * PAGE);
		cr_expect_eq(view->cpu_count, 2);
		for (size_t i = 0; i < 2 * sizeof(view->cpus[0]); i++)
			cr_assert_eq(((const uint8_t *)view->cpus)[i], 0x5a, "byte %zu of the CPUs", i);
		cr_expect_not_null(view_bytes(view, (count - 1) * 2 * PAGE, PAGE));
		cr_expect_null(view_bytes(view, (count - 1) * 2 * PAGE + PAGE, 1));
		cr_expect_null(view_bytes(view, count * 2 * PAGE, 1));
		cr_expect_eq(add(view, 2 * PAGE, PAGE, 0), -1, "overlaps");
		cr_expect_eq(view->region_count, count);
		view_clear(view);
		cr_expect_null(view_bytes(view, 0, 1));
		view_destroy(view);
	}
}

static bool is_zero(const struct view_cpu *cpu)
{
	static const struct view_cpu zero;

	return !memcmp(cpu, &zero, sizeof(zero));
}

/* CPUs that were removed and are added again have registers of zero, too. */
Test(view, has_as_many_cpus_as_are_set)
{
	struct view *view = calloc(1, sizeof(*view));
	struct error error = { 0 };

	cr_assert_eq(view_set_cpus(view, 0, &error), 0);
	cr_expect_eq(view->cpu_count, 0);
	cr_assert_eq(view_set_cpus(view, 2, &error), 0);
	cr_expect(view->cpu_count == 2 && is_zero(&view->cpus[0]) && is_zero(&view->cpus[1]));
	memset(view->cpus, 0x5a, 2 * sizeof(view->cpus[0]));
	cr_assert_eq(view_set_cpus(view, 1, &error), 0);
	cr_assert_eq(view_set_cpus(view, VIEW_CPUS_MAX, &error), 0);
	cr_expect_eq(view->cpu_count, VIEW_CPUS_MAX);
	cr_expect_eq(view->cpus[0].rip, 0x5a5a5a5a5a5a5a5a, "CPU 0 keeps its registers");
	for (unsigned int i = 1; i < VIEW_CPUS_MAX; i++)
		cr_assert(is_zero(&view->cpus[i]), "CPU %u", i);
	cr_expect_eq(view_set_cpus(view, VIEW_CPUS_MAX + 1, &error), -1);
	cr_expect(error.kind == ERROR_INPUT && !error.errnum && !error.address);
	cr_expect_str_eq(error.text, "4097 CPUs: more than 4096");
	cr_expect_eq(view->cpu_count, VIEW_CPUS_MAX);
	view_clear(view);
	cr_expect(!view->cpus && !view->cpu_count && !view->cpu_capacity);
	view_destroy(view);
}

Test(view, is_unchanged_without_memory_for_cpus)
{
	struct view *view = calloc(1, sizeof(*view));
	struct error error = { 0 };

	cr_assert_eq(view_set_cpus(view, 2, &error), 0);
	view->cpus[1].rip = 0x1234;
	no_memory_at(1);
	cr_expect_eq(view_set_cpus(view, 100, &error), -1);
	cr_expect(no_memory_failed());
	cr_expect(error.kind == ERROR_HOST && error.errnum == ENOMEM && !error.address);
	cr_expect(view->cpu_count == 2 && view->cpus[1].rip == 0x1234);
	cr_expect_eq(view_set_cpus(view, 100, &error), 0);
	view_destroy(view);
}

/* With memory again, the region can be added. */
Test(view, is_unchanged_without_memory_for_a_region)
{
	struct view *view = calloc(1, sizeof(*view));
	struct view_region region = { .gpa = 1ull << 40, .size = PAGE, .bytes = bytes, .fd = -1 };
	struct error error = { 0 };
	unsigned int count = 0;

	add(view, 0, PAGE, 0);
	for (no_memory_at(1); view_add_region(view, &region, &error) == 0; region.gpa += 2 * PAGE)
		count++;
	cr_expect(no_memory_failed());
	cr_expect(error.kind == ERROR_HOST && error.errnum == ENOMEM && !error.address);
	cr_expect_eq(view->region_count, count + 1);
	cr_expect_null(view_bytes(view, region.gpa, 1));
	cr_expect_eq(view_bytes(view, 0, 1), bytes);
	cr_expect_eq(view_add_region(view, &region, &error), 0);
	cr_expect_eq(view_bytes(view, region.gpa, 1), bytes);
	view_destroy(view);
}

Test(view, gives_bytes_only_where_all_of_them_are_in_one_region)
{
	static struct view view;

	cr_expect_null(view_bytes(&view, 0, 1));
	add(&view, 4 * PAGE, 2 * PAGE, 0);
	cr_expect_eq(view_bytes(&view, 4 * PAGE, 2 * PAGE), bytes, "the whole region, to its very end");
	cr_expect_eq(view_bytes(&view, 6 * PAGE - 1, 1), bytes + 2 * PAGE - 1);
	cr_expect_null(view_bytes(&view, 6 * PAGE - 1, 2));
	cr_expect_null(view_bytes(&view, 6 * PAGE, 1));
	cr_expect_null(view_bytes(&view, 4 * PAGE - 1, 2));
	cr_expect_null(view_bytes(&view, 0, 1));
	cr_expect_null(view_bytes(&view, ~0ull, 1));
	cr_expect_null(view_bytes(&view, 4 * PAGE + 8, ~0ull), "a size that wraps");
	cr_expect_null(view_bytes(&view, ~0ull - 7, 16));
}

Test(view, reads_over_regions_that_touch)
{
	static struct view view;
	struct error error;
	char text[8] = "";

	add(&view, PAGE, PAGE, 4 * PAGE);
	add(&view, 2 * PAGE, PAGE, 0);
	cr_expect(view_covers(&view, PAGE, 2 * PAGE));
	cr_expect(view_covers(&view, PAGE + 1, PAGE));
	cr_expect(view_covers(&view, 3 * PAGE - 1, 1), "the last byte");
	cr_expect_not(view_covers(&view, PAGE - 1, 2));
	cr_expect_not(view_covers(&view, PAGE, 2 * PAGE + 1));
	cr_expect_not(view_covers(&view, ~0ull, 2));
	memcpy(bytes + 5 * PAGE - 3, "abc", 3);
	memcpy(bytes, "def", 4);
	cr_assert_eq(view_read(&view, 2 * PAGE - 3, text, 7, &error), 0);
	cr_expect_str_eq(text, "abcdef");
	cr_expect_eq(view_read(&view, 3 * PAGE - 1, text, 1, &error), 0);
	cr_expect_eq(view_read(&view, 3 * PAGE - 1, text, 2, &error), -1);
	cr_expect(error.kind == ERROR_GUEST && !error.errnum);
	cr_expect_eq(error.address, 3 * PAGE, "the first address that is nowhere");
	cr_expect_str_eq(error.text, "no guest memory at GPA 0x3000");
	cr_expect_eq(view_read(&view, ~0ull, text, 2, &error), -1);
	cr_expect_eq(error.address, ~0ull);
	cr_expect_eq(view_read(&view, 77 * PAGE, text, 0, &error), 0, "nothing is everywhere");
}

/* Memory of 64 pages at GPA 1M whose pages 10, 11 and 40 were touched, at offset 2 pages of a file. */
static struct view *sparse_view(void)
{
	static struct view view;
	struct view_region region = { .gpa = 1 << 20, .size = 64 * PAGE, .offset = 2 * PAGE };
	struct error error;
	uint8_t *memory;

	region.fd = memfd_create("guest", 0);
	cr_assert_eq(ftruncate(region.fd, 66 * PAGE), 0);
	memory = mmap(NULL, 66 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, region.fd, 0);
	cr_assert_neq(memory, MAP_FAILED);
	memory[12 * PAGE] = 1;
	memory[13 * PAGE + 5] = 1;
	memory[42 * PAGE + 5] = 1;
	region.bytes = memory + 2 * PAGE;
	cr_assert_eq(view_add_region(&view, &region, &error), 0);
	return &view;
}

#define M1 (1ull << 20)

static void expect_data(const struct view *view, uint64_t gpa, uint64_t end, uint64_t from, uint64_t to)
{
	uint64_t start = 0, stop = 0;

	cr_expect(view_next_data(view, gpa, end, &start, &stop), "nothing in [0x%lx, 0x%lx)", gpa, end);
	cr_expect(start == from && stop == to, "expected [0x%lx, 0x%lx), found [0x%lx, 0x%lx)", from, to,
		  start, stop);
}

Test(view, finds_the_touched_parts_of_sparse_memory)
{
	const struct view *view = sparse_view();
	uint64_t start = 77, end = 77;

	expect_data(view, 0, ~0ull, M1 + 10 * PAGE, M1 + 12 * PAGE);
	expect_data(view, M1 + 11 * PAGE + 9, ~0ull, M1 + 11 * PAGE + 9, M1 + 12 * PAGE);
	expect_data(view, M1 + 12 * PAGE, ~0ull, M1 + 40 * PAGE, M1 + 41 * PAGE);
	expect_data(view, M1, M1 + 10 * PAGE + 1, M1 + 10 * PAGE, M1 + 10 * PAGE + 1);
	cr_expect(!view_next_data(view, M1 + 12 * PAGE, M1 + 40 * PAGE, &start, &end));
	cr_expect(!view_next_data(view, M1 + 41 * PAGE, ~0ull, &start, &end));
	cr_expect(!view_next_data(view, 0, M1, &start, &end));
	cr_expect(start == 77 && end == 77, "untouched where there is nothing");
}

Test(view, takes_memory_of_which_no_file_tells_as_data)
{
	static struct view view;
	uint64_t start, end;

	add(&view, 4 * PAGE, 2 * PAGE, 0);
	add(&view, 8 * PAGE, PAGE, 0);
	expect_data(&view, 0, ~0ull, 4 * PAGE, 6 * PAGE);
	expect_data(&view, 6 * PAGE, ~0ull, 8 * PAGE, 9 * PAGE);
	expect_data(&view, 5 * PAGE + 1, 5 * PAGE + 2, 5 * PAGE + 1, 5 * PAGE + 2);
	cr_expect(!view_next_data(&view, 9 * PAGE, ~0ull, &start, &end));
	cr_expect(!view_next_data(&view, 5 * PAGE, 5 * PAGE, &start, &end));
}

Test(view, takes_memory_of_a_file_that_cannot_tell_as_data)
{
	static struct view view;
	struct view_region region = { .gpa = PAGE, .size = PAGE, .bytes = bytes, .fd = 1 << 20 };
	struct error error;

	cr_assert_eq(view_add_region(&view, &region, &error), 0);
	expect_data(&view, 0, ~0ull, PAGE, 2 * PAGE);
}

Test(view, destroy_accepts_null)
{
	view_destroy(NULL);
}

Test(view, records_the_pages_that_are_accessed_if_it_has_a_bitmap)
{
	struct view_region region = { .gpa = 4 * PAGE, .size = 8 * PAGE, .bytes = bytes, .fd = -1 };
	static struct view view;
	uint64_t accessed = 0;
	struct error error;
	char copy[2];

	region.accessed = &accessed;
	cr_assert_eq(view_add_region(&view, &region, &error), 0);
	cr_expect_not_null(view_region(&view, 4 * PAGE, PAGE), "is there any?");
	cr_expect_null(view_bytes(&view, 11 * PAGE, 2 * PAGE));
	cr_expect_eq(accessed, 0, "what is not there is not read");
	view_bytes(&view, 4 * PAGE + 8, 8);
	cr_expect_eq(accessed, 1);
	view_bytes(&view, 7 * PAGE - 1, PAGE + 1);
	cr_expect_eq(accessed, 1 | 3 << 2);
	view_read(&view, 12 * PAGE - 2, copy, sizeof(copy), &error);
	cr_expect_eq(accessed, 1 | 3 << 2 | 1 << 7);
}

/* Pages 62 to 65 are in two words of the bitmap. */
Test(view, records_accesses_in_each_word_of_the_bitmap)
{
	uint64_t accessed[3] = { 0 };
	struct view_region region = { .gpa = 1 << 20, .size = 130 * PAGE, .fd = -1, .accessed = accessed };
	static uint8_t memory[130 * PAGE];
	static struct view view;
	struct error error;

	region.bytes = memory;
	cr_assert_eq(view_add_region(&view, &region, &error), 0);
	view_bytes(&view, (1 << 20) + 62 * PAGE, 4 * PAGE);
	cr_expect(accessed[0] == 3ull << 62 && accessed[1] == 3 && !accessed[2]);
	view_bytes(&view, (1 << 20) + 129 * PAGE, 1);
	cr_expect(accessed[0] == 3ull << 62 && accessed[1] == 3 && accessed[2] == 2);
}

static struct view *released;

static void release(struct view *view)
{
	released = view;
}

Test(view, destroy_calls_the_release_of_the_backend)
{
	struct view *view = calloc(1, sizeof(*view));

	view->release = release;
	view_destroy(view);
	cr_expect_eq(released, view);
}

/* Descriptor 0 is one like any other, and an errno from before means nothing. */
Test(view, finds_data_by_any_descriptor_and_whatever_errno_was)
{
	const struct view_region *sparse = &sparse_view()->regions[0];
	struct view_region region = *sparse;
	static struct view view, without_file;
	uint64_t start, end;
	struct error error;

	cr_assert_eq(dup2(sparse->fd, 0), 0);
	region.fd = 0;
	cr_assert_eq(view_add_region(&view, &region, &error), 0);
	expect_data(&view, 0, ~0ull, M1 + 10 * PAGE, M1 + 12 * PAGE);
	cr_expect(!view_next_data(&view, M1 + 41 * PAGE, ~0ull, &start, &end));
	region.fd = -1;
	cr_assert_eq(view_add_region(&without_file, &region, &error), 0);
	errno = ENXIO;
	expect_data(&without_file, 0, ~0ull, M1, M1 + 64 * PAGE);
}

Test(view, counts_its_memory_and_its_data)
{
	static struct view view;
	struct view_region more = { .gpa = 1 << 30, .size = 3 * PAGE, .bytes = bytes, .fd = -1 };
	struct error error;

	view = *sparse_view();
	cr_expect_eq(view_data_size(&view), 3 * PAGE);
	cr_assert_eq(view_add_region(&view, &more, &error), 0);
	cr_expect_eq(view_size(&view), 67 * PAGE);
	cr_expect_eq(view_data_size(&view), 6 * PAGE);
	view.data_size_max = 77;
	cr_expect_eq(view_data_size(&view), 77);
}

/* ---- where data is ---- */

/* Two regions of one sparse file of 16 pages: [0, 8) at 0, [8, 16) at 32. Data: pages 1, 2, 7 and 9 of the file. */
static int two_regions(struct view *view)
{
	static const unsigned int used[] = { 1, 2, 7, 9 };
	int fd = memfd_create("sparse", MFD_CLOEXEC);
	struct error error;

	cr_assert_eq(ftruncate(fd, 16 * PAGE), 0);
	for (size_t i = 0; i < 4; i++)
		cr_assert_eq(pwrite(fd, "x", 1, (off_t)(used[i] * PAGE)), 1);
	for (unsigned int i = 0; i < 2; i++) {
		struct view_region region = {
			.gpa = i * 32 * PAGE, .size = 8 * PAGE, .fd = fd, .offset = i * 8 * PAGE
		};

		region.bytes = mmap(NULL, region.size, PROT_READ, MAP_SHARED, fd, (off_t)region.offset);
		cr_assert_neq(region.bytes, MAP_FAILED);
		cr_assert_eq(view_add_region(view, &region, &error), 0);
	}
	return fd;
}

static void expect_same_data(const struct view *view, const struct view *other)
{
	uint64_t start, end, other_start, other_end;

	for (uint64_t from = 0; from < 42 * PAGE; from += PAGE / 2)
		for (uint64_t to = from; to < 42 * PAGE; to += PAGE / 2) {
			bool found = view_next_data(view, from, to, &start, &end);

			cr_assert_eq(view_next_data(other, from, to, &other_start, &other_end), found);
			if (found)
				cr_assert(start == other_start && end == other_end);
		}
}

Test(view, data_that_is_known_is_that_of_the_files)
{
	static struct view view, asks;
	int fd = two_regions(&view), other = two_regions(&asks);

	cr_assert_eq(view_learn_data(&view), 0);
	cr_expect_eq(view.extents.count, 3);
	expect_same_data(&view, &asks);
	cr_expect_eq(view_data_size(&view), 4 * PAGE);
	view_clear(&view);
	view_clear(&asks);
	close(fd);
	close(other);
}

Test(view, holes_are_known_until_the_data_is_forgotten)
{
	static struct view view;
	int fd = two_regions(&view);

	cr_expect_not(view_is_hole(&view, 0, PAGE), "nothing is known");
	cr_assert_eq(view_learn_data(&view), 0);
	cr_expect(view_is_hole(&view, 0, PAGE));
	cr_expect_not(view_is_hole(&view, 0, PAGE + 1));
	cr_expect_not(view_is_hole(&view, 2 * PAGE, PAGE));
	cr_expect(view_is_hole(&view, 3 * PAGE, 4 * PAGE));
	cr_expect_not(view_is_hole(&view, 33 * PAGE, 1));
	cr_expect(view_is_hole(&view, 34 * PAGE, 6 * PAGE));
	view_forget_data(&view);
	cr_expect_not(view_is_hole(&view, 0, PAGE));
	view_clear(&view);
	close(fd);
}
