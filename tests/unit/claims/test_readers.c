/* SPDX-License-Identifier: MIT */
/* How the guest's memory is read: mem_map in pieces, large pages that RAM ends in, numbers; and lookups in what was read. */
#include "damage.h"
#include "claims/layout.h"
#include "claims/owners.h"
#include "no_memory.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

TestSuite(readers, .init = damage_begin, .fini = damage_end);

Test(readers, numbers_have_one_to_eight_bytes)
{
	static const uint8_t bytes[] = { 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88 };

	cr_expect_eq(layout_number(bytes, 1), 0x81);
	cr_expect_eq(layout_number(bytes, 2), 0x8281);
	cr_expect_eq(layout_number(bytes, 4), 0x84838281);
	cr_expect_eq(layout_number(bytes, 8), 0x8887868584838281);
}

/* The struct pages that are not zero, as the guest wrote them. */
static void expect_all_pages(const struct page *mem_map_read)
{
	static const struct page zero;
	size_t expected = 0;

	for (uint32_t pfn = 0; pfn < WORLD_FRAMES; pfn++) {
		if (!memcmp(&mem_map_read[pfn], &zero, sizeof(zero)))
			continue;
		cr_assert_lt(expected, claims.pages.count);
		cr_assert_eq(claims.pages.items[expected].pfn, pfn);
		cr_expect_eq(claims.pages.items[expected++].allocated, mem_map_read[pfn].allocated);
	}
	cr_expect_eq(claims.pages.count, expected);
}

/* 4K pages in the opposite order, with holes between them. */
#define SCATTERED     (KVMAP_VMALLOC_END + (1ull << 39))
#define SCATTERED_GPA 0x900000ull

Test(readers, a_mem_map_of_scattered_pages_that_begins_anywhere_in_a_page)
{
	const struct page *pages = (const struct page *)(world.memory + WORLD_MEM_MAP);
	const uint64_t size = WORLD_FRAMES * sizeof(struct page);

	/* In each page of mem_map, and over the ends of some. */
	for (uint32_t pfn = 1; pfn < WORLD_FRAMES; pfn += 41)
		world_page(&world, pfn)->allocated = pfn;
	world_page(&world, WORLD_FRAMES - 1)->allocated = 7;
	for (uint64_t offset = 0; offset <= 40; offset += 8) {
		uint64_t count = (offset + size + PAGE_SIZE - 1) / PAGE_SIZE;

		*world_root(&world, "mem_map", uint64_t) = SCATTERED + offset;
		for (uint64_t i = 0; i < count; i++) {
			uint64_t gpa = SCATTERED_GPA + (count - i) * 2 * PAGE_SIZE, at = i * PAGE_SIZE;
			uint64_t first = at < offset ? offset - at : 0, from = at + first - offset;
			uint64_t part = PAGE_SIZE - first < size - from ? PAGE_SIZE - first : size - from;

			*world_pte(&world, SCATTERED + at, 1) = gpa | PTE_P | PTE_W;
			memset(world.memory + gpa, 0, PAGE_SIZE);
			memcpy(world.memory + gpa + first, (const uint8_t *)pages + from, part);
		}
		claims_destroy(&claims);
		world_read(&world, &claims);
		cr_expect_eq(claims.damages.count, 0, "offset %lu: %s", (unsigned long)offset,
			     claims.damages.count ? claims.damages.items[0].what : "");
		expect_all_pages(pages);
		cr_expect_eq(claims.areas.items[2].frame_count, 3);
	}
	/* A hole of three pages is one damage; what is after it is read. */
	for (unsigned int i = 4; i < 7; i++)
		*world_pte(&world, SCATTERED + i * PAGE_SIZE, 1) = 0;
	*world_pte(&world, SCATTERED + 9 * PAGE_SIZE, 1) = 0;
	claims_destroy(&claims);
	world_read(&world, &claims);
	expect_first_damages(&claims,
			     (const struct expected_damage[]){
				     { "V4", SCATTERED + 4 * PAGE_SIZE, 0, "mem_map: not present" },
				     { "V4", SCATTERED + 9 * PAGE_SIZE, 0, "mem_map: not present" } },
			     2);
	cr_expect_eq(claims.pages.items[claims.pages.count - 1].pfn, WORLD_FRAMES - 1);
}

Test(readers, ram_may_end_inside_a_large_page)
{
	static uint8_t page[PAGE_SIZE];
	const uint64_t gva = SCATTERED, gpa = 1ull << 32;
	struct view_region region = { .gpa = gpa + PAGE_SIZE, .size = PAGE_SIZE, .bytes = page, .fd = -1 };
	struct error error;

	cr_assert_eq(view_add_region(&world.view, &region, &error), 0);
	*world_pte(&world, gva, 2) = gpa | PTE_P | PTE_PS;
	memcpy(page + 8, world_vm(&world, RANGE_A), sizeof(struct vm_struct));
	((struct vm_struct *)(page + 8))->caller = (void *)0x4444;
	world_range(&world, RANGE_A)->vm = (void *)(gva + PAGE_SIZE + 8);
	world_range(&world, RANGE_C)->vm = (void *)(gva + PAGE_SIZE + PAGE_SIZE - 8);
	world_read(&world, &claims);
	cr_expect_eq(claims.areas.items[0].caller, 0x4444);
	EXPECT_DAMAGES(&claims, { "V1", RANGE(C), gva + 2 * PAGE_SIZE - 8,
				  "vmap_area.vm: does not point to a vm_struct in RAM" });
}

/* Each large page of the direct map in its own order: equal offsets, and places that share one in the reader's cache. */
Test(readers, addresses_of_one_place_in_the_cache_are_told_apart)
{
	struct vmap_area *a = world_range(&world, RANGE_A), *b = world_range(&world, RANGE_B);
	const uint64_t distance = 64 * PAGE_SIZE;
	struct vm_struct *first = (struct vm_struct *)(world.memory + 0xb00000);
	struct vm_struct *second = (struct vm_struct *)(world.memory + 0xb01000);

	*first = *world_vm(&world, RANGE_A);
	first->caller = (void *)0x1111;
	*second = *world_vm(&world, RANGE_B);
	second->caller = (void *)0x2222;
	*world_pte(&world, SCATTERED, 1) = 0xb00000 | PTE_P;
	*world_pte(&world, SCATTERED + distance, 1) = 0xb01000 | PTE_P;
	a->vm = (void *)SCATTERED;
	b->vm = (void *)(SCATTERED + distance);
	world_read(&world, &claims);
	cr_expect_eq(claims.areas.items[0].caller, 0x1111);
	cr_expect_eq(claims.areas.items[1].caller, 0x2222);
}

Test(readers, the_runs_of_an_area_are_its_stretches_of_frames)
{
	static const struct {
		uint32_t frames[6];
		unsigned int count, runs;
	} cases[] = {
		{ { 0 }, 0, 0 },
		{ { 7 }, 1, 1 },
		{ { 7, 8, 9 }, 3, 1 },
		{ { 7, 9, 8, 9, 10, 5 }, 6, 4 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint32_t frames[8] = { 4, 6 };
		struct claims some = { .frames.items = frames, .frames.count = 2 + cases[i].count };
		struct claim_area area = { .first_frame = 2, .frame_count = cases[i].count };

		memcpy(frames + 2, cases[i].frames, sizeof(cases[i].frames));
		cr_expect_eq(claims_area_runs(&some, &area), cases[i].runs);
	}
}

Test(readers, the_starts_of_areas_need_memory)
{
	size_t count = 77;

	world_read(&world, &claims);
	no_memory_at(1);
	cr_expect_null(claims_area_starts(&claims, &count));
	cr_expect_eq(count, 0);
}

/* ---- owners ---- */

static struct owners owners;

/* As in the list: "kind frame size index". */
struct expected_owner {
	enum owner_kind kind;
	uint64_t pfn;
	uint32_t size, index;
};

static void expect_owners(const struct claims *some, const struct expected_owner *expected, size_t count)
{
	owners_destroy(&owners);
	cr_assert_eq(owners_collect(some, &owners), 0);
	cr_expect_eq(owners.list.count, count);
	for (size_t i = 0; i < count && i < owners.list.count; i++) {
		const struct keyed *owner = &owners.list.items[i];

		cr_expect(OWNER_KIND(owner->tag) == expected[i].kind && owner->key == expected[i].pfn &&
				  owner->size == expected[i].size &&
				  OWNER_INDEX(owner->tag) == expected[i].index,
			  "%zu: %s, frame 0x%lx, size 0x%x, index %u", i,
			  owner_kind_name(OWNER_KIND(owner->tag)), owner->key, owner->size,
			  OWNER_INDEX(owner->tag));
	}
	owners_destroy(&owners);
	cr_expect(!owners.list.items && !owners.list.count && !owners.memory_count);
}

Test(readers, all_owners_of_a_guest)
{
	static const struct expected_owner expected[] = {
		{ OWNER_RESERVED, 0, 0x9f, 0 },   { OWNER_RESERVED, 0x100, 0x600, 0 },
		{ OWNER_SLAB, 0x600, 1, 0 },      { OWNER_SLAB, 0x601, 1, 1 },
		{ OWNER_FREE, 0x701, 1, 0 },      { OWNER_FREE, 0x703, 1, 1 },
		{ OWNER_FREE, 0x708, 8, 2 },      { OWNER_AREA, 0x710, 0, 0 },
		{ OWNER_AREA, 0x711, 0, 1 },      { OWNER_AREA, 0x712, 1, 2 },
		{ OWNER_AREA, 0x720, 1, 0 },      { OWNER_AREA, 0x730, 0, 2 },
		{ OWNER_AREA, 0x731, 2, 2 },      { OWNER_HELD, 0x740, 1, 0 },
		{ OWNER_HELD, 0x741, 1, 0 },      { OWNER_LAZY, 0x750, 0, 3 },
		{ OWNER_LAZY, 0x751, 1, 3 },      { OWNER_PCP, 0x760, 1, 0 },
		{ OWNER_PCP, 0x761, 1, 0 },       { OWNER_PCP, 0x762, 1, 0 },
		{ OWNER_FRESH, 0x800, 0x800, 0 },
	};

	world_read(&world, &claims);
	expect_owners(&claims, expected, sizeof(expected) / sizeof(expected[0]));
}

#define REGION(first, count)                                                                                 \
	{                                                                                                    \
		.base = (first)*PAGE_SIZE, .size = (count)*PAGE_SIZE                                         \
	}

Test(readers, regions_are_merged_and_cut_to_ram)
{
	static const struct claims some = {
		.memory = { REGION(0x300, 0x10),
			    REGION(0x100, 0x10),
			    REGION(0x200, 0x10),
			    REGION(0x110, 0x10),
			    REGION(0x208, 2),
			    REGION(0x20f, 3),
			    { .base = 0x123 },
			    { .base = -PAGE_SIZE, .size = PAGE_SIZE + 1 } },
		.memory_count = 8,
		.reserved = { REGION(0x0, 0x102), REGION(0x20e, 0x100), { .base = 0x118fff, .size = 2 } },
		.reserved_count = 3,
	};
	static const struct expected_owner expected[] = {
		{ OWNER_RESERVED, 0x100, 2, 0 },
		{ OWNER_RESERVED, 0x118, 2, 0 },
		{ OWNER_RESERVED, 0x20e, 4, 0 },
		{ OWNER_RESERVED, 0x300, 0xe, 0 },
	};

	cr_assert_eq(owners_collect(&some, &owners), 0);
	cr_assert_eq(owners.memory_count, 3);
	cr_expect(owners.memory[0].start == 0x100 && owners.memory[0].end == 0x120);
	cr_expect(owners.memory[1].start == 0x200 && owners.memory[1].end == 0x212);
	cr_expect(owners.memory[2].start == 0x300 && owners.memory[2].end == 0x310);
	expect_owners(&some, expected, 4);
}

Test(readers, impossible_sizes_of_owners_are_cut)
{
	struct claim_buddy_block blocks[] = { { .pfn = 1, .order = MAX_ORDER },
					      { .pfn = 0x10001, .order = MAX_ORDER + 1 } };
	struct claim_page pages[] = {
		{ .pfn = 0x20000, .owner = PAGE_KMALLOC, .order = MAX_ORDER },
		{ .pfn = 0x30000, .owner = PAGE_KMALLOC, .order = MAX_ORDER + 1 },
		{ .pfn = 0x40000, .owner = PAGE_TABLE },
	};
	const struct claims some = {
		.free_buddy_blocks = { .items = blocks, .count = 2 },
		.pages = { .items = pages, .count = 3 },
		.zones = { { .fresh_start = 0x100000, .fresh_end = 0x100000ull + UINT32_MAX + 7 },
			   { .fresh_start = 5, .fresh_end = 5 } },
		.zone_count = 2,
	};
	static const struct expected_owner expected[] = {
		{ OWNER_FREE, 1, 1 << MAX_ORDER, 0 },
		{ OWNER_FREE, 0x10001, 1, 1 },
		{ OWNER_KMALLOC, 0x20000, 1 << MAX_ORDER, 0 },
		{ OWNER_KMALLOC, 0x30000, 1, 0 },
		{ OWNER_TABLE, 0x40000, 1, 0 },
		{ OWNER_FRESH, 0x100000, UINT32_MAX, 0 },
	};

	expect_owners(&some, expected, 6);
}

Test(readers, owners_need_memory)
{
	unsigned int n = 0;
	int result;

	*world_page(&world, 0x780) = (struct page){ .owner = PAGE_KMALLOC };
	world_read(&world, &claims);
	do {
		no_memory_at(++n);
		result = owners_collect(&claims, &owners);
		cr_assert_eq(result, no_memory_failed() ? -1 : 0);
		owners_destroy(&owners);
	} while (result < 0);
	cr_expect_gt(n, 2);
}

Test(readers, a_block_of_the_largest_order_has_one_owner)
{
	*world_page(&world, 0x800) = (struct page){ .owner = PAGE_VMALLOC, .order = MAX_ORDER };
	*world_page(&world, 0x780) = (struct page){ .owner = PAGE_VMALLOC, .order = 1 };
	world_read(&world, &claims);
	cr_expect_not(claims_in_area_buddy_block(&claims, 0x7ff));
	cr_expect_not(claims_in_area_buddy_block(&claims, 0x800));
	cr_expect(claims_in_area_buddy_block(&claims, 0x801));
	cr_expect(claims_in_area_buddy_block(&claims, 0x800 + (1 << MAX_ORDER) - 1));
	cr_expect_not(claims_in_area_buddy_block(&claims, 0x800 + (1 << MAX_ORDER)));
	cr_expect(claims_in_area_buddy_block(&claims, 0x781));
	cr_expect_not(claims_in_area_buddy_block(&claims, 0x782),
		      "in a larger block than its first frame says");
}

Test(readers, owners_have_the_names_of_reports)
{
	static const char *const kinds[OWNER_KINDS] = {
		"a free block",       "a fresh range",       "a reserved region", "a page table",
		"a live area",        "a lazily freed area", "an object cache",   "held_pages",
		"an allocated block", "a CPU's frame cache",
	};
	static const char *const pages[] = { "no owner", "free",          "page table",
					     "slab",     "vmalloc",       "held",
					     "kmalloc",  "kept by a CPU", "no such owner" };

	for (unsigned int kind = 0; kind < OWNER_KINDS; kind++)
		cr_expect_str_eq(owner_kind_name((enum owner_kind)kind), kinds[kind]);
	for (uint8_t owner = 0; owner < sizeof(pages) / sizeof(pages[0]); owner++)
		cr_expect_str_eq(page_owner_name(&(struct claim_page){ .owner = owner }), pages[owner]);
}
