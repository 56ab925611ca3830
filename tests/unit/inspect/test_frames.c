/* SPDX-License-Identifier: MIT */
/*
 * test_frames.c: who has each frame, how frames lie, and what leads to one.
 */
#define _GNU_SOURCE /* memfd_create */
#include "inspect/frames.h"
#include "tables.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define FRAME 0x300ull /* in RAM, and no table */

static struct tables t;
static struct frames f;
static struct frame_reaches r;

static void four_levels(void)
{
	tables_init(&t, 4);
}

static void done(void)
{
	frames_destroy(&f);
	frame_reaches_destroy(&r);
	tables_destroy(&t);
}

TestSuite(frames, .init = four_levels, .fini = done);

static void collect(const struct claims *claims)
{
	struct error error;
	uint64_t sum = 0, at = 0;

	frames_destroy(&f);
	cr_assert_eq(frames_collect(&t.view, &t.mode, claims, &f, &error), 0);
	for (size_t i = 0; i < f.runs.count; i++) {
		cr_assert_geq(f.runs.items[i].pfn, at, "run %zu is out of order", i);
		at = f.runs.items[i].pfn + f.runs.items[i].count;
		sum += f.runs.items[i].count;
	}
	cr_expect_eq(sum, view_size(&t.view) / K4, "the runs are not all of memory: %lu frames", sum);
	cr_expect_eq(f.total, sum);
}

static void expect_kind(uint64_t pfn, unsigned int kind)
{
	const struct frame_run *run = frames_find(&f, pfn);

	cr_assert_not_null(run, "frame 0x%lx", pfn);
	cr_expect_eq(run->kind, kind, "frame 0x%lx: expected %s, found %s", pfn, frame_kinds[kind].name,
		     frame_kinds[run->kind].name);
}

/* ---- from tables ---- */

Test(frames, without_claims_are_what_the_tables_make_of_them)
{
	tables_map(&t, VMALLOC, FRAME * K4, 1, 0);
	tables_map(&t, VMALLOC + K4, (FRAME + 1) * K4, 1, 0);
	tables_map(&t, VMALLOC + 5 * K4, (FRAME + 1) * K4, 1, 0);
	collect(NULL);
	cr_expect(!f.from_claims);
	expect_kind(FRAME, FRAME_MAPPED);
	expect_kind(FRAME + 1, FRAME_ALIASED);
	expect_kind(FRAME + 2, FRAME_UNMAPPED);
	expect_kind(t.mode.root / K4, FRAME_TABLE);
	expect_kind(RAM_HIGH_END / K4 - 1, FRAME_UNMAPPED);
	cr_expect_eq(f.by_kind[FRAME_TABLE], t.next / K4 - 1);
	cr_expect_null(frames_find(&f, RAM_LOW_END / K4));
	cr_expect_null(frames_find(&f, RAM_HIGH_END / K4));
}

Test(frames, of_large_pages_count_as_mapped_and_add_up_with_small_ones)
{
	/* 2M over [2M, 4M), where RAM ends; 1G over all of RAM. */
	tables_map(&t, VMALLOC, M2, 2, 0);
	collect(NULL);
	expect_kind(M2 / K4, FRAME_MAPPED);
	expect_kind(2 * M2 / K4 - 1, FRAME_MAPPED);
	expect_kind(RAM_HIGH_START / K4, FRAME_UNMAPPED);
	tables_map(&t, VMALLOC + G1, 0, 3, 0);
	collect(NULL);
	expect_kind(M2 / K4, FRAME_ALIASED);
	expect_kind(M2 / K4 - 1, FRAME_MAPPED);
	expect_kind(RAM_HIGH_START / K4, FRAME_MAPPED);
	expect_kind(RAM_HIGH_END / K4 - 1, FRAME_MAPPED);
	tables_map(&t, VMALLOC + M2, RAM_HIGH_START, 1, 0);
	collect(NULL);
	expect_kind(RAM_HIGH_START / K4, FRAME_ALIASED);
}

Test(frames, in_holes_of_memory_are_untouched_even_where_they_are_mapped)
{
	int fd = memfd_create("test", 0);
	struct view_region region = { .gpa = 64 << 20, .size = M2, .fd = fd };
	struct error error;
	uint8_t *bytes;

	cr_assert_eq(ftruncate(fd, M2), 0);
	bytes = mmap(NULL, M2, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	cr_assert_neq(bytes, MAP_FAILED);
	region.bytes = bytes;
	bytes[8 * K4] = 1;
	cr_assert_eq(view_add_region(&t.view, &region, &error), 0);
	tables_map(&t, VMALLOC, region.gpa, 2, 0);
	tables_map(&t, VMALLOC + M2, region.gpa + 9 * K4, 1, 0);
	collect(NULL);
	expect_kind(region.gpa / K4, FRAME_UNTOUCHED);
	expect_kind(region.gpa / K4 + 8, FRAME_MAPPED);
	expect_kind(region.gpa / K4 + 9, FRAME_ALIASED);
	expect_kind(region.gpa / K4 + 511, FRAME_UNTOUCHED);
	munmap(bytes, M2);
	close(fd);
}

/* A table that is its own ancestor at every level, and leaves to where there is no memory. */
Test(frames, of_hostile_tables_take_bounded_time)
{
	uint64_t table[4] = { t.mode.root, tables_new(&t), tables_new(&t), tables_new(&t) };

	for (unsigned int level = 0; level < 3; level++)
		for (unsigned int i = 0; i < 512; i++)
			*tables_slot(&t, table[level], i) = table[level + 1] | PTE_P;
	for (unsigned int i = 0; i < 512; i++)
		*tables_slot(&t, table[3], i) = (i & 1 ? RAM_LOW_END : FRAME * K4) | PTE_P;
	*tables_slot(&t, table[2], 1) = t.mode.root | PTE_P;
	collect(NULL);
	cr_expect(!f.cut_short);
	expect_kind(FRAME, FRAME_ALIASED);
	expect_kind(table[3] / K4, FRAME_TABLE);
}

/* ---- from claims ---- */

static struct claims claims;
static struct claim_buddy_block blocks[64];
static struct claim_area areas[2];
static uint32_t chain[] = { FRAME, FRAME + 1, FRAME + 5 };

static void make_claims(void)
{
	claims = (struct claims){
		.memory = { { 0, RAM_LOW_END, MEMBLOCK_RAM },
			    { RAM_HIGH_START + M2, RAM_HIGH_END - RAM_HIGH_START, MEMBLOCK_RAM } },
		.memory_count = 2,
		.reserved = { { 0, 1 << 20, MEMBLOCK_LOW } },
		.reserved_count = 1,
	};
	areas[0] = (struct claim_area){ .state = AREA_LIVE, .va_start = VMALLOC, .frame_count = 2 };
	areas[1] = (struct claim_area){
		.state = AREA_LAZY, .va_start = VMALLOC + M2, .first_frame = 2, .frame_count = 1
	};
	claims.areas.items = areas;
	claims.areas.count = 2;
	claims.frames.items = chain;
	claims.frames.count = 3;
	claims.free_buddy_blocks.items = blocks;
}

static void add_block(uint64_t pfn, uint32_t order)
{
	blocks[claims.free_buddy_blocks.count++] = (struct claim_buddy_block){ .pfn = pfn, .order = order };
}

Test(frames, have_the_owner_that_claims_them)
{
	make_claims();
	add_block(0x200, 4);
	collect(&claims);
	cr_expect(f.from_claims);
	expect_kind(0, OWNER_RESERVED);
	expect_kind(0xff, OWNER_RESERVED);
	expect_kind(0x100, FRAME_NO_OWNER);
	expect_kind(0x200, OWNER_FREE);
	expect_kind(0x20f, OWNER_FREE);
	expect_kind(0x210, FRAME_NO_OWNER);
	expect_kind(FRAME + 1, OWNER_AREA);
	expect_kind(FRAME + 5, OWNER_LAZY);
	cr_expect_eq(frames_find(&f, FRAME)->of, VMALLOC);
	cr_expect_eq(frames_find(&f, FRAME + 5)->of, VMALLOC + M2);
	cr_expect_eq(f.by_kind[OWNER_FREE], 16);
	cr_expect_eq(f.by_kind[OWNER_RESERVED], 0x100);
	/* The guest claims memory from 18M on; the view has it from 16M. */
	expect_kind(RAM_HIGH_START / K4, FRAME_STRANGE);
	expect_kind((RAM_HIGH_START + M2) / K4 - 1, FRAME_STRANGE);
	expect_kind((RAM_HIGH_START + M2) / K4, FRAME_NO_OWNER);
}

Test(frames, with_two_claims_have_several_owners_and_those_beside_them_one)
{
	make_claims();
	add_block(0x200, 4);
	add_block(0x204, 2); /* inside */
	add_block(0x206, 1); /* inside both */
	add_block(0x20e, 2); /* over the end */
	add_block(0x3fe, 2); /* over the end of RAM */
	collect(&claims);
	expect_kind(0x203, OWNER_FREE);
	expect_kind(0x204, FRAME_SEVERAL);
	expect_kind(0x207, FRAME_SEVERAL);
	expect_kind(0x208, OWNER_FREE);
	expect_kind(0x20d, OWNER_FREE);
	expect_kind(0x20e, FRAME_SEVERAL);
	expect_kind(0x210, OWNER_FREE);
	expect_kind(0x212, FRAME_NO_OWNER);
	cr_expect_eq(f.by_kind[FRAME_SEVERAL], 6);
	expect_kind(0x3ff, OWNER_FREE);
}

/* Against a count for each frame. */
Test(frames, of_random_claims_are_as_counted_one_by_one)
{
	uint64_t state = 7;

	for (unsigned int round = 0; round < 300; round++) {
		unsigned int count[0x400] = { 0 };

		make_claims();
		claims.areas.count = 0;
		claims.reserved_count = 0;
		for (unsigned int i = random_next(&state) % 40; i; i--) {
			uint64_t pfn = random_next(&state) % 0x3a0;
			uint32_t order = random_next(&state) % 7;

			add_block(pfn, order);
			for (uint64_t j = pfn; j < pfn + (1ull << order) && j < 0x400; j++)
				count[j]++;
		}
		collect(&claims);
		for (uint64_t pfn = 0; pfn < 0x400; pfn++)
			expect_kind(pfn, count[pfn] > 1 ? FRAME_SEVERAL
					 : count[pfn]   ? OWNER_FREE
							: FRAME_NO_OWNER);
	}
}

/* ---- scatter ---- */

static struct frame_scatter scatter(void)
{
	struct frame_scatter out;

	frames_scatter(&t.view, &t.mode, 0, ~0ull, &out);
	return out;
}

Test(frames, of_neighbours_lie_as_far_apart_as_the_tables_say)
{
	static const uint64_t frames[] = { 10, 11, 12, 11, 11, 20, 100, 101 };
	struct frame_scatter s;

	for (unsigned int i = 0; i < 8; i++)
		tables_map(&t, VMALLOC + i * K4, frames[i] * K4, 1, PTE_W);
	s = scatter();
	cr_expect_eq(s.pages, 8);
	cr_expect_eq(s.ranges, 1);
	cr_expect_eq(s.next, 3);
	cr_expect_eq(s.same, 1);
	cr_expect_eq(s.distances[0], 1, "one back");
	cr_expect_eq(s.distances[3], 1, "9");
	cr_expect_eq(s.distances[6], 1, "80");
	/* 10-12, 11, 11, 20, 100-101 */
	cr_expect_eq(s.runs, 5);
	cr_expect_eq(s.lengths[0], 3);
	cr_expect_eq(s.lengths[1], 2);
	cr_expect_eq(s.longest, 3);
}

Test(frames, behind_a_hole_or_with_other_rights_are_no_neighbours)
{
	struct frame_scatter s;

	tables_map(&t, VMALLOC, 10 * K4, 1, 0);
	tables_map(&t, VMALLOC + 2 * K4, 11 * K4, 1, 0);
	tables_map(&t, VMALLOC + 3 * K4, 12 * K4, 1, PTE_W);
	s = scatter();
	cr_expect_eq(s.ranges, 3);
	cr_expect_eq(s.runs, 3);
	cr_expect_eq(s.next, 0);
	cr_expect_eq(s.lengths[0], 3);
}

Test(frames, of_a_large_page_follow_one_another)
{
	struct frame_scatter s;

	tables_map(&t, VMALLOC, M2, 2, 0);
	tables_map(&t, VMALLOC + M2, 2 * M2, 1, 0);
	tables_map(&t, VMALLOC + M2 + K4, 0, 1, 0);
	s = scatter();
	cr_expect_eq(s.pages, 514);
	cr_expect_eq(s.next, 512);
	cr_expect_eq(s.distances[10], 1);
	cr_expect_eq(s.runs, 2);
	cr_expect_eq(s.longest, 513);
	cr_expect_eq(s.lengths[9], 1);
}

/* ---- one frame ---- */

static void reach(uint64_t pfn, size_t limit)
{
	struct error error;

	frame_reaches_destroy(&r);
	cr_assert_eq(frames_reach(&t.view, &t.mode, pfn, limit, &r, &error), 0);
}

Test(frames, are_reached_by_small_and_large_pages_at_the_right_address)
{
	tables_map(&t, VMALLOC + 3 * K4, FRAME * K4, 1, PTE_NX);
	tables_map(&t, VMALLOC + M2, M2, 2, PTE_W);
	tables_map(&t, 0xffff888000000000, 0, 3, 0);
	tables_map(&t, VMALLOC + 9 * K4, (FRAME + 1) * K4, 1, 0);
	reach(FRAME, 10);
	cr_assert_eq(r.list.count, 3);
	cr_expect_eq(r.leaves, 3);
	cr_expect_eq(r.tables, 0);
	cr_expect_eq(r.list.items[0].gva, 0xffff888000000000 + FRAME * K4);
	cr_expect_eq(r.list.items[0].level, 3);
	cr_expect_eq(r.list.items[1].gva, VMALLOC + 3 * K4);
	cr_expect_eq(r.list.items[1].index, 3);
	cr_expect_eq(r.list.items[1].rights, RIGHT_R);
	cr_expect_eq(r.list.items[2].gva, VMALLOC + M2 + (FRAME * K4 - M2));
	cr_expect_eq(r.list.items[2].level, 2);
	cr_expect_eq(*tables_slot(&t, r.list.items[2].table, r.list.items[2].index), r.list.items[2].entry);
}

Test(frames, that_are_tables_are_reached_by_the_entry_above_them)
{
	uint64_t pd = *tables_entry(&t, VMALLOC, 3) & PTE_ADDRESS;

	*tables_entry(&t, VMALLOC, 1) = 0; /* makes the tables */
	pd = *tables_entry(&t, VMALLOC, 3) & PTE_ADDRESS;
	tables_map(&t, VMALLOC, pd, 1, PTE_W);
	reach(pd / K4, 10);
	cr_assert_eq(r.list.count, 2);
	cr_expect(!r.list.items[0].is_leaf);
	cr_expect_eq(r.list.items[0].gva, VMALLOC);
	cr_expect_eq(r.list.items[0].level, 3);
	cr_expect_eq(r.list.items[0].entry, *tables_entry(&t, VMALLOC, 3));
	cr_expect(r.list.items[1].is_leaf);
	reach(t.mode.root / K4, 10);
	cr_assert_eq(r.list.count, 1);
	cr_expect_eq(r.list.items[0].level, 0);
}

Test(frames, of_tables_that_run_in_a_circle_are_reached_by_the_entry_that_closes_it)
{
	*tables_entry(&t, VMALLOC, 4) = t.mode.root | PTE_P;
	reach(t.mode.root / K4, 10);
	/* The top table, then as a table of levels 3, 2 and 1, and as a page. */
	cr_assert_eq(r.list.count, 5);
	cr_expect_eq(r.list.items[1].level, 4);
	cr_expect_eq(r.list.items[1].gva, VMALLOC);
	cr_expect_eq(r.list.items[1].index, VMALLOC >> 39 & 511);
	cr_expect_eq(r.tables, 4);
	cr_expect(r.list.items[4].is_leaf);
	cr_expect_eq(r.list.items[4].level, 1);
}

Test(frames, outside_of_memory_may_be_reached)
{
	tables_map(&t, VMALLOC, RAM_LOW_END, 1, 0);
	reach(RAM_LOW_END / K4, 10);
	cr_expect_eq(r.leaves, 1);
}

Test(frames, with_a_million_aliases_are_counted_and_listed_as_far_as_asked_for)
{
	uint64_t pdpt = tables_new(&t), pd = tables_new(&t), pt = tables_new(&t);

	*tables_entry(&t, VMALLOC, 4) = pdpt | PTE_P;
	for (unsigned int i = 0; i < 4; i++)
		*tables_slot(&t, pdpt, i) = pd | PTE_P;
	for (unsigned int i = 0; i < 512; i++) {
		*tables_slot(&t, pd, i) = pt | PTE_P;
		*tables_slot(&t, pt, i) = FRAME * K4 | PTE_P;
	}
	reach(FRAME, 16);
	cr_expect_eq(r.leaves, 1 << 20);
	cr_expect_eq(r.list.count, 16);
	cr_expect(!r.cut_short);
	reach(FRAME, SIZE_MAX);
	cr_expect_eq(r.list.count, 1 << 20);
	cr_expect_eq(r.list.items[(1 << 20) - 1].gva, VMALLOC + (1ull << 32) - K4);
	reach(pt / K4, 16);
	cr_expect_eq(r.tables, 2048);
	cr_expect_eq(r.list.items[15].gva, VMALLOC + 15 * M2);
}
