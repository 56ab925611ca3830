/* SPDX-License-Identifier: MIT */
/*
 * test_no_memory.c: frames, what leads to one, and the checks of a memory map, while the n-th allocation fails: each is an
 * error, none a result that is cut short.
 */
#include "errors.h"
#include "no_memory.h"
#include "tables.h"

#include "inspect/diff.h"
#include "inspect/frames.h"
#include "inspect/map_check.h"

#include <criterion/criterion.h>
#include <errno.h>

#define FRAME 0x300ull /* in RAM, and no table */

static struct tables t;
static struct error error;

/* One table of level 1, with one page, at five places, read-only at the last. */
static void init(void)
{
	tables_init(&t, 4);
	tables_map(&t, VMALLOC, FRAME * K4, 1, PTE_W | PTE_NX);
	for (unsigned int i = 1; i < 5; i++)
		*tables_entry(&t, VMALLOC + i * M2, 2) = *tables_entry(&t, VMALLOC, 2) ^ (i == 4 ? PTE_W : 0);
}

static void done(void)
{
	tables_destroy(&t);
}

TestSuite(no_memory, .init = init, .fini = done);

/* Each of the calls until one succeeds fails with this error. At least `least` fail. */
static void expect_errors(int (*call)(void), unsigned int least, const char *text)
{
	unsigned int n = 0;

	for (;;) {
		no_memory_at(++n);
		if (call() == 0)
			break;
		cr_assert(no_memory_failed());
		expect_whole_error(&error, ERROR_HOST, ENOMEM, 0, text);
	}
	no_memory_at(0);
	cr_expect_gt(n, least, "%s: %u allocations", text, n - 1);
}

static int collect_frames(void)
{
	struct frames frames;

	if (frames_collect(&t.view, &t.mode, NULL, &frames, &error) < 0)
		return -1;
	cr_expect_not(frames.cut_short);
	cr_expect_eq(frames_find(&frames, FRAME)->kind, FRAME_ALIASED);
	frames_destroy(&frames);
	return 0;
}

Test(no_memory, for_frames)
{
	expect_errors(collect_frames, 3, "the owners of the guest's frames");
}

static int reach(void)
{
	struct frame_reaches reaches;

	if (frames_reach(&t.view, &t.mode, FRAME, 16, &reaches, &error) < 0)
		return -1;
	cr_expect_not(reaches.cut_short);
	cr_expect_eq(reaches.leaves, 5);
	frame_reaches_destroy(&reaches);
	return 0;
}

Test(no_memory, for_what_leads_to_a_frame)
{
	expect_errors(reach, 3, "the list of what leads to frame 0x300");
}

static struct ranges ranges;

static int check_map(void)
{
	static const struct map_direct none;
	const struct map_check_input input = { &t.view, &t.mode, 0, ~0ull, &ranges, &ranges, &none, NULL };
	struct map_violations violations;

	if (map_check(&input, &violations, &error) < 0)
		return -1;
	cr_expect_not(violations.cut_short);
	cr_expect_eq(violations.count, 1);
	cr_expect_eq(violations.items[0].fault, MAP_ALIAS);
	cr_expect_eq(violations.items[0].mappings, 5);
	cr_expect_not(violations.at_least);
	map_violations_destroy(&violations);
	return 0;
}

Test(no_memory, for_the_checks_of_a_memory_map)
{
	cr_assert_eq(ranges_collect(&t.view, &t.mode, 0, ~0ull, NULL, 0, &ranges, &error), 0);
	expect_errors(check_map, 9, "the frames of the memory map");
	ranges_destroy(&ranges);
}

static struct tables other;

static int diff(void)
{
	const struct diff_side before = { &t.view, &t.mode, NULL },
			       after = { &other.view, &other.mode, NULL };
	struct diff_tables tables;

	if (diff_tables(&before, &after, true, &tables, &error) < 0)
		return -1;
	cr_expect_not(tables.cut_short);
	cr_expect_eq(tables.range_count, 5);
	cr_expect_eq(tables.by_level[1], 5);
	diff_tables_destroy(&tables);
	return 0;
}

Test(no_memory, for_the_differences_of_page_tables)
{
	tables_init(&other, 4);
	expect_errors(diff, 4, "the differences of two guests");
	tables_destroy(&other);
}
