/* SPDX-License-Identifier: MIT */
/*
 * test_reclaim.c: what one operation frees of what others have left: no more than it needs, and all of it before a
 * refusal.
 */
#include "sim.h"

#include <criterion/criterion.h>

/* Areas and pages that one operation gives back beyond its own, as docs/memory-manager.md says. */
#define BEYOND_AREAS 4
#define BEYOND_PAGES 128

static u32 ranges_kept(u32 pages)
{
	return cpu_caches[0].cached[pages].nr;
}

Test(aliases, are_flushed_at_a_cost_that_does_not_depend_on_how_many_areas_wait)
{
	static void *areas[63];
	u64 flushes, value;

	sim_boot(KVMAP_POLICY_STRICT);
	for (u32 i = 0; i < ARRAY_SIZE(areas); i++) {
		areas[i] = vmalloc(7 * PAGE_SIZE);
		cr_assert(sim_write((unsigned long)areas[i], i));
	}
	for (u32 i = 0; i < ARRAY_SIZE(areas); i++)
		vfree(areas[i]);
	vm_unmap_aliases();
	for (u32 i = 0; i < ARRAY_SIZE(areas); i++)
		cr_assert_not(sim_read((unsigned long)areas[i], &value), "area %u", i);
	cr_assert_eq(ranges_kept(7), BEYOND_AREAS);
	cr_assert_eq(vm_stat_sum(NR_LAZY_PAGES), (ARRAY_SIZE(areas) - BEYOND_AREAS) * 7);
	check_machine();
	flushes = stats().flush_full;
	vm_unmap_aliases();
	cr_assert_eq(stats().flush_full, flushes, "nothing was unmapped since");
	cr_assert_eq(ranges_kept(7), 2 * BEYOND_AREAS);
	check_machine();
	vmalloc_purge();
	cr_assert_eq(stats().flush_full, flushes, "what was flushed needs no other flush");
	cr_assert_eq(vm_stat_sum(NR_LAZY_PAGES), 0);
	check_machine();
}

Test(aliases, of_other_cpus_are_flushed_and_stay_on_their_lists)
{
	u64 flushes, value;
	void *area, *mine;

	sim_boot(KVMAP_POLICY_STRICT);
	arch_nr_cpus = 2;
	area = vmalloc(3 * PAGE_SIZE);
	cr_assert(sim_write((unsigned long)area, 1));
	vfree(area);
	sim_cpu_stop();
	sim_cpu_start(1);
	vm_unmap_aliases();
	cr_assert_not(sim_read((unsigned long)area, &value));
	cr_assert_not_null(cpu_caches[0].lazy.purge_list);
	check_machine();
	flushes = stats().flush_full;
	sim_cpu_stop();
	sim_cpu_start(0);
	mine = vmalloc(4 * PAGE_SIZE);
	vm_unmap_aliases();
	cr_assert_null(cpu_caches[0].lazy.purge_list);
	cr_assert_eq(ranges_kept(3), 1);
	cr_assert_leq(stats().flush_full, flushes + 1);
	vfree(mine);
	check_machine();
}

/* An area of half of memory that an interrupt has freed, and almost all of the rest in use. */
static u64 half_deferred(void)
{
	u64 nr = frames_free_count() / 2;
	void *half = vmalloc(nr * PAGE_SIZE);

	cr_assert_not_null(half);
	sim_leave_free(40);
	vfree_atomic(half);
	return nr;
}

static void assert_pays_for_itself(u64 deferred, u64 pages)
{
	u64 waiting = vm_stat_sum(NR_VMALLOC_PAGES) + vm_stat_sum(NR_LAZY_PAGES);
	void *area = vmalloc(pages * PAGE_SIZE);
	u64 freed;

	cr_assert_not_null(area, "status %u", vmalloc_status());
	freed = waiting + pages - (vm_stat_sum(NR_VMALLOC_PAGES) + vm_stat_sum(NR_LAZY_PAGES));
	cr_assert_leq(freed, pages + BEYOND_PAGES + 64, "%lu of %lu", freed, deferred);
	check_machine();
}

Test(reclaim, a_request_frees_what_it_needs_and_not_all_that_waits)
{
	u64 deferred;

	sim_boot(KVMAP_POLICY_STRICT);
	deferred = half_deferred();
	cr_assert_gt(deferred, 1000);
	assert_pays_for_itself(deferred, 50);
	assert_pays_for_itself(deferred, 100);
	assert_pays_for_itself(deferred, 300);
}

Test(reclaim, and_all_of_it_before_it_is_refused)
{
	u64 deferred;
	void *area;

	sim_boot(KVMAP_POLICY_STRICT);
	deferred = half_deferred();
	area = vmalloc((deferred + 20) * PAGE_SIZE);
	cr_assert_not_null(area, "status %u", vmalloc_status());
	check_machine();
	cr_assert_null(vmalloc((deferred + 20) * PAGE_SIZE));
	check_machine();
}

Test(reclaim, what_was_flushed_and_not_given_back_is_enough)
{
	void *area;
	u64 waiting;

	sim_boot(KVMAP_POLICY_STRICT);
	area = vmalloc(500 * PAGE_SIZE);
	sim_leave_free(20);
	vfree(area);
	vm_unmap_aliases();
	waiting = vm_stat_sum(NR_LAZY_PAGES);
	cr_assert_gt(waiting, 300);
	cr_assert_null(cpu_caches[0].lazy.purge_list);
	cr_assert_not_null(vmalloc(450 * PAGE_SIZE), "status %u", vmalloc_status());
	check_machine();
}
