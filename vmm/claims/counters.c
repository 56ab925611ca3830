/* SPDX-License-Identifier: MIT */
/*
 * counters.c: the guest's counters and its policy.
 */
#include "claims/reader.h"

#include <assert.h>

#define VM_STATS (sizeof(((struct claims *)0)->vm_stat) / sizeof(uint64_t))

/* In the order of claims.stats. */
static const enum claim_type stats[] = {
	MEMBER_vmalloc_stats_allocations,    MEMBER_vmalloc_stats_frees,
	MEMBER_vmalloc_stats_refused,        MEMBER_vmalloc_stats_pages_mapped,
	MEMBER_vmalloc_stats_pages_unmapped, MEMBER_vmalloc_stats_purges,
	MEMBER_vmalloc_stats_areas_purged,   MEMBER_vmalloc_stats_pages_purged,
	MEMBER_vmalloc_stats_flush_full,     MEMBER_vmalloc_stats_flush_range,
	MEMBER_vmalloc_stats_flush_pages,
};

static_assert(sizeof(stats) / sizeof(stats[0]) == sizeof(((struct claims *)0)->stats) / sizeof(uint64_t),
	      "one member per counter");

/* vm_stat[] has no structure that gives the size of a counter: all have the same. */
static void vm_stat_add(struct reader *reader, const uint8_t *copy)
{
	const struct type_member *member = &reader->layout->types[MEMBER_cpu_cache_vm_stat];
	uint32_t size = member->size / VM_STATS;

	if ((size != 4 && size != 8) || size * VM_STATS != member->size)
		return reader_damage(reader, "V13", reader->layout->roots[ROOT_cpu_caches].gva, size,
				     "cpu_cache.vm_stat: not %zu counters", VM_STATS);
	for (size_t i = 0; i < VM_STATS; i++)
		reader->out->vm_stat[i] += layout_number(copy + member->offset + i * size, size);
}

void cpu_read_counters(struct reader *reader, const uint8_t *copy)
{
	vm_stat_add(reader, copy);
	reader->out->buddy_blocks_sum +=
		layout_value(reader->layout, MEMBER_cpu_cache_buddy_blocks_sum, copy);
	copy += reader->layout->types[MEMBER_cpu_cache_stats].offset;
	for (size_t i = 0; i < sizeof(stats) / sizeof(stats[0]); i++)
		reader->out->stats[i] += layout_value(reader->layout, stats[i], copy);
}

void read_policy(struct reader *reader)
{
	reader->out->policy = (uint32_t)reader_root(reader, ROOT_vmalloc_policy, "V9");
}
