/* SPDX-License-Identifier: MIT */
/*
 * statistics.h: event counters of vmalloc. Each CPU has a struct vmalloc_stats; only the sum over all CPUs has
 * a meaning, since one CPU frees what another one allocated.
 */
#ifndef KVMAP_STATISTICS_H
#define KVMAP_STATISTICS_H

#include <stdint.h>

/*
 * X(structure, counter). Counts since boot; pages_... in pages. flush_full counts flushes of the whole TLB,
 * flush_range flushes page by page, flush_pages their INVLPG instructions.
 */
#define KVMAP_VMALLOC_STATS(X, structure)                                                                    \
	X(structure, allocations)                                                                            \
	X(structure, frees)                                                                                  \
	X(structure, refused)                                                                                \
	X(structure, pages_mapped)                                                                           \
	X(structure, pages_unmapped)                                                                         \
	X(structure, purges)                                                                                 \
	X(structure, areas_purged)                                                                           \
	X(structure, pages_purged)                                                                           \
	X(structure, flush_full)                                                                             \
	X(structure, flush_range)                                                                            \
	X(structure, flush_pages)

#define KVMAP_STATISTIC(structure, counter) uint64_t counter;
struct vmalloc_stats {
	KVMAP_VMALLOC_STATS(KVMAP_STATISTIC, vmalloc_stats)
};
#undef KVMAP_STATISTIC

#endif
