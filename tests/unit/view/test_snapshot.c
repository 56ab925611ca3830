/* SPDX-License-Identifier: MIT */
/*
 * test_snapshot.c: copies of accessed pages of a file that changes, as a running guest's memory does.
 */
#define _GNU_SOURCE /* memfd_create, mincore */
#include "descriptors.h"
#include "no_memory.h"
#include "view/snapshot.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 0x1000ull
/* One page more than two words of a bitmap have. The region begins at the second page of the file. */
#define PAGES  129
#define WORDS  3
#define OFFSET PAGE

static int fd;
static uint8_t *file; /* the region's bytes */
static struct snapshot snapshot;

/* Page i holds i + difference in its first byte and in its last one. */
static void fill(unsigned int difference)
{
	for (unsigned int i = 0; i < PAGES; i++)
		file[i * PAGE] = file[i * PAGE + PAGE - 1] = (uint8_t)(i + difference);
}

static void init(void)
{
	uint8_t *bytes;

	fd = memfd_create("guest", MFD_CLOEXEC);
	cr_assert_eq(ftruncate(fd, OFFSET + PAGES * PAGE), 0);
	bytes = mmap(NULL, OFFSET + PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	cr_assert_neq(bytes, MAP_FAILED);
	file = bytes + OFFSET;
	fill(1);
}

TestSuite(snapshot, .init = init);

static struct view_region mapped(uint64_t pages)
{
	struct view_region region = { .gpa = 1 << 20, .size = pages * PAGE, .fd = -1 };

	cr_assert_eq(snapshot_map(&snapshot, &region, fd, OFFSET), 0);
	return region;
}

static void access_page(const struct view_region *region, unsigned int page)
{
	region->accessed[page / 64] |= 1ull << page % 64;
}

static void expect_page(const struct view_region *region, unsigned int page, unsigned int difference)
{
	uint8_t expected = (uint8_t)(page + difference);

	cr_expect_eq(region->bytes[page * PAGE], expected, "page %u", page);
	cr_expect_eq(region->bytes[page * PAGE + PAGE - 1], expected, "page %u", page);
}

static bool is_mapped(const void *address)
{
	unsigned char in_core;

	return mincore((void *)address, PAGE, &in_core) == 0;
}

Test(snapshot, a_mapped_region_has_the_bytes_of_the_file_and_no_accessed_page)
{
	struct view_region region = mapped(PAGES);

	for (unsigned int i = 0; i < PAGES; i++)
		expect_page(&region, i, 1);
	for (unsigned int i = 0; i < WORDS; i++)
		cr_expect_eq(region.accessed[i], 0);
	cr_expect_eq(region.gpa, 1 << 20);
	cr_expect_eq(region.size, PAGES * PAGE);
	cr_expect(snapshot_is_complete(&snapshot), "no page was accessed");
	snapshot_destroy(&snapshot);
}

Test(snapshot, accessed_pages_keep_the_contents_of_the_copy)
{
	static const unsigned int accessed[] = { 0, 1, 63, 64, 65, 126, 128 };
	struct view_region region = mapped(PAGES);

	for (size_t i = 0; i < sizeof(accessed) / sizeof(accessed[0]); i++)
		access_page(&region, accessed[i]);
	cr_assert_eq(snapshot_prepare(&snapshot), 0);
	fill(50);
	expect_page(&region, 64, 1); /* copied by snapshot_prepare() for the first time */
	snapshot_copy(&snapshot);
	fill(100);
	for (unsigned int page = 0, i = 0; page < PAGES; page++) {
		bool copied = page == accessed[i];

		expect_page(&region, page, copied ? 50 : 100);
		i += copied;
	}
	snapshot_destroy(&snapshot);
}

Test(snapshot, the_runs_are_those_of_accessed_pages)
{
	static const struct {
		unsigned int first, count;
	} runs[] = { { 0, 2 }, { 10, 1 }, { 62, 66 }, { 128, 1 } };
	const size_t expected = sizeof(runs) / sizeof(runs[0]);
	struct view_region region = mapped(PAGES), second = mapped(64);
	const uint8_t *now = snapshot.regions.items[0].now;

	/* One run more, for the last page of the second region. */
	for (unsigned int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < expected; i++)
			for (unsigned int page = 0; page < runs[i].count - (i == 2); page++)
				access_page(&region, runs[i].first + page);
		access_page(&second, 63);
		cr_assert_eq(snapshot_prepare(&snapshot), 0);
		cr_assert_eq(snapshot.runs.count, expected + 1, "pass %u: %zu runs", pass,
			     snapshot.runs.count);
		for (size_t i = 0; i < expected; i++) {
			const struct snapshot_run *run = &snapshot.runs.items[i];

			cr_expect_eq(run->own, region.bytes + runs[i].first * PAGE);
			cr_expect_eq(run->now, now + runs[i].first * PAGE);
			cr_expect_eq(run->size, (runs[i].count - (i == 2)) * PAGE);
			cr_expect_eq(*run->now, runs[i].first + 1);
		}
		cr_expect_eq(snapshot.runs.items[expected].own, second.bytes + 63 * PAGE);
		cr_expect_eq(snapshot.runs.items[expected].size, PAGE);
	}
	snapshot_destroy(&snapshot);
}

Test(snapshot, is_complete_until_another_page_is_accessed)
{
	struct view_region first = mapped(PAGES), second = mapped(PAGES);

	for (unsigned int page = 0; page < PAGES; page += 64) {
		access_page(&first, page);
		cr_expect_not(snapshot_is_complete(&snapshot), "page %u", page);
		cr_assert_eq(snapshot_prepare(&snapshot), 0);
		snapshot_copy(&snapshot);
		cr_expect(snapshot_is_complete(&snapshot));
	}
	access_page(&second, PAGES - 1);
	cr_expect_not(snapshot_is_complete(&snapshot), "the last page of the second region");
	snapshot_destroy(&snapshot);
}

/* Bit 63 of an entry of /proc/PID/pagemap: the page table has the page. */
static bool is_present(const uint8_t *address)
{
	int pagemap = open("/proc/self/pagemap", O_RDONLY);
	uint64_t entry = 0;

	cr_assert_eq(pread(pagemap, &entry, sizeof(entry), (off_t)((uintptr_t)address / PAGE * 8)), 8);
	close(pagemap);
	return entry >> 63;
}

Test(snapshot, both_mappings_of_a_prepared_page_are_populated)
{
	struct view_region region;
	const uint8_t *now;

	region = mapped(PAGES);
	now = snapshot.regions.items[0].now;
	access_page(&region, 5);
	access_page(&region, 128);
	cr_expect_not(is_present(region.bytes + 5 * PAGE) || is_present(now + 5 * PAGE));
	cr_assert_eq(snapshot_prepare(&snapshot), 0);
	cr_expect(is_present(region.bytes + 5 * PAGE) && is_present(region.bytes + 128 * PAGE));
	cr_expect(is_present(now + 5 * PAGE) && is_present(now + 128 * PAGE));
	snapshot_destroy(&snapshot);
}

Test(snapshot, destroyed_it_has_no_mapping)
{
	struct view_region region = mapped(PAGES);
	const struct snapshot_region kept = snapshot.regions.items[0];

	access_page(&region, 0);
	cr_assert_eq(snapshot_prepare(&snapshot), 0);
	cr_expect_eq(kept.own, region.bytes);
	cr_expect(is_mapped(kept.own) && is_mapped(kept.now));
	snapshot_destroy(&snapshot);
	cr_expect_not(is_mapped(kept.own) || is_mapped(kept.own + (PAGES - 1) * PAGE));
	cr_expect_not(is_mapped(kept.now) || is_mapped(kept.now + (PAGES - 1) * PAGE));
	cr_expect(snapshot.regions.count == 0 && !snapshot.regions.items);
	cr_expect(snapshot.runs.count == 0 && !snapshot.runs.items);
}

Test(snapshot, a_file_that_cannot_be_mapped_is_an_error)
{
	struct view_region region = { .size = PAGE };

	cr_expect_eq(snapshot_map(&snapshot, &region, -1, 0), -1);
	cr_expect_eq(snapshot_map(&snapshot, &region, fd, 8), -1, "not at a page");
	cr_expect(!region.bytes && !region.accessed && !snapshot.regions.count);
	snapshot_destroy(&snapshot);
}

Test(snapshot, memory_that_runs_out_is_an_error_and_leaves_no_mapping)
{
	struct view_region region = { .size = PAGES * PAGE };
	unsigned int before = open_mappings();

	for (unsigned int i = 0; i < 60; i++) {
		/* Two bitmaps, and the list of regions. */
		no_memory_at(1 + i % 3);
		cr_assert_eq(snapshot_map(&snapshot, &region, fd, OFFSET), -1);
		cr_expect(no_memory_failed());
	}
	cr_expect_lt(open_mappings(), before + 20);
	cr_expect(!region.bytes && !region.accessed && !snapshot.regions.count);
	no_memory_at(4);
	cr_assert_eq(snapshot_map(&snapshot, &region, fd, OFFSET), 0);
	access_page(&region, 5);
	no_memory_at(1);
	cr_expect_eq(snapshot_prepare(&snapshot), -1);
	cr_expect(no_memory_failed());
	cr_expect_eq(snapshot_prepare(&snapshot), 0);
	snapshot_destroy(&snapshot);
}
