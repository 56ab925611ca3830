/* SPDX-License-Identifier: MIT */
/*
 * check_tlb.c: translations in a TLB that the page tables no longer have.
 */
#include "check.h"

#include "arch/x86_64/pgtable.h"

#include <criterion/criterion.h>

/* Whether addr was unmapped in a vmap block that has not been flushed. */
static bool is_waiting_in_block(unsigned long addr)
{
	const struct vmap_area *busy = sim_area(addr), *va;
	const struct vmap_block_map *map;
	unsigned long start;

	if (!busy || busy->state != VMAP_BLOCK)
		return false;
	for (u32 cpu = 0; cpu < NR_CPUS; cpu++)
		for (va = cpu_caches[cpu].lazy.flushed_list; va; va = va->next)
			if (va == busy)
				return false;
	map = vmap_block_find(busy->vmap_block, addr, &start);
	return map && map->state == VMAP_LAZY;
}

/* Whether addr lies in a range whose frames belong to other owners. */
static bool is_alias(unsigned long addr)
{
	const struct vmap_area *va = sim_area(addr);

	return va->state == VMAP_BLOCK || va->vm->flags & VM_MAP;
}

/* Whether addr lies in a range that waits for a flush. */
static bool is_waiting(unsigned long addr)
{
	for (u32 cpu = 0; cpu < NR_CPUS; cpu++) {
		const struct vmap_area *va = cpu_caches[cpu].lazy.purge_list;

		for (; va; va = va->next)
			if (va->state != VMAP_BLOCK && addr >= vmap_flush_range(va).start &&
			    addr < vmap_flush_range(va).end)
				return true;
	}
	return is_waiting_in_block(addr);
}

void check_tlb(const struct census *census, const struct sim_cpu *cpu)
{
	unsigned long page;

	for (page = 0; page < SIM_TLB_PAGES; page++) {
		unsigned long va = KVMAP_VMALLOC_START + page * PAGE_SIZE;
		u32 pfn = cpu->tlb[page] - 1;

		if (cpu->tlb[page] && arch_virt_to_phys(va) == (u64)pfn << PAGE_SHIFT)
			cr_assert(!cpu->writable[page] || pgtable_allows(va, true, false),
				  "the right to write %#lx is stale", va);
		if (!cpu->tlb[page] || arch_virt_to_phys(va) == (u64)pfn << PAGE_SHIFT)
			continue;
		cr_assert_neq(vmalloc_policy, KVMAP_POLICY_EAGER, "%#lx is stale", va);
		cr_assert(is_waiting(va), "%#lx is stale and waits for no flush", va);
		if (vmalloc_policy == KVMAP_POLICY_STRICT)
			cr_assert(is_alias(va) ? census->owner[pfn] == PAGE_VMALLOC ||
							 census->owner[pfn] == PAGE_KMALLOC
					       : census->owner[pfn] == PAGE_VMALLOC &&
							 (pfn_to_page(pfn)->vpn == PAGE_VPN(va) ||
							  pfn_to_page(pfn)->owner == PAGE_NONE),
				  "frame %#x was reused while %#lx may still lead to it", pfn, va);
	}
}
