/* SPDX-License-Identifier: MIT */
/* V11: what KVM translates, and what it does not. */
#include "base/array.h"
#include "world.h"

#include <criterion/criterion.h>

#define HUGE       (VMALLOC + 2 * M2)
#define HUGE_PAGES 512
#define HUGE_FRAME 0x1200

TestSuite(translate, .init = world_init, .fini = world_destroy);

/* KVM maps this page of GVA to frame 0, whatever the tables say. */
static uint64_t lie;

static int translate(void *context, unsigned int cpu, uint64_t gva, struct view_translation *out)
{
	struct walk walk;

	(void)context;
	(void)cpu;
	walk_translate(&w.tables.view, &w.tables.mode, gva, &walk);
	out->valid = walk.stop == WALK_MAPPED;
	out->gpa = walk.gpa;
	if (gva / K4 == lie / K4)
		*out = (struct view_translation){ .valid = true };
	return 0;
}

static void expect_lie(uint64_t gva, const char *findings)
{
	lie = gva;
	w.tables.view.translate = translate;
	expect_findings(findings);
	if (*findings)
		cr_expect_eq(w.verdict.findings.items[0].address / K4, gva / K4);
	cr_expect_leq(w.verdict.results[11].findings, 1);
}

/* A live area of one 2M leaf, in place of the zone's last fresh frames. */
static void make_huge(void)
{
	struct claim_area huge = {
		.state = AREA_LIVE,
		.va_start = HUGE,
		.va_end = AREA_AFTER(HUGE, HUGE_PAGES),
		.vmap_area = KVMAP_DIRECT_BASE + SLAB_0 * K4 + 0x400,
		.addr = HUGE,
		.size = M2 + KVMAP_GUARD_SIZE,
		.requested_size = M2,
		.flags = VM_HUGE,
		.nr_pages = HUGE_PAGES,
		.first_frame = w.claims.frames.count,
		.frame_count = HUGE_PAGES,
		.allocated = w.claims.flush_generation,
	};
	struct claim_cached_range gap = { .va_start = AREA_END, .va_end = HUGE };
	struct claim_area lazy = *area(L);

	*area(L) = huge;
	cr_assert_eq(array_push(&w.claims.areas, lazy), 0);
	for (uint32_t i = 0; i < HUGE_PAGES; i++)
		cr_assert_eq(array_push(&w.claims.frames, HUGE_FRAME + i), 0);
	page_of(HUGE_FRAME)->owner = PAGE_VMALLOC;
	page_of(HUGE_FRAME)->order = 9;
	page_of(HUGE_FRAME)->vaddr = HUGE;
	tables_map(&w.tables, HUGE, HUGE_FRAME * K4, 2, PTE_W | PTE_A | PTE_D | PTE_G | PTE_NX);
	cr_assert_eq(array_push(&w.claims.cached_ranges, gap), 0);
	w.claims.free_tree.items[1].va_start = huge.va_end;
	w.claims.free_tree.items[0].subtree_max_size = w.claims.free_tree.items[1].subtree_max_size =
		KVMAP_VMALLOC_END - huge.va_end;
	w.claims.zones[1].fresh_end -= HUGE_PAGES;
	w.claims.zones[1].free_pages -= HUGE_PAGES;
	w.claims.vm_stat[NR_FREE_PAGES] -= HUGE_PAGES;
	w.claims.vm_stat[NR_VMALLOC_PAGES] += HUGE_PAGES;
	w.claims.stats.allocations++;
	w.claims.stats.pages_mapped += HUGE_PAGES;
}

Test(translate, a_page_that_KVM_maps_elsewhere_is_found)
{
	expect_lie(AREA_B + K4, "V11");
}

Test(translate, a_guard_that_KVM_maps_is_found)
{
	expect_lie(AREA_B + 2 * K4, "V11");
	cr_expect_str_eq(w.verdict.findings.items[0].claimed, "the walk: not present");
}

Test(translate, page_0_that_KVM_maps_is_found)
{
	expect_lie(0, "V11");
}

/* One entry translates all its pages: KVM translates each of them. */
Test(translate, each_page_of_a_large_leaf_is_translated)
{
	make_huge();
	expect_lie(KVMAP_VMALLOC_END, "");
	for (uint64_t page = 0; page < HUGE_PAGES; page += 73)
		expect_lie(HUGE + page * K4, "V11");
	expect_lie(HUGE + (HUGE_PAGES - 1) * K4, "V11");
}

/* Also where the sample is smaller than the area. */
Test(translate, each_page_of_a_large_leaf_is_translated_where_areas_are_sampled)
{
	make_huge();
	for (unsigned int i = 0; i < 40; i++) {
		struct claim_area copy = *area(C);

		cr_assert_eq(array_push(&w.claims.areas, copy), 0);
	}
	lie = HUGE + 334 * K4;
	w.tables.view.translate = translate;
	cr_assert_eq(verify(&w.input, &w.verdict, &(struct error){ 0 }), 0);
	cr_expect_eq(w.verdict.results[11].findings, 1);
}

/* The VM of another process is paused meanwhile: the limit of translations holds. */
Test(translate, a_view_with_a_limit_does_not_translate_each_page_of_a_large_leaf)
{
	make_huge();
	w.tables.view.translate_max = 64;
	expect_lie(KVMAP_VMALLOC_END, "");
	cr_expect_leq(w.verdict.results[11].checked, 64);
}
