/* SPDX-License-Identifier: MIT */
/*
 * check.h: parts of check_machine(): the claims of the memory manager against the page tables, inside one
 * process. Written from the invariants (V1 to V6, V8, V9, V13), not from the code under test.
 */
#ifndef TESTS_UNIT_MM_CHECK_H
#define TESTS_UNIT_MM_CHECK_H

#include "sim.h"

#define FRAMES (SIM_RAM_END >> PAGE_SHIFT)

/* Counts of what the checks have found. */
struct census {
	u8 owner[FRAMES]; /* 0: none found yet; PAGE_FREE for fresh frames too */
	u64 nr[8];        /* frames by owner */
	u64 areas;        /* mapped: live, or freed by vfree_atomic() */
	u64 deferred;     /* of these, freed by vfree_atomic() */
	u64 free_ranges, cached;
	u64 lazy_areas, flushed_areas;    /* unmapped areas, before and after their flush */
	u64 leaves, aliases;              /* mapped pages; of these, pages of VM_MAP areas */
	u64 vmap_blocks, areas_in_blocks; /* live mappings in vmap blocks */
	u64 unmapped_in_blocks;           /* unmapped mappings in vmap blocks */
	u64 flushed_in_blocks;            /* of these, in blocks that were flushed */
};

/* ---- check_frames.c: V4, V13 ---- */

/* Records the owner of a frame, which must have none yet. */
void own(struct census *census, u64 pfn, u8 owner);

/* own() for a chain of nr frames. blocks: it may begin with buddy blocks of 2M. */
void own_chain(struct census *census, u32 pfn, u64 nr, u8 owner, bool blocks);

void check_zones(struct census *census);
void check_pcp(struct census *census);
void check_allocated(struct census *census);

/* busy: nodes of the busy tree. */
void check_caches(struct census *census, u64 busy);

/* After all others: every frame of RAM that is not reserved has an owner. */
void check_all_owned(const struct census *census);

/* ---- check_areas.c: V1 to V3, V5, V6 ---- */

/* Owns the tables below the top one and counts leaves. */
void check_tables(struct census *census, const u64 *table, u32 level);

/* A live area; a vmap block. */
void check_live(struct census *census, const struct vmap_area *va);
void check_vmap_block(struct census *census, const struct vmap_area *va);

/* ---- check_ranges.c: V8 ---- */

/* The ranges of the two trees together cover the space once. */
void check_cover(struct census *census);

/* The lists of each CPU. */
void check_cpus(struct census *census);

/* ---- check_tlb.c: V9 ---- */

/* Where the TLB and the page tables differ, neither frame (strict) nor range has been reused. */
void check_tlb(const struct census *census, const struct sim_cpu *cpu);

#endif
