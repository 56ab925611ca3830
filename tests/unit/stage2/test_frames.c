/* SPDX-License-Identifier: MIT */
/*
 * test_frames.c: what backs a leaf is looked up in a file like /proc/PID/pagemap.
 */
#define _GNU_SOURCE
#include "base/array.h"
#include "stage2/stage2.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PRESENT (1ull << 63)
#define WORDS   (3u << 18) /* of the file: 3 GiB of HVAs */

/* The file: page n has frame n + 1000, but what a test changes. */
static uint64_t *words;
static int file;
static char path[64];

static void make_file(void)
{
	file = memfd_create("pagemap", MFD_CLOEXEC);
	cr_assert(file >= 0 && ftruncate(file, WORDS * sizeof(uint64_t)) == 0);
	words = mmap(NULL, WORDS * sizeof(uint64_t), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	cr_assert(words != MAP_FAILED);
	for (uint64_t i = 0; i < WORDS; i++)
		words[i] = PRESENT | (i + 1000);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
}

TestSuite(frames, .init = make_file);

static struct stage2 with_slot(uint64_t gpa, uint64_t size, uint64_t hva)
{
	struct stage2_slot slot = { .gpa = gpa, .size = size, .hva = hva };
	struct stage2 stage2 = { .format = { STAGE2_NPT, 48, 0 } };

	cr_assert_eq(array_push(&stage2.slots, slot), 0);
	return stage2;
}

static void add_leaf(struct stage2 *stage2, uint64_t gpa, uint8_t level)
{
	struct stage2_leaf leaf = { .gpa = gpa, .level = level };

	cr_assert_eq(array_push(&stage2->leaves, leaf), 0);
}

static void look_up(struct stage2 *stage2)
{
	struct error error;

	cr_assert_eq(stage2_look_up_frames(stage2, path, &error), 0);
}

Test(frames, near_and_far_leaves_find_their_own_word)
{
	struct stage2 stage2 = with_slot(0, 1ull << 30, 1ull << 30);
	uint64_t right = 0;

	for (uint64_t page = 0; page < 200000; page += page % 7 ? 1 : 900)
		add_leaf(&stage2, page << 12, 1);
	look_up(&stage2);
	cr_expect_str_empty(stage2.no_frames.text);
	for (size_t i = 0; i < stage2.leaves.count; i++)
		right += stage2.leaves.items[i].looked_up &&
			 stage2.leaves.items[i].backing ==
				 (PRESENT | ((stage2.leaves.items[i].gpa >> 12) + (1 << 18) + 1000));
	cr_expect_eq(right, stage2.leaves.count, "%lu of %zu", right, stage2.leaves.count);
	stage2_destroy(&stage2);
}

Test(frames, all_pages_of_a_large_leaf_are_looked_at)
{
	struct stage2 stage2 = with_slot(0, 1ull << 31, 1ull << 30);

	words[(1 << 18) + 511] = PRESENT | 7;
	words[(1 << 19) + 200000] = PRESENT | 7;
	add_leaf(&stage2, 0, 2);
	add_leaf(&stage2, 0x200000, 2);
	add_leaf(&stage2, 1 << 30, 3);
	look_up(&stage2);
	cr_expect_eq(stage2.leaves.items[0].stray, 512);
	cr_expect_eq(stage2.leaves.items[1].stray, 0);
	cr_expect_eq(stage2.leaves.items[2].stray, 200001, "a 1G page takes several reads");
	cr_expect(stage2.leaves.items[2].looked_up);
	stage2_destroy(&stage2);
}

Test(frames, a_page_that_is_missing_inside_a_large_leaf_is_noticed)
{
	struct stage2 stage2 = with_slot(0, 1ull << 30, 1ull << 30);

	words[(1 << 18) + 5] &= ~PRESENT;
	add_leaf(&stage2, 0, 2);
	look_up(&stage2);
	cr_expect_eq(stage2.leaves.items[0].stray, 6);
	stage2_destroy(&stage2);
}

Test(frames, hidden_frames_are_not_taken_for_wrong_ones)
{
	struct stage2 stage2 = with_slot(0, 1ull << 30, 1ull << 30);

	words[(1 << 18) + 1] = PRESENT;
	add_leaf(&stage2, 0, 1);
	add_leaf(&stage2, 0x1000, 1);
	look_up(&stage2);
	cr_expect(strstr(stage2.no_frames.text, "CAP_SYS_ADMIN"), "%s", stage2.no_frames.text);
	cr_expect_eq(stage2.no_frames.kind, ERROR_PERMISSION);
	cr_expect_eq(stage2_check(&stage2, &stage2.leaves.items[0]), STAGE2_NOT_COMPARED);
	stage2_destroy(&stage2);
}

Test(frames, a_file_that_cannot_be_opened_is_a_reason)
{
	struct stage2 stage2 = with_slot(0, 1ull << 30, 1ull << 30);
	struct error error;

	add_leaf(&stage2, 0, 1);
	cr_expect_eq(stage2_look_up_frames(&stage2, "/nowhere/pagemap", &error), 0);
	cr_expect(strstr(stage2.no_frames.text, "/nowhere/pagemap"), "%s", stage2.no_frames.text);
	stage2_destroy(&stage2);
}

Test(frames, slots_that_leave_the_file_or_wrap_are_not_looked_up)
{
	struct stage2 beyond = with_slot(0, 1ull << 30, 1ull << 40),
		      wraps = with_slot(0, 1ull << 30, ~0xfffull);

	add_leaf(&beyond, 0, 1);
	add_leaf(&wraps, 0x1000, 2);
	add_leaf(&wraps, 0x3fe00000, 2);
	add_leaf(&wraps, 0x3ff00000, 3);
	look_up(&beyond);
	look_up(&wraps);
	cr_expect_not(beyond.leaves.items[0].looked_up);
	cr_expect_not(wraps.leaves.items[2].looked_up, "it leaves its slot");
	stage2_destroy(&beyond);
	stage2_destroy(&wraps);
}
