/* SPDX-License-Identifier: MIT */
/* V4: every frame has exactly one owner. */
#include "world.h"

#include "base/array.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(owners, .init = world_init, .fini = world_destroy);

Test(owners, a_frame_on_no_list_is_lost)
{
	w.claims.free_buddy_blocks.items[0] =
		w.claims.free_buddy_blocks.items[--w.claims.free_buddy_blocks.count];
	w.claims.zones[0].nr_free[0]--;
	w.claims.zones[0].free_pages--;
	w.claims.vm_stat[NR_FREE_PAGES]--;
	expect_findings("V4");
	cr_expect_eq(w.verdict.findings.items[0].address, FREE_BLOCK * K4);
}

Test(owners, a_frame_that_is_free_and_an_areas_has_two_owners)
{
	w.claims.free_buddy_blocks.items[0].pfn = *frame(C, 0);
	w.claims.free_buddy_blocks.items[0].zone = 1;
	w.claims.zones[0].nr_free[0]--;
	w.claims.zones[0].free_pages--;
	w.claims.zones[1].nr_free[0]++;
	w.claims.zones[1].free_pages++;
	expect_findings("V4");
}

Test(owners, a_misaligned_block_is_no_block)
{
	w.claims.free_buddy_blocks.items[1].order = 3;
	w.claims.zones[0].nr_free[2]--;
	w.claims.zones[0].nr_free[3]++;
	w.claims.zones[0].free_pages += 4;
	w.claims.vm_stat[NR_FREE_PAGES] += 4;
	expect_findings("V4");
}

/* ---- free buddies ---- */

static void add_free_block(uint32_t pfn, uint32_t order)
{
	struct claim_buddy_block block = { .pfn = pfn, .order = order };

	cr_assert_eq(array_push(&w.claims.free_buddy_blocks, block), 0);
	page_of(pfn)->owner = PAGE_FREE;
	page_of(pfn)->order = (uint8_t)order;
	w.claims.zones[0].nr_free[order]++;
}

/* Makes the free block of four frames one of two frames. */
static void halve_four(void)
{
	w.claims.free_buddy_blocks.items[1].order = 1;
	page_of(FREE_FOUR)->order = 1;
	w.claims.zones[0].nr_free[2]--;
	w.claims.zones[0].nr_free[1]++;
}

Test(owners, free_buddies_that_were_not_merged_are_found)
{
	halve_four();
	add_free_block(FREE_FOUR + 2, 1);
	expect_findings("V4");
	cr_expect_eq(w.verdict.results[4].findings, 1);
	cr_expect_eq(w.verdict.findings.items[0].address, FREE_FOUR * K4);
}

/* 0x103 and 0x104 are side by side and of one order, and the buddies of others. */
Test(owners, free_blocks_side_by_side_that_are_no_buddies_are_right)
{
	w.claims.free_buddy_blocks.items[1].order = 0;
	page_of(FREE_FOUR)->order = 0;
	w.claims.zones[0].nr_free[2]--;
	w.claims.zones[0].nr_free[0]++;
	add_free_block(FREE_FOUR + 2, 1);
	page_of(FREE_FOUR + 1)->owner = PAGE_KMALLOC;
	w.claims.buddy_blocks_sum = BUDDY_BLOCK_WEIGHT(0, FREE_FOUR + 1);
	w.claims.vm_stat[NR_KMALLOC_PAGES]++;
	w.claims.vm_stat[NR_FREE_PAGES]--;
	w.claims.zones[0].free_pages--;
	expect_findings("");
}

Test(owners, the_last_frame_of_RAM_can_be_lost)
{
	w.claims.zones[1].end_pfn--;
	w.claims.zones[1].fresh_end--;
	w.claims.zones[1].free_pages--;
	w.claims.vm_stat[NR_FREE_PAGES]--;
	expect_findings("V4");
	cr_expect_eq(w.verdict.findings.items[0].address, RAM_HIGH_END - K4);
	cr_expect_eq(w.verdict.findings.items[0].pages, 1);
}

/* The area of a frame that is both of the lowest two of all areas' frames. */
Test(owners, the_two_lowest_frames_of_areas_can_be_one)
{
	*frame(B, 0) = FRAME_A;
	tables_map(&w.tables, AREA_B, FRAME_A * K4, 1, PTE_W | PTE_A | PTE_D | PTE_G | PTE_NX);
	w.claims.variables.count = 1;
	/* Its old frame is lost, the shared one has two owners (V4) and one address (V1). */
	expect_findings("V1 V4 V5");
	cr_expect_eq(w.verdict.results[5].findings, 1);
}

/* Whether V4 says so, in a finding or in a further claim of one. */
static bool is_found(const char *text)
{
	bool found = false;

	for (size_t i = 0; i < w.verdict.findings.count; i++)
		found |= !strcmp(w.verdict.findings.items[i].found, text);
	for (size_t i = 0; i < w.verdict.further.count; i++)
		found |= !strcmp(w.verdict.further.items[i].found, text);
	return found;
}

Test(owners, the_first_frame_of_RAM_can_have_two_owners)
{
	w.claims.frames.items[w.claims.held.first_frame] = 0;
	page_of(0)->owner = PAGE_HELD;
	cr_assert_eq(verify(&w.input, &w.verdict, &(struct error){ 0 }), 0);
	cr_expect(is_found("a reserved region and held_pages"));
}

Test(owners, a_struct_page_that_contradicts_its_list_is_found)
{
	page_of(HELD)->owner = PAGE_SLAB;
	expect_findings("V4");
}

Test(owners, a_fresh_frame_with_an_owner_is_found)
{
	page_of(0x1200)->owner = PAGE_SLAB;
	expect_findings("V4");
}

Test(owners, a_frame_beyond_RAM_has_no_owner)
{
	w.claims.zones[1].end_pfn += 8;
	w.claims.zones[1].fresh_end += 8;
	w.claims.zones[1].free_pages += 8;
	w.claims.vm_stat[NR_FREE_PAGES] += 8;
	expect_findings("V4");
}

Test(owners, a_page_table_that_nothing_leads_to_is_lost)
{
	page_of(0xf0)->owner = PAGE_TABLE;
	expect_findings("V4");
}

Test(owners, history_in_the_tail_of_a_free_block_is_allowed)
{
	page_of(FREE_FOUR + 2)->vaddr = AREA_A;
	page_of(FREE_FOUR + 2)->unmapped = 1;
	expect_findings("");
}

Test(owners, a_slab_whose_struct_page_names_another_cache_is_found)
{
	page_of(SLAB_1)->cache = 1;
	expect_findings("V4");
	page_of(SLAB_1)->cache = 2;
	page_of(SLAB_1)->order = 1;
	expect_findings("V4");
}

Test(owners, a_slab_owns_all_its_frames)
{
	w.claims.caches[0].order = 1;
	page_of(SLAB_0)->order = 1;
	w.claims.vm_stat[NR_SLAB_PAGES]++;
	/* It has more objects, too, which are neither free nor allocated. */
	expect_findings("V4 V13");
}

Test(owners, an_allocated_block_owns_all_its_frames)
{
	allocate_four();
	expect_findings("");
	page_of(FREE_FOUR)->order = 1;
	w.claims.vm_stat[NR_KMALLOC_PAGES] -= 2;
	expect_findings("V4");
}

Test(owners, an_allocated_block_that_is_missing_from_the_sum_is_lost)
{
	allocate_four();
	w.claims.buddy_blocks_sum = 0;
	expect_findings("V4");
	cr_expect_eq(w.verdict.results[4].findings, 1);
	cr_expect_eq(w.verdict.findings.items[0].address, FREE_FOUR * K4);
	w.claims.buddy_blocks_sum = BUDDY_BLOCK_WEIGHT(2, FREE_FOUR) + BUDDY_BLOCK_WEIGHT(0, HELD);
	expect_findings("V4");
	cr_expect_eq(w.verdict.findings.items[0].address, 0, "the sum has a block that does not exist");
}

Test(owners, an_allocated_block_is_aligned_and_of_an_order_that_exists)
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

Test(owners, a_block_that_is_also_free_has_two_owners)
{
	page_of(FREE_FOUR + 2)->owner = PAGE_KMALLOC;
	w.claims.vm_stat[NR_KMALLOC_PAGES]++;
	expect_findings("V4");
}

Test(owners, a_zone_beyond_the_limit_of_its_type_is_found)
{
	w.claims.zones[1].kind = ZONE_DMA;
	expect_findings("V4");
	w.claims.zones[1].kind = ZONE_DMA32;
	expect_findings("");
	w.claims.zones[1].kind = ZONE_TYPES;
	expect_findings("V4");
}

Test(owners, a_zone_outside_its_node_is_found)
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

/* ---- what could not be read ---- */

/* The frames of C lie between those of A or beside them. */
Test(owners, frames_that_an_area_has_lost_are_one_finding)
{
	uint32_t other = *frame(C, 0);

	area(A)->frame_count = area(A)->nr_pages = 0;
	area(C)->frame_count = area(C)->nr_pages = 0;
	cr_assert_eq(verify(&w.input, &w.verdict, &(struct error){ 0 }), 0);
	cr_expect_eq(w.verdict.results[4].findings, 2, "%lu", w.verdict.results[4].findings);
	for (size_t i = 0; i < w.verdict.findings.count; i++)
		if (w.verdict.findings.items[i].invariant == 4)
			cr_expect_eq(w.verdict.findings.items[i].pages,
				     w.verdict.findings.items[i].address == other * K4 ? 1 : 4);
}

static const char *why_not(unsigned int invariant)
{
	return w.verdict.results[invariant].seen == NOT_SEEN ? w.verdict.results[invariant].why_not : "";
}

/* A damage has its finding; what follows from it has none, and no invariant that depends on it is "ok". */
Test(owners, what_depends_on_areas_that_could_not_be_read_is_not_seen)
{
	struct claim_damage damage = { "V8", 0xffff888000001000, 1, "vmap_area_root: node outside RAM" };

	cr_assert_eq(array_push(&w.claims.damages, damage), 0);
	w.claims.unread = PART_AREAS;
	w.claims.areas.count = 0;
	expect_findings("V8");
	cr_expect_eq(w.verdict.results[8].findings, 1);
	for (const unsigned int *i = (const unsigned int[]){ 1, 2, 3, 4, 5, 8, 9, 12, 13, 0 }; *i; i++)
		cr_expect_not_null(strstr(why_not(*i), "the areas could not all be read"), "V%u", *i);
	cr_expect_str_empty(why_not(6));
	cr_expect_str_empty(why_not(7));
}

Test(owners, what_depends_on_a_mem_map_that_could_not_be_read_is_not_seen)
{
	struct claim_damage damage = { "V4", 0xffff888000001000, 0, "mem_map: not present" };

	cr_assert_eq(array_push(&w.claims.damages, damage), 0);
	damage = (struct claim_damage){ "V1", 0xffff888000002000, 1, "vm_struct.pages: not mapped", true };
	cr_assert_eq(array_push(&w.claims.damages, damage), 0);
	w.claims.unread = PART_STRUCT_PAGES;
	w.claims.pages.count = 0;
	expect_findings("V4");
	cr_expect_eq(w.verdict.results[4].findings, 1);
	cr_expect_not_null(strstr(why_not(4), "mem_map could not all be read"));
	cr_expect_not_null(strstr(why_not(6), "mem_map could not all be read"));
	cr_expect_str_empty(why_not(1));
}
