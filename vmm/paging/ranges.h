/* SPDX-License-Identifier: MIT */
/*
 * ranges.h: every mapped range of a guest, merged: the memory map.
 */
#ifndef VMM_PAGING_RANGES_H
#define VMM_PAGING_RANGES_H

#include "base/array.h"
#include "paging/walk.h"

/* X(member, bit): bits that are counted over the leaves of a range. A row of report/map_columns.c shows one. */
#define RANGE_COUNTED_BITS(X)                                                                                \
	X(accessed, PTE_A)                                                                                   \
	X(dirty, PTE_D)

#define RANGE_COUNTER(name, bit) uint64_t name;

/* Virtually contiguous leaves of one page size, rights, memory type and protection key. */
struct range {
	uint64_t gva;
	uint64_t size;
	uint64_t gpa;      /* of the first page */
	uint64_t last_gpa; /* of the last page */
	uint64_t page_size;
	unsigned int rights;
	unsigned int pat_index; /* memory type, as in struct walk_run */
	unsigned int key;
	uint64_t leaves;
	uint64_t runs; /* physically contiguous runs: 1 = contiguous, leaves = scattered page by page */
	RANGE_COUNTED_BITS(RANGE_COUNTER) /* leaves that have the bit */
};

struct ranges {
	ARRAY_OF(struct range);
	uint64_t leaves; /* in all ranges */
	uint64_t
		tables; /* page-table pages entered, one that is mapped several times once per level and rights */
	uint64_t damaged; /* entries that lead nowhere */
	bool cut_short;   /* the limit of the scan, or RANGES_MAX, was met */
};

/* Hostile tables make no longer list than this. */
#define RANGES_MAX (1u << 22)

/* Addresses, sorted: a uint64_t every `stride` bytes, such as a member of an array of structures. */
struct ranges_breaks {
	const uint64_t *first;
	size_t stride, count;
};

/* Takes each range, in order of GVA. Nonzero: memory is out. The range is valid until it returns. */
struct ranges_sink {
	int (*range)(void *context, const struct range *range);
	void *context;
};

/*
 * Merges the leaves of [start, end], both inclusive. Ranges also end where `breaks` (may be NULL) has an address, so
 * that neighbouring areas stay apart; a break inside a large page takes effect at its end. totals_out: the counts,
 * without items. -1 only when memory is out, of the sink too; damaged tables are counted.
 */
int ranges_visit(const struct view *view, const struct walk_mode *mode, uint64_t start, uint64_t end,
		 const struct ranges_breaks *breaks, const struct ranges_sink *sink,
		 struct ranges *totals_out, struct error *error);

/* The same as a list, to be destroyed. breaks may be NULL. */
int ranges_collect(const struct view *view, const struct walk_mode *mode, uint64_t start, uint64_t end,
		   const uint64_t *breaks, size_t break_count, struct ranges *out, struct error *error);
void ranges_destroy(struct ranges *ranges);

#endif
