/* SPDX-License-Identifier: MIT */
/*
 * pgtable.h: 4-level page tables (SDM vol. 3A 4.5.4).
 */
#ifndef GUEST_ARCH_PGTABLE_H
#define GUEST_ARCH_PGTABLE_H

#include "arch/x86_64/pte.h"
#include "lib/types.h"
#include "mm/arch.h"

#define PTRS_PER_TABLE 512
#define PTE_PFN_MASK   0x000ffffffffff000ul

/* Shifts of the address bits that index each level. */
#define PGD_SHIFT 39
#define PUD_SHIFT 30
#define PMD_SHIFT 21
#define PTE_SHIFT 12

/* The PML4 table. CR3 always points to it. */
extern u64 init_top_pgt[PTRS_PER_TABLE];

/* The PMD entry of va, allocated with the tables above it; NULL without memory. */
u64 *pmd_make(unsigned long va);

/* Allocates the page tables of a range; false without memory. */
bool pgtable_make(unsigned long va, u32 nr);

/*
 * Number of page tables that 2M leaves have replaced. It is incremented before such a table is reused: a
 * lockless walk that sees it change may have read a reused table, and must be repeated.
 */
extern u64 pgtable_cuts;

/* Clears the PTEs of a range whose page tables exist. */
void pgtable_clear(unsigned long va, u32 nr);

/* The bits of a leaf entry besides its page frame. */
u64 pgtable_rights(enum pgprot prot);

/* Whether the page tables allow the kernel to read va, and to write or execute it if requested. */
bool pgtable_allows(unsigned long va, bool write, bool execute);

static inline unsigned int pt_index(unsigned long va, unsigned int shift)
{
	return va >> shift & (PTRS_PER_TABLE - 1);
}

#endif
