/* SPDX-License-Identifier: MIT */
/*
 * test_set_memory.c: permissions of areas, and accesses through old translations.
 */
#include "sim.h"

#include "arch/x86_64/pgtable.h"
#include "mm/vmalloc/set_memory.h"

#include <criterion/criterion.h>
#include <string.h>

extern struct tlb_flush tlb_flush_log[TLB_FLUSH_LOG];

/* An area whose pages the CPU has all written to. */
static unsigned long written_area(unsigned long pages)
{
	unsigned long a = (unsigned long)vmalloc(pages * PAGE_SIZE);

	for (unsigned long i = 0; i < pages; i++)
		cr_assert(sim_write(a + i * PAGE_SIZE, i));
	return a;
}

Test(set_memory, what_was_made_read_only_can_be_written_by_no_cpu_when_it_returns)
{
	static const int sizes[] = { 1, 2, 3, 600 };
	u64 value;

	sim_boot(KVMAP_POLICY_STRICT);
	for (u32 i = 0; i < ARRAY_SIZE(sizes); i++) {
		unsigned long a = written_area((unsigned long)sizes[i]);

		cr_assert_eq(set_memory_ro(a, sizes[i]), 0);
		for (int page = 0; page < sizes[i]; page++) {
			cr_assert_not(sim_write(a + (unsigned long)page * PAGE_SIZE, 0));
			cr_assert(sim_read(a + (unsigned long)page * PAGE_SIZE, &value) &&
				  value == (u64)page);
		}
		check_machine();
		cr_assert_eq(set_memory_rw(a, sizes[i]), 0);
		cr_assert(sim_write(a, 1));
		check_machine();
	}
}

Test(set_memory, a_right_that_is_lost_is_logged_and_flushed_and_one_that_is_gained_is_not)
{
	unsigned long a;
	u64 count;

	sim_boot(KVMAP_POLICY_STRICT);
	a = written_area(2);
	count = tlb_gen;
	set_memory_ro(a, 2);
	cr_assert_eq(tlb_gen, count + 2);
	cr_assert_eq(tlb_flush_log[count + 1].cpu, TLB_FLUSH_PROTECT);
	cr_assert_eq(tlb_flush_log[count + 1].start, a);
	cr_assert_eq(tlb_flush_log[count + 1].end, a + 2 * PAGE_SIZE);
	cr_assert_eq(tlb_flush_log[count + 2].cpu, 0);
	set_memory_ro(a, 2);
	set_memory_nx(a, 2);
	cr_assert_eq(tlb_gen, count + 2, "nothing was lost");
	set_memory_x(a, 2);
	cr_assert_eq(tlb_gen, count + 2, "a right was gained");
	check_machine();
	set_memory_nx(a, 2);
	cr_assert_eq(tlb_gen, count + 4);
	set_memory_rw(a, 2);
	cr_assert_eq(tlb_gen, count + 4);
}

Test(set_memory, what_waits_for_its_own_flush_goes_on_waiting)
{
	unsigned long a;

	sim_boot(KVMAP_POLICY_STRICT);
	a = written_area(8);
	vfree(vmalloc(PAGE_SIZE));
	set_memory_ro(a, 8);
	cr_assert_eq(stats().areas_purged, 0);
	cr_assert_eq(vmalloc_purge(), 1);
	check_machine();
}

static void assert_refused(u32 status, int (*call)(unsigned long, int), unsigned long addr, int pages)
{
	struct snapshot before, after;

	snapshot_take(&before);
	cr_assert_eq(call(addr, pages), -1);
	snapshot_take(&after);
	cr_assert_eq(vmalloc_status(), status, "status %u, expected %u", vmalloc_status(), status);
	cr_assert_eq(memcmp(&before, &after, sizeof(after)), 0, "a refused call changed something");
	check_machine();
}

Test(set_memory, nothing_is_ever_writable_and_executable)
{
	unsigned long a;

	sim_boot(KVMAP_POLICY_STRICT);
	a = written_area(4);
	assert_refused(KVMAP_REFUSED_WX, set_memory_x, a, 4);
	set_memory_ro(a, 4);
	cr_assert_eq(set_memory_x(a, 4), 0);
	cr_assert(pgtable_allows(a, false, true) && !pgtable_allows(a, true, false));
	check_machine();
	assert_refused(KVMAP_REFUSED_WX, set_memory_rw, a, 4);
	cr_assert_eq(set_memory_nx(a, 4), 0);
	cr_assert_not(pgtable_allows(a, false, true));
	cr_assert_eq(set_memory_rw(a, 4), 0);
	check_machine();
}

Test(set_memory, only_whole_areas_have_rights)
{
	unsigned long a;

	sim_boot(KVMAP_POLICY_STRICT);
	a = written_area(4);
	assert_refused(KVMAP_REFUSED_COUNT, set_memory_ro, a, 3);
	assert_refused(KVMAP_REFUSED_COUNT, set_memory_ro, a, 5);
	assert_refused(KVMAP_REFUSED_COUNT, set_memory_ro, a, 0);
	assert_refused(KVMAP_REFUSED_COUNT, set_memory_ro, a, -4);
	assert_refused(KVMAP_REFUSED_INTERIOR, set_memory_ro, a + PAGE_SIZE, 3);
	assert_refused(KVMAP_REFUSED_UNALIGNED, set_memory_ro, a + 1, 4);
	assert_refused(KVMAP_REFUSED_NOT_AN_AREA, set_memory_ro, PAGE_SIZE, 4);
	vfree((void *)a);
	assert_refused(KVMAP_REFUSED_DOUBLE_FREE, set_memory_ro, a, 4);
}

Test(set_memory, rights_end_with_the_area)
{
	unsigned long a;

	sim_boot(KVMAP_POLICY_STRICT);
	a = written_area(4);
	set_memory_ro(a, 4);
	set_memory_x(a, 4);
	vfree((void *)a);
	vmalloc_purge();
	cr_assert_eq((unsigned long)vmalloc(4 * PAGE_SIZE), a);
	cr_assert(sim_write(a, 1));
	cr_assert_not(pgtable_allows(a, false, true));
	check_machine();
}
