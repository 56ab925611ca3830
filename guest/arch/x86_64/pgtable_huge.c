/* SPDX-License-Identifier: MIT */
/*
 * pgtable_huge.c: ranges of the vmalloc space that 2M leaves map as far as their frames come in blocks.
 *
 * Where 4K pages were mapped before, there is a table in the way: empty, since the range is free. The leaf
 * takes its place, and who maps flushes before anything touches the range: a CPU may have kept the way to the
 * table (SDM vol. 3A 4.10.3), and would find nothing in it. Until then the table stays what it is. A CPU that
 * walks by itself, and looks into it later still, knows by pgtable_cuts that it has to walk once more.
 */
#include "arch/x86_64/pgtable.h"
#include "arch/x86_64/tlb.h"
#include "mm/arch.h"
#include "mm/roots.h"

#define PMD_SIZE (1ul << PMD_SHIFT)

/* The chain's first blocks of 2M. */
static u32 huge_blocks_at(u32 pfn, u32 nr)
{
	u32 blocks = 0;

	for (; nr >= PTRS_PER_TABLE && pfn_to_page(pfn)->order; nr -= PTRS_PER_TABLE, blocks++)
		pfn = pfn_to_page(pfn)->next;
	return blocks;
}

/* All tables for them and the single frames behind them; false without memory. */
static bool tables_for(unsigned long va, u32 blocks, u32 rest)
{
	for (; blocks; blocks--, va += PMD_SIZE)
		if (!pmd_make(va))
			return false;
	return !rest || pgtable_make(va, rest);
}

/* A leaf has taken the place of `entry`, which led to a table: it is the first of the chain of those. */
static u32 table_cut(u64 entry, unsigned long va, u32 cut)
{
	u32 table = (u32)((entry & PTE_PFN_MASK) >> PAGE_SHIFT);
	struct page *page = pfn_to_page(table);

	__atomic_add_fetch(&pgtable_cuts, 1, __ATOMIC_SEQ_CST);
	page->unmapped = tlb_log(TLB_FLUSH_TABLE | arch_cpu(), 0, va, va + PMD_SIZE);
	page->next = cut;
	return table;
}

int arch_map_huge(unsigned long va, u32 first, u32 nr, enum pgprot prot, u32 *cut_out)
{
	u32 blocks = huge_blocks_at(first, nr), pfn = first, cut = 0, table = 0;

	nr -= blocks * PTRS_PER_TABLE;
	if (!tables_for(va, blocks, nr))
		return -1;
	for (; blocks; blocks--, va += PMD_SIZE) {
		struct page *page = pfn_to_page(pfn);
		u64 *entry = pmd_make(va), old = *entry;

		__atomic_store_n(entry, (u64)pfn << PAGE_SHIFT | pgtable_rights(prot) | _PAGE_PSE,
				 __ATOMIC_RELEASE);
		WRITE_ONCE(page->vaddr, va);
		pfn = page->next;
		if (old)
			cut = table_cut(old, va, cut);
	}
	*cut_out = cut;
	return nr ? arch_map_chain(va, pfn, nr, prot, &table) : 0;
}

u32 arch_unmap_huge(unsigned long va, u32 nr)
{
	unsigned long start = va, end = va + ((unsigned long)nr << PAGE_SHIFT);

	for (; nr >= PTRS_PER_TABLE; nr -= PTRS_PER_TABLE, va += PMD_SIZE) {
		u64 *entry = pmd_make(va);

		if (!(*entry & _PAGE_PSE))
			break;
		__atomic_store_n(entry, 0, __ATOMIC_RELEASE);
	}
	if (nr)
		pgtable_clear(va, nr);
	return tlb_log(TLB_FLUSH_UNMAP | arch_cpu(), 0, start, end);
}
