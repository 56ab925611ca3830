/* SPDX-License-Identifier: MIT */
/*
 * bounds.h: the most that a CPU keeps for itself, and that a cache keeps empty (docs/memory-manager.md, Many CPUs and
 * Objects). The host compares: V13.
 */
#ifndef KVMAP_BOUNDS_H
#define KVMAP_BOUNDS_H

#include "kvmap/layout.h"

#include <stdint.h>

/* Single frames of a CPU: of pcp, and of pcp_zero. */
#define PCP_HIGH  128
#define PCP_BATCH 64

/* Pages of the largest ranges that are cached; cached ranges of one size; cached vmap blocks. */
#define VMAP_CACHED_PAGES      32
#define VMAP_CACHED_MAX        256
#define VMAP_CACHED_BLOCKS_MAX 2

/* Bytes of the free objects of one cache on a CPU's list, within bounds in objects. */
#define CPU_LIST_BYTES 16384
#define CPU_LIST_MIN   4
#define CPU_LIST_MAX   128

/* The most free objects of that size; a new slab's objects all go to the list, however many. */
static inline uint32_t cpu_list_limit(uint32_t object_size)
{
	uint32_t limit = CPU_LIST_BYTES / object_size;

	return limit < CPU_LIST_MIN ? CPU_LIST_MIN : limit > CPU_LIST_MAX ? CPU_LIST_MAX : limit;
}

/* Empty slabs that a class of kmalloc() keeps, as Linux's min_partial. */
#define EMPTY_SLABS_KEPT 4

/*
 * Ranges, and pages, that wait for a TLB flush: a CPU flushes as soon as it has that many. Shared by 64 ranges the cost of
 * a flush is negligible. The pages bound the memory that is lazily freed under `strict`: 2 MiB and one area.
 */
#define LAZY_MAX_AREAS 64
#define LAZY_MAX_PAGES 512

/*
 * With several CPUs a flush interrupts all of them, so that each may have more pages lazily freed, as in Linux; all
 * together at most this fraction of memory.
 */
#define LAZY_MEMORY_SHIFT 3

/* LAZY_MAX_PAGES with that many CPUs, not 0, and managed frames. */
static inline uint64_t lazy_max_pages(uint64_t frames, uint32_t cpus)
{
	uint64_t pages = LAZY_MAX_PAGES * (32 - (uint64_t)__builtin_clz(cpus));
	uint64_t share = (frames >> LAZY_MEMORY_SHIFT) / cpus;

	if (pages > share)
		pages = share;
	return pages > LAZY_MAX_PAGES ? pages : LAZY_MAX_PAGES;
}

#endif
