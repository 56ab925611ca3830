/* SPDX-License-Identifier: MIT */
/*
 * test_ranges.c: leaves merged into ranges.
 */
#include "errors.h"
#include "no_memory.h"
#include "paging/ranges.h"
#include "tables.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

static struct tables t;
static struct ranges r;

static void four_levels(void)
{
	tables_init(&t, 4);
}

static void done(void)
{
	ranges_destroy(&r);
	tables_destroy(&t);
}

TestSuite(ranges, .init = four_levels, .fini = done);

static void collect(const uint64_t *breaks, size_t count)
{
	struct error error;

	ranges_destroy(&r);
	cr_assert_eq(ranges_collect(&t.view, &t.mode, 0, ~0ull, breaks, count, &r, &error), 0, "%s",
		     error.text);
}

static void expect_range(size_t i, uint64_t gva, uint64_t size, uint64_t gpa, uint64_t runs)
{
	const struct range *range = &r.items[i];

	cr_assert_lt(i, r.count);
	cr_expect(
		range->gva == gva && range->size == size && range->gpa == gpa && range->runs == runs &&
			range->leaves == size / range->page_size,
		"range %zu: expected 0x%lx+0x%lx -> 0x%lx in %lu runs, found 0x%lx+0x%lx -> 0x%lx in %lu runs",
		i, gva, size, gpa, runs, range->gva, range->size, range->gpa, range->runs);
}

Test(ranges, merges_neighbours_over_table_borders)
{
	tables_map_pages(&t, VMALLOC + M2 - 8 * K4, 0x100000, 600, PTE_W | PTE_NX);
	collect(NULL, 0);
	cr_assert_eq(r.count, 1);
	expect_range(0, VMALLOC + M2 - 8 * K4, 600 * K4, 0x100000, 1);
	cr_expect_eq(r.items[0].rights, RIGHT_R | RIGHT_W);
	cr_expect_eq(r.items[0].page_size, K4);
	cr_expect_eq(r.leaves, 600);
	cr_expect_eq(r.tables, t.next / K4 - 1);
	cr_expect_eq(r.damaged, 0);
	cr_expect(!r.cut_short);
}

Test(ranges, counts_physically_contiguous_runs)
{
	tables_map_pages(&t, VMALLOC, 0x100000, 4, 0);
	tables_map_pages(&t, VMALLOC + 4 * K4, 0x200000, 2, 0);
	tables_map_pages(&t, VMALLOC + 6 * K4, 0x1ff000, 1, 0);
	collect(NULL, 0);
	cr_assert_eq(r.count, 1);
	expect_range(0, VMALLOC, 7 * K4, 0x100000, 3);
	/* A frame that is wrong by one page only, a large one too. */
	tables_map(&t, VMALLOC + 4 * K4, 0x105000, 1, 0);
	tables_map(&t, VMALLOC + M2, 0, 2, 0);
	tables_map(&t, VMALLOC + 2 * M2, 0, 2, 0);
	collect(NULL, 0);
	cr_assert_eq(r.count, 2);
	expect_range(0, VMALLOC, 7 * K4, 0x100000, 4);
	expect_range(1, VMALLOC + M2, 2 * M2, 0, 2);
	*tables_entry(&t, VMALLOC + M2, 2) = *tables_entry(&t, VMALLOC + 2 * M2, 2) = 0;
	/* Page by page, over a table's border too. */
	for (unsigned int i = 0; i < 1024; i++)
		tables_map(&t, VMALLOC + i * K4, (2000 - i) * K4, 1, PTE_A);
	collect(NULL, 0);
	expect_range(0, VMALLOC, 1024 * K4, 2000 * K4, 1024);
}

Test(ranges, counts_accessed_and_dirty_bits_and_does_not_take_them_for_differences)
{
	tables_map_pages(&t, VMALLOC, 0, 600, PTE_W);
	tables_map_pages(&t, VMALLOC, 0, 1, PTE_W | PTE_A);
	tables_map_pages(&t, VMALLOC + 50 * K4, 50 * K4, 10, PTE_W | PTE_A | PTE_D | PTE_G);
	tables_map_pages(&t, VMALLOC + 510 * K4, 510 * K4, 4, PTE_W | PTE_D);
	collect(NULL, 0);
	cr_assert_eq(r.count, 1);
	expect_range(0, VMALLOC, 600 * K4, 0, 1);
	cr_expect_eq(r.items[0].accessed, 11);
	cr_expect_eq(r.items[0].dirty, 14);
}

/* One page each of two ranges: all that an entry says of them. */
Test(ranges, tell_rights_memory_type_and_key_apart)
{
	static const struct {
		uint64_t flags;
		unsigned int rights, pat_index, key;
	} pages[] = {
		{ 0, RIGHT_R | RIGHT_X, 0, 0 },
		{ PTE_W, RIGHT_R | RIGHT_X | RIGHT_W, 0, 0 },
		{ PTE_W | PTE_PWT, RIGHT_R | RIGHT_X | RIGHT_W, 1, 0 },
		{ PTE_W | PTE_PWT | 6ull << PTE_KEY_SHIFT, RIGHT_R | RIGHT_X | RIGHT_W, 1, 6 },
		{ PTE_W | PTE_PWT | 7ull << PTE_KEY_SHIFT, RIGHT_R | RIGHT_X | RIGHT_W, 1, 7 },
	};

	t.mode.keys = true;
	/* The borders between them are those of tables, too, where the range would go on. */
	for (unsigned int i = 0; i < 5; i++)
		tables_map_pages(&t, VMALLOC + i * M2, i * M2, 512, pages[i].flags);
	collect(NULL, 0);
	cr_assert_eq(r.count, 5);
	for (unsigned int i = 0; i < 5; i++) {
		expect_range(i, VMALLOC + i * M2, M2, i * M2, 1);
		cr_expect(r.items[i].rights == pages[i].rights &&
				  r.items[i].pat_index == pages[i].pat_index &&
				  r.items[i].key == pages[i].key && r.items[i].page_size == K4,
			  "range %u: rights %u, PAT %u, key %u, pages of 0x%lx", i, r.items[i].rights,
			  r.items[i].pat_index, r.items[i].key, r.items[i].page_size);
	}
}

Test(ranges, splits_at_holes_rights_sizes_and_memory_types)
{
	tables_map_pages(&t, VMALLOC, 0, 512, 0);
	tables_map_pages(&t, VMALLOC + 10 * K4, 10 * K4, 2, PTE_W);
	tables_map_pages(&t, VMALLOC + 20 * K4, 20 * K4, 2, PTE_PCD);
	*tables_entry(&t, VMALLOC + 30 * K4, 1) = 0;
	tables_map(&t, VMALLOC + M2, M2, 2, 0);
	tables_map(&t, VMALLOC + 2 * M2, 2 * M2, 2, 0);
	collect(NULL, 0);
	cr_assert_eq(r.count, 7);
	expect_range(0, VMALLOC, 10 * K4, 0, 1);
	expect_range(1, VMALLOC + 10 * K4, 2 * K4, 10 * K4, 1);
	expect_range(2, VMALLOC + 12 * K4, 8 * K4, 12 * K4, 1);
	expect_range(3, VMALLOC + 20 * K4, 2 * K4, 20 * K4, 1);
	cr_expect_eq(r.items[3].pat_index, 2);
	expect_range(4, VMALLOC + 22 * K4, 8 * K4, 22 * K4, 1);
	expect_range(5, VMALLOC + 31 * K4, M2 - 31 * K4, 31 * K4, 1);
	expect_range(6, VMALLOC + M2, 2 * M2, M2, 1);
	cr_expect_eq(r.items[6].page_size, M2);
}

Test(ranges, merges_by_effective_rights_not_by_the_last_entry)
{
	tables_map_pages(&t, VMALLOC, 0, 512, PTE_W);
	tables_map_pages(&t, VMALLOC + M2, M2, 512, 0);
	*tables_entry(&t, VMALLOC, 2) &= ~(uint64_t)PTE_W;
	collect(NULL, 0);
	cr_assert_eq(r.count, 1);
	expect_range(0, VMALLOC, 2 * M2, 0, 1);
	cr_expect_eq(r.items[0].rights, RIGHT_R | RIGHT_X);
}

Test(ranges, end_at_breaks)
{
	/* Before everything, at the start, inside, at a table's border, inside a page, at the end, after
	 * everything. */
	const uint64_t breaks[] = { 0,
				    VMALLOC,
				    VMALLOC + 3 * K4,
				    VMALLOC + 4 * K4,
				    VMALLOC + 4 * K4,
				    VMALLOC + M2,
				    VMALLOC + M2 + 5 * K4 + 1,
				    VMALLOC + M2 + 10 * K4,
				    ~0ull };

	tables_map_pages(&t, VMALLOC, 0, 522, 0);
	collect(breaks, sizeof(breaks) / sizeof(breaks[0]));
	cr_assert_eq(r.count, 5);
	expect_range(0, VMALLOC, 3 * K4, 0, 1);
	expect_range(1, VMALLOC + 3 * K4, K4, 3 * K4, 1);
	expect_range(2, VMALLOC + 4 * K4, M2 - 4 * K4, 4 * K4, 1);
	expect_range(3, VMALLOC + M2, 6 * K4, M2, 1);
	expect_range(4, VMALLOC + M2 + 6 * K4, 4 * K4, M2 + 6 * K4, 1);
	cr_expect_eq(r.leaves, 522);
}

Test(ranges, split_large_pages_only_between_them)
{
	const uint64_t breaks[] = { VMALLOC + K4, VMALLOC + 3 * M2 };

	for (unsigned int i = 0; i < 4; i++)
		tables_map(&t, VMALLOC + i * M2, i * M2, 2, 0);
	collect(breaks, 2);
	cr_assert_eq(r.count, 3);
	expect_range(0, VMALLOC, M2, 0, 1);
	expect_range(1, VMALLOC + M2, 2 * M2, M2, 1);
	expect_range(2, VMALLOC + 3 * M2, M2, 3 * M2, 1);
}

Test(ranges, reach_the_end_of_the_address_space)
{
	tables_map_pages(&t, ~0ull - 4 * K4 + 1, 0x1000, 4, 0);
	tables_map_pages(&t, 0, 0x5000, 2, 0);
	tables_map_pages(&t, 0x00007ffffffff000, 0x7000, 1, 0);
	tables_map_pages(&t, 0xffff800000000000, 0x8000, 1, 0);
	collect(NULL, 0);
	cr_assert_eq(r.count, 4);
	expect_range(0, 0, 2 * K4, 0x5000, 1);
	expect_range(3, ~0ull - 4 * K4 + 1, 4 * K4, 0x1000, 1);
}

Test(ranges, count_damage)
{
	tables_map_pages(&t, VMALLOC, 0, 4, 0);
	*tables_entry(&t, VMALLOC + 2 * K4, 1) |= 1ull << 50;
	*tables_entry(&t, 0, 4) = RAM_LOW_END | PTE_P;
	collect(NULL, 0);
	cr_expect_eq(r.damaged, 2);
	cr_expect_eq(r.count, 2);
}

Test(ranges, of_hostile_tables_are_cut_short)
{
	uint64_t table[5] = { 0, tables_new(&t), tables_new(&t), tables_new(&t), t.mode.root };

	for (unsigned int level = 4; level > 1; level--)
		for (unsigned int i = 0; i < 512; i++)
			*tables_slot(&t, table[level], i) = table[level - 1] | PTE_P | PTE_W;
	for (unsigned int i = 0; i < 512; i++)
		*tables_slot(&t, table[1], i) = PTE_P | (i & 1 ? PTE_W : 0);
	collect(NULL, 0);
	cr_expect(r.cut_short);
	cr_expect_leq(r.count, RANGES_MAX);
	cr_expect_leq(r.tables, 4, "each is entered once");
}

/* ---- tables that are mapped several times ---- */

/* The leaves of the tables one by one, merged as ranges are. */
static struct ranges merged;

static int merge_leaf(void *context, const struct walk_leaf *leaf)
{
	struct range *last = merged.count ? &merged.items[merged.count - 1] : NULL;

	(void)context;
	if (!last || last->gva + last->size != leaf->gva || last->page_size != leaf->size ||
	    last->rights != leaf->rights)
		return array_push(&merged, ((struct range){ .gva = leaf->gva,
							    .size = leaf->size,
							    .gpa = leaf->gpa,
							    .last_gpa = leaf->gpa,
							    .page_size = leaf->size,
							    .rights = leaf->rights,
							    .leaves = 1,
							    .runs = 1 }));
	last->size += leaf->size;
	last->leaves++;
	last->runs += last->last_gpa + leaf->size != leaf->gpa;
	last->last_gpa = leaf->gpa;
	return 0;
}

static void expect_ranges_of_leaves(void)
{
	const struct walk_visitor visitor = { .leaf = merge_leaf };

	ranges_destroy(&merged);
	cr_assert_eq(walk_range(&t.view, &t.mode, 0, ~0ull, 1 << 20, &visitor), 0);
	collect(NULL, 0);
	cr_expect(!r.cut_short);
	cr_assert_eq(r.count, merged.count);
	for (size_t i = 0; i < r.count; i++) {
		const struct range *range = &r.items[i], *wanted = &merged.items[i];

		cr_assert(range->gva == wanted->gva && range->size == wanted->size &&
				  range->gpa == wanted->gpa && range->last_gpa == wanted->last_gpa &&
				  range->rights == wanted->rights && range->leaves == wanted->leaves &&
				  range->runs == wanted->runs,
			  "range %zu of %zu at 0x%lx", i, r.count, range->gva);
	}
	ranges_destroy(&merged);
}

Test(ranges, of_shared_tables_are_those_of_their_leaves)
{
	uint64_t tables[3] = { tables_new(&t), tables_new(&t), tables_new(&t) };

	for (unsigned int i = 0; i < 6; i++)
		*tables_slot(&t, t.mode.root, 100 + i + i / 4) = tables[2] | PTE_P | (i & 1 ? PTE_W : 0);
	for (unsigned int i = 0; i < 512; i += 1 + (i > 100)) {
		*tables_slot(&t, tables[2], i % 16) = tables[1] | PTE_P | PTE_W | (i % 16 > 9 ? PTE_NX : 0);
		*tables_slot(&t, tables[1], i % 24) = tables[0] | PTE_P | PTE_W;
		*tables_slot(&t, tables[0], i) = (i / 3 * K4) | PTE_P | PTE_W;
	}
	expect_ranges_of_leaves();
	cr_expect_lt(r.tables, 16);
}

Test(ranges, of_a_recursive_map_are_those_of_its_leaves)
{
	tables_map_pages(&t, VMALLOC, 0x100000, 600, PTE_W);
	*tables_slot(&t, t.mode.root, 510) = t.mode.root | PTE_P | PTE_W;
	*tables_slot(&t, t.mode.root, 511) = t.mode.root | PTE_P;
	expect_ranges_of_leaves();
}

Test(ranges, of_a_page_that_is_mapped_terabytes_often_take_no_time)
{
	uint64_t tables[3] = { tables_new(&t), tables_new(&t), tables_new(&t) };

	for (unsigned int i = 0; i < 512; i++) {
		*tables_slot(&t, tables[2], i) = tables[1] | PTE_P | PTE_W;
		*tables_slot(&t, tables[1], i) = tables[0] | PTE_P | PTE_W;
		*tables_slot(&t, tables[0], i) = 0x5000 | PTE_P | PTE_NX;
	}
	for (unsigned int i = 0; i < 32; i++)
		*tables_slot(&t, t.mode.root, 472 + i) = tables[2] | PTE_P | PTE_W;
	tables_map_pages(&t, 0xffffffff81000000, 0x200000, 2, 0);
	collect(NULL, 0);
	cr_expect(!r.cut_short);
	cr_assert_eq(r.count, 2);
	expect_range(0, 0xffffec0000000000, 1ull << 44, 0x5000, 1ull << 32);
	expect_range(1, 0xffffffff81000000, 2 * K4, 0x200000, 1);
}

/* 1024 tables of 512 pages whose memory type takes turns, mapped with each combination of rights: no table is as another. */
Test(ranges, are_cut_short_at_their_maximum)
{
	static const uint64_t rights[8] = { 0,      PTE_W,          PTE_U,          PTE_W | PTE_U,
					    PTE_NX, PTE_W | PTE_NX, PTE_U | PTE_NX, PTE_W | PTE_U | PTE_NX };
	uint64_t third = tables_new(&t), second[2] = { tables_new(&t), tables_new(&t) };

	for (unsigned int i = 0; i < 8; i++)
		*tables_slot(&t, t.mode.root, i) = third | PTE_P | rights[i];
	for (unsigned int i = 0; i < 1024; i++) {
		uint64_t first = RAM_HIGH_START + i * K4;

		*tables_slot(&t, third, i / 512) = second[i / 512] | PTE_P | PTE_W | PTE_U;
		*tables_slot(&t, second[i / 512], i % 512) = first | PTE_P | PTE_W | PTE_U;
		for (unsigned int k = 0; k < 512; k++)
			*tables_slot(&t, first, k) = PTE_P | PTE_W | PTE_U | (k & 1 ? PTE_PWT : 0);
	}
	t.view.data_size_max = 64 << 20; /* bounds the tables */
	collect(NULL, 0);
	cr_expect_eq(r.count, RANGES_MAX);
	cr_expect_not(r.cut_short);
	tables_map_pages(&t, VMALLOC, 0x1000, 1, 0);
	collect(NULL, 0);
	cr_expect_eq(r.count, RANGES_MAX);
	cr_expect(r.cut_short);
}

/* The visited tables, then room for 16 ranges, for 32, and the lists of a table that is mapped again. */
Test(ranges, without_memory_are_an_error)
{
	struct ranges untouched = { .tables = 77 };
	struct error error;
	unsigned int n = 0;

	for (unsigned int i = 0; i < 17; i++)
		tables_map(&t, VMALLOC + 2 * i * K4, 0, 1, 0);
	for (unsigned int i = 1; i < 4; i++)
		*tables_entry(&t, VMALLOC + i * M2, 2) = *tables_entry(&t, VMALLOC, 2);
	for (;;) {
		no_memory_at(++n);
		if (ranges_collect(&t.view, &t.mode, 0, ~0ull, NULL, 0, &untouched, &error) == 0)
			break;
		cr_expect(no_memory_failed());
		expect_whole_error(&error, ERROR_HOST, ENOMEM, 0, "the memory map of the guest");
		cr_assert_eq(untouched.tables, 77, "allocation %u", n);
	}
	no_memory_at(0);
	cr_expect_gt(n, 7);
	cr_expect_not(untouched.cut_short);
	cr_expect_eq(untouched.count, 4 * 17);
	ranges_destroy(&untouched);
}

Test(ranges, that_are_destroyed_are_empty)
{
	tables_map_pages(&t, VMALLOC, 0, 1, 0);
	collect(NULL, 0);
	ranges_destroy(&r);
	cr_expect(!r.items && !r.count && !r.capacity && !r.leaves && !r.tables);
}
