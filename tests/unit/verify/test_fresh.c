/* SPDX-License-Identifier: MIT */
/* V4: frames that are claimed zero. */
#define _GNU_SOURCE /* memfd_create */
#include "base/array.h"
#include "world.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* The first fresh frames of the two zones. */
#define FRESH_LOW  0x108ull
#define FRESH_HIGH 0x1010ull

/* Each region has a file with data where memory is not zero, which tells what was touched. */
static void make_file(struct view_region *region)
{
	static const uint8_t zeros[K4];

	region->fd = memfd_create("test", 0);
	region->offset = 0;
	cr_assert_eq(ftruncate(region->fd, (off_t)region->size), 0);
	for (uint64_t at = 0; at < region->size; at += K4)
		if (memcmp(region->bytes + at, zeros, K4) != 0)
			cr_assert_eq(pwrite(region->fd, region->bytes + at, K4, (off_t)at), K4);
}

static void begin(void)
{
	world_init();
	w.claims.fresh_is_zero = true;
	for (unsigned int i = 0; i < 2; i++)
		make_file(&w.tables.view.regions[i]);
}

static void end(void)
{
	for (unsigned int i = 0; i < 2; i++)
		close(w.tables.view.regions[i].fd);
	world_destroy();
}

TestSuite(fresh, .init = begin, .fini = end);

/* A byte of guest memory is written, in its file too. */
static void touch(uint64_t gpa, uint8_t value)
{
	const struct view_region *region = view_region(&w.tables.view, gpa, 1);

	ram(gpa)[0] = value;
	cr_assert_eq(pwrite(region->fd, &value, 1, (off_t)(gpa - region->gpa)), 1);
}

Test(fresh, frames_that_were_touched_and_are_zero_are_right)
{
	touch(FRESH_LOW * K4 + 5, 0);
	touch(FRESH_HIGH * K4, 0);
	expect_findings("");
	cr_expect_str_empty(w.verdict.results[4].why_not);
}

Test(fresh, a_frame_that_was_written_is_found)
{
	touch(FRESH_LOW * K4 + 0x123, 1);
	touch((FRESH_HIGH + 7) * K4 + 0xfff, 1);
	touch((FRESH_HIGH + 8) * K4, 1); /* side by side with the one before */
	expect_findings("V4");
	cr_assert_eq(w.verdict.findings.count, 2);
	cr_expect_eq(w.verdict.findings.items[0].address, FRESH_LOW * K4 + 0x120);
	cr_expect_eq(w.verdict.findings.items[1].address, (FRESH_HIGH + 7) * K4 + 0xff8);
	cr_expect_eq(w.verdict.findings.items[1].pages, 2);
}

Test(fresh, what_firmware_left_in_RAM_is_right_where_the_guest_says_that_it_is_not_zero)
{
	touch(FRESH_LOW * K4 + 0x123, 1);
	w.claims.fresh_is_zero = false;
	expect_findings("");
}

Test(fresh, nothing_is_read_that_was_never_touched)
{
	ram(FRESH_LOW * K4)[0] = 1; /* the file has a hole there */
	expect_findings("");
}

Test(fresh, the_first_and_the_last_fresh_frame_count_and_their_neighbours_do_not)
{
	touch((FRESH_LOW - 1) * K4, 1);
	touch(0x1400 * K4 - 1, 0);
	expect_findings("");
	touch(0x1400 * K4 - 1, 1);
	expect_findings("V4");
}

Test(fresh, a_frame_on_a_list_of_zero_frames_is_compared)
{
	cr_assert_eq(array_push(&w.claims.pcp_zero, FREE_FOUR), 0);
	touch(FREE_FOUR * K4 + 16, 0);
	expect_findings("");
	touch(FREE_FOUR * K4 + 16, 9);
	expect_findings("V4");
}

Test(fresh, without_a_file_nothing_is_compared_and_that_is_said)
{
	close(w.tables.view.regions[0].fd);
	w.tables.view.regions[0].fd = -1;
	ram(FRESH_LOW * K4)[0] = 1;
	expect_findings("");
	cr_expect_not_null(strstr(w.verdict.results[4].why_not, "not read"));
}
