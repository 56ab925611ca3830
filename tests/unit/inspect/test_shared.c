/* SPDX-License-Identifier: MIT */
/*
 * test_shared.c: tables that are mapped several times. With each table read a few times, the result is
 * that of a walk which reads it wherever it is mapped; and tables with more paths than any walk can follow take no time.
 */
#include "inspect/diff.h"
#include "inspect/frames.h"
#include "inspect/map_check.h"
#include "tables.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS     300
#define FRAMES     8        /* that leaves lead to, from FIRST on */
#define FIRST      0x300ull /* in RAM, and no table */
#define LEAVES_MAX (1u << 16)

static struct tables t[2];
static struct walk_leaf leaves[2][LEAVES_MAX];
static size_t leaf_count[2];
static uint64_t tables_at[4][2];     /* of levels 3, 2, 1 */
static uint64_t round_number, state; /* of the random numbers */

static void init(void)
{
	tables_init(&t[0], 4);
	tables_init(&t[1], 4);
}

static void done(void)
{
	tables_destroy(&t[0]);
	tables_destroy(&t[1]);
}

TestSuite(shared, .init = init, .fini = done);

static uint64_t below(uint64_t count)
{
	return random_next(&state) % count;
}

static void fill(struct tables *tables, uint64_t table, unsigned int level)
{
	static const uint64_t flags[] = { 0, PTE_W, PTE_W | PTE_U, PTE_NX, PTE_W | PTE_NX };

	for (unsigned int i = 0; i < 4; i++) {
		uint64_t target = level > 1 ? tables_at[level - 1][below(2)] : (FIRST + below(FRAMES)) * K4;

		*tables_slot(tables, table, (unsigned int)below(6)) = target | PTE_P | flags[below(5)];
	}
}

static int take(void *context, const struct walk_leaf *leaf)
{
	size_t s = *(size_t *)context;

	cr_assert_lt(leaf_count[s], LEAVES_MAX);
	leaves[s][leaf_count[s]++] = *leaf;
	return 0;
}

/* The leaves at each address. */
static void list_leaves(size_t s)
{
	const struct walk_visitor visitor = { .context = &s, .leaf = take };

	leaf_count[s] = 0;
	cr_assert_eq(walk_range(&t[s].view, &t[s].mode, 0, ~0ull, 0, &visitor), 0);
}

/* Two tables of each level, whose entries lead to any of the next one. */
static void make(void)
{
	state = round_number;
	memset(t[0].low, 0, FIRST * K4);
	t[0].next = t[0].mode.root + K4;
	for (unsigned int level = 1; level < 4; level++)
		for (unsigned int i = 0; i < 2; i++)
			tables_at[level][i] = tables_new(&t[0]);
	for (unsigned int level = 1; level < 4; level++)
		for (unsigned int i = 0; i < 2; i++)
			fill(&t[0], tables_at[level][i], level);
	fill(&t[0], t[0].mode.root, 4);
	list_leaves(0);
}

static size_t leaves_to(uint64_t gpa)
{
	size_t count = 0;

	for (size_t i = 0; i < leaf_count[0]; i++)
		count += leaves[0][i].gpa == gpa;
	return count;
}

Test(shared, owners_of_frames_are_those_of_every_path)
{
	struct error error;

	for (round_number = 1; round_number < ROUNDS; round_number++) {
		struct frames frames;

		make();
		cr_assert_eq(frames_collect(&t[0].view, &t[0].mode, NULL, &frames, &error), 0);
		cr_expect(!frames.cut_short);
		for (uint64_t pfn = FIRST; pfn < FIRST + FRAMES; pfn++) {
			size_t count = leaves_to(pfn * K4);
			unsigned int kind = count > 1 ? FRAME_ALIASED : count ? FRAME_MAPPED : FRAME_UNMAPPED;

			cr_assert_eq(frames_find(&frames, pfn)->kind, kind,
				     "round %lu, frame 0x%lx, %zu leaves", round_number, pfn, count);
		}
		frames_destroy(&frames);
	}
}

Test(shared, what_leads_to_a_frame_is_counted_on_every_path_and_listed_from_the_first_on)
{
	struct error error;

	for (round_number = 1; round_number < ROUNDS; round_number++) {
		make();
		for (uint64_t pfn = FIRST; pfn < FIRST + FRAMES; pfn++) {
			size_t limit = below(5), count = leaves_to(pfn * K4), next = 0;
			struct frame_reaches reaches;

			cr_assert_eq(frames_reach(&t[0].view, &t[0].mode, pfn, limit, &reaches, &error), 0);
			cr_assert_eq(reaches.leaves, count, "round %lu, frame 0x%lx: %lu, not %zu",
				     round_number, pfn, reaches.leaves, count);
			cr_assert_eq(reaches.list.count, count < limit ? count : limit);
			for (size_t i = 0; i < leaf_count[0] && next < reaches.list.count; i++)
				if (leaves[0][i].gpa == pfn * K4)
					cr_assert_eq(reaches.list.items[next++].gva, leaves[0][i].gva);
			frame_reaches_destroy(&reaches);
		}
	}
}

/* The fault of a frame without a direct map. */
static int fault_of(uint64_t gpa)
{
	bool writable = false, executable = false;

	for (size_t i = 0; i < leaf_count[0]; i++) {
		unsigned int rights = leaves[0][i].gpa == gpa ? leaves[0][i].rights : 0;
		bool both = rights & RIGHT_W && rights & RIGHT_X;

		writable |= !both && rights & RIGHT_W;
		executable |= !both && rights & RIGHT_X;
	}
	return writable && executable ? MAP_WRITABLE_ELSEWHERE : leaves_to(gpa) > 1 ? MAP_ALIAS : -1;
}

/* The fault found of a frame, and the number of its mappings. */
static int found_fault(const struct map_violations *found, uint64_t gpa, uint64_t *mappings_out)
{
	for (size_t i = 0; i < found->count; i++) {
		if (found->items[i].fault == MAP_WRITABLE_EXECUTABLE || gpa < found->items[i].gpa ||
		    gpa - found->items[i].gpa >= found->items[i].size)
			continue;
		cr_assert_eq(found->items[i].at_least, false);
		*mappings_out = found->items[i].mappings;
		return (int)found->items[i].fault;
	}
	return -1;
}

Test(shared, violations_are_those_of_every_path)
{
	const struct map_direct none = { 0 };
	struct error error;

	for (round_number = 1; round_number < ROUNDS; round_number++) {
		struct map_violations found;
		struct ranges ranges;
		size_t mapped = 0;

		make();
		cr_assert_eq(ranges_collect(&t[0].view, &t[0].mode, 0, ~0ull, NULL, 0, &ranges, &error), 0);
		cr_assert_eq(map_check(&(struct map_check_input){ &t[0].view, &t[0].mode, 0, ~0ull, &ranges,
								  &ranges, &none, NULL },
				       &found, &error),
			     0);
		cr_expect(!found.cut_short);
		for (uint64_t pfn = FIRST; pfn < FIRST + FRAMES; pfn++) {
			uint64_t mappings = leaves_to(pfn * K4);

			mapped += mappings > 0;
			cr_assert_eq(found_fault(&found, pfn * K4, &mappings), fault_of(pfn * K4),
				     "round %lu, frame 0x%lx", round_number, pfn);
			cr_assert_eq(mappings, leaves_to(pfn * K4), "round %lu, frame 0x%lx: %lu",
				     round_number, pfn, mappings);
		}
		cr_assert_eq(found.frames, mapped);
		map_violations_destroy(&found);
		ranges_destroy(&ranges);
	}
}

/* Pages of one guest that the other does not map alike, and ranges of them. */
struct expected {
	uint64_t pages, ranges;
	uint64_t end; /* of the last page */
	/* The last page: its changes, and its rights in both; ~0: not mapped. */
	unsigned int changes, before, after;
};

/* one, other: the leaves at gva; NULL: not mapped. */
static void expect_page(struct expected *expected, uint64_t gva, const struct walk_leaf *one,
			const struct walk_leaf *other)
{
	unsigned int before = one ? one->rights : ~0u, after = other ? other->rights : ~0u, changes;

	changes = !one     ? 1u << DIFF_MAPPED
		  : !other ? 1u << DIFF_UNMAPPED
			   : (unsigned int)(one->gpa != other->gpa) << DIFF_FRAMES |
				     (unsigned int)(before != after) << DIFF_RIGHTS;
	if (!changes)
		return;
	expected->pages++;
	expected->ranges += !expected->ranges || expected->end != gva || expected->changes != changes ||
			    expected->before != before || expected->after != after;
	expected->end = gva + K4;
	expected->changes = changes;
	expected->before = before;
	expected->after = after;
}

/* Leaves are in order of address. */
static struct expected what_differs(void)
{
	struct expected expected = { 0 };
	size_t i = 0, k = 0;

	while (i < leaf_count[0] || k < leaf_count[1]) {
		const struct walk_leaf *one = i < leaf_count[0] ? &leaves[0][i] : NULL;
		const struct walk_leaf *other = k < leaf_count[1] ? &leaves[1][k] : NULL;

		if (one && other && one->gva != other->gva)
			*(one->gva < other->gva ? &other : &one) = NULL;
		expect_page(&expected, (one ? one : other)->gva, one, other);
		i += one != NULL;
		k += other != NULL;
	}
	return expected;
}

Test(shared, differences_are_those_of_every_path)
{
	const struct diff_side sides[2] = { { &t[0].view, &t[0].mode, NULL },
					    { &t[1].view, &t[1].mode, NULL } };
	struct error error;

	for (round_number = 1; round_number < ROUNDS; round_number++) {
		struct diff_tables tables;
		struct expected expected;

		make();
		memcpy(t[1].low, t[0].low, FIRST * K4);
		if (round_number % 4) {
			unsigned int level = 1 + (unsigned int)below(3);

			fill(&t[1], tables_at[level][below(2)], level);
		}
		list_leaves(1);
		cr_assert_eq(diff_tables(&sides[0], &sides[1], false, &tables, &error), 0);
		cr_expect(!tables.cut_short);
		expected = what_differs();
		cr_assert(tables.pages == expected.pages && tables.range_count == expected.ranges,
			  "round %lu: %lu pages in %lu ranges, not %lu in %lu", round_number, tables.pages,
			  tables.range_count, expected.pages, expected.ranges);
		cr_expect_leq(tables.ranges.count, expected.ranges);
		diff_tables_destroy(&tables);
	}
}

/* 2^36 leaves by one table of each level, which are one page. */
Test(shared, tables_with_more_paths_than_can_be_walked_are_read_to_the_end)
{
	const struct diff_side side = { &t[0].view, &t[0].mode, NULL };
	const struct map_direct none = { 0 };
	uint64_t table[4] = { t[0].mode.root };
	struct frame_scatter scatter;
	struct frame_reaches reaches;
	struct map_violations found;
	struct diff_tables same;
	struct ranges ranges;
	struct frames frames;
	struct error error;

	for (unsigned int i = 1; i < 4; i++)
		table[i] = tables_new(&t[0]);
	for (unsigned int i = 0; i < 512; i++)
		for (unsigned int k = 0; k < 4; k++)
			*tables_slot(&t[0], table[k], i) = (k < 3 ? table[k + 1] : FIRST * K4) | PTE_P;
	/* The last page. */
	*tables_slot(&t[0], table[0], 511) = 0;
	tables_map(&t[0], ~0ull << 12, (FIRST + 1) * K4, 1, PTE_W | PTE_NX);

	cr_assert_eq(frames_collect(&t[0].view, &t[0].mode, NULL, &frames, &error), 0);
	cr_expect(!frames.cut_short);
	cr_expect_eq(frames_find(&frames, FIRST)->kind, FRAME_ALIASED);
	cr_expect_eq(frames_find(&frames, FIRST + 1)->kind, FRAME_MAPPED);
	frames_destroy(&frames);

	cr_assert_eq(frames_reach(&t[0].view, &t[0].mode, FIRST, 16, &reaches, &error), 0);
	cr_expect_eq(reaches.leaves, 511ull << 27);
	cr_expect_eq(reaches.list.count, 16);
	cr_expect(!reaches.cut_short);
	frame_reaches_destroy(&reaches);

	frames_scatter(&t[0].view, &t[0].mode, 0, ~0ull, &scatter);
	cr_expect(!scatter.cut_short);
	cr_expect_eq(scatter.pages, 513);
	cr_expect_eq(scatter.repeated, (511ull << 39) - M2);

	cr_assert_eq(ranges_collect(&t[0].view, &t[0].mode, 0, ~0ull, NULL, 0, &ranges, &error), 0);
	cr_assert_eq(map_check(&(struct map_check_input){ &t[0].view, &t[0].mode, 0, ~0ull, &ranges, &ranges,
							  &none, NULL },
			       &found, &error),
		     0);
	cr_expect(!found.cut_short);
	cr_expect_not(found.at_least);
	cr_expect_eq(found.frames, 2);
	cr_assert_eq(found.count, 1);
	cr_expect_eq(found.items[0].fault, MAP_ALIAS);
	cr_expect_eq(found.items[0].mappings, 511ull << 27);
	map_violations_destroy(&found);
	ranges_destroy(&ranges);

	cr_assert_eq(diff_tables(&side, &side, false, &same, &error), 0);
	cr_expect(!same.cut_short);
	cr_expect_eq(same.pages, 0);
	diff_tables_destroy(&same);
}
