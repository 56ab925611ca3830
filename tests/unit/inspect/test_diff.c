/* SPDX-License-Identifier: MIT */
/*
 * test_diff.c: two guests, and what is not the same in them.
 */
#include "inspect/diff.h"
#include "tables.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct tables t[2];
static struct diff_tables d;

static void two_guests(void)
{
	tables_init(&t[0], 4);
	tables_init(&t[1], 4);
}

static void done(void)
{
	diff_tables_destroy(&d);
	tables_destroy(&t[0]);
	tables_destroy(&t[1]);
}

TestSuite(diff, .init = two_guests, .fini = done);

static void compare(bool entries)
{
	struct diff_side before = { .view = &t[0].view, .mode = &t[0].mode };
	struct diff_side after = { .view = &t[1].view, .mode = &t[1].mode };
	struct error error;

	diff_tables_destroy(&d);
	cr_assert_eq(diff_tables(&before, &after, entries, &d, &error), 0, "%s", error.text);
	cr_expect_eq(d.ranges.count, d.range_count);
	cr_expect_not(d.cut_short);
}

/* In both. */
static void map_both(uint64_t gva, uint64_t gpa, unsigned int level, uint64_t flags)
{
	tables_map(&t[0], gva, gpa, level, flags);
	tables_map(&t[1], gva, gpa, level, flags);
}

static void expect_range(size_t i, uint64_t gva, uint64_t size, unsigned int changes)
{
	cr_assert_lt(i, d.ranges.count, "there are %zu ranges", d.ranges.count);
	cr_expect(d.ranges.items[i].gva == gva && d.ranges.items[i].size == size &&
			  d.ranges.items[i].changes == changes,
		  "range %zu: expected 0x%lx+0x%lx %x, found 0x%lx+0x%lx %x", i, gva, size, changes,
		  d.ranges.items[i].gva, d.ranges.items[i].size, d.ranges.items[i].changes);
}

Test(diff, of_the_same_tables_is_nothing_whatever_was_accessed_or_written)
{
	for (unsigned int i = 0; i < 1000; i++)
		map_both(VMALLOC + i * K4, i * K4, 1, PTE_W);
	*tables_entry(&t[1], VMALLOC + 5 * K4, 1) |= PTE_A | PTE_D;
	*tables_entry(&t[1], VMALLOC, 2) |= PTE_A;
	compare(true);
	cr_expect_eq(d.pages, 0);
	cr_expect_eq(d.range_count, 0);
	cr_expect_eq(d.entries.count, 0);
	cr_expect(!d.cut_short);
}

Test(diff, names_each_kind_of_change_and_merges_what_changed_alike)
{
	for (unsigned int i = 0; i < 32; i++)
		map_both(VMALLOC + i * K4, (100 + i) * K4, 1, PTE_W | PTE_NX);
	for (unsigned int i = 0; i < 4; i++)
		*tables_entry(&t[1], VMALLOC + (2 + i) * K4, 1) = 0;
	tables_map(&t[1], VMALLOC + 32 * K4, 7 * K4, 1, PTE_W);
	tables_map(&t[1], VMALLOC + 33 * K4, 90 * K4, 1, PTE_W);
	tables_map(&t[1], VMALLOC + 34 * K4, 90 * K4, 1, 0);
	tables_map(&t[1], VMALLOC + 10 * K4, 8 * K4, 1, PTE_W | PTE_NX);
	*tables_entry(&t[1], VMALLOC + 12 * K4, 1) &= ~(uint64_t)PTE_W;
	tables_map(&t[1], VMALLOC + 14 * K4, 9 * K4, 1, PTE_PCD | PTE_NX);
	compare(true);
	cr_assert_eq(d.ranges.count, 6);
	expect_range(0, VMALLOC + 2 * K4, 4 * K4, 1u << DIFF_UNMAPPED);
	expect_range(1, VMALLOC + 10 * K4, K4, 1u << DIFF_FRAMES);
	expect_range(2, VMALLOC + 12 * K4, K4, 1u << DIFF_RIGHTS);
	expect_range(3, VMALLOC + 14 * K4, K4, 1u << DIFF_FRAMES | 1u << DIFF_RIGHTS | 1u << DIFF_TYPE);
	expect_range(4, VMALLOC + 32 * K4, 2 * K4, 1u << DIFF_MAPPED);
	expect_range(5, VMALLOC + 34 * K4, K4, 1u << DIFF_MAPPED);
	cr_expect_eq(d.ranges.items[3].before.gpa, 114 * K4);
	cr_expect_eq(d.ranges.items[3].after.gpa, 9 * K4);
	cr_expect_eq(d.ranges.items[3].after.pat_index, 2);
	cr_expect_eq(d.pages, 10);
	cr_expect_eq(d.by_change[DIFF_FRAMES], 2);
	cr_expect_eq(d.by_change[DIFF_MAPPED], 3);
	cr_expect_eq(d.by_level[1], 10);
	cr_assert_eq(d.entries.count, 10);
	cr_expect_eq(d.entries.items[0].gva, VMALLOC + 2 * K4);
	cr_expect_eq(d.entries.items[0].index, 2);
	cr_expect_eq(d.entries.items[0].before, 102 * K4 | PTE_W | PTE_NX | PTE_P);
	cr_expect_eq(d.entries.items[0].after, 0);
	compare(false);
	cr_expect_eq(d.entries.count, 0);
	cr_expect_eq(d.by_level[1], 10);
}

Test(diff, of_a_large_page_that_was_split_is_the_size_of_its_pages)
{
	tables_map(&t[0], VMALLOC, M2, 2, PTE_W);
	for (unsigned int i = 0; i < 512; i++)
		tables_map(&t[1], VMALLOC + i * K4, M2 + i * K4, 1, i == 7 ? 0 : PTE_W);
	compare(true);
	cr_assert_eq(d.ranges.count, 3);
	expect_range(0, VMALLOC, 7 * K4, 1u << DIFF_SIZE);
	expect_range(1, VMALLOC + 7 * K4, K4, 1u << DIFF_SIZE | 1u << DIFF_RIGHTS);
	expect_range(2, VMALLOC + 8 * K4, 504 * K4, 1u << DIFF_SIZE);
	cr_expect_eq(d.ranges.items[1].before.gpa, M2 + 7 * K4);
	cr_expect_eq(d.ranges.items[1].before.page_size, M2);
	cr_expect_eq(d.by_level[1], 512);
	cr_expect_eq(d.by_level[2], 1);
}

Test(diff, of_rights_above_shows_in_every_page_below_although_their_tables_are_equal)
{
	for (unsigned int i = 0; i < 512; i++)
		map_both(VMALLOC + i * K4, i * K4, 1, PTE_W);
	*tables_entry(&t[1], VMALLOC, 3) &= ~(uint64_t)PTE_W;
	compare(true);
	cr_assert_eq(d.ranges.count, 1);
	expect_range(0, VMALLOC, M2, 1u << DIFF_RIGHTS);
	cr_expect_eq(d.by_level[1], 0);
	cr_expect_eq(d.by_level[3], 1);
}

Test(diff, of_another_meaning_of_the_same_entries_is_seen)
{
	for (unsigned int i = 0; i < 8; i++)
		map_both(VMALLOC + i * K4, i * K4, 1, i == 3 ? PTE_NX : 0);
	t[1].mode.nx = false; /* bit 63 is reserved now */
	compare(false);
	cr_assert_eq(d.ranges.count, 1);
	expect_range(0, VMALLOC + 3 * K4, K4, 1u << DIFF_UNMAPPED);
}

/* Its tables lie elsewhere: the entries that point to them differ, what is mapped does not. */
Test(diff, of_moved_tables_is_in_their_entries_only)
{
	tables_new(&t[1]);
	map_both(VMALLOC, 7 * K4, 1, 0);
	map_both(~0ull << 12, 9 * K4, 1, 0);
	compare(true);
	cr_expect_eq(d.pages, 0);
	cr_expect_eq(d.by_level[1], 0);
	cr_expect_eq(d.by_level[2] + d.by_level[3] + d.by_level[4], 6);
	cr_expect_eq(d.entries.items[0].level, 4);
}

Test(diff, of_damaged_tables_takes_them_for_unmapped)
{
	map_both(VMALLOC, 7 * K4, 1, 0);
	*tables_entry(&t[1], VMALLOC, 3) = RAM_LOW_END | PTE_P;
	compare(true);
	expect_range(0, VMALLOC, K4, 1u << DIFF_UNMAPPED);
	*tables_entry(&t[1], VMALLOC, 4) = t[1].mode.root | PTE_P;
	compare(true);
	expect_range(0, VMALLOC, K4, 1u << DIFF_UNMAPPED);
	t[1].mode.root = RAM_LOW_END;
	compare(true);
	expect_range(0, VMALLOC, K4, 1u << DIFF_UNMAPPED);
	t[0].mode.root = RAM_LOW_END;
	compare(true);
	cr_expect_eq(d.pages, 0);
}

Test(diff, of_four_and_five_levels_is_refused)
{
	struct diff_side before = { .view = &t[0].view, .mode = &t[0].mode };
	struct diff_side after = { .view = &t[1].view, .mode = &t[1].mode };
	struct error error;

	t[1].mode.levels = 5;
	cr_expect_eq(diff_tables(&before, &after, false, &d, &error), -1);
	cr_expect_eq(error.kind, ERROR_INPUT);
}

/* ---- against single walks ---- */

#define PAGES 2048u

static struct diff_page page_at(const struct tables *tables, uint64_t gva)
{
	struct walk walk;

	walk_translate(&tables->view, &tables->mode, gva, &walk);
	if (walk.stop != WALK_MAPPED)
		return (struct diff_page){ 0 };
	return (struct diff_page){ .gpa = walk.gpa, .page_size = walk.page_size, .rights = walk.rights };
}

static void map_at_random(struct tables *tables, uint64_t *state)
{
	static const uint64_t flags[] = { PTE_W, PTE_W | PTE_NX, 0, PTE_U };
	uint64_t gva = VMALLOC + random_next(state) % PAGES * K4;
	uint64_t gpa = random_next(state) % 64 * K4;

	switch (random_next(state) % 16) {
	case 0: tables_map(tables, gva & ~(M2 - 1), M2, 2, PTE_W); break;
	case 1: *tables_entry(tables, gva & ~(M2 - 1), 2) = 0; break;
	case 2: *tables_entry(tables, gva & ~(M2 - 1), 2) ^= PTE_W; break;
	default:
		if (*tables_entry(tables, gva, 2) & PTE_PS)
			*tables_entry(tables, gva, 2) = 0;
		tables_map(tables, gva, gpa, 1, flags[random_next(state) % 4]);
	}
}

Test(diff, of_random_tables_is_what_single_walks_find)
{
	uint64_t state = 3;

	for (unsigned int round = 0; round < 60; round++) {
		unsigned int differ = 0, found = 0;
		uint64_t seed = random_next(&state), other;

		tables_destroy(&t[0]);
		tables_destroy(&t[1]);
		two_guests();
		other = seed;
		for (unsigned int i = 0; i < 400; i++) {
			map_at_random(&t[0], &seed);
			map_at_random(&t[1], &other);
		}
		for (unsigned int i = random_next(&state) % 30; i; i--)
			map_at_random(&t[1], &other);
		compare(false);
		for (size_t i = 0; i < d.ranges.count; i++)
			found += d.ranges.items[i].size / K4;
		for (uint64_t gva = VMALLOC; gva < VMALLOC + PAGES * K4; gva += K4) {
			struct diff_page one = page_at(&t[0], gva), two = page_at(&t[1], gva);

			differ += memcmp(&one, &two, sizeof(one)) != 0;
		}
		cr_assert_eq(found, differ, "round %u: %u pages differ, %u were found", round, differ, found);
		cr_assert_eq(d.pages, differ);
	}
}

/* ---- frames ---- */

Test(diff, of_frames_counts_moves_and_their_runs)
{
	struct frame_run before[] = { { 0, 10, OWNER_FREE, 0 },
				      { 10, 10, OWNER_AREA, 0x1000 },
				      { 20, 5, OWNER_SLAB, 1 },
				      { 100, 10, OWNER_FREE, 0 } };
	struct frame_run after[] = { { 0, 4, OWNER_FREE, 0 },       { 4, 2, OWNER_HELD, 0 },
				     { 6, 2, OWNER_FREE, 0 },       { 8, 2, OWNER_HELD, 0 },
				     { 10, 5, OWNER_AREA, 0x1000 }, { 15, 5, OWNER_AREA, 0x9000 },
				     { 20, 5, OWNER_SLAB, 1 },      { 104, 10, OWNER_FREE, 0 } };
	struct frames one = { .runs = { before, 4, 4 } }, two = { .runs = { after, 8, 8 } };
	struct diff_frames out;
	struct error error;

	cr_assert_eq(diff_frames(&one, &two, &out, &error), 0);
	cr_expect_eq(out.frames, 4 + 5 + 4 + 4);
	cr_expect_eq(out.moves[OWNER_FREE][OWNER_HELD].frames, 4);
	cr_expect_eq(out.moves[OWNER_FREE][OWNER_HELD].runs, 2);
	cr_expect_eq(out.moves[OWNER_AREA][OWNER_AREA].frames, 5);
	cr_expect_eq(out.moves[OWNER_FREE][DIFF_NO_MEMORY].frames, 4);
	cr_expect_eq(out.moves[DIFF_NO_MEMORY][OWNER_FREE].frames, 4);
	cr_assert_eq(out.runs.count, 5);
	cr_expect_eq(out.runs.items[0].pfn, 4);
	cr_expect_eq(out.runs.items[2].pfn, 15);
	cr_expect_eq(out.runs.items[4].pfn, 110);
	diff_frames_destroy(&out);
	cr_assert_eq(diff_frames(&one, &one, &out, &error), 0);
	cr_expect_eq(out.runs.count, 0);
	diff_frames_destroy(&out);
}

/* ---- areas ---- */

Test(diff, of_areas_tells_new_gone_freed_and_changed_ones_apart)
{
	uint32_t chain[] = { 1, 2, 3, 4 }, other_chain[] = { 1, 2, 4, 3 };
	struct claim_area before[] = {
		{ .va_start = VMALLOC, .va_end = VMALLOC + K4, .allocated = 1 },
		{ .va_start = VMALLOC + 2 * K4, .allocated = 2, .frame_count = 2, .first_frame = 2 },
		{ .va_start = VMALLOC + 4 * K4, .allocated = 3 },
		{ .va_start = VMALLOC + 6 * K4, .allocated = 4 },
		{ .va_start = VMALLOC + 7 * K4, .deferred = true, .allocated = 6 },
		{ .va_start = VMALLOC + 1 * K4, .state = AREA_LAZY, .allocated = 5 },
	};
	struct claim_area after[] = {
		{ .va_start = VMALLOC, .va_end = VMALLOC + K4, .allocated = 1 },
		{ .va_start = VMALLOC + K4, .allocated = 9, .flags = VM_ZERO },
		{ .va_start = VMALLOC + 2 * K4,
		  .allocated = 2,
		  .frame_count = 2,
		  .first_frame = 2,
		  .nr_pages = 1 },
		{ .va_start = VMALLOC + 3 * K4, .allocated = 8 },
		{ .va_start = VMALLOC + 5 * K4, .state = AREA_LAZY, .allocated = 10 },
		{ .va_start = VMALLOC + 6 * K4, .state = AREA_LAZY, .allocated = 4 },
		{ .va_start = VMALLOC + 7 * K4, .state = AREA_LAZY, .allocated = 11 },
	};
	struct claims one = { .areas = { before, 6, 6 }, .frames = { chain, 4, 4 } };
	struct claims two = { .areas = { after, 7, 7 }, .frames = { other_chain, 4, 4 } };
	static const unsigned int wanted[] = {
		1u << DIFF_AREA_ANEW | 1u << DIFF_AREA_FLAGS,
		1u << DIFF_AREA_PAGES | 1u << DIFF_AREA_FRAMES,
		1u << DIFF_AREA_NEW,
		1u << DIFF_AREA_GONE,
		1u << DIFF_AREA_NEW | 1u << DIFF_AREA_FREED,
		1u << DIFF_AREA_FREED,
		1u << DIFF_AREA_ANEW | 1u << DIFF_AREA_FREED,
	};
	struct diff_areas out;
	struct error error;

	cr_assert_eq(diff_areas(&one, &two, &out, &error), 0);
	cr_assert_eq(out.count, 7);
	for (size_t i = 0; i < 7; i++)
		cr_expect_eq(out.items[i].changes, wanted[i], "area %zu: %x", i, out.items[i].changes);
	cr_expect_null(out.items[2].before);
	cr_expect_null(out.items[3].after);
	diff_areas_destroy(&out);
}

Test(diff, of_areas_names_each_number_that_changed)
{
	struct claim_area before = {
		.va_start = VMALLOC, .va_end = VMALLOC + 17 * K4, .size = 17 * K4, .nr_pages = 16
	};
	struct claim_area after[4] = { before, before, before, before };
	static const enum diff_area_change wanted[] = { DIFF_AREA_EXTENT, DIFF_AREA_VM_SIZE, DIFF_AREA_PAGES,
							DIFF_AREA_REQUESTED };
	struct claims one = { .areas = { &before, 1, 1 } };

	after[0].va_end += K4;
	after[1].size += K4;
	after[2].nr_pages = 0;
	after[3].requested_size = 9;
	for (size_t i = 0; i < 4; i++) {
		struct claims two = { .areas = { &after[i], 1, 1 } };
		struct diff_areas out;
		struct error error;

		cr_assert_eq(diff_areas(&one, &two, &out, &error), 0);
		cr_assert_eq(out.count, 1);
		cr_expect_eq(out.items[0].changes, 1u << wanted[i]);
		diff_areas_destroy(&out);
	}
}

/* ---- registers ---- */

Test(diff, of_registers_is_by_cpu_and_says_which_of_them_translate)
{
	struct diff_register differs;
	size_t next = 0;

	t[0].view.cpu_count = 2;
	t[1].view.cpu_count = 3;
	t[1].view.cpus[1].cr3 = 0x5000;
	t[1].view.cpus[1].rip = 7;
	t[1].view.cpus[2].rip = 7;
	cr_assert(diff_register_next(&t[0].view, &t[1].view, &next, &differs));
	cr_expect_str_eq(differs.name, "cr3");
	cr_expect_eq(differs.cpu, 1);
	cr_expect_eq(differs.after, 0x5000);
	cr_expect(differs.translates);
	cr_assert(diff_register_next(&t[0].view, &t[1].view, &next, &differs));
	cr_expect_str_eq(differs.name, "rip");
	cr_expect(!differs.translates);
	cr_expect(!diff_register_next(&t[0].view, &t[1].view, &next, &differs));
}

Test(diff, of_registers_that_one_side_does_not_know_is_none)
{
	struct diff_register differs;
	size_t next = 0;

	t[0].view.cpu_count = t[1].view.cpu_count = 1;
	t[1].view.cpus[0].rflags = 2;
	t[1].view.cpus[0].gs_base = 0x1000;
	t[0].view.cpus[0].lacks = VIEW_LACKS_RFLAGS;
	cr_assert(diff_register_next(&t[0].view, &t[1].view, &next, &differs));
	cr_expect_str_eq(differs.name, "gs_base");
	cr_expect(!diff_register_next(&t[0].view, &t[1].view, &next, &differs));
	t[1].view.cpus[0].has_pat = true;
	cr_expect_eq(diff_not_known(&t[0].view, &t[1].view), VIEW_LACKS_RFLAGS | VIEW_LACKS_PAT);
	cr_expect_eq(diff_not_known(&t[1].view, &t[0].view), 0);
}

Test(diff, of_registers_has_selectors_and_pat)
{
	struct diff_register differs;
	size_t next = 0;

	t[0].view.cpu_count = t[1].view.cpu_count = 1;
	t[0].view.cpus[0].has_pat = t[1].view.cpus[0].has_pat = true;
	t[0].view.cpus[0].pat = 0x0007040600070406;
	t[1].view.cpus[0].ss = 0x10;
	cr_assert(diff_register_next(&t[0].view, &t[1].view, &next, &differs));
	cr_expect_str_eq(differs.name, "ss");
	cr_expect_eq(differs.after, 0x10);
	cr_assert(diff_register_next(&t[0].view, &t[1].view, &next, &differs));
	cr_expect_str_eq(differs.name, "pat");
	cr_expect(!diff_register_next(&t[0].view, &t[1].view, &next, &differs));
}

/* Every kind of owner can be shown. */
Test(diff, names_owners_that_have_names)
{
	for (unsigned int kind = 0; kind < FRAME_KINDS; kind++) {
		cr_expect_not_null(frame_kinds[kind].name, "kind %u", kind);
		cr_expect_neq(frame_kinds[kind].letter, 0, "kind %u", kind);
	}
	for (unsigned int kind = 0; kind < OWNER_KINDS; kind++)
		cr_expect_not_null(owner_kind_name(kind), "kind %u", kind);
}
