/* SPDX-License-Identifier: MIT */
/*
 * test_vrealloc.c: resizing areas.
 */
#include "sim.h"

#include "mm/vmalloc/kvmalloc.h"
#include "mm/vmalloc/set_memory.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <string.h>

/* Each page contains its number, and the CPU has its translation. */
static unsigned long numbered_area(unsigned long pages)
{
	unsigned long a = (unsigned long)vmalloc(pages * PAGE_SIZE);

	for (unsigned long i = 0; i < pages; i++)
		cr_assert(sim_write(a + i * PAGE_SIZE, i));
	return a;
}

static void assert_numbers(unsigned long a, unsigned long pages)
{
	u64 value;

	for (unsigned long i = 0; i < pages; i++)
		cr_assert(sim_read(a + i * PAGE_SIZE, &value) && value == i, "page %lu", i);
}

static unsigned long resize(unsigned long a, unsigned long pages)
{
	unsigned long b = (unsigned long)vrealloc((void *)a, pages * PAGE_SIZE, GFP_KERNEL);

	check_machine();
	return b;
}

Test(vrealloc, an_area_shrinks_where_it_is_and_what_it_loses_waits_for_the_flush)
{
	unsigned long a;
	u64 value;

	sim_boot(KVMAP_POLICY_STRICT);
	a = numbered_area(10);
	cr_assert_eq(resize(a, 4), a);
	assert_numbers(a, 4);
	cr_assert_eq(vm_stat_sum(NR_VMALLOC_PAGES), 4);
	cr_assert_eq(vm_stat_sum(NR_LAZY_PAGES), 6);
	cr_assert_eq(find_vm_area((void *)a)->requested_size, 4 * PAGE_SIZE);
	vmalloc_purge();
	for (unsigned long page = 4; page < 10; page++)
		cr_assert_not(sim_read(a + page * PAGE_SIZE, &value), "page %lu after the flush", page);
	check_machine();
	cr_assert_eq((unsigned long)vmalloc(5 * PAGE_SIZE), area_after(a, 4), "the range behind is free");
	cr_assert_eq(resize(a, 1), a);
	cr_assert_eq(resize(a, 1), a);
	vfree((void *)a);
	vmalloc_purge();
	check_machine();
}

Test(vrealloc, two_pages_that_are_lost_are_flushed_one_by_one_and_the_one_that_became_the_guard_too)
{
	unsigned long a;
	u64 value;

	sim_boot(KVMAP_POLICY_STRICT);
	a = numbered_area(3);
	cr_assert_eq(resize(a, 2), a);
	cr_assert_eq(vmalloc_purge(), 1);
	cr_assert_eq(stats().flush_full, 0);
	cr_assert_not(sim_read(a + 2 * PAGE_SIZE, &value));
	check_machine();
}

Test(vrealloc, an_area_grows_where_it_is_if_the_range_behind_is_free)
{
	unsigned long a;

	sim_boot(KVMAP_POLICY_STRICT);
	a = numbered_area(4);
	cr_assert_eq(resize(a, 40), a);
	assert_numbers(a, 4);
	cr_assert(sim_write(a + 39 * PAGE_SIZE, 1));
	cr_assert_not(sim_write(a + 40 * PAGE_SIZE, 1));
	cr_assert(sim_guard_faults(a, 40));
	cr_assert_eq((unsigned long)vmalloc(1), area_after(a, 40));
	cr_assert_eq(stats().frees, 0);
	vfree((void *)a);
	vmalloc_purge();
	check_machine();
}

Test(vrealloc, an_area_moves_if_something_is_in_the_way)
{
	unsigned long a, b;

	sim_boot(KVMAP_POLICY_STRICT);
	a = numbered_area(4);
	vmalloc(1);
	b = resize(a, 5);
	cr_assert_neq(b, a);
	assert_numbers(b, 4);
	cr_assert_null(find_vm_area((void *)a));
	cr_assert_eq(vm_stat_sum(NR_VMALLOC_PAGES), 6);
	cr_assert_eq(vm_stat_sum(NR_LAZY_PAGES), 4);
}

Test(vrealloc, a_page_that_was_lost_is_flushed_before_it_is_mapped_again)
{
	static const u32 policies[] = { KVMAP_POLICY_STRICT, KVMAP_POLICY_LAZY };
	unsigned long a, b;

	/*
	 * Free space after the guard page, and a translation of the guard page: 5 pages, the last of which is
	 * cut off with nothing after it.
	 */
	sim_boot(policies[0]);
	a = numbered_area(5);
	cr_assert_eq(resize(a, 4), a);
	b = resize(a, 5);
	cr_assert_neq(b, a, "the old guard page still waits");
	vmalloc_purge();
	b = resize(b, 4);
	vmalloc_purge();
	cr_assert(sim_write(b, 0));
	cr_assert_eq(resize(b, 12), b);
	assert_numbers(b, 4);
	cr_assert(sim_write(b + 4 * PAGE_SIZE, 4));
	assert_numbers(b, 5);
}

Test(vrealloc, what_is_gained_is_zero_if_it_has_to_be)
{
	unsigned long a, pages;
	u64 value;

	sim_boot(KVMAP_POLICY_EAGER);
	pages = frames_free_count() - 16;
	a = (unsigned long)vmalloc(pages * PAGE_SIZE);
	for (unsigned long i = 0; i < pages; i++)
		cr_assert(sim_write(a + i * PAGE_SIZE + 8 * (i % 512), ~0ul));
	vfree((void *)a);
	vmalloc_purge();
	a = (unsigned long)vmalloc(100);
	for (unsigned long offset = 0; offset < PAGE_SIZE; offset += 8)
		cr_assert(sim_write(a + offset, 7));
	for (unsigned long size = 200; size < 8 * PAGE_SIZE; size += 3000) {
		if (size == 9200)
			vmalloc(1); /* from here on it moves */
		a = (unsigned long)vrealloc((void *)a, size, GFP_KERNEL | __GFP_ZERO);
		for (unsigned long offset = 0; offset < 96; offset += 8)
			cr_assert(sim_read(a + offset, &value) && value == 7);
		for (unsigned long offset = 104; offset < size; offset += 8)
			cr_assert(sim_read(a + offset, &value) && value == 0, "%lu of %lu", offset, size);
		check_machine();
	}
}

static void assert_refused(u32 status, const void *addr, unsigned long size, gfp_t gfp)
{
	struct snapshot before, after;

	snapshot_take(&before);
	cr_assert_null(vrealloc(addr, size, gfp));
	snapshot_take(&after);
	cr_assert_eq(vmalloc_status(), status, "status %u, expected %u", vmalloc_status(), status);
	cr_assert_eq(memcmp(&before, &after, sizeof(after)), 0, "a refused call changed something");
}

Test(vrealloc, refuses_what_cannot_be_and_leaves_the_area_as_it_was)
{
	struct page *pages[1];
	unsigned long a;

	sim_boot(KVMAP_POLICY_STRICT);
	a = numbered_area(4);
	pages[0] = vmalloc_to_page((void *)a);
	assert_refused(KVMAP_REFUSED_TOO_LARGE, (void *)a, ~0ul, GFP_KERNEL);
	assert_refused(KVMAP_REFUSED_TOO_LARGE, NULL, ~0ul, GFP_KERNEL);
	assert_refused(KVMAP_REFUSED_ZERO_SIZE, NULL, 0, GFP_KERNEL);
	assert_refused(KVMAP_REFUSED_NOFAIL, (void *)a, 1, __GFP_NOFAIL);
	assert_refused(KVMAP_REFUSED_INTERIOR, (void *)(a + PAGE_SIZE), 1, GFP_KERNEL);
	assert_refused(KVMAP_REFUSED_UNALIGNED, (void *)(a + 1), 1, GFP_KERNEL);
	assert_refused(KVMAP_REFUSED_NOT_AN_AREA, (void *)PAGE_SIZE, 1, GFP_KERNEL);
	assert_refused(KVMAP_REFUSED_OTHER_KIND, vmap(pages, 1, 0, PGPROT_READWRITE), 1, GFP_KERNEL);
	set_memory_ro(a, 4);
	assert_refused(KVMAP_REFUSED_RIGHTS, (void *)a, PAGE_SIZE, GFP_KERNEL);
	set_memory_rw(a, 4);
	cr_assert_null(vrealloc((void *)a, 0, GFP_KERNEL));
	cr_assert_eq(vmalloc_status(), KVMAP_OK, "size 0 frees");
	assert_refused(KVMAP_REFUSED_DOUBLE_FREE, (void *)a, 1, GFP_KERNEL);
	check_machine();
}

Test(vrealloc, memory_that_ends_anywhere_is_undone_completely)
{
	unsigned long a;

	sim_boot(KVMAP_POLICY_STRICT);
	a = numbered_area(4);
	for (u64 left = 0; left < 8; left++) {
		sim_leave_free(left);
		assert_refused(KVMAP_REFUSED_NO_MEMORY, (void *)a, 600 * PAGE_SIZE, GFP_NOWAIT);
		check_machine();
		assert_numbers(a, 4);
		sim_release_held();
	}
	sim_leave_free(600); /* enough for frames, not for the second table */
	assert_refused(KVMAP_REFUSED_NO_MEMORY, (void *)a, 604 * PAGE_SIZE, GFP_NOWAIT);
	check_machine();
	sim_release_held();
	cr_assert_eq(resize(a, 604), a);
	assert_numbers(a, 4);
}

Test(vrealloc, kvrealloc_goes_from_objects_to_areas)
{
	unsigned long *object, value;
	void *area;

	sim_boot(KVMAP_POLICY_STRICT);
	object = kvrealloc(NULL, 100, GFP_KERNEL);
	*object = 77;
	cr_assert_eq(kvrealloc(object, 127, GFP_KERNEL), object, "it fits, with the record of its size");
	object = kvrealloc(object, 128, GFP_KERNEL);
	cr_assert_eq(*object, 77);
	cr_assert_eq(kvrealloc(object, 100, GFP_KERNEL), object, "smaller always fits");
	object = kvrealloc(object, 9000, GFP_KERNEL);
	cr_assert_eq(*object, 77);
	object[1000] = 78;
	area = kvrealloc(object, KMALLOC_MAX_SIZE + 1, GFP_KERNEL);
	cr_assert(is_vmalloc_addr(area));
	cr_assert(sim_read((unsigned long)area, &value) && value == 77);
	cr_assert(sim_read((unsigned long)area + 8000, &value) && value == 78);
	cr_assert_eq(kvrealloc(area, 1, GFP_KERNEL), area, "an area stays one");
	cr_assert_null(kvrealloc(area, 0, GFP_KERNEL));
	cr_assert_eq(vmalloc_status(), KVMAP_OK);
	cr_assert_null(kvrealloc(object, 20000, GFP_KERNEL));
	cr_assert_eq(vmalloc_status(), KVMAP_REFUSED_NOT_AN_AREA);
	vmalloc_purge();
	check_machine();
}

static u32 random_state = 5;

static u32 random_below(u32 bound)
{
	random_state = random_state * 1664525u + 1013904223u;
	return (random_state >> 8) % bound;
}

static const u32 policies[] = { KVMAP_POLICY_STRICT, KVMAP_POLICY_LAZY, KVMAP_POLICY_EAGER };

ParameterizedTestParameters(vrealloc, random_sizes_keep_contents_and_the_machine_whole)
{
	return cr_make_param_array(u32, (u32 *)policies, ARRAY_SIZE(policies));
}

ParameterizedTest(const u32 *policy, vrealloc, random_sizes_keep_contents_and_the_machine_whole)
{
	unsigned long areas[8] = { 0 }, pages[8] = { 0 };

	sim_boot(*policy);
	for (u32 step = 0; step < 3000; step++) {
		u32 i = random_below(8), size = 1 + random_below(random_below(10) ? 12 : 700);
		unsigned long kept = pages[i] < size ? pages[i] : size;

		areas[i] = (unsigned long)vrealloc((void *)areas[i], size * PAGE_SIZE, GFP_KERNEL);
		cr_assert_neq(areas[i], 0);
		pages[i] = size;
		assert_numbers(areas[i], kept);
		for (unsigned long page = kept; page < size; page++)
			cr_assert(sim_write(areas[i] + page * PAGE_SIZE, page));
		if (!random_below(20)) {
			areas[i] = (unsigned long)vrealloc((void *)areas[i], 0, GFP_KERNEL);
			pages[i] = 0;
		}
		if (!random_below(50))
			check_machine();
	}
	check_machine();
}
