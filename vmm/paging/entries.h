/* SPDX-License-Identifier: MIT */
/*
 * entries.h: the loops over the entries of a table, in the widest vectors that the processor has.
 */
#ifndef VMM_PAGING_ENTRIES_H
#define VMM_PAGING_ENTRIES_H

#include "base/x86.h"

#include <stdint.h>

/* Entries that a loop may read beyond those that it is called for, and list elements that it may write. */
#define ENTRIES_SPARE 8

/* Neighbouring leaves, compared. */
struct entries_tally {
	uint64_t differ; /* the compared bits that are not equal in all entries */
	unsigned int
		jumps; /* leaves after the first that are not physically contiguous with the leaf before */
};

struct entries_loops {
	const char *name;
	/*
	 * Copies a table, each entry of which is read once, and lists the entries after the first that differ from
	 * the one before in a bit of `alike`. Returns how many; ENTRIES_SPARE elements after them may be written.
	 * Prefetches the table at `ahead`.
	 */
	unsigned int (*take)(uint64_t *to, const uint64_t *from, const void *ahead, uint64_t alike,
			     uint16_t *list);
	/*
	 * Compares `bits` and addresses of leaves of `size` bytes, at least one. ENTRIES_SPARE entries after the last
	 * may be read, too, but change nothing.
	 */
	struct entries_tally (*tally)(const uint64_t *entries, unsigned int count, uint64_t size,
				      uint64_t bits);
};

/* By width; all do the same. */
enum entries_width {
	ENTRIES_PLAIN,
	ENTRIES_AVX2,
	ENTRIES_AVX512,
	ENTRIES_WIDTHS,
};

/* NULL if the processor does not have the instructions. */
const struct entries_loops *entries_loops_of(enum entries_width width);

/* The fastest. */
const struct entries_loops *entries_loops(void);

#endif
