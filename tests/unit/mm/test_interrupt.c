/* SPDX-License-Identifier: MIT */
/*
 * test_interrupt.c: what is allowed in an interrupt, what is refused, and vfree_atomic().
 */
#include "sim.h"

#include "mm/interrupt.h"
#include "mm/vmalloc/kvmalloc.h"
#include "mm/vmalloc/set_memory.h"

#include <criterion/criterion.h>
#include <string.h>

static void *area, *mapping, *ram_mapping;

static u32 state_at(const void *addr)
{
	const struct vmap_area *va = sim_area((unsigned long)addr);

	cr_assert_not_null(va);
	return va->state;
}

/* ---- vfree_atomic ---- */

Test(vfree_atomic, an_area_stays_mapped_and_accounted_until_the_next_operation_of_its_cpu)
{
	void *other;
	u64 value;

	sim_boot(KVMAP_POLICY_STRICT);
	area = vmalloc(3 * PAGE_SIZE);
	other = vmalloc(PAGE_SIZE);
	cr_assert(sim_write((unsigned long)area, 77));
	vfree_atomic(area);
	cr_assert_eq(vmalloc_status(), KVMAP_OK);
	cr_assert_eq(state_at(area), VMAP_DEFERRED);
	cr_assert(sim_read((unsigned long)area, &value) && value == 77);
	cr_assert_null(find_vm_area(area), "nobody's any more");
	cr_assert_eq(vm_stat_sum(NR_VMALLOC_PAGES), 4);
	check_machine();

	vfree(other);
	cr_assert_eq(state_at(area), VMAP_LAZY);
	cr_assert_eq(vm_stat_sum(NR_VMALLOC_PAGES), 0);
	check_machine();
}

Test(vfree_atomic, in_an_interrupt_vfree_does_the_same)
{
	sim_boot(KVMAP_POLICY_STRICT);
	area = vmalloc(PAGE_SIZE);
	irq_enter();
	vfree(area);
	irq_exit();
	cr_assert_eq(vmalloc_status(), KVMAP_OK);
	cr_assert_eq(state_at(area), VMAP_DEFERRED);
	check_machine();
	cr_assert_eq(vmalloc_purge(), 1);
	check_machine();
}

Test(vfree_atomic, an_operation_frees_a_few_of_those_that_wait_and_a_purge_all)
{
	void *areas[10], *other;
	u32 waiting = 0;

	sim_boot(KVMAP_POLICY_STRICT);
	for (u32 i = 0; i < ARRAY_SIZE(areas); i++)
		areas[i] = vmalloc(PAGE_SIZE);
	other = vmalloc(PAGE_SIZE);
	for (u32 i = 0; i < ARRAY_SIZE(areas); i++)
		vfree_atomic(areas[i]);
	vfree(other);
	for (u32 i = 0; i < ARRAY_SIZE(areas); i++)
		waiting += state_at(areas[i]) == VMAP_DEFERRED;
	cr_assert_eq(waiting, ARRAY_SIZE(areas) - DEFERRED_AREAS);
	check_machine();
	cr_assert_eq(vmalloc_purge(), ARRAY_SIZE(areas) + 1);
	cr_assert_null(cpu_caches[0].lazy.deferred);
	cr_assert_eq(stats().allocations, stats().frees);
	check_machine();
}

Test(vfree_atomic, what_waits_is_freed_before_an_allocation_fails)
{
	sim_boot(KVMAP_POLICY_STRICT);
	area = vmalloc(frames_free_count() / 2 * PAGE_SIZE);
	cr_assert_not_null(area);
	vfree_atomic(area);
	area = vmalloc(frames_total_count() / 4 * 3 * PAGE_SIZE);
	cr_assert_not_null(area, "status %u", vmalloc_status());
	check_machine();
}

Test(vfree_atomic, another_cpu_that_purges_frees_it_too)
{
	sim_boot(KVMAP_POLICY_STRICT);
	arch_nr_cpus = 2;
	area = vmalloc(2 * PAGE_SIZE);
	vfree_atomic(area);
	sim_cpu_stop();
	sim_cpu_start(1);
	cr_assert_eq(vmalloc_purge(), 1);
	check_machine();
	cr_assert_eq(vm_stat_sum(NR_VMALLOC_PAGES), 0);
}

Test(vfree_atomic, of_two_that_free_an_area_the_second_is_refused)
{
	sim_boot(KVMAP_POLICY_STRICT);
	area = vmalloc(PAGE_SIZE);
	vfree_atomic(area);
	vfree_atomic(area);
	cr_assert_eq(vmalloc_status(), KVMAP_REFUSED_DOUBLE_FREE);
	vfree(area);
	cr_assert_eq(vmalloc_status(), KVMAP_REFUSED_DOUBLE_FREE);
	check_machine();
	cr_assert_eq(vmalloc_purge(), 1);
	vfree_atomic(area);
	cr_assert_eq(vmalloc_status(), KVMAP_REFUSED_DOUBLE_FREE);
}

Test(vfree_atomic, what_is_no_area_is_refused_with_the_same_reasons_as_by_vfree)
{
	struct page *page;
	struct snapshot before, after;

	sim_boot(KVMAP_POLICY_STRICT);
	area = vmalloc(2 * PAGE_SIZE);
	page = vmalloc_to_page(area);
	mapping = vmap(&page, 1, 0, PGPROT_READWRITE);
	const struct {
		unsigned long addr;
		u32 status;
	} wrong[] = {
		{ (unsigned long)area + 8, KVMAP_REFUSED_UNALIGNED },
		{ (unsigned long)area + PAGE_SIZE, KVMAP_REFUSED_INTERIOR },
		{ KVMAP_VMALLOC_END - PAGE_SIZE, KVMAP_REFUSED_NOT_AN_AREA },
		{ KVMAP_VMALLOC_START - PAGE_SIZE, KVMAP_REFUSED_NOT_AN_AREA },
		{ (unsigned long)mapping, KVMAP_REFUSED_OTHER_KIND },
	};
	snapshot_take(&before);
	for (u32 i = 0; i < ARRAY_SIZE(wrong); i++) {
		vfree_atomic((void *)wrong[i].addr);
		cr_assert_eq(vmalloc_status(), wrong[i].status, "%#lx: %u", wrong[i].addr, vmalloc_status());
	}
	vfree_atomic(NULL);
	cr_assert_eq(vmalloc_status(), KVMAP_OK);
	snapshot_take(&after);
	cr_assert_eq(memcmp(&before, &after, sizeof(before)), 0, "something was changed");
}

Test(vfree_atomic, where_the_interrupted_code_holds_the_tree_it_waits_for_nothing)
{
	struct page *page;

	sim_boot(KVMAP_POLICY_STRICT);
	arch_nr_cpus = 2; /* for arch_relax(): with one CPU no lock is ever held by another */
	area = vmalloc(PAGE_SIZE);
	page = vmalloc_to_page(area);
	mapping = vmap(&page, 1, 0, PGPROT_READWRITE);
	spin_lock(&vmap_area_lock);
	irq_enter();
	vfree(mapping); /* must be searched for */
	cr_assert_eq(vmalloc_status(), KVMAP_REFUSED_INTERRUPT);
	vfree(area);
	cr_assert_eq(vmalloc_status(), KVMAP_OK);
	irq_exit();
	spin_unlock(&vmap_area_lock);
	vunmap(mapping);
	check_machine();
}

/* ---- refused in an interrupt ---- */

static void try_vmalloc(void)
{
	cr_assert_null(vmalloc(PAGE_SIZE));
}

static void try_vzalloc(void)
{
	cr_assert_null(vzalloc(PAGE_SIZE));
}

static void try_vmalloc_atomic(void)
{
	cr_assert_null(__vmalloc(PAGE_SIZE, GFP_ATOMIC));
}

static void try_vmalloc_huge(void)
{
	cr_assert_null(vmalloc_huge(PAGE_SIZE << 9, GFP_KERNEL));
}

static void try_vrealloc(void)
{
	cr_assert_null(vrealloc(area, 2 * PAGE_SIZE, GFP_KERNEL));
}

static void try_vrealloc_to_nothing(void)
{
	cr_assert_null(vrealloc(area, 0, GFP_KERNEL));
}

static void try_vmap(void)
{
	struct page *page = vmalloc_to_page(area);

	cr_assert_null(vmap(&page, 1, 0, PGPROT_READWRITE));
}

static void try_vm_map_ram(void)
{
	struct page *page = vmalloc_to_page(area);

	cr_assert_null(vm_map_ram(&page, 1, -1));
}

static void try_vunmap(void)
{
	vunmap(mapping);
}

static void try_vm_unmap_ram(void)
{
	vm_unmap_ram(ram_mapping, 1);
}

static void try_vm_unmap_aliases(void)
{
	vm_unmap_aliases();
}

static void try_set_memory_ro(void)
{
	cr_assert_eq(set_memory_ro((unsigned long)area, 1), -1);
}

static void try_kvmalloc(void)
{
	cr_assert_null(kvmalloc(8 * PAGE_SIZE, GFP_KERNEL));
}

static void try_kvmalloc_small(void)
{
	cr_assert_null(kvmalloc(64, GFP_KERNEL));
}

static void try_kvrealloc(void)
{
	cr_assert_null(kvrealloc(area, 2 * PAGE_SIZE, GFP_KERNEL));
}

static void try_kmalloc(void)
{
	cr_assert_null(kmalloc(64, GFP_KERNEL));
}

static void try_kzalloc(void)
{
	cr_assert_null(kzalloc(64, GFP_KERNEL));
}

static void try_kmalloc_large(void)
{
	cr_assert_null(kmalloc(64 * PAGE_SIZE, GFP_KERNEL));
}

static void try_alloc_pages(void)
{
	cr_assert_null(alloc_pages(GFP_KERNEL, 0));
}

static void try_alloc_pages_bulk(void)
{
	struct page *pages[4] = { NULL };

	cr_assert_eq(alloc_pages_bulk(GFP_KERNEL, 4, pages), 0);
	cr_assert_null(pages[0]);
}

static const struct {
	const char *name;
	void (*run)(void);
	u32 (*status)(void);
} refused[] = {
	{ "vmalloc", try_vmalloc, vmalloc_status },
	{ "vzalloc", try_vzalloc, vmalloc_status },
	{ "__vmalloc, GFP_ATOMIC", try_vmalloc_atomic, vmalloc_status },
	{ "vmalloc_huge", try_vmalloc_huge, vmalloc_status },
	{ "vrealloc", try_vrealloc, vmalloc_status },
	{ "vrealloc to 0", try_vrealloc_to_nothing, vmalloc_status },
	{ "vmap", try_vmap, vmalloc_status },
	{ "vm_map_ram", try_vm_map_ram, vmalloc_status },
	{ "vunmap", try_vunmap, vmalloc_status },
	{ "vm_unmap_ram", try_vm_unmap_ram, vmalloc_status },
	{ "vm_unmap_aliases", try_vm_unmap_aliases, vmalloc_status },
	{ "set_memory_ro", try_set_memory_ro, vmalloc_status },
	{ "kvmalloc", try_kvmalloc, vmalloc_status },
	{ "kvmalloc, small", try_kvmalloc_small, vmalloc_status },
	{ "kvrealloc", try_kvrealloc, vmalloc_status },
	{ "kmalloc", try_kmalloc, kmalloc_status },
	{ "kzalloc", try_kzalloc, kmalloc_status },
	{ "kmalloc, large", try_kmalloc_large, kmalloc_status },
	{ "alloc_pages", try_alloc_pages, page_alloc_status },
	{ "alloc_pages_bulk", try_alloc_pages_bulk, page_alloc_status },
};

Test(interrupt, what_may_wait_is_refused_and_changes_nothing)
{
	struct snapshot before, after;
	struct page *page;

	sim_boot(KVMAP_POLICY_STRICT);
	area = vmalloc(PAGE_SIZE);
	page = vmalloc_to_page(area);
	mapping = vmap(&page, 1, 0, PGPROT_READWRITE);
	ram_mapping = vm_map_ram(&page, 1, -1);
	kfree(kmalloc(64, GFP_KERNEL)); /* the CPU's list has an object */
	for (u32 i = 0; i < ARRAY_SIZE(refused); i++) {
		snapshot_take(&before);
		irq_enter();
		refused[i].run();
		irq_exit();
		cr_assert_eq(refused[i].status(), KVMAP_REFUSED_INTERRUPT, "%s", refused[i].name);
		snapshot_take(&after);
		cr_assert_eq(memcmp(&before, &after, sizeof(before)), 0, "%s changed something",
			     refused[i].name);
		check_machine();
	}
}

Test(interrupt, who_does_not_wait_gets_memory_and_gives_it_back)
{
	struct page *page, *pages[4] = { NULL };
	void *object, *large, *kv;

	sim_boot(KVMAP_POLICY_STRICT);
	irq_enter();
	object = kmalloc(64, GFP_ATOMIC);
	large = kmalloc(16 * PAGE_SIZE, GFP_NOWAIT);
	kv = kvmalloc(PAGE_SIZE, GFP_ATOMIC);
	page = alloc_pages(GFP_ATOMIC, 2);
	cr_assert_eq(alloc_pages_bulk(GFP_ATOMIC, 4, pages), 4);
	cr_assert(object && large && kv && page);
	check_machine();
	kfree(object);
	kfree(large);
	kvfree(kv);
	__free_pages(page, 2);
	for (u32 i = 0; i < 4; i++)
		__free_pages(pages[i], 0);
	irq_exit();
	check_machine();
	cr_assert_eq(vm_stat_sum(NR_KMALLOC_PAGES), 0);
	cr_assert(!in_interrupt());
	kfree(kmalloc(64, GFP_KERNEL));
	cr_assert_eq(kmalloc_status(), KVMAP_OK);
}
