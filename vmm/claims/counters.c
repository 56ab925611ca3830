/* SPDX-License-Identifier: MIT */
/*
 * counters.c: the guest's counters and its policy.
 */
#include "claims/reader.h"

static void vm_stat_add(struct reader *reader, const uint8_t *copy)
{
	const struct type_member *member = &reader->layout->types[MEMBER_cpu_cache_vm_stat];

	for (uint32_t i = 0; i < member->size / sizeof(uint64_t); i++)
		reader->out->vm_stat[i] +=
			layout_number(copy + member->offset + i * sizeof(uint64_t), sizeof(uint64_t));
}

void cpu_read_counters(struct reader *reader, const uint8_t *copy)
{
	vm_stat_add(reader, copy);
	reader->out->buddy_blocks_sum +=
		layout_value(reader->layout, MEMBER_cpu_cache_buddy_blocks_sum, copy);
	reader->out->kmalloc_sum += layout_value(reader->layout, MEMBER_cpu_cache_kmalloc_sum, copy);
	copy += reader->layout->types[MEMBER_cpu_cache_stats].offset;
#define ADD_STATISTIC(structure, counter)                                                                    \
	reader->out->stats.counter += layout_value(reader->layout, MEMBER_##structure##_##counter, copy);
	KVMAP_VMALLOC_STATS(ADD_STATISTIC, vmalloc_stats)
}

void read_policy(struct reader *reader)
{
	reader->out->policy = (uint32_t)reader_root(reader, ROOT_vmalloc_policy, "V9");
}
