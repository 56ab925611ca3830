/* SPDX-License-Identifier: MIT */
/* The claimed owner of each frame, from all lists of the guest. */
#include "claims/owners.h"
#include "world.h"

#include <criterion/criterion.h>
#include <string.h>

static struct world world;
static struct claims claims;
static struct owners owners;

static void begin(void)
{
	world_create(&world);
}

static void end(void)
{
	owners_destroy(&owners);
	claims_destroy(&claims);
	world_destroy(&world);
}

TestSuite(owners, .init = begin, .fini = end);

static void collect(void)
{
	owners_destroy(&owners);
	claims_destroy(&claims);
	world_read(&world, &claims);
	cr_assert_eq(owners_collect(&claims, &owners), 0);
	for (size_t i = 1; i < owners.list.count; i++)
		cr_assert_leq(owners.list.items[i - 1].key, owners.list.items[i].key);
}

static void expect_owner(uint64_t pfn, enum owner_kind kind)
{
	const struct keyed *owner = owners_find(&owners, pfn);

	cr_assert_not_null(owner, "frame 0x%lx has no owner", pfn);
	cr_expect_eq(OWNER_KIND(owner->tag), kind, "frame 0x%lx: %s", pfn,
		     owner_kind_name(OWNER_KIND(owner->tag)));
}

static void expect_none(uint64_t pfn)
{
	const struct keyed *owner = owners_find(&owners, pfn);

	cr_expect_null(owner, "frame 0x%lx: %s", pfn, owner_kind_name(OWNER_KIND(owner->tag)));
}

Test(owners, each_list_claims_its_frames)
{
	collect();
	expect_owner(0x0, OWNER_RESERVED);
	expect_owner(0x9e, OWNER_RESERVED);
	expect_owner(0x5ff, OWNER_RESERVED);
	expect_owner(0x701, OWNER_FREE);
	expect_owner(0x703, OWNER_FREE);
	expect_owner(0x70f, OWNER_FREE);
	expect_owner(0x710, OWNER_AREA);
	expect_owner(0x731, OWNER_AREA);
	expect_owner(0x751, OWNER_LAZY);
	expect_owner(0x741, OWNER_HELD);
	expect_owner(0x762, OWNER_PCP);
	expect_owner(0x800, OWNER_FRESH);
	expect_owner(WORLD_FRAMES - 1, OWNER_FRESH);
}

Test(owners, a_frame_on_no_list_and_a_frame_in_a_hole_have_no_owner)
{
	collect();
	expect_none(0x700);
	expect_none(0x702);
	expect_none(0x7ff);
	expect_none(0x9f);
	expect_none(WORLD_FRAMES);
}

Test(owners, the_index_leads_to_the_claim)
{
	const struct keyed *owner;

	collect();
	owner = owners_find(&owners, 0x712);
	cr_assert_not_null(owner);
	cr_expect_eq(claims.areas.items[OWNER_INDEX(owner->tag)].vmap_area, world_range_gva(RANGE_C));
	cr_expect_eq(owner->size, 1, "the second page of its area");
	cr_expect_eq(owner_frames(owner), 1);
	owner = owners_find(&owners, 0x70b);
	cr_assert_not_null(owner);
	cr_expect_eq(claims.free_buddy_blocks.items[OWNER_INDEX(owner->tag)].pfn, 0x708);
	cr_expect_eq(owner_frames(owner), 8);
}

Test(owners, reserved_regions_that_touch_or_overlap_are_one_and_end_where_RAM_ends)
{
	struct memblock *memblock = world_root(&world, "memblock", struct memblock);
	const struct keyed *owner;

	memblock->reserved[0] = (struct memblock_region){ .base = 0x90000, .size = 0x90000 };
	memblock->reserved[1] = (struct memblock_region){ .base = 0x300000, .size = 0x400000 };
	memblock->reserved[2] = (struct memblock_region){ .base = 0x500000, .size = 0x1000 };
	collect();
	cr_assert_eq(owners.memory_count, 2);
	expect_none(0x8f);
	expect_owner(0x9e, OWNER_RESERVED);
	expect_none(0x9f);
	owner = owners_find(&owners, 0x100);
	cr_assert_not_null(owner);
	cr_expect_eq(owner->key, 0x100);
	cr_expect_eq(owner_frames(owner), 0x20);
	owner = owners_find(&owners, 0x501);
	cr_assert_not_null(owner);
	cr_expect_eq(owner->key, 0x300);
	cr_expect_eq(owner_frames(owner), 0x400);
}

Test(owners, page_tables_and_allocated_buddy_blocks_are_claimed_by_their_struct_page)
{
	*world_page(&world, 0x704) = (struct page){ .owner = PAGE_TABLE };
	*world_page(&world, 0x780) = (struct page){ .owner = PAGE_KMALLOC, .order = 3 };
	*world_page(&world, 0x790) = (struct page){ .owner = PAGE_KMALLOC, .order = 200 };
	*world_page(&world, 0x110) = (struct page){ .owner = PAGE_TABLE };
	collect();
	expect_owner(0x704, OWNER_TABLE);
	expect_owner(0x787, OWNER_KMALLOC);
	expect_none(0x788);
	expect_owner(0x790, OWNER_KMALLOC);
	expect_none(0x791);
	expect_owner(0x110, OWNER_RESERVED);
}

Test(owners, a_frame_inside_a_buddy_block_of_an_area_is_recognised)
{
	world_page(&world, 0x710)->order = 2;
	collect();
	cr_expect_not(claims_in_area_buddy_block(&claims, 0x710));
	cr_expect(claims_in_area_buddy_block(&claims, 0x711));
	cr_expect(claims_in_area_buddy_block(&claims, 0x713));
	cr_expect_not(claims_in_area_buddy_block(&claims, 0x714));
	cr_expect_not(claims_in_area_buddy_block(&claims, 0x709), "a free block");
}

Test(owners, struct_pages_are_found_by_frame)
{
	collect();
	cr_assert_not_null(claims_page(&claims, 0x720));
	cr_expect_eq(claims_page(&claims, 0x720)->owner, PAGE_VMALLOC);
	cr_expect_null(claims_page(&claims, 0x702));
	cr_expect_null(claims_page(&claims, UINT64_MAX));
}

Test(owners, every_kind_of_owner_has_a_name)
{
	struct claim_page page = { .owner = PAGE_PCP };

	for (int kind = 0; kind < OWNER_KINDS; kind++)
		cr_expect_str_not_empty(owner_kind_name((enum owner_kind)kind));
	for (page.owner = PAGE_NONE; page.owner <= PAGE_PCP; page.owner++)
		cr_expect_neq(strcmp(page_owner_name(&page), "no such owner"), 0);
	cr_expect_str_eq(page_owner_name(&page), "no such owner");
	cr_expect_str_eq(page_owner_name(NULL), "no owner");
}
