/* SPDX-License-Identifier: MIT */
/*
 * test_locks.c: each finding of lib/lock_check.h, with the places and names that it tells.
 */
#include "sim.h"

#include "lib/lock_check.h"

#include <criterion/criterion.h>

static void expect(void)
{
	sim_boot(KVMAP_POLICY_STRICT);
	sim_lock_finding_expected = true;
}

/* The finding, which must be there and of that kind. */
static struct lock_finding taken(u32 kind)
{
	struct lock_finding finding = { 0 };

	cr_assert(lock_check_take(&finding), "no finding");
	cr_assert_eq(finding.kind, kind, "another finding: %u", finding.kind);
	cr_assert_eq(finding.cpu, sim_number);
	return finding;
}

static void none(void)
{
	struct lock_finding finding;

	cr_assert_not(lock_check_take(&finding), "%s: finding %u", finding.name, finding.kind);
}

Test(locks, taken_in_the_order_of_the_table_they_are_no_finding)
{
	expect();
	for (int i = 0; i < 2; i++) {
		spin_lock(&vmap_purge_lock);
		spin_lock(&cpu_caches[3].lazy.lock);
		spin_lock(&vmap_area_lock);
		spin_unlock(&cpu_caches[3].lazy.lock);
		spin_lock(&zones[1].lock);
		spin_unlock(&zones[1].lock);
		spin_unlock(&vmap_area_lock);
		spin_unlock(&vmap_purge_lock);
	}
	none();
}

Test(locks, against_the_order_of_the_table_is_a_finding_though_it_came_once)
{
	struct lock_finding finding;

	expect();
	spin_lock(&free_vmap_area_lock);
	spin_lock(&vmap_area_lock);
	finding = taken(LOCK_ORDER);
	cr_assert_str_eq(finding.name, "vmap_area_lock");
	cr_assert_str_eq(finding.held_name, "free_vmap_area_lock");
	cr_assert(finding.at && finding.held_at && finding.at != finding.held_at);
	cr_assert_null(finding.reverse_at, "no circle");
	spin_unlock(&vmap_area_lock);
	spin_unlock(&free_vmap_area_lock);
	none();
}

Test(locks, a_circle_of_locks_that_the_table_does_not_have_names_both_places)
{
	static struct spinlock a, b, c;
	struct lock_finding finding;

	expect();
	spin_lock(&a);
	spin_lock(&b);
	spin_unlock(&b);
	spin_unlock(&a);
	spin_lock(&b);
	spin_lock(&c);
	spin_unlock(&c);
	spin_unlock(&b);
	none();
	spin_lock(&c);
	spin_lock(&a);
	finding = taken(LOCK_ORDER);
	cr_assert_eq(finding.lock, &a);
	cr_assert(finding.at && finding.held_at);
	cr_assert(finding.reverse_at && finding.reverse_held_at);
	cr_assert_neq(finding.reverse_at, finding.at);
	spin_unlock(&a);
	spin_unlock(&c);
}

Test(locks, two_of_one_class_at_once_are_a_finding)
{
	expect();
	spin_lock(&zones[0].lock);
	spin_lock(&zones[1].lock);
	cr_assert_str_eq(taken(LOCK_ORDER).held_name, "zone");
}

Test(locks, the_lock_of_each_cache_is_of_one_class)
{
	struct kmem_cache *cache;

	expect();
	kfree(kmalloc(64, GFP_KERNEL));
	cache = kmem_caches[vmap_area_cache.index];
	spin_lock(&cache->lock);
	spin_lock(&page_table_lock);
	cr_assert_str_eq(taken(LOCK_ORDER).held_name, "kmem_cache");
}

Test(locks, a_lock_that_is_not_held_is_a_finding_of_what_it_protects)
{
	struct lock_finding finding;

	expect();
	vmap_busy_find(KVMAP_VMALLOC_START);
	finding = taken(LOCK_NOT_HELD);
	cr_assert_str_eq(finding.name, "vmap_area_lock");
	cr_assert_not_null(finding.at);
	spin_lock(&vmap_area_lock);
	vmap_busy_find(KVMAP_VMALLOC_START);
	spin_unlock(&vmap_area_lock);
	none();
}

Test(locks, that_another_cpu_holds_the_lock_does_not_help)
{
	expect();
	spin_lock(&vmap_area_lock);
	cr_assert_eq(vmap_area_lock.holder, 1, "CPU 0");
	sim_number = 1;
	vmap_busy_find(KVMAP_VMALLOC_START);
	taken(LOCK_NOT_HELD);
	spin_unlock(&vmap_area_lock);
	taken(LOCK_NOT_HOLDER);
}

Test(locks, a_second_time_is_a_finding_before_the_cpu_waits_for_itself)
{
	expect();
	spin_lock(&vmap_area_lock);
	lock_check_acquiring(&vmap_area_lock, "a place");
	cr_assert_str_eq(taken(LOCK_RECURSIVE).at, "a place");
}

Test(locks, an_attempt_that_does_not_wait_makes_no_order)
{
	expect();
	spin_lock(&free_vmap_area_lock);
	cr_assert(spin_trylock(&vmap_area_lock));
	none();
	spin_unlock(&vmap_area_lock);
	spin_unlock(&free_vmap_area_lock);
	none();
}

Test(locks, in_an_interrupt_and_with_interrupts_on_is_a_finding_in_either_order)
{
	static struct spinlock a, b, off;
	struct lock_finding finding;

	expect();
	spin_lock(&a);
	spin_unlock(&a);
	sim_interrupts_off = true;
	spin_lock(&off);
	spin_unlock(&off);
	sim_interrupts_off = false;

	sim_in_interrupt = true;
	spin_lock(&off);
	spin_unlock(&off);
	spin_lock(&b);
	spin_unlock(&b);
	none();
	spin_lock(&a);
	finding = taken(LOCK_INTERRUPT);
	cr_assert(finding.at && finding.held_at);
	spin_unlock(&a);
	sim_in_interrupt = false;

	spin_lock(&b);
	taken(LOCK_INTERRUPT);
}

Test(locks, where_none_may_be_held_one_is_a_finding)
{
	expect();
	lockdep_assert_none_held();
	none();
	spin_lock(&vmap_area_lock);
	lockdep_assert_none_held();
	cr_assert_str_eq(taken(LOCK_HELD).name, "vmap_area_lock");
}
