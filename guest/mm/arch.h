/* SPDX-License-Identifier: MIT */
/*
 * arch.h: what the memory manager asks of the architecture. guest/arch implements it, and is the only place
 * that writes a page-table entry or flushes a TLB. The hosted build keeps guest/arch/x86_64/pgtable.c and
 * replaces only what is beneath it (flush instructions, CR3), so that unit tests run the real page-table
 * code.
 */
#ifndef GUEST_MM_ARCH_H
#define GUEST_MM_ARCH_H

#include "mm/direct_map.h" /* __va(), __pa() */
#include "mm/mm_types.h"

/* What a page may be used for besides being read. PGPROT_EXECUTE: executed, not written. */
enum pgprot { PGPROT_READONLY, PGPROT_READWRITE, PGPROT_EXECUTE };

/* ---- down: implemented by guest/arch ---- */

/*
 * Maps the nr frames of the chain that starts at pfn `first` at va, va + 4K, ... NX, supervisor; stores each
 * frame's page.vaddr. 0, or -1 if no page-table page could be had: then nothing of the range is mapped.
 * No flush is needed: the range held no translation.
 *
 * *table: pfn of va's table, as the last call for that va left it, or 0. It saves the walk.
 */
int arch_map_chain(unsigned long va, u32 first, u32 nr, enum pgprot prot, u32 *table);

/*
 * As arch_map_chain() for nr frames that have owners: their struct pages stay as they are. *sum_out: the sum
 * of FRAMES_SUM() over all pages.
 */
int arch_map_pages(unsigned long va, struct page *const *pages, u32 nr, enum pgprot prot, u32 *table,
		   u64 *sum_out);

/*
 * As arch_map_chain() of nr frames that begin with blocks of 2M, which are mapped by 2M leaves; va is a
 * multiple of 2M. *cut_out: chain of tables that were in the way of a leaf, 0 = none; each is logged with
 * TLB_FLUSH_TABLE. If there are any, the caller flushes the range before anyone uses it, and frees them after
 * that.
 */
int arch_map_huge(unsigned long va, u32 first, u32 nr, enum pgprot prot, u32 *cut_out);

/* arch_unmap() of what arch_map_huge() mapped. */
u32 arch_unmap_huge(unsigned long va, u32 nr);

/*
 * Clears the entries of a range that is mapped. No flush. Advances tlb_gen and returns the new value, the
 * stamp of this unmapping. table: as arch_map_chain() left it, or 0.
 */
u32 arch_unmap(unsigned long va, u32 nr, u32 table);

/*
 * Gives the pages of a range that is mapped these rights. PGPROT_READONLY, which is the one that takes a
 * right away, is logged with TLB_FLUSH_PROTECT; the caller flushes then.
 */
void arch_protect(unsigned long va, u32 nr, enum pgprot prot);

/* ---- one table alone: 2M, at a multiple of that ---- */

/* The table of va, for those below; NULL without memory. It stays as long as no 2M leaf is mapped there. */
void *arch_table_make(unsigned long va);

/* Its frame; 0 if there is none. va may be anybody's. */
u32 arch_table_frame(unsigned long va);

/* arch_map_pages() and arch_unmap() of pages that are all in the table; read and written. It cannot fail. */
void arch_table_map(void *table, unsigned long va, struct page *const *pages, u32 nr, u64 *sum_out);
u32 arch_table_unmap(void *table, unsigned long va, u32 nr);

/* Addresses [start, end), page-aligned. */
struct tlb_range {
	unsigned long start, end;
};

/*
 * Flushes these ranges (nr == 0: every translation, global ones too) on each CPU that may hold a translation
 * of them, in one round, and returns when all have completed, which is logged CPU by CPU. A CPU that is
 * halted is spared: it flushes when it wakes, before it touches anything.
 */
void arch_flush_ranges(const struct tlb_range *ranges, u32 nr);

/*
 * The GPA that va maps to by the tables, or ~0 when it is not mapped. va may be anybody's: what another CPU
 * does meanwhile, be it to put a table to another use, makes the answer old, never wrong.
 */
u64 arch_virt_to_phys(unsigned long va);

/* ---- up: implemented by guest/mm for guest/arch ---- */

/* One zeroed frame, owned as a page table and accounted so; 0 when there is none. Returns its pfn. */
u32 pgtable_alloc(void);

/* Takes back a table that no translation can lead to any more. */
void pgtable_free(u32 pfn);

#endif
