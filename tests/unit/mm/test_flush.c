/* SPDX-License-Identifier: MIT */
/*
 * test_flush.c: the guarantees of each policy about memory that a TLB may still map, with a TLB that does.
 */
#include "sim.h"

#include <criterion/criterion.h>

extern struct tlb_flush tlb_flush_log[TLB_FLUSH_LOG];

static unsigned long area_touched(unsigned long pages)
{
	unsigned long a = (unsigned long)vmalloc(pages * PAGE_SIZE);

	cr_assert_neq(a, 0);
	for (unsigned long i = 0; i < pages; i++)
		cr_assert(sim_write(a + i * PAGE_SIZE, a + i));
	return a;
}

Test(flush, strict_gives_neither_range_nor_frames_away_before_the_flush)
{
	unsigned long a, b;
	u64 value;

	sim_boot(KVMAP_POLICY_STRICT);
	a = area_touched(4);
	vfree((void *)a);
	cr_assert_eq(vm_stat_sum(NR_LAZY_PAGES), 4);
	b = area_touched(4);
	cr_assert_neq(a, b);
	cr_assert(sim_write(a, 0xdead), "the stale entry is still there");
	for (unsigned long i = 0; i < 4; i++)
		cr_assert(sim_read(b + i * PAGE_SIZE, &value) && value == b + i);
	check_machine();

	cr_assert_eq(vmalloc_purge(), 1);
	cr_assert_eq(vm_stat_sum(NR_LAZY_PAGES), 0);
	cr_assert_not(sim_read(a, &value), "after the flush it faults");
	cr_assert_eq(area_touched(4), a);
	check_machine();
}

Test(flush, lazy_keeps_only_the_range)
{
	unsigned long a, b, stale = 0;

	sim_boot(KVMAP_POLICY_LAZY);
	a = area_touched(4);
	vfree((void *)a);
	cr_assert_eq(vm_stat_sum(NR_LAZY_PAGES), 0);
	b = area_touched(4);
	cr_assert_neq(a, b);
	for (unsigned long i = 0; i < 4; i++)
		for (unsigned long k = 0; k < 4; k++)
			stale += arch_virt_to_phys(b + i * PAGE_SIZE) >> PAGE_SHIFT ==
				 sim_tlb[((a - KVMAP_VMALLOC_START) >> PAGE_SHIFT) + k] - 1ul;
	cr_assert_eq(stale, 4,
		     "the frames are used again at once, which is what makes this policy less than strict");
	check_machine();
	cr_assert_eq(vmalloc_purge(), 1);
	cr_assert_eq(area_touched(4), a);
	check_machine();
}

Test(flush, eager_flushes_at_every_vfree)
{
	unsigned long a;
	u64 value;

	sim_boot(KVMAP_POLICY_EAGER);
	a = area_touched(1);
	vfree((void *)a);
	cr_assert_not(sim_read(a, &value));
	cr_assert_null(cpu_caches[0].lazy.purge_list);
	cr_assert_eq(stats().flush_range, 1);
	a = area_touched(100);
	vfree((void *)a);
	cr_assert_not(sim_read(a, &value));
	cr_assert_eq(stats().flush_full, 1);
	cr_assert_eq(vmalloc_purge(), 0);
	check_machine();
}

Test(flush, one_flush_serves_many_vfrees)
{
	sim_boot(KVMAP_POLICY_STRICT);
	for (int i = 0; i < 640; i++)
		vfree((void *)area_touched(1));
	cr_assert_leq(stats().flush_full, 10);
	cr_assert_geq(stats().flush_full, 1);
	cr_assert_eq(stats().flush_range, 0);
	check_machine();
}

Test(flush, what_waits_is_bounded)
{
	sim_boot(KVMAP_POLICY_STRICT);
	vfree((void *)area_touched(600));
	cr_assert_null(cpu_caches[0].lazy.purge_list, "an area that large is flushed at once");
	for (int i = 0; i < 200; i++) {
		vfree((void *)area_touched(7));
		cr_assert_leq(vm_stat_sum(NR_LAZY_PAGES), 512);
	}
}

Test(flush, a_few_pages_are_flushed_one_by_one)
{
	unsigned long a, b;
	u64 value;

	sim_boot(KVMAP_POLICY_STRICT);
	a = area_touched(1);
	b = area_touched(1);
	vfree((void *)a);
	vfree((void *)b);
	vmalloc_purge();
	cr_assert_eq(stats().flush_range, 2);
	cr_assert_eq(stats().flush_pages, 2);
	cr_assert_eq(stats().flush_full, 0);
	cr_assert(!sim_read(a, &value) && !sim_read(b, &value));
	check_machine();
}

Test(flush, stamps_show_a_flush_between_unmapping_and_reuse)
{
	unsigned long a;
	struct vmap_area *va;
	const struct page *page;
	const struct tlb_flush *flush;

	sim_boot(KVMAP_POLICY_STRICT);
	a = area_touched(4);
	sim_leave_free(0); /* so that it gets its own frames again */
	vfree((void *)a);
	vmalloc_purge();
	cr_assert_eq(area_touched(4), a);
	cr_assert_eq(tlb_gen, 2, "the unmapping and the flush");
	cr_assert_eq(tlb_flush_log[1].cpu, TLB_FLUSH_UNMAP);
	cr_assert_eq(tlb_flush_log[1].start, a);
	cr_assert_eq(tlb_flush_log[1].end, a + 4 * PAGE_SIZE);
	flush = &tlb_flush_log[2];
	cr_assert_eq(flush->cpu, 0);
	va = vmap_busy_find(a);
	cr_assert(va->unmapped == tlb_flush_log[1].stamp && va->unmapped < flush->stamp &&
		  flush->stamp <= va->allocated);
	page = pfn_to_page(va->vm->pages);
	cr_assert(page->unmapped == va->unmapped && flush->stamp <= page->allocated);
}

Test(flush, the_log_tells_flushes_from_unmappings_after_its_ring_has_gone_round)
{
	sim_boot(KVMAP_POLICY_EAGER);
	while (tlb_gen <= TLB_FLUSH_LOG + 8) {
		/* unmappings and flushes alternate; the odd event swaps their places in the log */
		if (tlb_gen == TLB_FLUSH_LOG)
			arch_flush_ranges(NULL, 0);
		vfree((void *)area_touched(1));
		cr_assert_eq(tlb_flush_log[(tlb_gen - 1) % TLB_FLUSH_LOG].cpu, TLB_FLUSH_UNMAP);
		cr_assert_eq(tlb_flush_log[tlb_gen % TLB_FLUSH_LOG].cpu, 0,
			     "flush number %u is logged as an unmapping", tlb_gen);
	}
}

/* CPU 0 and CPU 1 take turns in one thread; the other one is halted. */
static void turn_to(u32 cpu)
{
	sim_cpu_stop();
	sim_cpu_start(cpu);
}

Test(flush, a_full_flush_serves_what_other_cpus_had_unmapped_before)
{
	unsigned long first, second;
	u64 purges, freed;

	sim_boot(KVMAP_POLICY_STRICT);
	arch_nr_cpus = 2;
	first = area_touched(300);
	second = area_touched(300);
	vfree((void *)first);
	purges = stats().purges;
	turn_to(1);
	vfree((void *)area_touched(600));
	cr_assert_eq(stats().purges, purges + 1, "that is more than may wait");
	turn_to(0);
	check_machine();
	cr_assert_neq(cpu_caches[0].lazy.purge_list, NULL);
	freed = stats().areas_purged;
	vfree((void *)second);
	cr_assert_eq(stats().purges, purges + 1, "half of the 600 pages has been flushed already");
	cr_assert_eq(stats().areas_purged, freed + 1);
	cr_assert_eq(cpu_caches[0].lazy.areas, 1);
	cr_assert_eq(cpu_caches[0].lazy.pages, 300);
	check_machine();
}

Test(flush, a_full_flush_serves_nothing_that_was_unmapped_after_it_began)
{
	unsigned long area;

	sim_boot(KVMAP_POLICY_STRICT);
	arch_nr_cpus = 2;
	area = area_touched(600);
	turn_to(1);
	vfree((void *)area_touched(600));
	cr_assert_eq(stats().purges, 1);
	turn_to(0);
	vfree((void *)area);
	cr_assert_eq(stats().purges, 2);
	check_machine();
}

Test(flush, the_host_is_told_of_the_log_before_anything_in_it_is_written_again)
{
	u64 taken = 0;

	sim_boot(KVMAP_POLICY_EAGER);
	while (stats().flush_range < 10000) {
		vfree((void *)area_touched(1));
		if (sim_log_taken != taken)
			cr_assert_leq(tlb_gen % TLB_FLUSH_LOG_HALF, 1, "at %u", tlb_gen);
		taken = sim_log_taken;
		cr_assert_eq(taken, tlb_gen / TLB_FLUSH_LOG_HALF);
	}
}

Test(flush, what_waits_is_purged_before_an_allocation_fails)
{
	unsigned long a;
	u64 pages;

	sim_boot(KVMAP_POLICY_STRICT);
	sim_leave_free(300);
	a = area_touched(200);
	vfree((void *)a);
	pages = vm_stat_sum(NR_LAZY_PAGES);
	cr_assert_eq(pages, 200);
	cr_assert_eq(stats().purges, 0);
	cr_assert_eq(area_touched(200), a);
	cr_assert_eq(stats().purges, 1);
	cr_assert_eq(stats().refused, 0);
	check_machine();
}

Test(flush, a_flushed_range_of_a_common_size_is_used_again_without_the_trees)
{
	struct rb_root busy, free;
	unsigned long a, b;
	u32 objects;

	sim_boot(KVMAP_POLICY_EAGER);
	a = area_touched(3);
	b = area_touched(3);
	vfree((void *)a);
	check_machine();
	busy = vmap_area_root;
	free = free_vmap_area_root;
	objects = objects_in_use(&vmap_area_cache);
	cr_assert_eq(cpu_caches[0].cached[3].nr, 1);
	cr_assert_eq(area_touched(3), a);
	cr_assert_eq(cpu_caches[0].cached[3].nr, 0);
	cr_assert(vmap_area_root.rb_node == busy.rb_node && free_vmap_area_root.rb_node == free.rb_node);
	cr_assert_eq(objects_in_use(&vmap_area_cache), objects);
	check_machine();
	vfree((void *)a);
	vfree((void *)b);
	vm_unmap_aliases();
	cr_assert_gt(cpu_caches[0].cached[3].nr, 0, "it costs by what waits, not by what is kept");
	check_machine();
	vmalloc_purge();
	cr_assert_eq(cpu_caches[0].cached[3].nr, 0, "an explicit purge keeps nothing");
	cr_assert_null(vmap_area_root.rb_node);
	check_machine();
}

Test(flush, cached_ranges_are_bounded)
{
	static unsigned long areas[600];

	sim_boot(KVMAP_POLICY_EAGER);
	for (int i = 0; i < 600; i++)
		areas[i] = area_touched(1);
	for (int i = 0; i < 600; i++)
		vfree((void *)areas[i]);
	cr_assert_eq(cpu_caches[0].cached[1].nr, 256);
	check_machine();
}

Test(flush, what_was_flushed_is_given_back_bit_by_bit)
{
	static unsigned long areas[64];
	u64 before;

	sim_boot(KVMAP_POLICY_STRICT);
	for (int i = 0; i < 64; i++)
		areas[i] = area_touched(7);
	for (int i = 0; i < 63; i++)
		vfree((void *)areas[i]);
	cr_assert_eq(vm_stat_sum(NR_LAZY_PAGES), 63 * 7);
	vfree((void *)areas[63]);
	cr_assert_eq(stats().purges, 1);
	cr_assert_eq(vm_stat_sum(NR_LAZY_PAGES), 60 * 7, "four ranges at a time");
	check_machine();
	for (int i = 0; i < 15; i++) {
		before = vm_stat_sum(NR_LAZY_PAGES);
		vfree((void *)area_touched(33)); /* of a size that is not cached */
		cr_assert_eq(vm_stat_sum(NR_LAZY_PAGES), before + 33 - 4 * 7);
		check_machine();
	}
	cr_assert_null(cpu_caches[0].lazy.flushed_list);
}

Test(flush, a_large_flushed_area_is_given_back_in_parts)
{
	unsigned long large;

	sim_boot(KVMAP_POLICY_STRICT);
	large = area_touched(500);
	vfree((void *)large);
	cr_assert_eq(stats().purges, 0);
	vfree((void *)area_touched(12));
	cr_assert_eq(stats().purges, 1);
	/* the newest first: 12 of the 140 pages are its own */
	cr_assert_eq(vm_stat_sum(NR_LAZY_PAGES), 500 - 128);
	check_machine();
	vfree((void *)area_touched(33));
	cr_assert_eq(vm_stat_sum(NR_LAZY_PAGES), 500 - 128 - (33 + 128) + 33);
	check_machine();
	vmalloc_purge();
	cr_assert_eq(vm_stat_sum(NR_LAZY_PAGES), 0);
	check_machine();
}

Test(flush, the_address_of_a_cached_range_is_known_as_freed)
{
	struct vmalloc_address what;
	unsigned long a;

	sim_boot(KVMAP_POLICY_EAGER);
	a = area_touched(2);
	vfree((void *)a);
	vmalloc_explain(a + PAGE_SIZE, false, &what);
	cr_assert_eq(what.kind, KVMAP_FAULT_FREED);
	cr_assert_eq(what.start, a);
	cr_assert_null(find_vm_area((void *)a));
	vfree((void *)a);
	cr_assert_eq(vmalloc_status(), KVMAP_REFUSED_DOUBLE_FREE);
	vfree((void *)(a + PAGE_SIZE));
	cr_assert_eq(vmalloc_status(), KVMAP_REFUSED_DOUBLE_FREE);
}
