/* SPDX-License-Identifier: MIT */
/*
 * pgtable.h: the 4-level tables as C sees them (SDM vol. 3A 4.5.4).
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

/* The top table. It stays the same for good: CR3 is never changed but to flush. */
extern u64 init_top_pgt[PTRS_PER_TABLE];

/* The level-2 entry of va, made with the tables above it; NULL without memory. */
u64 *pmd_make(unsigned long va);

/* All tables of a range; false without memory. */
bool pgtable_make(unsigned long va, u32 nr);

/*
 * Counts the tables that were taken away. One is put to another use only after that: who has walked without a
 * lock, and finds another number than before, may have read in one that was none any more.
 */
extern u32 pgtable_cuts;

/* Clears the 4K entries of a range whose tables exist. */
void pgtable_clear(unsigned long va, u32 nr);

/* The bits of a leaf besides its frame. */
u64 pgtable_rights(enum pgprot prot);

/* May the kernel read va, and write or execute it, by the tables? */
bool pgtable_allows(unsigned long va, bool write, bool execute);

static inline unsigned int pt_index(unsigned long va, unsigned int shift)
{
	return va >> shift & (PTRS_PER_TABLE - 1);
}

#endif
