/* SPDX-License-Identifier: MIT */
/*
 * pgtable_huge.c: ranges of the vmalloc space that begin with 2M leaves.
 *
 * If 4K pages were mapped there before, a page table exists, empty since the range is free. The leaf replaces
 * it. The caller must flush before the range is accessed: paging-structure caches may still point to the
 * empty table (SDM vol. 3A 4.10.3). Until that flush the table must not be reused. A software walk that reads
 * the table even later detects it by pgtable_cuts, and is repeated.
 */
#include "arch/x86_64/pgtable.h"
#include "arch/x86_64/event_log.h"
#include "arch/x86_64/tlb.h"
#include "mm/arch.h"

#define PMD_SIZE (1ul << PMD_SHIFT)

/* Number of 2M buddy blocks at the start of the chain. */
static u32 huge_blocks_at(u32 pfn, u32 nr)
{
	u32 blocks = 0;

	for (; nr >= PTRS_PER_TABLE && pfn_to_page(pfn)->order; nr -= PTRS_PER_TABLE, blocks++)
		pfn = pfn_to_page(pfn)->next;
	return blocks;
}

/*
 * Allocates the page tables of the 2M leaves and of the `rest` single pages after them; false without memory.
 */
static bool tables_for(unsigned long va, u32 blocks, u32 rest)
{
	for (; blocks; blocks--, va += PMD_SIZE)
		if (!pmd_make(va))
			return false;
	return !rest || pgtable_make(va, rest);
}

/*
 * A leaf has replaced `pmd`, which pointed to a page table. Prepends that table to the chain `cut`; returns
 * its pfn.
 */
static u32 table_cut(u64 pmd, unsigned long va, u32 cut)
{
	u32 table = (u32)((pmd & PTE_PFN_MASK) >> PAGE_SHIFT);
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
		u64 *pmd = pmd_make(va), old = *pmd;
		u64 leaf = (u64)pfn << PAGE_SHIFT | pgtable_rights(prot) | _PAGE_PSE;

		if (unlikely(log_is_on()))
			log_leaf(pmd, va, 2, leaf);
		else
			__atomic_store_n(pmd, leaf, __ATOMIC_RELEASE);
		WRITE_ONCE(page->vpn, PAGE_VPN(va));
		pfn = page->next;
		if (old)
			cut = table_cut(old, va, cut);
	}
	*cut_out = cut;
	return nr ? arch_map_chain(va, pfn, nr, prot, &table) : 0;
}

/* Clears the entries of a range that may begin with leaves. */
static void clear_huge(unsigned long va, u32 nr)
{
	for (; nr >= PTRS_PER_TABLE; nr -= PTRS_PER_TABLE, va += PMD_SIZE) {
		u64 *pmd = pmd_make(va);

		if (!(*pmd & _PAGE_PSE))
			break;
		if (unlikely(log_is_on()))
			log_clear(pmd, va, 1, 2);
		else
			__atomic_store_n(pmd, 0, __ATOMIC_RELEASE);
	}
	if (nr)
		pgtable_clear(va, nr);
}

u64 arch_unmap_huge(unsigned long va, u32 nr)
{
	clear_huge(va, nr);
	return tlb_log(TLB_FLUSH_UNMAP | arch_cpu(), 0, va, va + ((unsigned long)nr << PAGE_SHIFT));
}

u64 arch_unmap_executable(unsigned long va, u32 nr, bool huge)
{
	if (huge)
		clear_huge(va, nr);
	else
		pgtable_clear(va, nr);
	return tlb_log(TLB_FLUSH_UNMAP | TLB_FLUSH_EXEC | arch_cpu(), 0, va,
		       va + ((unsigned long)nr << PAGE_SHIFT));
}
