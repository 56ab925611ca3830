/* SPDX-License-Identifier: MIT */
/*
 * test_vmap.c: areas over frames with an owner.
 */
#include "sim.h"

#include <criterion/criterion.h>
#include <string.h>

#define PAGES 5

static struct page *pages[PAGES];

/* The frames of a new area, last to first. */
static unsigned long area_backwards(void)
{
	unsigned long a = (unsigned long)vmalloc(PAGES * PAGE_SIZE);

	for (unsigned long i = 0; i < PAGES; i++) {
		cr_assert(sim_write(a + i * PAGE_SIZE, i));
		pages[PAGES - 1 - i] = vmalloc_to_page((void *)(a + i * PAGE_SIZE));
	}
	return a;
}

Test(vmap, maps_the_frames_in_the_order_of_the_array)
{
	unsigned long b;
	u64 value;

	sim_boot(KVMAP_POLICY_STRICT);
	area_backwards();
	b = (unsigned long)vmap(pages, PAGES, 0, PGPROT_READWRITE);
	for (unsigned long i = 0; i < PAGES; i++)
		cr_assert(sim_read(b + i * PAGE_SIZE, &value) && value == PAGES - 1 - i);
	cr_assert(sim_guard_faults(b, PAGES));
	cr_assert_eq(vm_stat_sum(NR_VMALLOC_PAGES), PAGES, "the frames are the first area's");
	check_machine();
	vunmap((void *)b);
	cr_assert_eq(vmalloc_status(), KVMAP_OK);
	cr_assert_eq(vm_stat_sum(NR_LAZY_PAGES), 0);
	check_machine();
	vm_unmap_aliases();
	cr_assert_not(sim_read(b, &value));
	check_machine();
}

static void assert_refused(u32 status, void (*call)(void *), void *addr)
{
	struct snapshot before, after;

	snapshot_take(&before);
	call(addr);
	snapshot_take(&after);
	cr_assert_eq(vmalloc_status(), status, "status %u, expected %u", vmalloc_status(), status);
	cr_assert_eq(memcmp(&before, &after, sizeof(after)), 0, "a refused call changed something");
}

static void call_vfree(void *addr)
{
	vfree(addr);
}

static void call_vunmap(void *addr)
{
	vunmap(addr);
}

static void unmap_four(void *addr)
{
	vm_unmap_ram(addr, 4);
}

static void unmap_none(void *addr)
{
	vm_unmap_ram(addr, 0);
}

static void map_none(void *addr)
{
	(void)addr;
	vmap(pages, 0, 0, PGPROT_READWRITE);
}

static void map_too_many(void *addr)
{
	(void)addr;
	vmap(pages, ~0u, 0, PGPROT_READWRITE);
}

Test(vmap, each_area_is_freed_by_its_own_function_and_as_it_was_made)
{
	void *a, *b, *c;

	sim_boot(KVMAP_POLICY_STRICT);
	a = (void *)area_backwards();
	b = vmap(pages, PAGES, 0, PGPROT_READWRITE);
	c = vm_map_ram(pages, PAGES, -1);
	assert_refused(KVMAP_REFUSED_OTHER_KIND, call_vunmap, a);
	assert_refused(KVMAP_REFUSED_OTHER_KIND, call_vfree, b);
	assert_refused(KVMAP_REFUSED_OTHER_KIND, call_vfree, c);
	assert_refused(KVMAP_REFUSED_OTHER_KIND, call_vunmap, c);
	assert_refused(KVMAP_REFUSED_OTHER_KIND, unmap_four, b);
	assert_refused(KVMAP_REFUSED_COUNT, unmap_four, c);
	assert_refused(KVMAP_REFUSED_ZERO_SIZE, unmap_none, c);
	assert_refused(KVMAP_REFUSED_INTERIOR, call_vunmap, (char *)b + PAGE_SIZE);
	assert_refused(KVMAP_REFUSED_UNALIGNED, call_vunmap, (char *)b + 1);
	assert_refused(KVMAP_REFUSED_ZERO_SIZE, map_none, NULL);
	assert_refused(KVMAP_REFUSED_TOO_LARGE, map_too_many, NULL);
	vm_unmap_ram(c, PAGES);
	cr_assert_eq(vmalloc_status(), KVMAP_OK);
	assert_refused(KVMAP_REFUSED_DOUBLE_FREE, unmap_four, c);
	vunmap(b);
	vfree(a);
	check_machine();
	vmalloc_purge();
	check_machine();
	cr_assert_null(vmap_area_root.rb_node);
}

Test(vmap, memory_that_ends_anywhere_in_a_mapping_is_undone_completely)
{
	sim_boot(KVMAP_POLICY_STRICT);
	area_backwards();
	/* A range that begins at the last page of a page table needs a second one. */
	while ((unsigned long)vmap(pages, PAGES, 0, PGPROT_READWRITE) % (512 * PAGE_SIZE) < 500 * PAGE_SIZE)
		;
	sim_leave_free(0);
	for (int i = 0; i < 8; i++)
		if (!vmap(pages, PAGES, 0, PGPROT_READWRITE))
			break;
	cr_assert_eq(vmalloc_status(), KVMAP_REFUSED_NO_MEMORY);
	check_machine();
	sim_release_held();
	cr_assert_not_null(vmap(pages, PAGES, 0, PGPROT_READWRITE));
	check_machine();
}

Test(vmap, addresses_lead_to_frames_only_where_something_is_mapped)
{
	unsigned long a;

	sim_boot(KVMAP_POLICY_STRICT);
	a = (unsigned long)vmalloc(2 * PAGE_SIZE);
	cr_assert_eq(vmalloc_to_pfn((void *)(a + PAGE_SIZE + 5)),
		     arch_virt_to_phys(a + PAGE_SIZE) >> PAGE_SHIFT);
	cr_assert_eq(vmalloc_to_page((void *)a), pfn_to_page((u32)vmalloc_to_pfn((void *)a)));
	cr_assert_null(vmalloc_to_page((void *)(a + 2 * PAGE_SIZE)));
	cr_assert_null(vmalloc_to_page((void *)PAGE_SIZE));
	cr_assert(is_vmalloc_addr((void *)a) && is_vmalloc_addr((void *)(KVMAP_VMALLOC_END - 1)));
	cr_assert(!is_vmalloc_addr((void *)KVMAP_VMALLOC_END) && !is_vmalloc_addr(NULL));
}
