/* SPDX-License-Identifier: MIT */
/*
 * page.h: page sizes of x86-64 by paging level, and rounding to pages. Levels count from 1, the table that
 * maps 4K pages. The tables of the second stage have the same geometry (SDM vol. 3A 4.5 and 28.3.2, APM vol. 2
 * 5.3).
 */
#ifndef VMM_BASE_PAGE_H
#define VMM_BASE_PAGE_H

#include <stdint.h>

#define PAGE_4K (UINT64_C(1) << 12)
#define PAGE_2M (UINT64_C(1) << 21)
#define PAGE_1G (UINT64_C(1) << 30)

#define PAGE_TABLE_ENTRIES 512

/* Bits of an address below those that index the table at `level` (1 to 6): 12, 21, 30, 39, 48, 57. */
static inline unsigned int page_level_shift(unsigned int level)
{
	return 12 + 9 * (level - 1);
}

/* Bytes that one entry at `level` translates. */
static inline uint64_t page_level_size(unsigned int level)
{
	return UINT64_C(1) << page_level_shift(level);
}

/* Index of the entry that translates `address` in the table at `level`. */
static inline unsigned int page_level_index(uint64_t address, unsigned int level)
{
	return (address >> page_level_shift(level)) % PAGE_TABLE_ENTRIES;
}

/* The bits of an address that tables of that many levels translate, sign-extended (SDM vol. 1 3.3.7.1). */
static inline uint64_t page_canonical(unsigned int levels, uint64_t address)
{
	unsigned int unused = 64 - page_level_shift(levels + 1);

	return (uint64_t)((int64_t)(address << unused) >> unused);
}

/* size: a power of two. */
static inline uint64_t page_round_down(uint64_t address, uint64_t size)
{
	return address & ~(size - 1);
}

/* The same upwards; wraps to 0 above the last multiple of `size`. */
static inline uint64_t page_round_up(uint64_t address, uint64_t size)
{
	return page_round_down(address + size - 1, size);
}

/* "4K", "2M" or "1G": the largest of them that is not above `size`. */
const char *page_size_name(uint64_t size);

#endif
