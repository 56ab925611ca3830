/* SPDX-License-Identifier: MIT */
/*
 * percpu.c: the data of all CPUs, and sums over them.
 */
#include "mm/percpu.h"

struct cpu_cache cpu_caches[NR_CPUS];

void vmalloc_stats_sum(struct vmalloc_stats *out)
{
	u64 *sums = (u64 *)out;

	for (u32 i = 0; i < sizeof(*out) / sizeof(*sums); i++) {
		sums[i] = 0;
		for (u32 cpu = 0; cpu < NR_CPUS; cpu++)
			sums[i] += READ_ONCE(((u64 *)&cpu_caches[cpu].stats)[i]);
	}
}
