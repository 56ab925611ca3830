/* SPDX-License-Identifier: MIT */
/*
 * test_walk.c: one translation at a time, over tables made here.
 */
#include "base/x86.h"
#include "errors.h"
#include "tables.h"

#include <criterion/criterion.h>
#include <string.h>

static struct tables t;

static void four_levels(void)
{
	tables_init(&t, 4);
}

static void five_levels(void)
{
	tables_init(&t, 5);
}

static void done(void)
{
	tables_destroy(&t);
}

static struct walk translate(uint64_t gva)
{
	struct walk walk;

	walk_translate(&t.view, &t.mode, gva, &walk);
	return walk;
}

static void expect_stop(uint64_t gva, enum walk_stop stop, unsigned int entries_read)
{
	struct walk walk = translate(gva);

	cr_expect_eq(walk.stop, stop, "0x%lx: expected '%s', found '%s'", gva, walk_stop_text(stop),
		     walk_stop_text(walk.stop));
	cr_expect_eq(walk.level_count, entries_read, "0x%lx: expected %u entries read, found %u", gva,
		     entries_read, walk.level_count);
}

TestSuite(walk, .init = four_levels, .fini = done);
TestSuite(walk5, .init = five_levels, .fini = done);

Test(walk, translates_a_4k_page_and_keeps_the_offset)
{
	struct walk walk;

	tables_map(&t, VMALLOC + 5 * K4, 0x1234000, 1, PTE_W | PTE_NX | PTE_A | PTE_D);
	walk = translate(VMALLOC + 5 * K4 + 0xabc);
	cr_assert_eq(walk.stop, WALK_MAPPED);
	cr_expect_eq(walk.gpa, 0x1234abc);
	cr_expect_eq(walk.page_size, K4);
	cr_expect_eq(walk.rights, RIGHT_R | RIGHT_W);
	cr_assert_eq(walk.level_count, 4);
	cr_expect_eq(walk.levels[0].level, 4);
	cr_expect_eq(walk.levels[0].table, t.mode.root);
	cr_expect_eq(walk.levels[0].index, VMALLOC >> 39 & 511);
	cr_expect_eq(walk.levels[0].rights, RIGHT_R | RIGHT_W | RIGHT_X | RIGHT_U);
	cr_expect_eq(walk.levels[3].level, 1);
	cr_expect_eq(walk.levels[3].index, 5);
	cr_expect_eq(walk.levels[3].entry, 0x1234000 | PTE_P | PTE_W | PTE_NX | PTE_A | PTE_D);
}

static void expect_level(const struct walk_level *found, struct walk_level wanted)
{
	cr_expect(found->level == wanted.level && found->index == wanted.index &&
			  found->table == wanted.table && found->entry == wanted.entry &&
			  found->rights == wanted.rights && found->is_page == wanted.is_page &&
			  found->reserved == wanted.reserved,
		  "expected level %u, entry %u of 0x%lx: 0x%lx, rights %u, page %d, reserved 0x%lx; found "
		  "level %u, entry %u of 0x%lx: 0x%lx, rights %u, page %d, reserved 0x%lx",
		  wanted.level, wanted.index, wanted.table, wanted.entry, wanted.rights, wanted.is_page,
		  wanted.reserved, found->level, found->index, found->table, found->entry, found->rights,
		  found->is_page, found->reserved);
}

/* Rights narrow from level to level, and the last entry is in doubt. */
Test(walk, shows_each_level_as_it_was_read)
{
	uint64_t gva = VMALLOC + 3 * M2 + 5 * K4, leaf = 0x1234000 | PTE_P | PTE_W | PTE_U | PTE_NX;
	uint64_t table[4];
	struct walk walk;

	tables_map(&t, gva, 0x1234000, 1, PTE_W | PTE_U | PTE_NX);
	*tables_entry(&t, gva, 3) &= ~PTE_U;
	*tables_entry(&t, gva, 2) &= ~PTE_W;
	table[3] = t.mode.root;
	for (unsigned int level = 3; level >= 1; level--)
		table[level - 1] = *tables_entry(&t, gva, level + 1) & PTE_ADDRESS;
	for (int spoilt = 0; spoilt < 2; spoilt++) {
		*tables_entry(&t, gva, 1) |= spoilt ? 1ull << 50 : 0;
		walk = translate(gva);
		cr_expect_eq(walk.gva, gva);
		cr_assert_eq(walk.level_count, 4);
		expect_level(&walk.levels[0],
			     (struct walk_level){ .level = 4,
						  .index = gva >> 39 & 511,
						  .table = table[3],
						  .entry = table[2] | PTE_P | PTE_W | PTE_U,
						  .rights = RIGHT_R | RIGHT_W | RIGHT_X | RIGHT_U });
		expect_level(&walk.levels[1], (struct walk_level){ .level = 3,
								   .index = 0,
								   .table = table[2],
								   .entry = table[1] | PTE_P | PTE_W,
								   .rights = RIGHT_R | RIGHT_W | RIGHT_X });
		expect_level(&walk.levels[2], (struct walk_level){ .level = 2,
								   .index = 3,
								   .table = table[1],
								   .entry = table[0] | PTE_P | PTE_U,
								   .rights = RIGHT_R | RIGHT_X });
		expect_level(&walk.levels[3],
			     (struct walk_level){ .level = 1,
						  .index = 5,
						  .table = table[0],
						  .entry = spoilt ? leaf | 1ull << 50 : leaf,
						  .rights = spoilt ? RIGHT_R | RIGHT_X : RIGHT_R,
						  .is_page = true,
						  .reserved = spoilt ? 1ull << 50 : 0 });
	}
}

Test(walk, reports_memory_type_and_protection_key_of_the_page)
{
	struct walk walk;

	tables_map(&t, VMALLOC, 0x1000, 1, PTE_PWT | PTE_PS | 9ull << PTE_KEY_SHIFT);
	tables_map(&t, VMALLOC + M2, M2, 2, PTE_PCD | PTE_PAT_LARGE | 15ull << PTE_KEY_SHIFT);
	walk = translate(VMALLOC);
	cr_expect_eq(walk.pat_index, 5);
	cr_expect_eq(walk.key, 0, "the mode has no keys");
	t.mode.keys = true;
	cr_expect_eq(translate(VMALLOC).key, 9);
	walk = translate(VMALLOC + M2);
	cr_expect_eq(walk.pat_index, 6);
	cr_expect_eq(walk.key, 15);
}

Test(walk, has_a_text_for_each_stop)
{
	static const char *const texts[] = { "mapped",           "address not canonical",      "not present",
					     "reserved bit set", "table outside guest memory", "unknown" };

	for (unsigned int stop = WALK_MAPPED; stop <= WALK_TABLE_OUTSIDE + 1; stop++)
		cr_expect_str_eq(walk_stop_text(stop), texts[stop]);
}

Test(walk5, translates_through_five_levels)
{
	uint64_t gva =
		0xffa0000000000000 + 7 * K4; /* Linux's vmalloc start with 5 levels; 4 have no such address */
	struct walk walk;

	tables_map(&t, gva, 0x5000, 1, PTE_W);
	walk = translate(gva + 1);
	cr_assert_eq(walk.stop, WALK_MAPPED);
	cr_expect_eq(walk.gpa, 0x5001);
	cr_expect_eq(walk.level_count, 5);
	cr_expect_eq(walk.levels[0].level, 5);
	cr_expect_eq(walk.levels[0].index, gva >> 48 & 511);
}

Test(walk, translates_large_pages_with_their_offset)
{
	struct walk walk;

	tables_map(&t, VMALLOC, 0x40000000, 2, PTE_W);
	tables_map(&t, VMALLOC + G1, 0x80000000, 3, 0);
	walk = translate(VMALLOC + 0x12345);
	cr_expect(walk.stop == WALK_MAPPED && walk.gpa == 0x40012345 && walk.page_size == M2);
	cr_expect_eq(walk.level_count, 3);
	walk = translate(VMALLOC + G1 + 0x12345678);
	cr_expect(walk.stop == WALK_MAPPED && walk.gpa == 0x92345678 && walk.page_size == G1);
	cr_expect_eq(walk.level_count, 2);
}

Test(walk, does_not_take_the_pat_bit_of_a_large_page_for_an_address_bit)
{
	struct walk walk;

	tables_map(&t, VMALLOC, 0x40000000 | 1 << 12, 2, 0);
	tables_map(&t, VMALLOC + G1, 0x80000000 | 1 << 12, 3, 0);
	tables_map(&t, 0, 0x3000, 1, PTE_PS); /* at level 1 that is PAT */
	walk = translate(VMALLOC);
	cr_expect(walk.stop == WALK_MAPPED && walk.gpa == 0x40000000);
	walk = translate(VMALLOC + G1);
	cr_expect(walk.stop == WALK_MAPPED && walk.gpa == 0x80000000);
	walk = translate(0);
	cr_expect(walk.stop == WALK_MAPPED && walk.gpa == 0x3000);
}

Test(walk, ands_each_right_over_all_levels)
{
	static const struct {
		uint64_t bit;
		unsigned int right;
	} rights[] = { { PTE_W, RIGHT_W }, { PTE_U, RIGHT_U }, { PTE_NX, RIGHT_X } };

	tables_map(&t, VMALLOC, 0x1000, 1, PTE_W | PTE_U);
	cr_expect_eq(translate(VMALLOC).rights, RIGHT_R | RIGHT_W | RIGHT_U | RIGHT_X);
	for (unsigned int level = 1; level <= 4; level++) {
		for (unsigned int i = 0; i < 3; i++) {
			uint64_t *entry = tables_entry(&t, VMALLOC, level);
			unsigned int others = (RIGHT_R | RIGHT_W | RIGHT_U | RIGHT_X) & ~rights[i].right;

			*entry ^= rights[i].bit;
			cr_expect_eq(translate(VMALLOC).rights, others, "level %u, right %u", level,
				     rights[i].right);
			*entry ^= rights[i].bit;
		}
	}
}

Test(walk, treats_nx_as_reserved_where_efer_nxe_is_off)
{
	tables_map(&t, VMALLOC, 0x1000, 1, PTE_NX);
	t.mode.nx = false;
	expect_stop(VMALLOC, WALK_RESERVED_BIT, 4);
	*tables_entry(&t, VMALLOC, 1) &= ~PTE_NX;
	cr_expect_eq(translate(VMALLOC).stop, WALK_MAPPED);
	*tables_entry(&t, VMALLOC, 4) |= PTE_NX;
	expect_stop(VMALLOC, WALK_RESERVED_BIT, 1);
}

Test(walk5, finds_address_bits_above_maxphyaddr_at_every_level)
{
	tables_map(&t, VMALLOC, 0x1000, 1, 0);
	for (unsigned int level = 1; level <= 5; level++) {
		for (unsigned int bit = 46; bit < 52; bit++) {
			*tables_entry(&t, VMALLOC, level) ^= 1ull << bit;
			expect_stop(VMALLOC, WALK_RESERVED_BIT, 6 - level);
			*tables_entry(&t, VMALLOC, level) ^= 1ull << bit;
		}
	}
	*tables_entry(&t, VMALLOC, 1) |=
		1ull << 45 | 1ull << 52 | 1ull << 62; /* address; ignored; protection key */
	cr_expect_eq(translate(VMALLOC).stop, WALK_MAPPED);
	cr_expect_eq(translate(VMALLOC).gpa, 1ull << 45 | 0x1000);
}

Test(walk, allows_bit_51_where_maxphyaddr_is_52)
{
	t.mode.physical_bits = 52;
	tables_map(&t, VMALLOC, 1ull << 51, 1, 0);
	cr_expect_eq(translate(VMALLOC).gpa, 1ull << 51);
}

Test(walk5, finds_ps_reserved_at_levels_4_and_5)
{
	tables_map(&t, VMALLOC, 0x1000, 1, 0);
	for (unsigned int level = 4; level <= 5; level++) {
		*tables_entry(&t, VMALLOC, level) |= PTE_PS;
		expect_stop(VMALLOC, WALK_RESERVED_BIT, 6 - level);
		*tables_entry(&t, VMALLOC, level) &= ~(uint64_t)PTE_PS;
	}
}

Test(walk, finds_low_address_bits_reserved_in_large_pages)
{
	for (unsigned int level = 2; level <= 3; level++) {
		for (unsigned int bit = 13; bit < 12 + 9 * (level - 1); bit++) {
			tables_map(&t, VMALLOC + level * G1, 1ull << bit, level, 0);
			expect_stop(VMALLOC + level * G1, WALK_RESERVED_BIT, 5 - level);
		}
	}
}

Test(walk, finds_ps_at_level_3_reserved_without_1g_pages)
{
	tables_map(&t, VMALLOC, 0x40000000, 3, 0);
	cr_expect_eq(translate(VMALLOC).stop, WALK_MAPPED);
	t.mode.pages_1g = false;
	expect_stop(VMALLOC, WALK_RESERVED_BIT, 2);
}

Test(walk, looks_at_no_other_bit_of_an_entry_that_is_not_present)
{
	tables_map(&t, VMALLOC, 0x1000, 1, 0);
	*tables_entry(&t, VMALLOC, 1) = ~0ull - PTE_P;
	expect_stop(VMALLOC, WALK_NOT_PRESENT, 4);
	cr_expect_eq(translate(VMALLOC).levels[3].entry, ~0ull - PTE_P);
	*tables_entry(&t, VMALLOC, 3) = 0;
	expect_stop(VMALLOC, WALK_NOT_PRESENT, 2);
}

Test(walk, refuses_addresses_that_are_not_canonical)
{
	tables_map(&t, 0x00007ffffffff000, 0x1000, 1, 0);
	tables_map(&t, 0xffff800000000000, 0x2000, 1, 0);
	cr_expect_eq(translate(0x00007fffffffffff).gpa, 0x1fff);
	expect_stop(0x0000800000000000, WALK_NOT_CANONICAL, 0);
	expect_stop(0xffff7fffffffffff, WALK_NOT_CANONICAL, 0);
	cr_expect_eq(translate(0xffff800000000000).gpa, 0x2000);
}

Test(walk5, refuses_addresses_that_are_not_canonical_in_57_bits)
{
	tables_map(&t, 0x00fffffffffff000, 0x1000, 1, 0);
	tables_map(&t, 0xff00000000000000, 0x2000, 1, 0);
	cr_expect_eq(translate(0x00ffffffffffffff).gpa, 0x1fff);
	expect_stop(0x0100000000000000, WALK_NOT_CANONICAL, 0);
	expect_stop(0xfeffffffffffffff, WALK_NOT_CANONICAL, 0);
	cr_expect_eq(translate(0xff00000000000000).gpa, 0x2000);
}

Test(walk, stops_at_a_table_in_a_hole_or_beyond_memory)
{
	static const uint64_t nowhere[] = { RAM_LOW_END, RAM_HIGH_START - K4, RAM_HIGH_END,
					    (1ull << 46) - K4 };

	for (unsigned int level = 2; level <= 4; level++) {
		for (unsigned int i = 0; i < 4; i++) {
			*tables_entry(&t, VMALLOC, level) = nowhere[i] | PTE_P;
			expect_stop(VMALLOC, WALK_TABLE_OUTSIDE, 5 - level);
		}
		*tables_entry(&t, VMALLOC, level) = 0;
	}
}

Test(walk, uses_the_last_page_of_a_region_as_a_table)
{
	*tables_entry(&t, VMALLOC, 2) = (RAM_LOW_END - K4) | PTE_P;
	*tables_slot(&t, RAM_LOW_END - K4, 511) = 0x7000 | PTE_P;
	cr_expect_eq(translate(VMALLOC + 511 * K4).gpa, 0x7000);
	*tables_entry(&t, VMALLOC, 2) = (RAM_HIGH_END - K4) | PTE_P;
	*tables_slot(&t, RAM_HIGH_END - K4, 511) = 0x8000 | PTE_P;
	cr_expect_eq(translate(VMALLOC + 511 * K4).gpa, 0x8000);
}

Test(walk, says_that_the_top_table_lies_outside)
{
	t.mode.root = RAM_LOW_END;
	expect_stop(VMALLOC, WALK_TABLE_OUTSIDE, 0);
}

Test(walk, ends_in_a_table_that_points_to_itself)
{
	uint64_t gva = 0xffff000000000000 | 0x1ffull << 39 | 0x1ffull << 30 | 0x1ffull << 21 | 0x1ffull << 12;

	*tables_slot(&t, t.mode.root, 511) = t.mode.root | PTE_P | PTE_W;
	cr_expect_eq(translate(gva).stop, WALK_MAPPED);
	cr_expect_eq(translate(gva).gpa, t.mode.root);
}

Test(walk, survives_random_and_all_ones_tables)
{
	uint64_t state = 20;
	struct walk walk;

	for (uint64_t gpa = 0; gpa < RAM_LOW_END; gpa += 8)
		*tables_slot(&t, gpa & ~(K4 - 1), gpa % K4 / 8) =
			random_next(&state) & (PTE_NX | (RAM_LOW_END - K4) | 0xf7f);
	for (int i = 0; i < 200000; i++) {
		uint64_t gva = random_next(&state);

		walk_translate(&t.view, &t.mode, (uint64_t)((int64_t)(gva << 16) >> 16), &walk);
		cr_assert(walk.level_count >= 1 && walk.level_count <= 4);
	}
	memset(t.low, 0xff, RAM_LOW_END);
	expect_stop(VMALLOC, WALK_RESERVED_BIT, 1);
	t.mode.physical_bits = 52;
	expect_stop(VMALLOC, WALK_RESERVED_BIT, 1);
}

/* ---- mode ---- */

static struct error mode_error;

static int mode_of(struct view_cpu cpu, struct walk_mode *out)
{
	t.view.cpus[0] = cpu;
	t.view.cpu_count = 1;
	return walk_mode_of_cpu(&t.view, 0, out, &mode_error);
}

static const struct view_cpu long_mode = {
	.cr0 = CR0_PG | CR0_PE, .cr3 = 0x1234567, .cr4 = CR4_PAE, .efer = EFER_LMA
};

/* Each bit of a register changes its member alone. */
Test(walk, takes_the_mode_from_the_control_registers)
{
	const struct {
		uint64_t cr3, cr4, efer;
		bool pages_1g;
		struct walk_mode mode;
	} cases[] = {
		{ .mode = { .levels = 4 } },
		{ .pages_1g = true, .mode = { .levels = 4, .pages_1g = true } },
		{ .cr3 = 1ull << 63 | 1ull << 61, .mode = { .levels = 4 } }, /* no flush; LAM */
		{ .cr4 = CR4_LA57, .mode = { .levels = 5 } },
		{ .cr4 = CR4_PKE, .mode = { .levels = 4, .keys = true } },
		{ .cr4 = CR4_PKS, .mode = { .levels = 4, .keys = true } },
		{ .efer = EFER_NXE, .mode = { .levels = 4, .nx = true } },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct view_cpu cpu = long_mode;
		const struct walk_mode *wanted = &cases[i].mode;
		struct walk_mode mode;

		cpu.cr3 |= cases[i].cr3;
		cpu.cr4 |= cases[i].cr4;
		cpu.efer |= cases[i].efer;
		t.view.pages_1g = cases[i].pages_1g;
		memset(&mode, 0xff, sizeof(mode));
		cr_assert_eq(mode_of(cpu, &mode), 0);
		cr_expect(mode.root == 0x1234000 && mode.levels == wanted->levels &&
				  mode.physical_bits == 46 && mode.nx == wanted->nx &&
				  mode.pages_1g == wanted->pages_1g && mode.keys == wanted->keys,
			  "case %zu: root 0x%lx, %u levels, %u bits, NX %d, 1G %d, keys %d", i, mode.root,
			  mode.levels, mode.physical_bits, mode.nx, mode.pages_1g, mode.keys);
	}
}

Test(walk, refuses_a_cpu_without_long_mode_paging)
{
	struct view_cpu without[4] = { long_mode, long_mode, long_mode, long_mode };
	struct walk_mode mode;

	without[0].cr0 = 1;
	without[1].cr0 = 0x80000000;
	without[2].cr4 = 0;
	without[3].efer = EFER_LME;
	for (int i = 0; i < 4; i++) {
		cr_expect_eq(mode_of(without[i], &mode), -1);
		cr_expect(strstr(mode_error.text, "not in long mode with paging"), "%s", mode_error.text);
	}
	expect_whole_error(&mode_error, ERROR_GUEST, 0, 0x1234567,
			   "CPU 0 is not in long mode with paging (CR0 0x80000001, CR4 0x20, EFER 0x100)");
	cr_expect_eq(walk_mode_of_cpu(&t.view, 1, &mode, &mode_error), -1);
	expect_whole_error(&mode_error, ERROR_INPUT, 0, 0, "there is no CPU 1: the guest has 1");
}

/* ---- reading ---- */

Test(walk, reads_bytes_over_scattered_frames)
{
	char text[16] = "";
	struct error error;

	tables_map(&t, VMALLOC, RAM_LOW_END - K4, 1, 0);
	tables_map(&t, VMALLOC + K4, RAM_HIGH_START + K4, 1, 0);
	memcpy(t.low + RAM_LOW_END - 5, "vmall", 5);
	memcpy(t.high + K4, "oc area", 8);
	cr_assert_eq(walk_read(&t.view, &t.mode, VMALLOC + K4 - 5, text, 13, &error), 0, "%s", error.text);
	cr_expect_str_eq(text, "vmalloc area");
}

Test(walk, names_the_first_address_that_cannot_be_read)
{
	uint8_t bytes[3 * K4];
	struct error error;

	tables_map(&t, VMALLOC, RAM_LOW_END - K4, 1, 0);
	cr_assert_eq(walk_read(&t.view, &t.mode, VMALLOC + 1, bytes, sizeof(bytes), &error), -1);
	expect_whole_error(&error, ERROR_GUEST, 0, VMALLOC + K4,
			   "0xffffc90000001000 is not mapped: not present");
	tables_map(&t, VMALLOC + K4, RAM_LOW_END, 1, 0);
	cr_assert_eq(walk_read(&t.view, &t.mode, VMALLOC + 1, bytes, sizeof(bytes), &error), -1);
	expect_whole_error(&error, ERROR_GUEST, 0, VMALLOC + K4,
			   "0xffffc90000001000 is mapped to GPA 0x400000, where there is no memory");
}

Test(walk, names_the_address_where_a_large_page_leaves_memory)
{
	static uint8_t half[M2 / 2], bytes[M2];
	struct view_region region = { .gpa = 64ull << 20, .size = M2 / 2, .bytes = half, .fd = -1 };
	struct error error;

	cr_assert_eq(view_add_region(&t.view, &region, &error), 0);
	tables_map(&t, VMALLOC, region.gpa, 2, 0);
	cr_expect_eq(walk_read(&t.view, &t.mode, VMALLOC + 1, bytes, M2 / 2 - 1, &error), 0);
	cr_expect_eq(walk_read(&t.view, &t.mode, VMALLOC + 1, bytes, M2 / 2, &error), -1);
	expect_whole_error(&error, ERROR_GUEST, 0, VMALLOC + M2 / 2,
			   "0xffffc90000100000 is mapped to GPA 0x4100000, where there is no memory");
}

Test(walk, reads_up_to_the_last_byte_of_the_address_space_and_no_further)
{
	uint8_t bytes[16];
	struct error error;

	tables_map(&t, ~0ull - K4 + 1, 0, 1, 0);
	tables_map(&t, 0, 0, 1, 0);
	cr_expect_eq(walk_read(&t.view, &t.mode, ~0ull - 15, bytes, 16, &error), 0);
	cr_expect_eq(walk_read(&t.view, &t.mode, ~0ull - 14, bytes, 16, &error), -1);
	expect_whole_error(&error, ERROR_GUEST, 0, 0, "the bytes wrap around the address space");
}
