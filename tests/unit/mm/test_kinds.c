/* SPDX-License-Identifier: MIT */
/*
 * test_kinds.c: the variants of vmalloc(), and kvmalloc().
 */
#include "sim.h"

#include "mm/page/watermark.h"
#include "mm/vmalloc/kvmalloc.h"

#include <criterion/criterion.h>
#include <string.h>

static unsigned long flags_of(const void *addr)
{
	return find_vm_area(addr)->flags;
}

/* All `pages` of an area are zero. */
static void assert_zero(const void *addr, unsigned long pages)
{
	u64 value;

	for (unsigned long offset = 0; offset < pages * PAGE_SIZE; offset += 8)
		cr_assert(sim_read((unsigned long)addr + offset, &value) && value == 0);
}

/* Leaves neither fresh nor zero frames. */
static void use_all_memory(void)
{
	unsigned long pages = frames_free_count() - 16, a = (unsigned long)vmalloc(pages * PAGE_SIZE);

	for (unsigned long i = 0; i < pages; i++)
		cr_assert(sim_write(a + i * PAGE_SIZE, ~0ul));
	vfree((void *)a);
	vmalloc_purge();
}

Test(kinds, what_is_to_be_zero_is_zero_and_says_so)
{
	sim_boot(KVMAP_POLICY_STRICT);
	use_all_memory();
	assert_zero(vmalloc_user(5000), 2);
	assert_zero(vcalloc(3, PAGE_SIZE), 3);
	assert_zero(vzalloc_node(1, 0), 1);
	assert_zero(__vmalloc(PAGE_SIZE, GFP_KERNEL | __GFP_ZERO), 1);
	assert_zero(__vmalloc(PAGE_SIZE, GFP_DMA | __GFP_ZERO), 1);
	cr_assert_eq(flags_of(vmalloc_user(1)), VM_ALLOC | VM_ZERO | VM_USERMAP);
	cr_assert_eq(flags_of(vcalloc(1, 1)), VM_ALLOC | VM_ZERO);
	cr_assert_eq(flags_of(vmalloc_array(1, 1)), VM_ALLOC);
	cr_assert_eq(flags_of(vmalloc_node(1, 0)), VM_ALLOC);
	cr_assert_eq(flags_of(vmalloc_32(1)), VM_ALLOC);
	check_machine();
}

static u32 status_of(const void *memory)
{
	return memory ? KVMAP_OK : vmalloc_status();
}

Test(kinds, refuses_what_cannot_be_and_changes_nothing)
{
	struct snapshot before, after;

	sim_boot(KVMAP_POLICY_STRICT);
	snapshot_take(&before);
	cr_assert_eq(status_of(__vmalloc(1, GFP_KERNEL | __GFP_NOFAIL)), KVMAP_REFUSED_NOFAIL);
	cr_assert_eq(status_of(__vmalloc(1, __GFP_DMA | __GFP_DMA32)), KVMAP_REFUSED_FLAGS);
	cr_assert_eq(status_of(__vmalloc(1, 1u << 31)), KVMAP_REFUSED_FLAGS);
	cr_assert_eq(status_of(__vmalloc(0, GFP_KERNEL)), KVMAP_REFUSED_ZERO_SIZE);
	cr_assert_eq(status_of(vmalloc_array(1ul << 32, 1ul << 32)), KVMAP_REFUSED_TOO_LARGE);
	cr_assert_eq(status_of(vcalloc(~0ul, 2)), KVMAP_REFUSED_TOO_LARGE);
	cr_assert_eq(status_of(vcalloc(0, 8)), KVMAP_REFUSED_ZERO_SIZE);
	cr_assert_eq(status_of(vmalloc_user(0)), KVMAP_REFUSED_ZERO_SIZE);
	cr_assert_eq(status_of(kvmalloc_array(1ul << 32, 1ul << 32, GFP_KERNEL)), KVMAP_REFUSED_TOO_LARGE);
	cr_assert_eq(status_of(kvcalloc(~0ul, 2, GFP_KERNEL)), KVMAP_REFUSED_TOO_LARGE);
	cr_assert_eq(status_of(kvmalloc_node(64, GFP_KERNEL | __GFP_THISNODE, KVMAP_NODES_MAX)),
		     KVMAP_REFUSED_NO_MEMORY);
	cr_assert_eq(status_of(kvmalloc(0, GFP_KERNEL)), KVMAP_REFUSED_ZERO_SIZE);
	cr_assert_eq(status_of(kvmalloc(64, GFP_KERNEL | __GFP_NOFAIL)), KVMAP_REFUSED_NOFAIL);
	cr_assert_eq(status_of(kvmalloc(~0ul, GFP_KERNEL)), KVMAP_REFUSED_TOO_LARGE);
	snapshot_take(&after);
	cr_assert_eq(memcmp(&before, &after, sizeof(after)), 0, "a refused call changed something");
}

Test(kinds, frames_below_a_limit_are_taken_until_there_are_no_more)
{
	u64 free;
	void *a;

	sim_boot(KVMAP_POLICY_STRICT);
	zones[nr_zones - 1].kind = ZONE_DMA32; /* as if its frames lay higher */
	watermarks_init();
	free = zones_available(GFP_DMA);
	a = __vmalloc((free - 32) * PAGE_SIZE, GFP_DMA | __GFP_ZERO);
	cr_assert_not_null(a);
	cr_assert_eq(status_of(__vmalloc(64 * PAGE_SIZE, GFP_DMA)), KVMAP_REFUSED_NO_MEMORY);
	cr_assert_not_null(__vmalloc(64 * PAGE_SIZE, GFP_DMA32));
	vfree(a);
	vmalloc_purge();
	check_machine();
}

Test(kinds, who_must_not_wait_gets_nothing_that_waits_for_a_flush)
{
	unsigned long size;
	void *a;

	sim_boot(KVMAP_POLICY_STRICT);
	vfree(vmalloc(PAGE_SIZE)); /* its tables exist */
	vmalloc_purge();
	size = 256 * PAGE_SIZE;
	a = vmalloc(size);
	sim_leave_free(16);
	vfree(a);
	cr_assert_eq(status_of(__vmalloc(size, GFP_NOWAIT)), KVMAP_REFUSED_NO_MEMORY);
	cr_assert_eq(status_of(__vmalloc(size, GFP_ATOMIC)), KVMAP_REFUSED_NO_MEMORY);
	cr_assert_eq(vm_stat_sum(NR_LAZY_PAGES), 256);
	cr_assert_not_null(__vmalloc(size, GFP_KERNEL));
	check_machine();
}

Test(kinds, kvmalloc_is_kmalloc_where_it_can_and_vmalloc_where_it_must)
{
	void *small, *large, *huge;
	struct page *page;

	sim_boot(KVMAP_POLICY_STRICT);
	small = kvmalloc(100, GFP_KERNEL);
	cr_assert(!is_vmalloc_addr(small));
	cr_assert_eq(ksize(small), 128);
	huge = kvzalloc(KMALLOC_MAX_SIZE + 1, GFP_KERNEL);
	cr_assert(is_vmalloc_addr(huge));
	assert_zero(huge, 1025);
	kvfree(huge);
	cr_assert_eq(vmalloc_status(), KVMAP_OK);
	cr_assert_eq(kmalloc_status(), KVMAP_OK, "what kmalloc() could not do is nobody's failure");
	vmalloc_purge();

	/* Eight frames are left. */
	page = alloc_pages(GFP_KERNEL, 3);
	sim_leave_free(0);
	__free_pages(page, 3);
	cr_assert_eq(status_of(kvmalloc_array(2, 8 * PAGE_SIZE, GFP_KERNEL)), KVMAP_REFUSED_NO_MEMORY);
	large = kvmalloc(4 * PAGE_SIZE, GFP_KERNEL);
	cr_assert_not_null(large);
	kvfree(large);
	kvfree(small);
	kvfree(NULL);
	cr_assert_eq(vmalloc_status(), KVMAP_OK);
	kvfree(small);
	cr_assert_eq(vmalloc_status(), KVMAP_REFUSED_DOUBLE_FREE);
	check_machine();
}

Test(kinds, a_free_is_not_refused_for_what_was_refused_before)
{
	void *object;

	sim_boot(KVMAP_POLICY_STRICT);
	object = kvmalloc(100, GFP_KERNEL);
	cr_assert_not_null(object);
	cr_assert_null(kmalloc(KMALLOC_MAX_SIZE + 1, GFP_KERNEL));
	kvfree(object);
	cr_assert_eq(vmalloc_status(), KVMAP_OK);
	cr_assert_eq(kmalloc_status(), KVMAP_OK);
}

Test(kinds, kvmalloc_of_scattered_memory_is_mapped)
{
	void *memory;

	sim_boot(KVMAP_POLICY_STRICT);
	vfree(vmalloc(PAGE_SIZE));
	vmalloc_purge();
	frames_fragment(50, frames_free_count() * PAGE_SIZE, 7);
	sim_leave_free(64);
	memory = kvmalloc(32 * PAGE_SIZE, GFP_KERNEL);
	cr_assert(is_vmalloc_addr(memory));
	cr_assert_eq(status_of(kvmalloc(32 * PAGE_SIZE, GFP_NOWAIT)), KVMAP_REFUSED_NO_MEMORY,
		     "who must not wait gets no area");
	kvfree(memory);
	check_machine();
}
