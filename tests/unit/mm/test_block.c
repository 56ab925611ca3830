/* SPDX-License-Identifier: MIT */
/*
 * test_block.c: vmap blocks: small mappings of vm_map_ram().
 */
#include "mm/fail_alloc.h"
#include "mm/vmalloc/set_memory.h"
#include "sim.h"

#include <criterion/criterion.h>
#include <string.h>

#define PAGES 3

static struct page *pages[VMAP_BLOCK_PAGES_MAX];

static void boot(u32 policy)
{
	sim_boot(policy);
	for (u32 i = 0; i < VMAP_BLOCK_PAGES_MAX; i++)
		pages[i] = alloc_pages(GFP_KERNEL, 0);
}

static unsigned long map(u32 nr)
{
	unsigned long addr = (unsigned long)vm_map_ram(pages, nr, NUMA_NO_NODE);

	cr_assert(addr);
	return addr;
}

static void unmap(unsigned long addr, u32 nr)
{
	vm_unmap_ram((void *)addr, nr);
	cr_assert_eq(vmalloc_status(), KVMAP_OK);
}

/* The end of the slots of a mapping of nr pages. */
static unsigned long slots_end(unsigned long addr, u32 nr)
{
	return addr + VMAP_SLOTS(nr) * 2 * PAGE_SIZE;
}

/* The word that the CPU reads, perhaps through an old translation; ~0 if it faults. */
static u64 word_at(unsigned long addr)
{
	u64 value;

	return sim_read(addr, &value) ? value : ~0ul;
}

Test(blocks, mappings_lie_one_behind_the_other_each_with_a_guard_page)
{
	unsigned long a, b;

	boot(KVMAP_POLICY_STRICT);
	a = map(PAGES);
	b = map(1);
	cr_assert_eq(a / VMAP_BLOCK_SIZE, b / VMAP_BLOCK_SIZE);
	for (unsigned long i = 0; i < PAGES; i++) {
		*(u64 *)page_address(pages[i]) = i + 7;
		cr_assert_eq(word_at(a + i * PAGE_SIZE), i + 7);
	}
	cr_assert_eq(word_at(b), 7);
	cr_assert(sim_guard_faults(a, PAGES));
	cr_assert(sim_guard_faults(b, 1));
	check_machine();
	unmap(a, PAGES);
	unmap(b, 1);
	check_machine();
	cr_assert_gt(vmalloc_purge(), 0);
	check_machine();
	cr_assert_null(vmap_area_root.rb_node, "an empty block is given back");
}

Test(blocks, of_any_size_up_to_the_largest)
{
	unsigned long addr[2 * VMAP_BLOCK_PAGES_MAX];
	enum reclaim_step step = RECLAIM_SOME;

	boot(KVMAP_POLICY_STRICT);
	for (u32 nr = 1; nr <= VMAP_BLOCK_PAGES_MAX; nr++)
		addr[nr] = map(nr);
	check_machine();
	for (u32 nr = VMAP_BLOCK_PAGES_MAX; nr; nr--)
		unmap(addr[nr], nr);
	check_machine();
	vm_unmap_aliases();
	check_machine();
	cr_assert_not_null(vmap_area_root.rb_node, "empty blocks are kept");
	cr_assert(vmalloc_reclaim(&step, KVMAP_REFUSED_NO_SPACE, 1), "unless somebody needs their ranges");
	cr_assert_not(vmalloc_reclaim(&step, KVMAP_REFUSED_NO_SPACE, 1));
	cr_assert_null(vmap_area_root.rb_node);
}

/* Mappings of one page in a vmap block. */
#define BLOCK_MAPPINGS (VMAP_BLOCK_SLOTS / VMAP_SLOTS(1))

static void map_until_used_again(u32 policy)
{
	unsigned long first, addr;
	u32 nr = 0;
	u64 flushes;

	boot(policy);
	*(u64 *)page_address(pages[0]) = 1;
	addr = first = map(1);
	do {
		cr_assert_eq(word_at(addr), 1);
		flushes = stats().flush_full;
		unmap(addr, 1);
		nr++;
		cr_assert_leq(nr, BLOCK_MAPPINGS);
		addr = map(1);
		check_machine();
	} while (addr != first);
	cr_assert_eq(nr, BLOCK_MAPPINGS, "used again after %u mappings", nr);
	cr_assert_eq(stats().flush_full, flushes + (policy != KVMAP_POLICY_EAGER || flushes));
}

Test(blocks, what_was_unmapped_is_used_again_only_after_the_flush_of_all_of_it)
{
	map_until_used_again(KVMAP_POLICY_STRICT);
	cr_assert_eq(stats().flush_full, 1);
	cr_assert_eq(stats().areas_purged, BLOCK_MAPPINGS);
}

Test(blocks, eager_flushes_each_mapping_when_it_goes)
{
	unsigned long addr;

	boot(KVMAP_POLICY_EAGER);
	addr = map(1);
	word_at(addr);
	unmap(addr, 1);
	cr_assert_eq(word_at(addr), ~0ul);
	cr_assert_eq(stats().flush_range, 1);
	check_machine();
}

Test(blocks, unmapping_the_aliases_flushes_what_was_unmapped_beside_live_mappings)
{
	unsigned long a, b;

	boot(KVMAP_POLICY_STRICT);
	a = map(PAGES);
	b = map(1);
	cr_assert_neq(word_at(a), ~0ul);
	unmap(a, PAGES);
	cr_assert_neq(word_at(a), ~0ul, "the CPU still has the translation");
	vm_unmap_aliases();
	cr_assert_eq(word_at(a), ~0ul);
	cr_assert_neq(map(PAGES), a, "it is not used again: the block is not empty");
	check_machine();
	unmap(b, 1);
	check_machine();
}

/* One lazily freed page. It would be flushed alone if its frame had not been mapped in a vmap block. */
Test(blocks, frames_of_an_area_that_were_mapped_wait_for_that_flush_too)
{
	unsigned long area, alias;

	boot(KVMAP_POLICY_STRICT);
	area = (unsigned long)vmalloc(PAGE_SIZE);
	pages[0] = vmalloc_to_page((void *)area);
	alias = map(1);
	map(1); /* so that the block stays */
	cr_assert_neq(word_at(alias), ~0ul);
	unmap(alias, 1);
	vfree((void *)area);
	vmalloc_purge();
	cr_assert_eq(word_at(alias), ~0ul, "a translation leads to a frame that is free");
	cr_assert_eq(stats().flush_full, 1);
}

static void assert_refused(u32 status, void (*call)(unsigned long addr), unsigned long addr)
{
	struct snapshot before, after;

	snapshot_take(&before);
	call(addr);
	snapshot_take(&after);
	cr_assert_eq(vmalloc_status(), status, "status %u, expected %u", vmalloc_status(), status);
	cr_assert_eq(memcmp(&before, &after, sizeof(after)), 0, "a refused call changed something");
}

static void unmap_three(unsigned long addr)
{
	vm_unmap_ram((void *)addr, PAGES);
}

static void unmap_one(unsigned long addr)
{
	vm_unmap_ram((void *)addr, 1);
}

static void call_vfree(unsigned long addr)
{
	vfree((void *)addr);
}

static void call_vunmap(unsigned long addr)
{
	vunmap((void *)addr);
}

static void call_vrealloc(unsigned long addr)
{
	cr_assert_null(vrealloc((void *)addr, PAGE_SIZE, GFP_KERNEL));
}

static void make_readonly(unsigned long addr)
{
	cr_assert_eq(set_memory_ro(addr, PAGES), -1);
}

Test(blocks, what_is_no_mapping_or_another_is_refused_with_nothing_changed)
{
	unsigned long a, b;

	boot(KVMAP_POLICY_STRICT);
	a = map(PAGES);
	b = map(PAGES);
	assert_refused(KVMAP_REFUSED_COUNT, unmap_one, a);
	assert_refused(KVMAP_REFUSED_UNALIGNED, unmap_three, a + 8);
	assert_refused(KVMAP_REFUSED_INTERIOR, unmap_three, a + PAGE_SIZE);
	assert_refused(KVMAP_REFUSED_INTERIOR, unmap_three, a + 2 * PAGE_SIZE);
	assert_refused(KVMAP_REFUSED_NOT_AN_AREA, unmap_three, slots_end(b, PAGES));
	assert_refused(KVMAP_REFUSED_NOT_AN_AREA, unmap_one,
		       ALIGN_DOWN(a, VMAP_BLOCK_SIZE) + 2 * VMAP_BLOCK_SLOTS * PAGE_SIZE);
	assert_refused(KVMAP_REFUSED_OTHER_KIND, call_vfree, a);
	assert_refused(KVMAP_REFUSED_OTHER_KIND, call_vunmap, a);
	assert_refused(KVMAP_REFUSED_OTHER_KIND, call_vrealloc, a);
	assert_refused(KVMAP_REFUSED_OTHER_KIND, make_readonly, a);
	cr_assert_null(find_vm_area((void *)a), "it has no vm_struct, as in Linux");
	unmap(a, PAGES);
	assert_refused(KVMAP_REFUSED_DOUBLE_FREE, unmap_three, a);
	assert_refused(KVMAP_REFUSED_DOUBLE_FREE, call_vfree, a);
	unmap(b, PAGES);
	vmalloc_purge();
	assert_refused(KVMAP_REFUSED_DOUBLE_FREE, unmap_three, b);
	check_machine();
}

static void assert_explained(unsigned long addr, u32 kind, unsigned long start)
{
	struct vmalloc_address out;

	vmalloc_explain(addr, false, &out);
	cr_assert_eq(out.kind, kind, "%#lx: kind %u", addr, out.kind);
	cr_assert_eq(out.start, start);
	cr_assert_eq(out.size, start ? PAGES * PAGE_SIZE : 0);
}

Test(blocks, an_address_in_one_is_explained)
{
	unsigned long a, b;

	boot(KVMAP_POLICY_STRICT);
	a = map(PAGES);
	b = map(PAGES);
	assert_explained(a + PAGE_SIZE, KVMAP_FAULT_NONE, a);
	assert_explained(a + PAGES * PAGE_SIZE, KVMAP_FAULT_GUARD, a);
	assert_explained(area_after(a, PAGES) - 1, KVMAP_FAULT_GUARD, a);
	unmap(a, PAGES);
	assert_explained(a, KVMAP_FAULT_FREED, a);
	assert_explained(b + PAGES * PAGE_SIZE, KVMAP_FAULT_GUARD, b);
	assert_explained(slots_end(b, PAGES), KVMAP_FAULT_UNMAPPED, 0);
}

Test(blocks, without_memory_for_a_block_a_mapping_is_an_area_of_its_own)
{
	unsigned long a, b;

	boot(KVMAP_POLICY_STRICT);
	fail_alloc_at(1);
	a = map(1);
	cr_assert(fail_alloc_done);
	cr_assert_not_null(find_vm_area((void *)a));
	b = map(1);
	cr_assert_null(find_vm_area((void *)b));
	check_machine();
	unmap(a, 1);
	unmap(b, 1);
	vmalloc_purge();
	check_machine();
	cr_assert_null(vmap_area_root.rb_node);
}

Test(blocks, memory_that_ends_anywhere_before_the_first_mapping_loses_nothing)
{
	boot(KVMAP_POLICY_STRICT);
	for (u32 nth = 1;; nth++) {
		void *addr;

		fail_alloc_done = false;
		fail_alloc_at(nth);
		addr = vm_map_ram(pages, PAGES, NUMA_NO_NODE);
		check_machine();
		vm_unmap_ram(addr, PAGES);
		cr_assert(addr ? !vmalloc_status() : vmalloc_status() == KVMAP_REFUSED_NOT_AN_AREA);
		vmalloc_purge();
		check_machine();
		cr_assert_null(vmap_area_root.rb_node);
		if (!fail_alloc_done)
			break;
	}
}
