/* SPDX-License-Identifier: MIT */
/*
 * test_warn.c: contents of refusals: reason, caller, and area.
 */
#include "sim.h"

#include "mm/interrupt.h"
#include "mm/vmalloc/kvmalloc.h"
#include "mm/warn.h"

#include <criterion/criterion.h>

static void expect(u32 status, const void *addr, const void *area, unsigned long size)
{
	struct refusal refusal;

	cr_assert(refusal_take(&refusal), "no warning");
	cr_assert_eq(refusal.status, status);
	cr_assert_eq(refusal.addr, (unsigned long)addr);
	cr_assert_not_null(refusal.caller);
	cr_assert_eq(refusal.area, (unsigned long)area);
	cr_assert_eq(refusal.area_size, size);
	cr_assert(!refusal_take(&refusal), "the same warning twice");
}

static void expect_none(void)
{
	struct refusal refusal;

	cr_assert(!refusal_take(&refusal), "status %u", refusal.status);
}

Test(warn, an_area_is_named_with_who_allocated_it)
{
	char *a, *freed;
	struct refusal refusal;

	sim_boot(KVMAP_POLICY_STRICT);
	a = vmalloc(3 * PAGE_SIZE);
	freed = vmalloc(PAGE_SIZE);
	vfree(freed);
	expect_none();
	vfree(a + PAGE_SIZE);
	expect(KVMAP_REFUSED_INTERIOR, a + PAGE_SIZE, a, 3 * PAGE_SIZE);
	vfree(freed);
	expect(KVMAP_REFUSED_DOUBLE_FREE, freed, freed, PAGE_SIZE);
	vfree(a + 1);
	cr_assert(refusal_take(&refusal));
	cr_assert_eq(refusal.area_caller, find_vm_area(a)->caller);
	vfree((void *)(KVMAP_VMALLOC_END - PAGE_SIZE));
	expect(KVMAP_REFUSED_NOT_AN_AREA, (void *)(KVMAP_VMALLOC_END - PAGE_SIZE), NULL, 0);
	check_machine();
}

Test(warn, what_kmalloc_gave_is_named_with_its_size)
{
	char *object, *block;

	sim_boot(KVMAP_POLICY_STRICT);
	object = kmalloc(100, GFP_KERNEL);
	block = kmalloc(16 * PAGE_SIZE, GFP_KERNEL);
	kfree(object + 8);
	expect(KVMAP_REFUSED_INTERIOR, object + 8, object, 128);
	kfree(block + 5 * PAGE_SIZE);
	expect(KVMAP_REFUSED_NOT_AN_AREA, block + 5 * PAGE_SIZE, block, 16 * PAGE_SIZE);
	kfree(object);
	kfree(object);
	expect(KVMAP_REFUSED_DOUBLE_FREE, object, object, 128);
	__free_pages(virt_to_page(block), 2);
	expect(KVMAP_REFUSED_NOT_AN_AREA, block, block, 16 * PAGE_SIZE);
	check_machine();
}

Test(warn, an_allocation_names_no_area_and_an_interrupt_itself)
{
	struct refusal refusal;

	sim_boot(KVMAP_POLICY_STRICT);
	cr_assert_null(vmalloc(0));
	expect(KVMAP_REFUSED_ZERO_SIZE, NULL, NULL, 0);
	cr_assert_null(kcalloc(1ul << 40, 1ul << 40, GFP_KERNEL));
	expect(KVMAP_REFUSED_TOO_LARGE, NULL, NULL, 0);
	cr_assert_null(alloc_pages(GFP_KERNEL, MAX_ORDER + 1));
	expect(KVMAP_REFUSED_TOO_LARGE, NULL, NULL, 0);
	irq_enter();
	cr_assert_null(kmalloc(64, GFP_KERNEL));
	irq_exit();
	cr_assert(refusal_take(&refusal) && refusal.in_interrupt);
}

Test(warn, who_expects_a_failure_is_not_warned_of_it_but_of_any_other_refusal)
{
	sim_boot(KVMAP_POLICY_STRICT);
	cr_assert_null(kmalloc(KMALLOC_MAX_SIZE + 1, GFP_KERNEL | __GFP_NOWARN));
	cr_assert_null(__vmalloc(SIM_RAM_END, GFP_KERNEL | __GFP_NOWARN));
	cr_assert_null(alloc_pages(GFP_NOWAIT, MAX_ORDER + 1));
	expect_none();
	kvfree(kvmalloc(KMALLOC_MAX_SIZE + PAGE_SIZE, GFP_KERNEL));
	expect_none(); /* kmalloc() has refused it, vmalloc() has not */
	cr_assert_null(__vmalloc(0, GFP_KERNEL | __GFP_NOWARN));
	expect(KVMAP_REFUSED_ZERO_SIZE, NULL, NULL, 0);
}
