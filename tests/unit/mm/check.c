/* SPDX-License-Identifier: MIT */
/*
 * check.c: everything that the memory manager knows, compared.
 */
#include "check.h"

#include "../../rbtree_walk.h"

#include "arch/x86_64/pgtable.h"

#include <criterion/criterion.h>
#include <string.h>

/* live: frames of areas that are mapped. */
static void check_counters(const struct census *census, u64 live)
{
	cr_assert_eq(census->leaves, live + census->aliases, "%lu pages are mapped, areas have %lu",
		     census->leaves, live);
	cr_assert_eq(vm_stat_sum(NR_FREE_PAGES), census->nr[PAGE_FREE]);
	cr_assert_eq(vm_stat_sum(NR_SLAB_PAGES), census->nr[PAGE_SLAB]);
	cr_assert_eq(vm_stat_sum(NR_PAGETABLE_PAGES), census->nr[PAGE_TABLE]);
	cr_assert_eq(vm_stat_sum(NR_VMALLOC_PAGES), live);
	cr_assert_eq(vm_stat_sum(NR_KMALLOC_PAGES), census->nr[PAGE_KMALLOC]);
	cr_assert_eq(vm_stat_sum(NR_LAZY_PAGES), census->nr[PAGE_VMALLOC] - live);
	cr_assert_eq(stats().pages_mapped - stats().pages_unmapped, live + census->aliases);
	cr_assert_eq(stats().allocations - stats().frees, census->areas + census->areas_in_blocks);
	cr_assert_eq(stats().frees - stats().areas_purged,
		     census->lazy_areas + census->unmapped_in_blocks - census->flushed_in_blocks);
}

void check_machine(void)
{
	static struct census census;
	struct rb_node *node;
	u64 live, busy;

	memset(&census, 0, sizeof(census));
	check_zones(&census);
	check_cover(&census);
	busy = check_tree(&vmap_area_root, false);
	cr_assert_eq(check_tree(&free_vmap_area_root, true), census.free_ranges);
	for (node = rb_first(&vmap_area_root); node; node = rb_next(node)) {
		const struct vmap_area *va = container_of(node, struct vmap_area, rb_node);

		if (va->state == VMAP_LIVE || va->state == VMAP_DEFERRED)
			check_live(&census, va);
		if (va->state == VMAP_BLOCK)
			check_vmap_block(&census, va);
		census.deferred += va->state == VMAP_DEFERRED;
	}
	live = census.nr[PAGE_VMALLOC];
	check_cpus(&census);
	cr_assert_eq(busy, census.areas + census.lazy_areas + census.flushed_areas + census.cached +
				   census.vmap_blocks);
	check_allocated(&census);
	check_pcp(&census);
	own_chain(&census, held_pages, vm_stat_sum(NR_HELD_PAGES), PAGE_HELD, false);
	check_tables(&census, init_top_pgt, 4);
	check_caches(&census, busy);
	check_all_owned(&census);
	/* The TLB of a CPU that flushes before anything else may hold anything. */
	for (u32 cpu = 0; cpu < SIM_CPUS; cpu++)
		if (sim_cpus[cpu].state != CPU_IDLE_STALE)
			check_tlb(&census, &sim_cpus[cpu]);
	check_counters(&census, live);
}
