/* SPDX-License-Identifier: MIT */
/*
 * test_mappings.c: memory by virtual address, for a core.
 */
#include "errors.h"
#include "no_memory.h"
#include "tables.h"

#include "paging/mappings.h"

#include <criterion/criterion.h>
#include <elf.h>
#include <errno.h>

static struct tables tables;
static struct mappings found;

static void make(void)
{
	tables_init(&tables, 4);
}

static void destroy(void)
{
	mappings_destroy(&found);
	tables_destroy(&tables);
}

TestSuite(mappings, .init = make, .fini = destroy);

static void collect(void)
{
	struct error error;

	cr_assert_eq(mappings_collect(&tables.view, &tables.mode, false, &found, &error), 0, "%s",
		     error.text);
}

static void expect(size_t index, uint64_t gva, uint64_t gpa, uint64_t size, uint32_t flags)
{
	const struct core_mapping *mapping = &found.items[index];

	cr_assert_lt(index, found.count);
	cr_expect(mapping->gva == gva && mapping->gpa == gpa && mapping->size == size &&
			  mapping->flags == flags,
		  "%zu: expected 0x%lx -> 0x%lx, 0x%lx bytes, flags %u; found 0x%lx -> 0x%lx, 0x%lx, %u",
		  index, gva, gpa, size, flags, mapping->gva, mapping->gpa, mapping->size, mapping->flags);
}

Test(mappings, are_merged_while_both_addresses_and_rights_go_on)
{
	tables_map(&tables, VMALLOC, 0x100000, 1, PTE_W | PTE_NX);
	tables_map(&tables, VMALLOC + K4, 0x101000, 1, PTE_W | PTE_NX);
	tables_map(&tables, VMALLOC + 2 * K4, 0x102000, 1, PTE_NX);
	tables_map(&tables, VMALLOC + 3 * K4, 0x105000, 1, PTE_NX);
	tables_map(&tables, VMALLOC + 5 * K4, 0x106000, 1, 0);
	collect();
	cr_expect_eq(found.count, 4);
	expect(0, VMALLOC, 0x100000, 2 * K4, PF_R | PF_W);
	expect(1, VMALLOC + 2 * K4, 0x102000, K4, PF_R);
	expect(2, VMALLOC + 3 * K4, 0x105000, K4, PF_R);
	expect(3, VMALLOC + 5 * K4, 0x106000, K4, PF_R | PF_X);
}

Test(mappings, of_large_pages_go_on_in_small_ones)
{
	tables_map(&tables, VMALLOC, M2, 2, PTE_W | PTE_NX);
	tables_map(&tables, VMALLOC + M2, RAM_LOW_END, 1, PTE_W | PTE_NX); /* no memory there */
	tables_map(&tables, VMALLOC + 2 * M2, RAM_HIGH_START, 2, PTE_W | PTE_NX);
	tables_map(&tables, VMALLOC + 3 * M2, RAM_HIGH_START + M2, 1, PTE_W | PTE_NX);
	tables_map(&tables, VMALLOC + 8 * M2, RAM_HIGH_START - M2, 2,
		   PTE_W | PTE_NX); /* ends where memory begins */
	tables_map(&tables, VMALLOC + 9 * M2, RAM_HIGH_END, 2, PTE_W | PTE_NX);
	collect();
	cr_expect_eq(found.count, 2);
	expect(0, VMALLOC, M2, M2, PF_R | PF_W);
	expect(1, VMALLOC + 2 * M2, RAM_HIGH_START, M2 + K4, PF_R | PF_W);
}

Test(mappings, are_those_parts_of_a_large_page_that_are_memory)
{
	tables_map(&tables, 0xffff888000000000, 0, 3, PTE_NX);
	tables_map(&tables, 0xffff888040000000, G1, 3, PTE_NX);
	collect();
	cr_expect_eq(found.count, 2);
	expect(0, 0xffff888000000000, 0, RAM_LOW_END, PF_R);
	expect(1, 0xffff888000000000 + RAM_HIGH_START, RAM_HIGH_START, RAM_HIGH_END - RAM_HIGH_START, PF_R);
}

Test(mappings, of_the_image_can_be_had_alone_and_are_in_order_with_others)
{
	struct error error;

	tables_map(&tables, 0xffffffff80200000, M2, 2, 0);
	tables_map(&tables, VMALLOC, 0x100000, 1, PTE_W | PTE_NX);
	tables_map(&tables, 0xffffffff7ffff000, 0x101000, 1, PTE_NX);
	collect();
	cr_expect_eq(found.count, 3);
	expect(0, VMALLOC, 0x100000, K4, PF_R | PF_W);
	expect(1, 0xffffffff7ffff000, 0x101000, K4, PF_R);
	expect(2, 0xffffffff80200000, M2, M2, PF_R | PF_X);
	mappings_destroy(&found);
	cr_assert_eq(mappings_collect(&tables.view, &tables.mode, true, &found, &error), 0);
	cr_expect_eq(found.count, 1);
	expect(0, 0xffffffff80200000, M2, M2, PF_R | PF_X);
}

Test(mappings, cover_what_they_hold_without_a_gap)
{
	tables_map(&tables, VMALLOC, 0x100000, 1, PTE_W | PTE_NX);
	tables_map(&tables, VMALLOC + K4, 0x105000, 1, PTE_NX);
	tables_map(&tables, VMALLOC + 3 * K4, 0x106000, 1, PTE_NX);
	collect();
	cr_expect(mappings_cover(&found, VMALLOC, 2 * K4));
	cr_expect(mappings_cover(&found, VMALLOC + 8, 2 * K4 - 8));
	cr_expect_not(mappings_cover(&found, VMALLOC, 2 * K4 + 1));
	cr_expect_not(mappings_cover(&found, VMALLOC - 1, 2));
	cr_expect_not(mappings_cover(&found, VMALLOC + 2 * K4, 1));
	cr_expect(mappings_cover(&found, VMALLOC + 3 * K4, K4));
	cr_expect_not(mappings_cover(&found, VMALLOC + 4 * K4, 1));
}

/* Every entry leads to the next table, and the last one's to every other frame, without end. */
Test(mappings, of_tables_that_are_mapped_without_end_are_left_out)
{
	uint64_t tables_gpa[3];

	for (unsigned int i = 0; i < 3; i++)
		tables_gpa[i] = tables_new(&tables);
	for (unsigned int i = 0; i < 512; i++) {
		*tables_slot(&tables, tables.mode.root, i) = tables_gpa[0] | PTE_P;
		*tables_slot(&tables, tables_gpa[0], i) = tables_gpa[1] | PTE_P;
		*tables_slot(&tables, tables_gpa[1], i) = tables_gpa[2] | PTE_P;
		*tables_slot(&tables, tables_gpa[2], i) = (i % 2 * K4) | PTE_P;
	}
	collect();
	cr_expect_not(found.cut_short);
	cr_expect_leq(found.count, 256 * 512);
	cr_expect(mappings_cover(&found, 0xffffffff80000000, 2 * M2), "the image is there first");
	cr_expect_gt(found.repeated, 200ull << 40);
	cr_expect_lt(found.repeated, 256ull << 40);
	mappings_destroy(&found);
	/* Frames run backwards, so that each page is a mapping. */
	for (unsigned int i = 0; i < 512; i++)
		*tables_slot(&tables, tables_gpa[2], i) = (511 - i) * K4 | PTE_P;
	collect();
	cr_expect_not(found.cut_short);
	cr_expect_leq(found.count, 256 * 512);
	cr_expect_gt(found.repeated, 200ull << 40);
}

/*
 * 512 tables of 512 pages that do not go on, each with as many rights as `top` entries of the top table and
 * `middle` entries of the next give them: 1 or 2 each, so a mapping for each page and rights.
 */
static void map_pieces(unsigned int top, unsigned int middle)
{
	uint64_t directory = tables_new(&tables), above = tables_new(&tables), table;

	for (unsigned int i = 0; i < 512; i++) {
		table = tables_new(&tables);
		*tables_slot(&tables, directory, i) = table | PTE_P | PTE_W | PTE_U;
		if (i < middle)
			*tables_slot(&tables, above, i) = directory | PTE_P | PTE_U | (i % 2 ? PTE_W : 0);
		if (i < top)
			*tables_slot(&tables, tables.mode.root, i) =
				above | PTE_P | PTE_W | (i % 2 ? PTE_U : 0);
		for (unsigned int k = 0; k < 512; k++)
			*tables_slot(&tables, table, k) = (k % 2 * 2 * K4) | PTE_P | PTE_W | PTE_U;
	}
}

Test(mappings, of_too_many_pieces_are_cut_short)
{
	map_pieces(512, 512);
	collect();
	cr_expect(found.cut_short);
	cr_expect_leq(found.count, MAPPINGS_MAX);
}

Test(mappings, may_be_as_many_as_their_maximum)
{
	/* 4 times 512 tables of 512 mappings. */
	map_pieces(2, 2);
	collect();
	cr_expect_eq(found.count, MAPPINGS_MAX);
	cr_expect_not(found.cut_short);
	cr_expect_eq(found.repeated, 0);
	mappings_destroy(&found);
	tables_map(&tables, VMALLOC, 0, 1, 0);
	collect();
	cr_expect_eq(found.count, MAPPINGS_MAX);
	cr_expect(found.cut_short);
}

/* The visited tables, then room for mappings. */
Test(mappings, without_memory_are_an_error)
{
	struct error error;

	tables_map(&tables, VMALLOC, 0, 1, 0);
	for (unsigned int n = 1; n <= 2; n++) {
		no_memory_at(n);
		cr_expect_eq(mappings_collect(&tables.view, &tables.mode, false, &found, &error), -1);
		cr_expect(no_memory_failed());
		expect_whole_error(&error, ERROR_HOST, ENOMEM, 0, "the guest's mappings");
		mappings_destroy(&found);
		cr_expect(!found.items && !found.count && !found.capacity);
	}
	no_memory_at(0);
	collect();
	cr_expect_eq(found.count, 1);
}
