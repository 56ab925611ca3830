/* SPDX-License-Identifier: MIT */
/*
 * test_map_check.c: what no memory map should have.
 */
#include "inspect/frame_bits.h"
#include "inspect/map_check.h"
#include "kvmap/layout.h"
#include "tables.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#define DIRECT 0xffff888000000000ull

static struct tables t;
static struct map_violations found;
static struct claims claims;
static struct claim_area area;
static struct map_direct direct;

/* All RAM at one distance, not executable. */
static void init(void)
{
	tables_init(&t, 4);
	direct = (struct map_direct){ true, DIRECT };
	for (uint64_t gpa = 0; gpa < RAM_HIGH_END; gpa += M2)
		tables_map(&t, DIRECT + gpa, gpa, 2, PTE_W | PTE_NX);
	area = (struct claim_area){ .flags = VM_MAP };
	claims = (struct claims){ .areas = { &area, 0, 1 } };
}

static void done(void)
{
	map_violations_destroy(&found);
	tables_destroy(&t);
}

TestSuite(map_check, .init = init, .fini = done);

static void check_range(uint64_t start, uint64_t end)
{
	struct ranges ranges;
	struct error error;

	map_violations_destroy(&found);
	cr_assert_eq(ranges_collect(&t.view, &t.mode, 0, ~0ull, NULL, 0, &ranges, &error), 0);
	cr_assert_eq(map_check(&(struct map_check_input){ &t.view, &t.mode, start, end, &ranges, &ranges,
							  &direct, &claims },
			       &found, &error),
		     0);
	ranges_destroy(&ranges);
}

static void check(void)
{
	check_range(0, ~0ull);
}

static void expect(size_t i, enum map_fault fault, uint64_t gpa, uint64_t size, uint64_t mappings,
		   uint64_t first, uint64_t second)
{
	const struct map_violation *v = &found.items[i];

	cr_assert_lt(i, found.count);
	cr_expect(v->fault == fault && v->gpa == gpa && v->size == size && v->mappings == mappings &&
			  v->by[0].at == first && v->by[1].at == second,
		  "violation %zu: found fault %d, GPA 0x%lx+0x%lx, %lu mappings at 0x%lx and 0x%lx", i,
		  v->fault, v->gpa, v->size, v->mappings, v->by[0].at, v->by[1].at);
}

Test(map_check, finds_nothing_in_a_good_map)
{
	tables_map_pages(&t, VMALLOC, RAM_HIGH_START, 600, PTE_W | PTE_NX);
	tables_map_pages(&t, VMALLOC + G1, RAM_HIGH_START + 700 * K4, 10, PTE_NX);
	check();
	cr_expect_eq(found.count, 0);
	cr_expect_eq(found.frames, 610);
	cr_expect(!found.cut_short);
}

Test(map_check, finds_what_is_writable_and_executable)
{
	tables_map_pages(&t, VMALLOC, RAM_HIGH_START, 5, PTE_W);
	check();
	cr_assert_eq(found.count, 1);
	expect(0, MAP_WRITABLE_EXECUTABLE, RAM_HIGH_START, 5 * K4, 1, VMALLOC, 0);
}

Test(map_check, finds_frames_that_are_mapped_twice_and_says_where)
{
	tables_map_pages(&t, VMALLOC, RAM_HIGH_START, 8, PTE_W | PTE_NX);
	tables_map_pages(&t, VMALLOC + G1, RAM_HIGH_START + 2 * K4, 3, PTE_NX);
	check();
	cr_assert_eq(found.count, 1);
	expect(0, MAP_ALIAS, RAM_HIGH_START + 2 * K4, 3 * K4, 2, VMALLOC + 2 * K4, VMALLOC + G1);
	cr_expect_eq(found.items[0].by[0].rights, RIGHT_R | RIGHT_W);
	cr_expect_eq(found.items[0].by[1].rights, RIGHT_R);
	/* One frame everywhere: one line. */
	for (unsigned int i = 0; i < 100; i++)
		tables_map_pages(&t, VMALLOC + 2 * G1 + 2 * i * K4, RAM_HIGH_START + 7 * K4, 1, PTE_NX);
	check();
	cr_assert_eq(found.count, 2);
	expect(1, MAP_ALIAS, RAM_HIGH_START + 7 * K4, K4, 101, VMALLOC + 7 * K4, VMALLOC + 2 * G1);
}

Test(map_check, finds_small_pages_inside_large_ones)
{
	tables_map(&t, VMALLOC, RAM_HIGH_START, 2, PTE_NX);
	tables_map_pages(&t, VMALLOC + G1, RAM_HIGH_START + 100 * K4, 1, PTE_NX);
	tables_map(&t, 0xffffffff00000000, 0, 3, PTE_NX); /* 1 GiB, of which 8 MiB are memory */
	check();
	cr_assert_eq(found.count, 3);
	expect(0, MAP_ALIAS, RAM_HIGH_START, 100 * K4, 2, VMALLOC, 0xffffffff00000000 + RAM_HIGH_START);
	expect(1, MAP_ALIAS, RAM_HIGH_START + 100 * K4, K4, 3, VMALLOC + 100 * K4, VMALLOC + G1);
	expect(2, MAP_ALIAS, RAM_HIGH_START + 101 * K4, M2 - 101 * K4, 2, VMALLOC + 101 * K4,
	       0xffffffff00000000 + RAM_HIGH_START + 101 * K4);
}

Test(map_check, finds_text_that_can_be_written_through_the_direct_map)
{
	tables_map_pages(&t, VMALLOC, RAM_HIGH_START, 4, 0);
	check();
	cr_assert_eq(found.count, 1);
	expect(0, MAP_WRITABLE_ELSEWHERE, RAM_HIGH_START, 4 * K4, 2, VMALLOC, DIRECT + RAM_HIGH_START);
	/* Not what only the user executes: his pages are the kernel's to write. */
	*tables_entry(&t, DIRECT + RAM_HIGH_START, 2) &= ~(uint64_t)PTE_W;
	check();
	cr_expect_eq(found.count, 0);
	*tables_entry(&t, DIRECT + RAM_HIGH_START, 2) |= PTE_W;
	tables_map_pages(&t, 0x400000, RAM_HIGH_START + M2, 4, PTE_U);
	tables_map_pages(&t, VMALLOC, RAM_HIGH_START, 4, PTE_NX);
	check();
	cr_expect_eq(found.count, 0);
	/* But what the user executes and writes elsewhere. */
	tables_map_pages(&t, 0x800000, RAM_HIGH_START + M2, 4, PTE_U | PTE_W | PTE_NX);
	check();
	cr_assert_eq(found.count, 1);
	expect(0, MAP_WRITABLE_ELSEWHERE, RAM_HIGH_START + M2, 4 * K4, 3, 0x400000, 0x800000);
}

Test(map_check, leaves_out_what_the_guest_claims_to_have_mapped_again)
{
	tables_map_pages(&t, VMALLOC, RAM_HIGH_START, 4, PTE_W | PTE_NX);
	tables_map_pages(&t, VMALLOC + 0x10000, RAM_HIGH_START, 4, PTE_W | PTE_NX);
	area.va_start = VMALLOC + 0x10000;
	area.va_end = area.va_start + 4 * K4 + KVMAP_GUARD_SIZE;
	claims.areas.count = 1;
	check();
	cr_expect_eq(found.count, 0);
	area.flags = 0;
	check();
	cr_expect_eq(found.count, 1);
}

Test(map_check, finds_a_page_table_that_can_be_written)
{
	uint64_t table = tables_new(&t);

	*tables_slot(&t, t.mode.root, 300) = table | PTE_P | PTE_W;
	tables_map_pages(&t, VMALLOC, t.mode.root, 1, PTE_NX);
	check();
	cr_expect_eq(found.count, 0, "not to be written");
	tables_map_pages(&t, VMALLOC, t.mode.root, 1, PTE_W | PTE_NX);
	check();
	cr_assert_eq(found.count, 1);
	expect(0, MAP_TABLE_WRITABLE, t.mode.root, K4, 1, VMALLOC, 0);
	/* Twice is not an alias besides. */
	tables_map_pages(&t, VMALLOC + G1, t.mode.root, 1, PTE_W | PTE_NX);
	check();
	cr_assert_eq(found.count, 1);
	expect(0, MAP_TABLE_WRITABLE, t.mode.root, K4, 2, VMALLOC, VMALLOC + G1);
	/* In a range that does not need the table, too. */
	tables_map_pages(&t, VMALLOC + G1, table, 1, PTE_W | PTE_NX);
	check_range(VMALLOC + G1, VMALLOC + G1 + K4);
	cr_assert_eq(found.count, 1);
	expect(0, MAP_TABLE_WRITABLE, table, K4, 1, VMALLOC + G1, 0);
}

static unsigned int count_table_writable(void)
{
	unsigned int count = 0;

	for (size_t i = 0; i < found.count; i++)
		count += found.items[i].fault == MAP_TABLE_WRITABLE;
	return count;
}

Test(map_check, finds_tables_that_a_recursive_map_lets_write)
{
	uint64_t self = 0xffffff7fbfdfe000; /* by slot 510 at every level: the top table */

	/* It maps the large pages of the direct map, too, one frame of each. */
	tables_map_pages(&t, VMALLOC, RAM_HIGH_START, 1, PTE_W | PTE_NX);
	*tables_slot(&t, t.mode.root, 510) = t.mode.root | PTE_P | PTE_W | PTE_NX;
	check();
	cr_expect_gt(count_table_writable(), 4);
	expect(0, MAP_TABLE_WRITABLE, t.mode.root, K4, 1, self, 0);
	*tables_slot(&t, t.mode.root, 510) &= ~(uint64_t)PTE_W;
	check();
	cr_expect_eq(count_table_writable(), 0);
}

Test(map_check, leaves_out_page_tables_in_the_data_of_the_image)
{
	uint64_t image = 0xffffffff80000000;

	/* Text, and all of low memory at the same distance. */
	tables_map(&t, DIRECT, 0, 2, PTE_NX); /* the text cannot be written by the direct map */
	tables_map_pages(&t, image, 0, 1, 0);
	tables_map_pages(&t, image + t.mode.root, t.mode.root, 1, PTE_W | PTE_NX);
	check();
	cr_expect_eq(found.count, 0);
	/* At another distance it is no data of the image. */
	tables_map_pages(&t, image + t.mode.root, t.mode.root, 1, PTE_NX);
	tables_map_pages(&t, image + t.mode.root + K4, t.mode.root, 1, PTE_W | PTE_NX);
	check();
	cr_assert_eq(found.count, 1);
	expect(0, MAP_TABLE_WRITABLE, t.mode.root, K4, 1, image + t.mode.root + K4, 0);
}

Test(map_check, counts_no_devices)
{
	tables_map_pages(&t, VMALLOC, 0xfee00000, 1, PTE_W | PTE_NX);
	tables_map_pages(&t, VMALLOC + 2 * K4, 0xfee00000, 1, PTE_W | PTE_NX);
	check();
	cr_expect_eq(found.count, 0);
	cr_expect_eq(found.frames, 0);
}

Test(map_check, looks_only_at_the_range)
{
	tables_map_pages(&t, VMALLOC, RAM_HIGH_START, 4, PTE_W);
	tables_map_pages(&t, VMALLOC + G1, RAM_HIGH_START + 3 * K4, 4, PTE_W);
	check_range(VMALLOC + 4 * K4, VMALLOC + G1 - 1);
	cr_expect_eq(found.count, 0);
	check_range(VMALLOC + 3 * K4, VMALLOC + G1);
	cr_expect_eq(found.count, 3, "two ranges, one frame");
}

/*
 * A table of level 1 at five places leads to a page that the direct map has, too, and to a page table that the image has.
 */
Test(map_check, counts_every_mapping_that_is_meant_by_tables_that_are_mapped_again)
{
	const uint64_t image = 0xffffffff80000000;
	uint64_t shared = tables_new(&t);

	tables_map_pages(&t, image + M2, M2, 1, 0); /* executed, not writable */
	tables_map_pages(&t, image + shared, shared, 1, PTE_W | PTE_NX);
	*tables_slot(&t, shared, 0) = (M2 + 5 * K4) | PTE_P | PTE_NX;
	*tables_slot(&t, shared, 1) = shared | PTE_P | PTE_W | PTE_NX;
	for (unsigned int i = 0; i < 5; i++)
		*tables_entry(&t, VMALLOC + i * M2, 2) = shared | PTE_P | PTE_W;
	check();
	cr_assert_eq(found.count, 3);
	cr_expect_not(found.at_least);
	expect(0, MAP_TABLE_WRITABLE, shared, K4, 5, VMALLOC + K4, VMALLOC + M2 + K4);
	expect(1, MAP_WRITABLE_ELSEWHERE, M2, K4, 2, image + M2, DIRECT + M2);
	expect(2, MAP_ALIAS, M2 + 5 * K4, K4, 5, VMALLOC, VMALLOC + M2);
	/* In a part of the guest each number is a lower bound. */
	check_range(VMALLOC, ~0ull);
	cr_expect(found.at_least && found.items[0].at_least);
	cr_expect_eq(found.items[0].mappings, 3);
}

/* Frames beyond the first ones that are counted, and those of one finding that are mapped more often than others. */
Test(map_check, says_at_least_where_it_did_not_count)
{
	uint64_t shared = tables_new(&t);

	for (unsigned int i = 0; i < 20; i++)
		*tables_slot(&t, shared, i) = (M2 + 2 * i * K4) | PTE_P | PTE_NX;
	for (unsigned int i = 0; i < 5; i++)
		*tables_entry(&t, VMALLOC + i * M2, 2) = shared | PTE_P | PTE_W;
	check();
	cr_assert_eq(found.count, 20);
	cr_expect(found.at_least);
	for (size_t i = 0; i < 20; i++) {
		cr_expect_eq(found.items[i].at_least, i >= 16);
		cr_expect_eq(found.items[i].mappings, i < 16 ? 5 : 3);
	}
	for (unsigned int i = 0; i < 20; i++)
		*tables_slot(&t, shared, i) = i < 2 ? (M2 + i * K4) | PTE_P | PTE_NX : 0;
	check();
	cr_assert_eq(found.count, 1);
	expect(0, MAP_ALIAS, M2, 2 * K4, 5, VMALLOC, VMALLOC + M2);
	cr_expect_not(found.at_least);
	*tables_entry(&t, VMALLOC + 7 * M2, 2) = tables_new(&t) | PTE_P | PTE_W;
	tables_map(&t, VMALLOC + 7 * M2, M2, 1, PTE_NX);
	check();
	cr_expect_not(found.at_least);
	cr_expect_eq(found.items[0].mappings, 6);
}

Test(map_check, of_hostile_tables_is_bounded)
{
	uint64_t table[5] = { 0, 0, tables_new(&t), tables_new(&t), t.mode.root };

	for (unsigned int level = 4; level > 2; level--)
		for (unsigned int i = 0; i < 512; i++)
			*tables_slot(&t, table[level], i) = table[level - 1] | PTE_P | PTE_W;
	for (unsigned int i = 0; i < 512; i++)
		*tables_slot(&t, table[2], i) = (i % 2 * M2) | PTE_P | PTE_W | PTE_PS | PTE_NX;
	check();
	cr_expect(found.cut_short);
	cr_expect_gt(found.count, 0);
	cr_expect_lt(found.frames, 65 * 2048);
}

Test(frame_bits, go_over_holes_and_words)
{
	struct frame_index index;
	uint64_t first, count, next, *bits, *again;

	cr_assert_eq(frame_index_open(&index, &t.view), 0);
	cr_assert_eq(index.bits, 2048);
	cr_assert(frame_bits_next(&index, 0x1000, G1, &first, &count, &next));
	cr_expect(first == 1 && count == 1023 && next == RAM_LOW_END);
	cr_assert(frame_bits_next(&index, next, G1, &first, &count, &next));
	cr_expect(first == 1024 && count == 1024 && next == RAM_HIGH_END);
	cr_expect(!frame_bits_next(&index, next, G1, &first, &count, &next));
	cr_expect(!frame_bits_next(&index, RAM_LOW_END, RAM_HIGH_START, &first, &count, &next));
	cr_expect(!frame_bits_next(&index, RAM_HIGH_START, RAM_HIGH_START, &first, &count, &next));

	bits = frame_bits_new(&index);
	again = frame_bits_new(&index);
	frame_bits_set(bits, again, 60, 200);
	frame_bits_set(bits, again, 255, 10);
	for (unsigned int i = 0; i < 2048; i++) {
		cr_assert_eq(frame_bits_find(bits, i, i + 1) == i, i >= 60 && i < 265, "%u", i);
		cr_assert_eq(frame_bits_find(again, i, i + 1) == i, i >= 255 && i < 260, "%u", i);
	}
	cr_expect_eq(frame_bits_find(bits, 0, 2048), 60);
	cr_expect_eq(frame_bits_find(bits, 0, 60), 60);
	cr_expect_eq(frame_bits_find(bits, 265, 2048), 2048);
	cr_expect_eq(frame_bits_find(again, 100, 2048), 255);
	free(bits);
	free(again);
	frame_index_close(&index);
}

static void tables_only(void)
{
	tables_init(&t, 4);
}

static void tables_gone(void)
{
	tables_destroy(&t);
}

TestSuite(frame_bits, .init = tables_only, .fini = tables_gone);
