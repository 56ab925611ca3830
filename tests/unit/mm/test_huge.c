/* SPDX-License-Identifier: MIT */
/*
 * test_huge.c: areas with 2M leaves.
 */
#include "sim.h"

#include "arch/x86_64/pgtable.h"
#include "mm/vmalloc/set_memory.h"

#include <criterion/criterion.h>
#include <string.h>

#define M2 (2ul << 20)

/* Number of 2M leaves that map the area's pages. */
static u32 huge_leaves(unsigned long a, unsigned long size)
{
	u32 count = 0;

	for (unsigned long va = a; va < a + size; va += M2)
		count += (*pmd_make(va) & _PAGE_PSE) != 0;
	return count;
}

static unsigned long huge(unsigned long size)
{
	unsigned long a = (unsigned long)vmalloc_huge(size, GFP_KERNEL);

	check_machine();
	return a;
}

static void assert_numbers(unsigned long a, unsigned long pages, bool write)
{
	u64 value;

	for (unsigned long i = 0; i < pages; i++) {
		cr_assert(!write || sim_write(a + i * PAGE_SIZE, a + i));
		cr_assert(sim_read(a + i * PAGE_SIZE, &value) && value == a + i);
	}
}

Test(huge, whole_multiples_of_2m_are_one_leaf_each_and_the_rest_is_single_pages)
{
	unsigned long a, size = 2 * M2 + 3 * PAGE_SIZE;
	u64 value;

	sim_boot(KVMAP_POLICY_STRICT);
	vmalloc(PAGE_SIZE);
	a = huge(size - 5);
	cr_assert_eq(a % M2, 0);
	cr_assert_eq(huge_leaves(a, size), 2);
	assert_numbers(a, 2 * 512 + 3, true);
	cr_assert(sim_guard_faults(a, size / PAGE_SIZE));
	cr_assert_eq(vm_stat_sum(NR_VMALLOC_PAGES), 2 * 512 + 3 + 1);
	cr_assert_eq(vmalloc_to_pfn((void *)(a + 5 * PAGE_SIZE)), vmalloc_to_pfn((void *)a) + 5);
	cr_assert_eq(find_vm_area((void *)(a + M2))->flags, VM_ALLOC | VM_HUGE);
	vfree((void *)(a + M2));
	cr_assert_eq(vmalloc_status(), KVMAP_REFUSED_INTERIOR);
	vfree((void *)a);
	cr_assert_eq(vmalloc_status(), KVMAP_OK);
	check_machine();
	vmalloc_purge();
	check_machine();
	cr_assert_not(sim_read(a + M2, &value));
	cr_assert_eq(vm_stat_sum(NR_LAZY_PAGES), 0);
}

Test(huge, less_than_2m_is_an_ordinary_area)
{
	unsigned long a;

	sim_boot(KVMAP_POLICY_STRICT);
	a = huge(M2 - PAGE_SIZE);
	cr_assert_eq(huge_leaves(a, PAGE_SIZE), 0);
	cr_assert_eq(find_vm_area((void *)a)->flags, VM_ALLOC);
	cr_assert_null((void *)huge(0));
	cr_assert_eq(vmalloc_status(), KVMAP_REFUSED_ZERO_SIZE);
	cr_assert_null(vmalloc_huge(M2, GFP_KERNEL | __GFP_NOFAIL));
	cr_assert_eq(vmalloc_status(), KVMAP_REFUSED_NOFAIL);
	cr_assert_null((void *)huge(~0ul));
	cr_assert_eq(vmalloc_status(), KVMAP_REFUSED_TOO_LARGE);
}

Test(huge, without_blocks_it_is_made_of_single_frames)
{
	unsigned long a;

	sim_boot(KVMAP_POLICY_STRICT);
	frames_fragment(5, frames_free_count() * PAGE_SIZE, 7);
	a = huge(M2 + PAGE_SIZE);
	cr_assert_neq(a, 0);
	cr_assert_eq(huge_leaves(a, M2), 0);
	assert_numbers(a, 513, true);
	vfree((void *)a);
	vmalloc_purge();
	check_machine();
}

Test(huge, a_table_in_the_way_of_a_leaf_goes_back_after_a_flush)
{
	unsigned long a, b;
	u64 tables;

	sim_boot(KVMAP_POLICY_STRICT);
	a = (unsigned long)vmalloc(2 * M2);
	assert_numbers(a, 1024, true);
	vfree((void *)a);
	vmalloc_purge();
	tables = vm_stat_sum(NR_PAGETABLE_PAGES);
	b = huge(2 * M2);
	cr_assert_eq(b, a);
	cr_assert_eq(huge_leaves(b, 2 * M2), 2);
	cr_assert_eq(vm_stat_sum(NR_PAGETABLE_PAGES), tables - 2);
	assert_numbers(b, 1024, true);
	vfree((void *)b);
	vmalloc_purge();
	a = (unsigned long)vmalloc(2 * M2);
	cr_assert_eq(a, b);
	assert_numbers(a, 1024, true);
	check_machine();
}

Test(huge, zeroed_blocks_are_zero)
{
	unsigned long a;
	u64 value;

	sim_boot(KVMAP_POLICY_EAGER);
	a = huge(M2);
	assert_numbers(a, 512, true);
	vfree((void *)a);
	sim_leave_free(600);
	a = (unsigned long)vmalloc_huge(M2, GFP_KERNEL | __GFP_ZERO);
	cr_assert_neq(a, 0);
	for (unsigned long offset = 0; offset < M2; offset += 8)
		cr_assert(sim_read(a + offset, &value) && value == 0);
}

Test(huge, rights_and_sizes_change_as_those_of_others)
{
	unsigned long a, b;

	sim_boot(KVMAP_POLICY_STRICT);
	a = huge(M2 + 2 * PAGE_SIZE);
	assert_numbers(a, 514, true);
	cr_assert_eq(set_memory_ro(a, 514), 0);
	cr_assert_not(sim_write(a + 5 * PAGE_SIZE, 0));
	cr_assert_not(sim_write(a + 513 * PAGE_SIZE, 0));
	check_machine();
	cr_assert_eq(set_memory_rw(a, 514), 0);
	assert_numbers(a, 514, true);
	b = (unsigned long)vrealloc((void *)a, 4 * PAGE_SIZE, GFP_KERNEL);
	cr_assert_neq(b, a, "it moves");
	for (u64 i = 0, value; i < 4; i++)
		cr_assert(sim_read(b + i * PAGE_SIZE, &value) && value == a + i);
	check_machine();
}

Test(huge, memory_that_ends_anywhere_is_undone_completely)
{
	sim_boot(KVMAP_POLICY_STRICT);
	vfree(vmalloc(1));
	vmalloc_purge();
	for (u64 left = 0; left < 4; left++) {
		sim_leave_free(left);
		cr_assert_null(vmalloc_huge(M2 + PAGE_SIZE, GFP_NOWAIT));
		cr_assert_eq(vmalloc_status(), KVMAP_REFUSED_NO_MEMORY);
		cr_assert_eq(vm_stat_sum(NR_VMALLOC_PAGES), 0);
		check_machine();
		sim_release_held();
	}
}

static void come_and_go(u32 policy)
{
	unsigned long areas[6] = { 0 };
	u32 state = 3;

	sim_boot(policy);
	for (u32 step = 0; step < 600; step++) {
		u32 i = step % 6;

		state = state * 1664525u + 1013904223u;
		vfree((void *)areas[i]);
		cr_assert_eq(vmalloc_status(), KVMAP_OK);
		areas[i] =
			i < 2 ? (unsigned long)vmalloc_huge(M2 + (state >> 20) % 40 * PAGE_SIZE, GFP_KERNEL)
			      : (unsigned long)vmalloc((1 + (state >> 20) % 80) * PAGE_SIZE);
		cr_assert_neq(areas[i], 0);
		assert_numbers(areas[i], 1, true);
		if (step % 13 == 0)
			check_machine();
	}
	check_machine();
}

Test(huge, comes_and_goes_among_others)
{
	come_and_go(KVMAP_POLICY_STRICT);
}

Test(huge, comes_and_goes_among_others_without_waiting_for_flushes)
{
	come_and_go(KVMAP_POLICY_LAZY);
}

Test(huge, comes_and_goes_among_others_flushed_at_once)
{
	come_and_go(KVMAP_POLICY_EAGER);
}
