/* SPDX-License-Identifier: MIT */
/*
 * broken.c: the program of program.c with one root or structure that the host must refuse. BROKEN is its
 * number.
 */
#define MAX_PFN   1
#define TLB_STATS 2
#define MEMBLOCK  3
#define REGIONS   4
#define ZONES     5

#if BROKEN == MAX_PFN
#define max_pfn good_max_pfn
#elif BROKEN == TLB_STATS
#define tlb_stats good_tlb_stats
#elif BROKEN == MEMBLOCK || BROKEN == REGIONS
#define memblock good_memblock
#elif BROKEN == ZONES
#define zones good_zones
#endif

#include "program.c"

#if BROKEN == MAX_PFN
#undef max_pfn
u8 max_pfn[3]; /* not a number */

#elif BROKEN == TLB_STATS
#undef tlb_stats
struct tlb_stats {
	u64 rounds[3]; /* not a number */
	u64 ipis, idle_skipped;
} tlb_stats;

#elif BROKEN == MEMBLOCK
#undef memblock
struct memblock {
	u32 nr_memory;
	u32 nr_reserved;
	struct memblock_region memory[MEMBLOCK_REGIONS];
	struct memblock_region reserved[MEMBLOCK_REGIONS];
} memblock[2]; /* larger than its type */

#elif BROKEN == REGIONS
#undef memblock
struct memblock {
	u32 nr_memory;
	u32 nr_reserved;
	struct memblock_region memory[MEMBLOCK_REGIONS];
	struct memblock_region reserved[MEMBLOCK_REGIONS + 1]; /* more than the host has room for */
} memblock;

#elif BROKEN == ZONES
#undef zones
struct zone zones[MAX_NR_ZONES + 2]; /* more than the host has room for */
#endif
