/* SPDX-License-Identifier: MIT */
/*
 * test_flush.c: the guarantees of each policy about memory that a TLB may still map, with a TLB that does.
 */
#include "sim.h"

#include "mm/vmalloc/set_memory.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>

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
	va = sim_area(a);
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
			     "flush number %lu is logged as an unmapping", tlb_gen);
	}
}

static const u64 late_clocks[] = { 0x7ffffe00, 0xfffffe00, 1ul << 32, (1ul << 63) - 512, ~0ul - 20000 };

ParameterizedTestParameters(flush, a_clock_goes_on_beyond_32_bits)
{
	return cr_make_param_array(u64, (u64 *)late_clocks, ARRAY_SIZE(late_clocks));
}

/* As many flushes as with a clock that began at 0, and nothing used again before one. */
ParameterizedTest(const u64 *start, flush, a_clock_goes_on_beyond_32_bits)
{
	sim_boot(KVMAP_POLICY_STRICT);
	tlb_gen = *start;
	for (int i = 0; i < 3000; i++) {
		vfree((void *)area_touched(2));
		if (i % 100 == 0)
			check_machine();
	}
	cr_assert_eq(stats().flush_full, 46);
	cr_assert_eq(tlb_gen, *start + 3000 + 46);
	check_machine();
}

Test(flush, a_frame_may_lie_for_any_time_between_its_unmapping_and_its_reuse)
{
	unsigned long a;
	u32 pfn;

	sim_boot(KVMAP_POLICY_STRICT);
	a = area_touched(4);
	sim_leave_free(0);
	pfn = sim_area(a)->vm->pages;
	vfree((void *)a);
	vmalloc_purge();
	tlb_gen += (1ul << 31) + 1;
	cr_assert_eq(area_touched(4), a);
	cr_assert_lt(pfn_to_page(pfn)->unmapped, pfn_to_page(pfn)->allocated);
	check_machine();
	vfree((void *)a);
	vmalloc_purge();
	tlb_gen += 1ul << 40;
	cr_assert_eq(area_touched(4), a);
	cr_assert_lt(pfn_to_page(pfn)->unmapped, pfn_to_page(pfn)->allocated);
	check_machine();
}

ParameterizedTestParameters(flush, an_executable_area_is_flushed_when_it_is_freed)
{
	static const u32 policies[] = { KVMAP_POLICY_STRICT, KVMAP_POLICY_LAZY, KVMAP_POLICY_EAGER };

	return cr_make_param_array(u32, (u32 *)policies, ARRAY_SIZE(policies));
}

static void make_executable(unsigned long addr, int pages)
{
	cr_assert_eq(set_memory_ro(addr, pages), 0);
	cr_assert_eq(set_memory_x(addr, pages), 0);
}

/* Areas with frames of their own and of others, freed at once and in an interrupt. */
ParameterizedTest(const u32 *policy, flush, an_executable_area_is_flushed_when_it_is_freed)
{
	struct page *pages[4];
	unsigned long a, b;
	u64 value;

	sim_boot(*policy);
	a = area_touched(4);
	for (u32 i = 0; i < 4; i++)
		pages[i] = vmalloc_to_page((void *)(a + i * PAGE_SIZE));
	b = (unsigned long)vmap(pages, 4, 0, PGPROT_READONLY);
	cr_assert_eq(set_memory_x(b, 4), 0);
	cr_assert(sim_read(b, &value));
	vunmap((void *)b);
	cr_assert_not(sim_read(b, &value), "a mapping of others' frames");
	make_executable(a, 4);
	cr_assert(sim_read(a, &value));
	vfree((void *)a);
	cr_assert_not(sim_read(a, &value), "an area");
	a = area_touched(1);
	make_executable(a, 1);
	cr_assert(sim_read(a, &value));
	vfree_atomic((void *)a);
	cr_assert(sim_read(a, &value), "it waits, mapped");
	vfree((void *)area_touched(1));
	cr_assert_not(sim_read(a, &value), "a deferred area");
	check_machine();
}

ParameterizedTestParameters(flush, parts_of_a_deferred_executable_area_are_flushed_when_they_are_freed)
{
	static const u32 policies[] = { KVMAP_POLICY_STRICT, KVMAP_POLICY_LAZY, KVMAP_POLICY_EAGER };

	return cr_make_param_array(u32, (u32 *)policies, ARRAY_SIZE(policies));
}

ParameterizedTest(const u32 *policy, flush,
		  parts_of_a_deferred_executable_area_are_flushed_when_they_are_freed)
{
	u32 pages = 3 * DEFERRED_PAGES, mapped;
	unsigned long area;
	u64 value;

	sim_boot(*policy);
	area = area_touched(pages);
	make_executable(area, (int)pages);
	for (u32 i = 0; i < pages; i++)
		cr_assert(sim_read(area + i * PAGE_SIZE, &value));
	vfree_atomic((void *)area);
	vfree((void *)area_touched(1));
	for (mapped = pages; mapped; mapped--)
		if (sim_read(area + (mapped - 1) * PAGE_SIZE, &value))
			break;
	cr_assert_eq(mapped, sim_area(area)->vm->nr_pages, "no TLB has a page that was unmapped");
	cr_assert_lt(mapped, pages);
	check_machine();
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
			cr_assert_leq(tlb_gen % TLB_FLUSH_LOG_HALF, 1, "at %lu", tlb_gen);
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
