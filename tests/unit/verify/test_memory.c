/* SPDX-License-Identifier: MIT */
/*
 * test_memory.c: faults of frames, accounts, contents and the address space's bookkeeping.
 */
#include "program/backtrace.h"
#include "world.h"

#include "base/array.h"

#include "kvmap/boot.h"
#include "kvmap/operation.h"

#include "base/array.h"

#include <criterion/criterion.h>
#include <string.h>

#define LEAF (PTE_W | PTE_A | PTE_D | PTE_G | PTE_NX)

TestSuite(memory, .init = world_init, .fini = world_destroy);

/* ---- V4 ---- */

Test(memory, a_frame_on_no_list_is_lost)
{
	w.claims.free_buddy_blocks.items[0] =
		w.claims.free_buddy_blocks.items[--w.claims.free_buddy_blocks.count];
	w.claims.zones[0].nr_free[0]--;
	w.claims.zones[0].free_pages--;
	w.claims.vm_stat[NR_FREE_PAGES]--;
	expect_findings("V4");
	cr_expect_eq(w.verdict.findings.items[0].address, FREE_BLOCK * K4);
}

Test(memory, a_frame_that_is_free_and_an_areas_has_two_owners)
{
	w.claims.free_buddy_blocks.items[0].pfn = *frame(C, 0);
	w.claims.free_buddy_blocks.items[0].zone = 1;
	w.claims.zones[0].nr_free[0]--;
	w.claims.zones[0].free_pages--;
	w.claims.zones[1].nr_free[0]++;
	w.claims.zones[1].free_pages++;
	expect_findings("V4");
}

Test(memory, a_misaligned_block_is_no_block)
{
	w.claims.free_buddy_blocks.items[1].order = 3;
	w.claims.zones[0].nr_free[2]--;
	w.claims.zones[0].nr_free[3]++;
	w.claims.zones[0].free_pages += 4;
	w.claims.vm_stat[NR_FREE_PAGES] += 4;
	expect_findings("V4");
}

Test(memory, a_struct_page_that_contradicts_its_list_is_found)
{
	page_of(HELD)->owner = PAGE_SLAB;
	expect_findings("V4");
}

Test(memory, a_fresh_frame_with_an_owner_is_found)
{
	page_of(0x1200)->owner = PAGE_SLAB;
	expect_findings("V4");
}

Test(memory, a_frame_beyond_RAM_has_no_owner)
{
	w.claims.zones[1].end_pfn += 8;
	w.claims.zones[1].fresh_end += 8;
	w.claims.zones[1].free_pages += 8;
	w.claims.vm_stat[NR_FREE_PAGES] += 8;
	expect_findings("V4");
}

Test(memory, a_page_table_that_nothing_leads_to_is_lost)
{
	page_of(0xf0)->owner = PAGE_TABLE;
	expect_findings("V4");
}

Test(memory, history_in_the_tail_of_a_free_block_is_allowed)
{
	page_of(FREE_FOUR + 2)->vaddr = AREA_A;
	page_of(FREE_FOUR + 2)->unmapped = 1;
	expect_findings("");
}

Test(memory, a_slab_whose_struct_page_names_another_cache_is_found)
{
	page_of(SLAB_1)->cache = 1;
	expect_findings("V4");
	page_of(SLAB_1)->cache = 2;
	page_of(SLAB_1)->order = 1;
	expect_findings("V4");
}

Test(memory, a_slab_owns_all_its_frames)
{
	w.claims.caches[0].order = 1;
	page_of(SLAB_0)->order = 1;
	w.claims.vm_stat[NR_SLAB_PAGES]++;
	expect_findings("V4");
}

/* Makes the free block of four frames one that alloc_pages() has handed out. */
static void allocate_four(void)
{
	w.claims.free_buddy_blocks.items[1] =
		w.claims.free_buddy_blocks.items[--w.claims.free_buddy_blocks.count];
	w.claims.zones[0].nr_free[2]--;
	w.claims.zones[0].free_pages -= 4;
	w.claims.vm_stat[NR_FREE_PAGES] -= 4;
	w.claims.vm_stat[NR_KMALLOC_PAGES] += 4;
	w.claims.blocks_sum = BLOCK_WEIGHT(2, FREE_FOUR);
	page_of(FREE_FOUR)->owner = PAGE_KMALLOC;
}

Test(memory, an_allocated_block_owns_all_its_frames)
{
	allocate_four();
	expect_findings("");
	page_of(FREE_FOUR)->order = 1;
	w.claims.vm_stat[NR_KMALLOC_PAGES] -= 2;
	expect_findings("V4");
}

Test(memory, a_block_that_nobody_was_given_is_lost)
{
	allocate_four();
	w.claims.blocks_sum = 0;
	expect_findings("V4");
	cr_expect_eq(w.verdict.results[4].findings, 1);
	cr_expect_eq(w.verdict.findings.items[0].address, FREE_FOUR * K4);
	w.claims.blocks_sum = BLOCK_WEIGHT(2, FREE_FOUR) + BLOCK_WEIGHT(0, HELD);
	expect_findings("V4");
	cr_expect_eq(w.verdict.findings.items[0].address, 0, "one was given and is no block any more");
}

Test(memory, an_allocated_block_is_aligned_and_of_an_order_that_exists)
{
	allocate_four();
	page_of(FREE_FOUR)->owner = 0;
	page_of(FREE_FOUR)->order = 0;
	page_of(FREE_FOUR + 1)->owner = PAGE_KMALLOC;
	page_of(FREE_FOUR + 1)->order = 1;
	w.claims.vm_stat[NR_KMALLOC_PAGES] -= 2;
	expect_findings("V4");
	page_of(FREE_FOUR + 1)->order = 200;
	w.claims.vm_stat[NR_KMALLOC_PAGES] -= 2;
	expect_findings("V4");
}

Test(memory, a_block_that_is_also_free_has_two_owners)
{
	page_of(FREE_FOUR + 2)->owner = PAGE_KMALLOC;
	w.claims.vm_stat[NR_KMALLOC_PAGES]++;
	expect_findings("V4");
}

Test(memory, a_zone_beyond_the_limit_of_its_type_is_found)
{
	w.claims.zones[1].kind = ZONE_DMA;
	expect_findings("V4");
	w.claims.zones[1].kind = ZONE_DMA32;
	expect_findings("");
	w.claims.zones[1].kind = ZONE_TYPES;
	expect_findings("V4");
}

Test(memory, a_zone_outside_its_node_is_found)
{
	w.claims.max_pfn = w.claims.zones[1].end_pfn;
	w.claims.numa_node_count = 2; /* the second from the middle of RAM on */
	expect_findings("V4");
	w.claims.zones[1].numa_node = 1;
	expect_findings("");
	w.claims.zones[0].numa_node = 1;
	expect_findings("V4");
	w.claims.zones[0].numa_node = 2;
	expect_findings("V4");
}

/* ---- V8 ---- */

/* An area that waits to be freed, on so many lists. */
static void defer(size_t area, unsigned int lists)
{
	w.claims.areas.items[area].deferred = true;
	while (lists--)
		cr_assert_eq(array_push(&w.claims.deferred, w.claims.areas.items[area].vmap_area), 0);
}

Test(memory, an_area_that_waits_to_be_freed_on_one_list_is_right)
{
	defer(B, 1);
	w.claims.variables.items[1].state = VARIABLE_FREED;
	expect_findings("");
}

Test(memory, an_area_that_waits_to_be_freed_on_no_list_is_found)
{
	defer(B, 0);
	w.claims.variables.items[1].state = VARIABLE_FREED;
	expect_findings("V8");
	cr_expect_str_eq(w.verdict.findings.items[0].found, "on no CPU's list");
}

Test(memory, an_area_that_is_to_be_freed_twice_is_found)
{
	defer(B, 2);
	w.claims.variables.items[1].state = VARIABLE_FREED;
	expect_findings("V8");
}

Test(memory, a_live_area_on_a_list_of_those_to_be_freed_is_found)
{
	defer(B, 1);
	w.claims.areas.items[B].deferred = false;
	expect_findings("V8");
}

Test(memory, a_variable_of_an_area_that_waits_to_be_freed_is_found)
{
	defer(B, 1);
	expect_findings("V12");
}

Test(memory, areas_that_overlap_are_found)
{
	w.claims.free_tree.items[0].va_start -= K4;
	expect_findings("V8");
}

Test(memory, a_range_that_is_neither_free_nor_busy_is_found)
{
	w.claims.free_tree.items[0].va_start += K4;
	expect_findings("V8");
}

Test(memory, a_kept_range_is_part_of_the_space_and_may_overlap_nothing)
{
	struct claim_cached_range kept = { w.claims.free_tree.items[0].va_start,
					   w.claims.free_tree.items[0].va_start + K4 };

	w.claims.free_tree.items[0].va_start += K4;
	cr_assert_eq(array_push(&w.claims.cached_ranges, kept), 0);
	expect_findings("");
	w.claims.cached_ranges.items[0].va_end += K4;
	expect_findings("V8");
}

Test(memory, an_unordered_tree_is_found)
{
	struct claim_rb_node *nodes = w.claims.busy_tree.items;
	uint64_t start = nodes[0].va_start, end = nodes[0].va_end;

	nodes[0].va_start = nodes[2].va_start;
	nodes[0].va_end = nodes[2].va_end;
	nodes[2].va_start = start;
	nodes[2].va_end = end;
	expect_findings("V8");
}

Test(memory, a_red_node_below_a_red_one_is_found)
{
	w.claims.busy_tree.items[1].black = false;
	expect_findings("V8");
}

Test(memory, ways_with_different_numbers_of_black_nodes_are_found)
{
	w.claims.busy_tree.items[0].black = true;
	expect_findings("V8");
	cr_expect_eq(w.verdict.results[8].findings, 1, "once for a tree");
}

Test(memory, a_wrong_maximum_is_found)
{
	w.claims.free_tree.items[0].subtree_max_size = K4;
	expect_findings("V8");
}

Test(memory, a_child_with_another_parent_is_found)
{
	w.claims.busy_tree.items[2].parent = w.claims.busy_tree.items[0].vmap_area;
	expect_findings("V8");
}

Test(memory, children_that_point_to_their_parent_end_the_search)
{
	w.claims.busy_tree.items[0].left = w.claims.busy_tree.items[1].vmap_area;
	expect_findings("V8");
}

/* ---- V9 ---- */

Test(memory, reuse_without_a_flush_is_found)
{
	w.claims.flushes.items[1].cpu = 1;
	expect_findings("V9");
	cr_expect_eq(w.verdict.results[9].findings, 5, "the range and four frames");
}

Test(memory, a_flush_after_the_reuse_is_too_late)
{
	w.claims.flushes.items[1].stamp = 3;
	expect_findings("V9");
}

Test(memory, a_flush_that_covers_too_little_is_found)
{
	w.claims.flushes.items[1].start = AREA_A;
	w.claims.flushes.items[1].end = AREA_A + 3 * K4;
	expect_findings("V9");
}

Test(memory, flushes_that_cover_only_together_are_enough)
{
	struct claim_flush second = { 2, 0, 1, AREA_A + K4, AREA_A + 4 * K4 };

	w.claims.flushes.items[1].start = AREA_A;
	w.claims.flushes.items[1].end = AREA_A + 2 * K4;
	w.claims.flushes.items[2] = second;
	expect_findings("");
}

/* ---- V9: a page table whose place a leaf took ---- */

/* It was the one of A's range until 3, and one of C's frames is where it was from `handed` on. */
static void table_was(uint64_t pfn, uint32_t handed)
{
	struct claim_flush cut = { 4, TLB_FLUSH_TABLE, 0, AREA_A, AREA_A + (2u << 20) };
	struct claim_flush flush = { 6, 0, 5, 0, ~0ull };

	cr_assert_eq(array_push(&w.claims.flushes, cut), 0);
	cr_assert_eq(array_push(&w.claims.flushes, flush), 0);
	w.claims.flush_count += 2;
	w.claims.flush_generation = 6;
	page_of(pfn)->unmapped = 4;
	page_of(pfn)->handed = handed;
}

Test(memory, the_frame_of_a_table_that_was_taken_away_waits_for_a_flush)
{
	table_was(SLAB_0, 6);
	expect_findings("");
	page_of(SLAB_0)->handed = 5;
	expect_findings("V9");
	cr_expect_eq(w.verdict.results[9].findings, 1);
}

Test(memory, it_waits_where_the_frames_of_areas_do_not)
{
	w.claims.policy = KVMAP_POLICY_LAZY;
	table_was(SLAB_0, 5);
	expect_findings("V9");
	page_of(SLAB_0)->handed = 6;
	expect_findings("");
}

Test(memory, an_area_is_not_handed_out_before_the_way_to_the_table_is_forgotten)
{
	table_was(SLAB_0, 6);
	area(A)->handed = 5;
	expect_findings("V9");
	area(A)->handed = 6;
	expect_findings("");
}

/* ---- V9: a right that an area has lost ---- */

static void right_lost(uint32_t stamp, uint64_t start, uint64_t end)
{
	struct claim_flush entry = { stamp, TLB_FLUSH_PROTECT, 0, start, end };

	cr_assert_eq(array_push(&w.claims.flushes, entry), 0);
	w.claims.flush_count++;
	w.claims.flush_generation = stamp;
}

Test(memory, a_right_that_was_lost_wants_a_flush_of_all_its_range)
{
	struct claim_flush half = { 9, 0, 8, AREA_A, AREA_A + 2 * K4 };
	struct claim_flush rest = { 10, 0, 8, AREA_A + 2 * K4, AREA_A + 4 * K4 };

	right_lost(8, AREA_A, AREA_A + 4 * K4);
	expect_findings("V9");
	cr_assert_eq(array_push(&w.claims.flushes, half), 0);
	expect_findings("V9");
	cr_assert_eq(array_push(&w.claims.flushes, rest), 0);
	w.claims.flush_generation = 10;
	w.claims.flush_count += 2;
	expect_findings("");
}

/* ---- V9 on many CPUs: A's range was unmapped at 1, flushed by CPU 0 at 2 and handed out at 10 ---- */

static void many_cpus(unsigned int count)
{
	w.claims.cpu_count = count;
	area(A)->handed = 10;
	for (unsigned int i = 0; i < 4; i++)
		page_of(*frame(A, i))->handed = 10;
	w.claims.flushes.items[2].stamp = area(L)->unmapped = 20;
	w.claims.flush_generation = 20;
}

/* Before the last entry of the log, which is L's unmapping. begun: of a flush. */
static void log_add_begun(uint32_t stamp, uint32_t cpu, uint32_t begun)
{
	struct claim_flush last = w.claims.flushes.items[w.claims.flushes.count - 1];
	struct claim_flush entry = { stamp, cpu, begun, 0, cpu & TLB_FLUSH_EVENT ? 0 : ~0ull };

	w.claims.flushes.items[w.claims.flushes.count - 1] = entry;
	cr_assert_eq(array_push(&w.claims.flushes, last), 0);
	w.claims.flush_count++;
}

static void log_add(uint32_t stamp, uint32_t cpu)
{
	log_add_begun(stamp, cpu, cpu & TLB_FLUSH_EVENT ? 0 : stamp - 1);
}

Test(memory, a_flush_that_began_before_the_unmapping_does_not_cover_it)
{
	many_cpus(2);
	log_add_begun(3, 1, 0);
	expect_findings("V9");
	log_add_begun(4, 1, 1);
	expect_findings("");
}

Test(memory, every_cpu_has_to_flush)
{
	many_cpus(4);
	log_add(3, 1);
	log_add(4, 3);
	expect_findings("V9");
	log_add(5, 2);
	expect_findings("");
}

Test(memory, a_cpu_that_flushes_after_the_reuse_is_too_late)
{
	many_cpus(2);
	log_add(11, 1);
	expect_findings("V9");
}

Test(memory, a_cpu_that_runs_and_is_not_claimed_has_to_flush)
{
	many_cpus(1);
	w.tables.view.cpu_count = 2;
	expect_findings("");
	w.tables.view.cpus[1].cr0 = 0x80000011;
	expect_findings("V9");
}

Test(memory, a_cpu_that_is_idle_and_will_flush_needs_no_flush)
{
	many_cpus(2);
	w.claims.cpu_states[1] = CPU_IDLE_STALE;
	expect_findings("");
}

Test(memory, an_idle_cpu_that_nobody_told_to_flush_is_found)
{
	many_cpus(2);
	w.claims.cpu_states[1] = CPU_IDLE;
	expect_findings("V9");
}

Test(memory, a_cpu_that_went_idle_after_the_reuse_had_to_flush)
{
	many_cpus(2);
	log_add(11, TLB_FLUSH_IDLE | 1);
	w.claims.cpu_states[1] = CPU_IDLE_STALE;
	expect_findings("V9");
}

Test(memory, a_cpu_that_flushes_before_it_wakes_was_flushed_while_it_was_idle)
{
	many_cpus(2);
	log_add(5, TLB_FLUSH_IDLE | 1);
	log_add(12, 1);
	log_add(13, TLB_FLUSH_WAKE | 1);
	expect_findings("");
}

Test(memory, a_cpu_that_wakes_without_a_flush_is_found)
{
	many_cpus(2);
	log_add(5, TLB_FLUSH_IDLE | 1);
	log_add(13, TLB_FLUSH_WAKE | 1);
	expect_findings("V9");
	log_add(14, 1);
	expect_findings("V9");
}

Test(memory, a_cpu_that_has_woken_before_the_reuse_is_not_idle)
{
	many_cpus(2);
	log_add(5, TLB_FLUSH_IDLE | 1);
	log_add(6, TLB_FLUSH_WAKE | 1);
	log_add(14, TLB_FLUSH_IDLE | 1);
	w.claims.cpu_states[1] = CPU_IDLE_STALE;
	expect_findings("V9");
}

/* CPU 1 says that it is idle, and is at rip. */
static void idle_at(uint64_t rip)
{
	many_cpus(2);
	w.claims.cpu_states[1] = CPU_IDLE_STALE;
	w.tables.view.cpus[1] = w.tables.view.cpus[0];
	w.tables.view.cpus[1].cr0 |= 0x80000000u;
	w.tables.view.cpus[1].rip = rip;
	w.tables.view.cpu_count = 2;
	stack = (struct backtrace){ .frames = { { rip, 0, true } }, .count = 1 };
}

Test(memory, an_idle_cpu_is_in_the_code_of_idle_cpus)
{
	idle_at(IDLE_TEXT + 8);
	expect_findings("");
	idle_at(IDLE_TEXT_END);
	expect_findings("V9");
	cr_expect_eq(w.verdict.results[9].findings, 1);
	w.claims.cpu_states[1] = CPU_RUNNING;
	log_add(3, 1);
	expect_findings("");
}

Test(memory, an_idle_cpu_may_be_where_that_code_calls_or_was_interrupted)
{
	idle_at(IDLE_TEXT - 0x100);
	stack.frames[stack.count++] = (struct backtrace_frame){ .pc = IDLE_TEXT_END, .exact = false };
	expect_findings("");
	stack.frames[1].exact = true;
	expect_findings("V9");
	stack.frames[1].pc = IDLE_TEXT;
	expect_findings("");
}

Test(memory, the_lazy_policy_lets_frames_be_used_before_the_flush)
{
	page_of(*frame(B, 0))->unmapped = 3;
	page_of(*frame(B, 0))->handed = 3;
	expect_findings("V9");
	w.claims.policy = KVMAP_POLICY_LAZY;
	expect_findings("");
}

Test(memory, an_unmapping_that_the_log_does_not_know_is_found)
{
	w.claims.flushes.items[0].cpu = 1;
	expect_findings("V9");
}

/* `count` times A's pages were unmapped, flushed and used again. */
static void long_history(uint32_t count)
{
	w.claims.flushes.count = 0;
	for (uint32_t stamp = 1; stamp <= 2 * count; stamp += 2) {
		struct claim_flush unmapping = { stamp, TLB_FLUSH_UNMAP, 0, AREA_A, AREA_A + 4 * K4 };
		struct claim_flush flush = { stamp + 1, 0, stamp, AREA_A, AREA_A + 4 * K4 };

		cr_assert_eq(array_push(&w.claims.flushes, unmapping), 0);
		cr_assert_eq(array_push(&w.claims.flushes, flush), 0);
	}
	w.claims.flush_count = w.claims.flush_generation = area(A)->handed = 2 * count;
	area(A)->unmapped = 2 * count - 1;
	area(L)->unmapped = 1;
	for (unsigned int i = 0; i < 4; i++) {
		page_of(*frame(A, i))->unmapped = 2 * count - 1;
		page_of(*frame(A, i))->handed = 2 * count;
	}
}

Test(memory, a_long_log_is_judged_as_a_short_one)
{
	long_history(120000);
	expect_findings("");
	w.claims.flushes.items[2 * 70000 + 1].end -= K4;
	area(A)->handed = 2 * 70000 + 2;
	area(A)->unmapped = 2 * 70000 + 1;
	expect_findings("V9");
	cr_expect_eq(w.verdict.results[9].findings, 1);
	cr_expect_str_empty(w.verdict.results[9].why_not);
}

Test(memory, a_log_that_was_made_to_take_long_is_given_up)
{
	struct claim_flush last = { 120001, 0, 120000, 0, ~0ull };

	/* None of the flushes but the last had begun late enough. */
	long_history(60000);
	for (uint32_t i = 1; i < w.claims.flushes.count; i += 2)
		w.claims.flushes.items[i].begun = 0;
	cr_assert_eq(array_push(&w.claims.flushes, last), 0);
	w.claims.flush_count = w.claims.flush_generation = area(A)->handed = 120001;
	for (unsigned int i = 0; i < 4; i++)
		page_of(*frame(A, i))->handed = 120001;
	expect_findings("");
	cr_expect_str_not_empty(w.verdict.results[9].why_not);
}

Test(memory, what_the_ring_has_dropped_is_not_judged)
{
	w.claims.flushes.items[0] = w.claims.flushes.items[2];
	w.claims.flushes.count = 1;
	expect_findings("");
	cr_expect_eq(w.verdict.results[9].seen, NOT_SEEN);
	cr_expect_eq(w.verdict.results[9].checked, 0);
	cr_expect_str_not_empty(w.verdict.results[9].why_not);
}

Test(memory, a_full_flush_in_the_log_judges_what_was_dropped_before_it)
{
	w.claims.flushes.items[0] = w.claims.flushes.items[1];
	w.claims.flushes.items[1] = w.claims.flushes.items[2];
	w.claims.flushes.count = 2;
	expect_findings("");
	cr_expect_eq(w.verdict.results[9].seen, SEEN);
	cr_expect_eq(w.verdict.results[9].checked, 5);
}

/* ---- V12 ---- */

Test(memory, a_changed_bit_of_a_filled_area_is_found)
{
	ram(*frame(A, 2) * K4)[0x7ff] ^= 1;
	expect_findings("V12");
	cr_expect_eq(w.verdict.findings.items[0].address, AREA_A + 2 * K4 + 0x7f8);
	cr_expect_not_null(strstr(w.verdict.findings.items[0].where, "'first'"));
}

Test(memory, a_zeroed_area_that_is_not_zero_is_found)
{
	ram(*frame(B, 1) * K4)[0xfff] = 1;
	expect_findings("V12");
}

Test(memory, a_written_word_that_is_not_there_is_found)
{
	w.claims.variables.items[2].write_value++;
	expect_findings("V12");
}

Test(memory, a_variable_larger_than_its_area_is_found_without_reading_on)
{
	w.claims.variables.items[0].size = ~0ull;
	expect_findings("V12");
}

Test(memory, a_variable_without_an_area_is_found)
{
	w.claims.variables.items[2].address = AREA_L;
	w.claims.variables.items[2].write_address = 0;
	expect_findings("V12");
}

/* ---- V13 ---- */

Test(memory, each_account_that_is_off_by_one_is_found)
{
	uint64_t *const accounts[] = {
		&w.claims.vm_stat[0],
		&w.claims.vm_stat[1],
		&w.claims.vm_stat[2],
		&w.claims.vm_stat[3],
		&w.claims.vm_stat[4],
		&w.claims.vm_stat[5],
		&w.claims.vm_stat[NR_KMALLOC_PAGES],
		&w.claims.zones[0].free_pages,
		&w.claims.zones[1].nr_free[2],
		&w.claims.stats[0],
		&w.claims.stats[1],
		&w.claims.stats[3],
		&w.claims.stats[4],
		&w.claims.caches[0].free_objects,
	};

	for (size_t i = 0; i < sizeof(accounts) / sizeof(accounts[0]); i++) {
		++*accounts[i];
		expect_findings("V13");
		cr_expect_eq(w.verdict.results[13].findings, 1, "account %zu", i);
		--*accounts[i];
	}
	expect_findings("");
}

/* ---- damages ---- */

Test(memory, what_could_not_be_read_is_a_finding_of_the_invariant_it_serves)
{
	struct claim_damage damage = { "V8", 0xffff888000100000, 0x1234,
				       "vmap_area_root: link to no vmap_area" };

	w.claims.damages.items = &damage;
	w.claims.damages.count = 1;
	expect_findings("V8");
	cr_expect_not_null(strstr(w.verdict.findings.items[0].found, "link to no vmap_area"));
	w.claims.damages.items = NULL;
	w.claims.damages.count = 0;
}

/* ---- kmalloc ---- */

/* A third variable that kmalloc gave: the block of four frames, filled. */
static struct claim_variable *filled_block(void)
{
	struct claim_variable *variable = &w.claims.variables.items[2];

	allocate_four();
	for (uint64_t at = 0; at < 3 * K4; at += 8)
		memcpy(ram(FREE_FOUR * K4 + at), &(uint64_t){ KVMAP_PATTERN(SEED, at / K4) }, 8);
	*variable = (struct claim_variable){ .address = KVMAP_DIRECT_BASE + FREE_FOUR * K4,
					     .size = 3 * K4 - 3,
					     .filled = 3 * K4,
					     .fill_seed = SEED,
					     .state = VARIABLE_LIVE,
					     .contents = CONTENTS_PATTERN };
	return variable;
}

Test(memory, an_object_holds_what_was_put_there_to_its_last_word)
{
	filled_block();
	expect_findings("");
	ram(FREE_FOUR * K4 + 3 * K4)[0] ^= 1;
	expect_findings("");
	ram(FREE_FOUR * K4 + 3 * K4 - 1)[0] ^= 1;
	expect_findings("V12");
	cr_expect_eq(w.verdict.findings.items[0].address, KVMAP_DIRECT_BASE + (FREE_FOUR + 3) * K4 - 8);
}

Test(memory, an_object_larger_than_what_is_allocated_there_is_found)
{
	struct claim_variable *variable = filled_block();

	variable->size = 4 * K4 + 1;
	expect_findings("V12");
	variable->size = ~0ull;
	expect_findings("V12");
	variable->size = 100;
	variable->contents = CONTENTS_UNKNOWN;
	expect_findings("");
	variable->address += 8;
	expect_findings("V12");
	variable->address = KVMAP_DIRECT_BASE + SLAB_0 * K4 + 128;
	expect_findings("");
	variable->size = 129;
	expect_findings("V12");
	variable->address = KVMAP_DIRECT_BASE + HELD * K4;
	expect_findings("V12");
}

Test(memory, an_object_whose_pages_do_not_follow_each_other_is_found)
{
	filled_block();
	w.claims.variables.items[2].contents = CONTENTS_UNKNOWN;
	*tables_entry(&w.tables, KVMAP_DIRECT_BASE, 2) += M2;
	verdict_destroy(&w.verdict);
	cr_assert_eq(verify(&w.input, &w.verdict, &(struct error){ 0 }), 0);
	cr_expect_eq(w.verdict.results[12].findings, 3, "one for each page");
}

/* ---- VM_MAP areas: V1, V5 ---- */

/* The lazily freed area of the world becomes a live one over two frames of the first area. */
static struct claim_area *make_alias(uint32_t first, uint32_t second)
{
	struct claim_area alias = { .state = AREA_LIVE,
				    .va_start = AREA_END + K4,
				    .va_end = AREA_END + 4 * K4,
				    .addr = AREA_END + K4,
				    .size = 3 * K4,
				    .requested_size = 2 * K4,
				    .flags = VM_MAP,
				    .nr_pages = 2,
				    .handed = w.claims.flush_generation,
				    .frames_sum = FRAMES_SUM(0, FRAME_A) + FRAMES_SUM(1, 0x1007) };
	struct claim_cached_range gap = { AREA_END, AREA_END + K4 };

	cr_assert_eq(array_push(&w.claims.areas, alias), 0);
	cr_assert_eq(array_push(&w.claims.cached_ranges, gap), 0);
	tables_map(&w.tables, alias.va_start, first * K4, 1, LEAF);
	tables_map(&w.tables, alias.va_start + K4, second * K4, 1, LEAF);
	w.claims.free_tree.items[1].va_start = alias.va_end;
	w.claims.free_tree.items[0].subtree_max_size = w.claims.free_tree.items[1].subtree_max_size =
		KVMAP_VMALLOC_END - alias.va_end;
	w.claims.stats[STAT_ALLOCATIONS]++;
	w.claims.stats[STAT_PAGES_MAPPED] += 2;
	/* live areas stand before lazy ones */
	w.claims.areas.items[w.claims.areas.count - 1] = w.claims.areas.items[w.claims.areas.count - 2];
	w.claims.areas.items[w.claims.areas.count - 2] = alias;
	return &w.claims.areas.items[w.claims.areas.count - 2];
}

Test(memory, frames_may_be_mapped_once_more_by_an_area_that_says_so)
{
	make_alias(FRAME_A, 0x1007);
	expect_findings("");
}

Test(memory, aliases_in_another_order_than_claimed_are_found)
{
	make_alias(0x1007, FRAME_A);
	expect_findings("V1");
}

Test(memory, an_alias_with_other_rights_than_claimed_is_found)
{
	make_alias(FRAME_A, 0x1007)->flags |= VM_READONLY;
	expect_findings("V1");
}

Test(memory, an_alias_of_a_frame_that_waits_for_its_flush_is_found)
{
	make_alias(FRAME_A, 0x1008);
	expect_findings("V1 V5");
}
