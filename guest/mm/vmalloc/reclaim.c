/* SPDX-License-Identifier: MIT */
/*
 * reclaim.c: what is done before a request is refused: what CPUs keep for themselves goes back, then what is
 * lazily freed.
 */
#include "mm/reclaim.h"

#include "mm/page/buddy.h"
#include "mm/slab/slab.h"
#include "mm/vmalloc/vmap.h"

/* Least pages that reclaim_pages() frees if there are as many. */
#define RECLAIM_PAGES 64

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
	spin_lock(&cpu_drain_lock);
	arch_hold_forbid();
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

/* Frees this CPU's cached ranges. False if there were none. */
static bool own_ranges_drain(void)
{
	bool found = vmap_cached_drain(this_cpu_cache());

	return vmap_blocks_drain(this_cpu_cache()) || found;
}

bool reclaim_pages(u32 pages)
{
	return !READ_ONCE(fail_alloc_now) && vmap_reclaim(pages > RECLAIM_PAGES ? pages : RECLAIM_PAGES);
}

/* reclaim_memory(); `ranges`: also the cached ranges of all CPUs. */
static bool reclaim_all(bool ranges)
{
	bool found;
	u32 areas;

	if (READ_ONCE(fail_alloc_now))
		return false;
	found = cpus_drain(ranges);
	found |= vmap_purge_all(&areas);
	return (ranges && own_ranges_drain()) || found;
}

bool reclaim_memory(void)
{
	return reclaim_all(false);
}

bool vmalloc_reclaim(enum reclaim_step *step, u32 status, u32 pages)
{
	bool found = false, ranges = status == KVMAP_REFUSED_NO_SPACE;

	while (!found && *step < RECLAIM_DONE) {
		switch ((*step)++) {
		case RECLAIM_SOME: found = !ranges && reclaim_pages(pages); break;
		case RECLAIM_ALL:
			found = reclaim_all(ranges);
			if (ranges)
				*step = RECLAIM_DONE;
			break;
		default: found = !READ_ONCE(fail_alloc_now) && cpus_drain(true);
		}
	}
	return found;
}

u32 vmalloc_purge(void)
{
	u32 areas;

	vmap_purge_all(&areas);
	own_ranges_drain();
	return areas;
}
