/* SPDX-License-Identifier: MIT */
/*
 * pte.h: what one paging-structure entry means (SDM vol. 3A 4.5, tables 4-14 to 4-20). For walk*.c and
 * diff_tables.c only.
 */
#ifndef VMM_PAGING_PTE_H
#define VMM_PAGING_PTE_H

#include "base/page.h"
#include "paging/walk.h"

/* The most that any chain of tables can allow. */
#define RIGHTS_ALL (RIGHT_R | RIGHT_W | RIGHT_X | RIGHT_U)

/* Number of bits of a linear address: 48 or 57. */
static inline unsigned int linear_bits(const struct walk_mode *mode)
{
	return page_level_shift(mode->levels + 1);
}

/* The bits that can be chosen freely, sign-extended into a canonical address. */
static inline uint64_t linear_extend(const struct walk_mode *mode, uint64_t linear)
{
	return page_canonical(mode->levels, linear);
}

/* Whether a present entry maps a page rather than points to a table. */
static inline bool entry_is_page(const struct walk_mode *mode, unsigned int level, uint64_t entry)
{
	return level == 1 || ((entry & PTE_PS) && (level == 2 || (level == 3 && mode->pages_1g)));
}

/* The bits that must be 0 in a present entry. */
static inline uint64_t entry_reserved(const struct walk_mode *mode, unsigned int level, bool is_page)
{
	uint64_t reserved = mode->physical_bits < 52 ? PTE_ADDRESS & (~0ull << mode->physical_bits) : 0;

	if (!mode->nx)
		reserved |= PTE_NX;
	if (!is_page)
		reserved |= PTE_PS; /* where it is allowed it made a page */
	else
		/* Below the frame's address; bit 12 of a large page is PAT. */
		reserved |= (page_level_size(level) - 1) & PTE_ADDRESS & ~PTE_PAT_LARGE;
	return reserved;
}

/* The part of `rights` that this entry allows. */
static inline unsigned int entry_rights(uint64_t entry, unsigned int rights)
{
	unsigned int allowed = RIGHT_R;

	allowed |= entry & PTE_W ? RIGHT_W : 0;
	allowed |= entry & PTE_U ? RIGHT_U : 0;
	allowed |= entry & PTE_NX ? 0 : RIGHT_X;
	return rights & allowed;
}

/* The bits of a page's entry that choose its memory type. */
static inline uint64_t entry_memory_bits(unsigned int level)
{
	return PTE_PWT | PTE_PCD | (level == 1 ? PTE_PS : PTE_PAT_LARGE);
}

static inline unsigned int entry_pat_index(unsigned int level, uint64_t entry)
{
	uint64_t pat = level == 1 ? PTE_PS : PTE_PAT_LARGE;

	return (entry & PTE_PWT ? 1 : 0) | (entry & PTE_PCD ? 2 : 0) | (entry & pat ? 4 : 0);
}

/* The protection key of a page's entry (SDM vol. 3A 4.6.2). */
static inline unsigned int entry_key(uint64_t entry)
{
	return (entry & PTE_KEY) >> PTE_KEY_SHIFT;
}

#endif
