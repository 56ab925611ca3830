/* SPDX-License-Identifier: MIT */
/*
 * test_vmalloc.c: the contract of vmalloc(), vzalloc(), vfree(), find_vm_area() and vmalloc_explain().
 */
#include "sim.h"

#include <criterion/criterion.h>
#include <string.h>

static void assert_refused(u32 status, const struct snapshot *before, u64 refused)
{
	struct snapshot after;

	snapshot_take(&after);
	cr_assert_eq(vmalloc_status(), status, "status %u, expected %u", vmalloc_status(), status);
	cr_assert_eq(stats().refused, refused + 1);
	cr_assert_eq(memcmp(before, &after, sizeof(after)), 0, "a refused call changed something");
}

static void assert_vmalloc_refused(unsigned long size, u32 status)
{
	struct snapshot before;
	u64 refused = stats().refused;

	snapshot_take(&before);
	cr_assert_null(vmalloc(size));
	assert_refused(status, &before, refused);
}

static void assert_vfree_refused(unsigned long addr, u32 status)
{
	struct snapshot before;
	u64 refused = stats().refused;

	snapshot_take(&before);
	vfree((void *)addr);
	assert_refused(status, &before, refused);
}

Test(vmalloc, maps_whole_pages_and_leaves_a_guard_page_behind_them)
{
	unsigned long a, b;
	u64 value;

	sim_boot(KVMAP_POLICY_STRICT);
	a = (unsigned long)vmalloc(5000);
	b = (unsigned long)vmalloc(1);
	cr_assert_eq(vmalloc_status(), KVMAP_OK);
	cr_assert_eq(a, KVMAP_VMALLOC_START);
	cr_assert_eq(b, area_after(a, 2), "the next area begins behind the guard page");
	cr_assert(sim_write(a, 1) && sim_write(a + 2 * PAGE_SIZE - 8, 2) && sim_read(a, &value));
	cr_assert_eq(value, 1);
	cr_assert(sim_guard_faults(a, 2));
	cr_assert_eq(vm_stat_sum(NR_VMALLOC_PAGES), 3);
	check_machine();
}

Test(vmalloc, takes_the_lowest_range_that_is_large_enough)
{
	/* An area of one page and one of two, each with its guard, fill the range of an area of this size. */
	const unsigned long pages = 1 + KVMAP_GUARD_PAGES + 2;
	unsigned long a[4];

	sim_boot(KVMAP_POLICY_EAGER);
	for (int i = 0; i < 4; i++)
		a[i] = (unsigned long)vmalloc(pages * PAGE_SIZE);
	vfree((void *)a[0]);
	vfree((void *)a[2]);
	vmalloc_purge(); /* no cached range is left */
	cr_assert_eq((unsigned long)vmalloc((pages + 1) * PAGE_SIZE), area_after(a[3], pages));
	cr_assert_eq((unsigned long)vmalloc(PAGE_SIZE), a[0]);
	cr_assert_eq((unsigned long)vmalloc(pages * PAGE_SIZE), a[2]);
	cr_assert_eq((unsigned long)vmalloc(2 * PAGE_SIZE), area_after(a[0], 1));
	check_machine();
}

Test(vmalloc, vzalloc_gives_zeros_where_others_have_written)
{
	unsigned long a, pages;
	u64 value;

	sim_boot(KVMAP_POLICY_EAGER);
	pages = frames_free_count() - 16; /* leaves the fresh frames short */
	a = (unsigned long)vmalloc(pages * PAGE_SIZE);
	for (unsigned long i = 0; i < pages; i++)
		cr_assert(sim_write(a + i * PAGE_SIZE + 8 * (i % 512), ~0ul));
	vfree((void *)a);
	a = (unsigned long)vzalloc(pages * PAGE_SIZE);
	cr_assert_neq(a, 0);
	for (unsigned long i = 0; i < pages * PAGE_SIZE; i += 8)
		cr_assert(sim_read(a + i, &value) && value == 0);
	check_machine();
}

Test(vmalloc, refuses_sizes_that_cannot_be_and_changes_nothing)
{
	sim_boot(KVMAP_POLICY_STRICT);
	assert_vmalloc_refused(0, KVMAP_REFUSED_ZERO_SIZE);
	assert_vmalloc_refused(frames_total_count() * PAGE_SIZE + 1, KVMAP_REFUSED_TOO_LARGE);
	assert_vmalloc_refused(~0ul, KVMAP_REFUSED_TOO_LARGE);
	assert_vmalloc_refused(~0ul - PAGE_SIZE, KVMAP_REFUSED_TOO_LARGE);
	assert_vmalloc_refused(1ul << 63, KVMAP_REFUSED_TOO_LARGE);
}

Test(vmalloc, refuses_what_does_not_fit_into_the_space_that_is_left)
{
	const unsigned long left = KVMAP_VMALLOC_END - 3 * PAGE_SIZE - KVMAP_GUARD_SIZE;
	struct vmap_area *rest;
	u32 status;

	sim_boot(KVMAP_POLICY_STRICT);
	rest = vmap_free_take(left - KVMAP_VMALLOC_START, &status);
	assert_vmalloc_refused(4 * PAGE_SIZE, KVMAP_REFUSED_NO_SPACE);
	cr_assert_eq((unsigned long)vmalloc(3 * PAGE_SIZE), left);
	assert_vmalloc_refused(1, KVMAP_REFUSED_NO_SPACE);
	vmap_free_put(rest);
	cr_assert_not_null(vmalloc(4 * PAGE_SIZE));
}

Test(vmalloc, vfree_refuses_every_pointer_that_is_not_the_start_of_an_area)
{
	unsigned long a;

	sim_boot(KVMAP_POLICY_STRICT);
	a = (unsigned long)vmalloc(4 * PAGE_SIZE);
	assert_vfree_refused(a + 1, KVMAP_REFUSED_UNALIGNED);
	assert_vfree_refused(a + PAGE_SIZE, KVMAP_REFUSED_INTERIOR);
	assert_vfree_refused(a + 4 * PAGE_SIZE, KVMAP_REFUSED_INTERIOR);
	assert_vfree_refused(area_after(a, 4) - PAGE_SIZE, KVMAP_REFUSED_INTERIOR);
	assert_vfree_refused(area_after(a, 4), KVMAP_REFUSED_NOT_AN_AREA);
	assert_vfree_refused(PAGE_SIZE, KVMAP_REFUSED_NOT_AN_AREA);
	assert_vfree_refused(KVMAP_VMALLOC_END, KVMAP_REFUSED_NOT_AN_AREA);
	assert_vfree_refused(KVMAP_VMALLOC_START - PAGE_SIZE, KVMAP_REFUSED_NOT_AN_AREA);
	check_machine();
}

Test(vmalloc, vfree_refuses_to_free_twice_before_and_after_the_flush)
{
	unsigned long a;

	sim_boot(KVMAP_POLICY_STRICT);
	a = (unsigned long)vmalloc(4 * PAGE_SIZE);
	vfree((void *)a);
	cr_assert_eq(vmalloc_status(), KVMAP_OK);
	assert_vfree_refused(a, KVMAP_REFUSED_DOUBLE_FREE);
	vmalloc_purge();
	assert_vfree_refused(a, KVMAP_REFUSED_DOUBLE_FREE);
	check_machine();
}

Test(vmalloc, vfree_of_null_is_allowed_and_does_nothing)
{
	struct snapshot before, after;

	sim_boot(KVMAP_POLICY_STRICT);
	cr_assert_null(vmalloc(0));
	snapshot_take(&before);
	vfree(NULL);
	snapshot_take(&after);
	cr_assert_eq(vmalloc_status(), KVMAP_OK);
	cr_assert_eq(memcmp(&before, &after, sizeof(after)), 0);
}

Test(vmalloc, an_area_is_found_by_any_address_in_it)
{
	unsigned long a;
	struct vm_struct *vm;

	sim_boot(KVMAP_POLICY_STRICT);
	a = (unsigned long)vzalloc(6000);
	vm = find_vm_area((void *)a);
	cr_assert_eq((unsigned long)vm->addr, a);
	cr_assert_eq(vm->size, 2 * PAGE_SIZE + KVMAP_GUARD_SIZE);
	cr_assert_eq(vm->requested_size, 6000);
	cr_assert_eq(vm->nr_pages, 2);
	cr_assert_eq(vm->flags, VM_ALLOC | VM_ZERO);
	cr_assert_not_null(vm->caller);
	cr_assert_eq(find_vm_area((void *)(area_after(a, 2) - 1)), vm);
	cr_assert_null(find_vm_area((void *)area_after(a, 2)));
	vfree((void *)a);
	cr_assert_null(find_vm_area((void *)a));
}

static void assert_explained(unsigned long addr, bool write, u32 kind, unsigned long start,
			     unsigned long size)
{
	struct vmalloc_address out;

	vmalloc_explain(addr, write, &out);
	cr_assert_eq(out.kind, kind, "%#lx is of kind %u, expected %u", addr, out.kind, kind);
	cr_assert_eq(out.start, start);
	cr_assert_eq(out.size, size);
	cr_assert_eq(out.caller == NULL, start == 0);
}

Test(vmalloc, an_address_is_explained_by_what_is_there)
{
	unsigned long a, b;

	sim_boot(KVMAP_POLICY_STRICT);
	a = (unsigned long)vmalloc(2 * PAGE_SIZE);
	b = (unsigned long)vmalloc(PAGE_SIZE);
	assert_explained(a + 100, true, KVMAP_FAULT_NONE, a, 2 * PAGE_SIZE);
	assert_explained(a + 2 * PAGE_SIZE, false, KVMAP_FAULT_GUARD, a, 2 * PAGE_SIZE);
	assert_explained(area_after(a, 2) - 1, false, KVMAP_FAULT_GUARD, a, 2 * PAGE_SIZE);
	assert_explained(area_after(b, 1), false, KVMAP_FAULT_UNMAPPED, 0, 0);
	vfree((void *)a);
	assert_explained(a + PAGE_SIZE, false, KVMAP_FAULT_FREED, a, 2 * PAGE_SIZE);
	vmalloc_purge();
	assert_explained(a + PAGE_SIZE, false, KVMAP_FAULT_FREED, 0, 0);
	assert_explained(area_after(b, 1), false, KVMAP_FAULT_UNMAPPED, 0, 0);
	find_vm_area((void *)b)->flags |= VM_READONLY;
	assert_explained(b, true, KVMAP_FAULT_READONLY, b, PAGE_SIZE);
	assert_explained(b, false, KVMAP_FAULT_NONE, b, PAGE_SIZE);
}

Test(vmalloc, without_memory_at_boot_every_request_is_refused)
{
	max_pfn = 0;
	frames_init();
	vmalloc_init(KVMAP_POLICY_STRICT);
	cr_assert_null(vmalloc(1));
	cr_assert_eq(vmalloc_status(), KVMAP_REFUSED_TOO_LARGE);
	vfree((void *)KVMAP_VMALLOC_START);
	cr_assert_eq(vmalloc_status(), KVMAP_REFUSED_NOT_AN_AREA);
}
