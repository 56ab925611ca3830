/* SPDX-License-Identifier: MIT */
/*
 * check_areas.c: areas against page tables.
 */
#include "check.h"

#include "arch/x86_64/pgtable.h"

#include <criterion/criterion.h>

#define LEAF    0x8000000000000163ul /* NX G D A W P */
#define LEAF_RO 0x8000000000000121ul /* NX G A P */
#define LEAF_RX 0x0000000000000121ul
#define TABLE   0x23ul /* A W P */

void check_tables(struct census *census, const u64 *table, u32 level)
{
	u32 i;

	for (i = 0; i < PTRS_PER_TABLE; i++) {
		if (!table[i])
			continue;
		if (level == 1 || table[i] & _PAGE_PSE) {
			census->leaves += level == 1 ? 1 : PTRS_PER_TABLE;
			cr_assert_leq(level, 2);
			continue;
		}
		cr_assert_eq(table[i] & ~PTE_PFN_MASK, TABLE);
		own(census, (table[i] & PTE_PFN_MASK) >> PAGE_SHIFT, PAGE_TABLE);
		cr_assert_eq(pfn_to_page((u32)(table[i] >> PAGE_SHIFT))->owner, PAGE_TABLE);
		check_tables(census, __va(table[i] & PTE_PFN_MASK), level - 1);
	}
}

/* The leaf entry of a mapped page. */
static u64 leaf_of(unsigned long va)
{
	const u64 *table = init_top_pgt;

	for (unsigned int shift = PGD_SHIFT; shift > PTE_SHIFT; shift -= PGD_SHIFT - PUD_SHIFT) {
		if (table[pt_index(va, shift)] & _PAGE_PSE)
			return table[pt_index(va, shift)] & ~(u64)_PAGE_PSE;
		table = __va(table[pt_index(va, shift)] & PTE_PFN_MASK);
	}
	return table[pt_index(va, PTE_SHIFT)];
}

static void check_rights(const struct vmap_area *va)
{
	u64 rights = !(va->vm->flags & VM_READONLY) ? LEAF : va->vm->flags & VM_EXEC ? LEAF_RX : LEAF_RO;

	for (unsigned long page = va->va_start; page < vmap_mapped_end(va); page += PAGE_SIZE)
		cr_assert_eq(leaf_of(page) & ~PTE_PFN_MASK, rights, "rights of %#lx: %#lx", page,
			     leaf_of(page));
}

/* No page of the guard that begins at `guard` is mapped. */
static void check_guard(unsigned long guard)
{
	for (u32 i = 0; i < KVMAP_GUARD_PAGES; i++)
		cr_assert_eq(arch_virt_to_phys(guard + i * PAGE_SIZE), ~0ul, "page %u of the guard at %#lx",
			     i, guard);
}

/* A mapping in a vmap block, live or unmapped. */
static void check_vmap_block_map(struct census *census, const struct vmap_block_map *map, unsigned long start)
{
	u64 sum = 0;

	cr_assert(map->nr_pages && map->nr_pages <= VMAP_BLOCK_PAGES_MAX);
	if (map->state == VMAP_LAZY) {
		census->unmapped_in_blocks++;
		for (u32 i = 0; i < map->nr_pages; i++)
			cr_assert_eq(arch_virt_to_phys(start + i * PAGE_SIZE), ~0ul);
		check_guard(start + map->nr_pages * PAGE_SIZE);
		return;
	}
	cr_assert_eq(map->state, VMAP_LIVE);
	for (u32 i = 0; i < map->nr_pages; i++) {
		cr_assert_eq(leaf_of(start + i * PAGE_SIZE) & ~PTE_PFN_MASK, LEAF);
		sum += FRAMES_SUM(i, arch_virt_to_phys(start + i * PAGE_SIZE) >> PAGE_SHIFT);
	}
	cr_assert_eq(map->frames_sum, sum);
	check_guard(start + map->nr_pages * PAGE_SIZE);
	census->aliases += map->nr_pages;
	census->areas_in_blocks++;
}

void check_vmap_block(struct census *census, const struct vmap_area *va)
{
	const struct vmap_block *block = va->vmap_block;
	u32 slot = 0, nr = 0, dirty = 0;

	census->vmap_blocks++;
	cr_assert_eq(block->va, va);
	cr_assert_eq(block->va_start, va->va_start);
	cr_assert_eq(va->va_end - va->va_start, VMAP_BLOCK_SIZE);
	cr_assert_eq(vmap_block_at(va->va_start), block);
	cr_assert_leq(block->used, VMAP_BLOCK_SLOTS);
	for (; slot < block->used; slot += VMAP_SLOTS(block->maps[slot].nr_pages), nr++) {
		check_vmap_block_map(census, &block->maps[slot], va->va_start + slot * 2 * PAGE_SIZE);
		if (block->maps[slot].state == VMAP_LAZY)
			dirty += VMAP_SLOTS(block->maps[slot].nr_pages);
	}
	cr_assert_eq(slot, block->used);
	cr_assert_eq(nr, block->nr);
	cr_assert(block->dirty == dirty || block->dirty == dirty + VMAP_BLOCK_DIRTY - slot);
}

void check_live(struct census *census, const struct vmap_area *va)
{
	const struct vm_struct *vm = va->vm;
	u32 i, pfn = vm->pages;

	census->areas++;
	cr_assert_eq((unsigned long)vm->addr, va->va_start);
	cr_assert_eq(vm->size, va->va_end - va->va_start);
	cr_assert_eq(vm->size, vm->nr_pages * PAGE_SIZE + KVMAP_GUARD_SIZE);
	cr_assert(vm->requested_size && vm->requested_size <= vm->nr_pages * PAGE_SIZE &&
		  vm->requested_size + PAGE_SIZE > vm->nr_pages * PAGE_SIZE);
	check_guard(va->va_end - KVMAP_GUARD_SIZE);
	cr_assert_leq(va->unmapped, va->allocated, "allocated before it was unmapped");
	check_rights(va);
	if (vm->flags & VM_MAP) {
		u64 sum = 0;

		for (i = 0; i < vm->nr_pages; i++)
			sum += FRAMES_SUM(i, arch_virt_to_phys(va->va_start + i * PAGE_SIZE) >> PAGE_SHIFT);
		cr_assert_eq(vm->frames_sum, sum);
		cr_assert_eq(vm->pages, 0);
		census->aliases += vm->nr_pages;
		return;
	}
	own_chain(census, vm->pages, vm->nr_pages, PAGE_VMALLOC, vm->flags & VM_HUGE);
	for (i = 0; i < vm->nr_pages; i += 1u << pfn_to_page(pfn)->order, pfn = pfn_to_page(pfn)->next) {
		cr_assert_eq(arch_virt_to_phys(va->va_start + i * PAGE_SIZE), (u64)pfn << PAGE_SHIFT);
		cr_assert_eq(pfn_to_page(pfn)->vpn, PAGE_VPN(va->va_start + i * PAGE_SIZE));
		cr_assert(vmalloc_policy == KVMAP_POLICY_LAZY || !pfn_to_page(pfn)->unmapped ||
			  pfn_to_page(pfn)->unmapped < pfn_to_page(pfn)->allocated);
	}
}
