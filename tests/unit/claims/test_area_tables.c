/* SPDX-License-Identifier: MIT */
/*
 * test_area_tables.c: an area's range in the page tables.
 */
#include "claims/area_tables.h"
#include "kvmap/layout.h"
#include "tables.h"

#include <criterion/criterion.h>

static struct tables t;
static struct area_tables found;

static void four_levels(void)
{
	tables_init(&t, 4);
}

static void done(void)
{
	tables_destroy(&t);
}

TestSuite(area_tables, .init = four_levels, .fini = done);

/* Reads an area of `pages` pages and its guard. */
static void read_area(uint64_t start, uint64_t pages)
{
	struct claim_area area = { .va_start = start, .va_end = start + pages * K4 + KVMAP_GUARD_SIZE };
	uint64_t budget = 1000;

	area_tables(&t.view, &t.mode, &area, &budget, &found);
}

Test(area_tables, count_pages_runs_and_rights_and_leave_neighbours_out)
{
	static const uint64_t frames[] = { 20, 21, 30, 31, 32, 9 };

	for (unsigned int i = 0; i < 6; i++)
		tables_map(&t, VMALLOC + i * K4, frames[i] * K4, 1, PTE_W | PTE_NX);
	tables_map(&t, VMALLOC - K4, 19 * K4, 1, PTE_W);
	tables_map(&t, VMALLOC + 6 * K4 + KVMAP_GUARD_SIZE, 33 * K4, 1, PTE_W);
	read_area(VMALLOC, 6);
	cr_expect_eq(found.pages, 6);
	cr_expect_eq(found.runs, 3);
	cr_expect_eq(found.gpa, 20 * K4);
	cr_expect_eq(found.rights, RIGHT_R | RIGHT_W);
	cr_expect_eq(found.rights_some, RIGHT_R | RIGHT_W);
	cr_expect_eq(found.large, 0);
	cr_expect(!found.guard_mapped);
	cr_expect(!found.cut_short);
	*tables_entry(&t, VMALLOC + 2 * K4, 1) &= ~(uint64_t)PTE_W;
	*tables_entry(&t, VMALLOC + 3 * K4, 1) = 0;
	tables_map(&t, VMALLOC + 4 * K4, 31 * K4, 1, PTE_W | PTE_NX);
	read_area(VMALLOC, 6);
	cr_expect_eq(found.pages, 5);
	cr_expect_eq(found.runs, 4, "a hole ends a run even if the frames after it continue");
	cr_expect_eq(found.rights, RIGHT_R);
	cr_expect_eq(found.rights_some, RIGHT_R | RIGHT_W);
}

Test(area_tables, see_a_guard_that_is_mapped_also_as_a_part_of_a_large_page)
{
	tables_map(&t, VMALLOC, 0x100000, 1, 0);
	read_area(VMALLOC, 0);
	cr_expect(found.guard_mapped);
	cr_expect_eq(found.pages, 0);
	read_area(VMALLOC + K4 - KVMAP_GUARD_SIZE, 0);
	cr_expect(found.guard_mapped, "the last page of the guard is mapped");
	cr_expect_eq(found.pages, 0);
	tables_map(&t, VMALLOC + M2, M2, 2, PTE_W);
	read_area(VMALLOC + M2 + 4 * K4, 3);
	cr_expect(found.guard_mapped);
	cr_expect_eq(found.pages, 3);
	cr_expect_eq(found.large, 3);
	cr_expect_eq(found.gpa, M2 + 4 * K4);
	cr_expect_eq(found.runs, 1);
}

Test(area_tables, of_impossible_areas_and_beyond_the_budget_are_empty)
{
	struct claim_area all = { .va_start = 0, .va_end = ~0xfffull };
	uint64_t budget = 2;

	tables_map(&t, VMALLOC, 0x100000, 1, 0);
	read_area(VMALLOC + K4, -2ull);
	cr_expect_eq(found.pages, 0);
	cr_expect(!found.cut_short);
	area_tables(&t.view, &t.mode, &all, &budget, &found);
	cr_expect(found.cut_short);
	cr_expect_eq(budget, 0);
	area_tables(&t.view, &t.mode, &all, &budget, &found);
	cr_expect(found.cut_short);
	budget = 4;
	area_tables(&t.view, &t.mode, &all, &budget, &found);
	cr_expect(!found.cut_short);
	cr_expect_eq(found.pages, 1);
}

Test(area_tables, the_budget_grows_with_memory_and_with_the_number_of_areas)
{
	struct claims claims = { .areas.count = 3 };

	cr_expect_eq(area_tables_budget(&t.view, &claims), view_data_size(&t.view) / K4 * 2 + 24);
}
