/* SPDX-License-Identifier: MIT */
/*
 * reclaim.c: what is done before a request is refused: what CPUs keep for themselves goes back, then what is
 * lazily freed.
 */
#include "mm/reclaim.h"

#include "mm/page/buddy.h"
#include "mm/slab/slab.h"
#include "mm/vmalloc/vmap.h"

struct spinlock cpu_drain_lock;

/* Frees what a CPU keeps: this CPU, or one that is held. False if that was nothing. */
static bool cpu_drain(struct cpu_cache *cpu, bool ranges)
{
	bool found = false;

	vmap_block_retire_idle(cpu);
	if (ranges) {
		found |= vmap_cached_drain(cpu);
		found |= vmap_blocks_drain(cpu);
	}
	found |= kmem_drain_cpu(cpu);
	found |= pcp_drain_cpu(cpu);
	return found;
}

static bool others_drain(bool ranges)
{
	bool found = false;

	/* The CPU that has the lock may hold this one, which therefore does not only wait for it. */
	arch_hold_allow();
	while (!spin_trylock(&cpu_drain_lock))
		arch_relax();
	arch_hold_forbid();
	cpu_drain_lock.acquired++;
	for (u32 cpu = 0; cpu < arch_nr_cpus; cpu++) {
		if (cpu == arch_cpu() || !arch_hold_cpu(cpu))
			continue;
		found |= cpu_drain(&cpu_caches[cpu], ranges);
		arch_release_cpu(cpu);
	}
	spin_unlock(&cpu_drain_lock);
	return found;
}

/* Frees what CPUs keep; `ranges`: cached ranges, too. False if that was nothing. */
static bool cpus_drain(bool ranges)
{
	bool found = arch_nr_cpus > 1 && others_drain(ranges);

	return cpu_drain(this_cpu_cache(), ranges) || found;
}

bool reclaim_memory(void)
{
	bool found;

	if (READ_ONCE(fail_alloc_now))
		return false;
	found = cpus_drain(false);
	return vmap_purge_all() || found;
}

bool vmalloc_reclaim_ranges(void)
{
	return !READ_ONCE(fail_alloc_now) && cpus_drain(true);
}

bool vmalloc_reclaim(u32 status)
{
	bool found = reclaim_memory();

	return (status == KVMAP_REFUSED_NO_SPACE && vmalloc_reclaim_ranges()) || found;
}

u32 vmalloc_purge(void)
{
	u32 areas = vmap_purge_all();

	vmap_cached_drain(this_cpu_cache());
	vmap_blocks_drain(this_cpu_cache());
	return areas;
}
