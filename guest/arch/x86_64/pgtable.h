/* SPDX-License-Identifier: MIT */
/*
 * pgtable.h: the 4-level tables as C sees them (SDM vol. 3A 4.5.4).
 */
#ifndef GUEST_ARCH_PGTABLE_H
#define GUEST_ARCH_PGTABLE_H

#include "arch/x86_64/pte.h"
#include "lib/types.h"

#define PTRS_PER_TABLE 512
#define PTE_PFN_MASK   0x000ffffffffff000ul

/* Shifts of the address bits that index each level. */
#define PGD_SHIFT 39
#define PUD_SHIFT 30
#define PMD_SHIFT 21
#define PTE_SHIFT 12

/* The top table. It stays the same for good: CR3 is never changed but to flush. */
extern u64 init_top_pgt[PTRS_PER_TABLE];

/* May the kernel read va, and write or execute it, by the tables? */
bool pgtable_allows(unsigned long va, bool write, bool execute);

static inline unsigned int pt_index(unsigned long va, unsigned int shift)
{
	return va >> shift & (PTRS_PER_TABLE - 1);
}

#endif
