/* SPDX-License-Identifier: MIT */
/* The guest's memory has the build-id of its program, that of another build, or none. */
#include "program/build_id.h"
#include "file.h"
#include "world.h"

#include <criterion/criterion.h>
#include <elf.h>
#include <string.h>

#define PROGRAM_ID "00112233445566778899aabbccddeeff01234567" /* as in meson.build */

static struct world world;
static struct build_id id; /* of the program's file */

static void setup(void)
{
	world_create(&world, "PROGRAM_5");
	cr_assert(build_id_of_file(world.symbols, &id));
}

static void teardown(void)
{
	world_destroy(&world);
}

TestSuite(build_id, .init = setup, .fini = teardown);

/* The guest's memory no longer has the note that was loaded with the program. */
static void remove_note(void)
{
	memset(world_at(&world, id.gva - 16), 0, 16 + id.size);
}

static void put_note(uint64_t gva, const uint8_t *bytes, uint32_t size)
{
	const uint32_t header[3] = { 4, size, NT_GNU_BUILD_ID };
	uint8_t *at = world_at(&world, gva);

	memcpy(at, header, sizeof(header));
	memcpy(at + sizeof(header), "GNU", 4);
	memcpy(at + sizeof(header) + 4, bytes, size);
}

static int check(struct error *error)
{
	*error = (struct error){ 0 };
	return build_id_check(world.symbols, &world.view, &world.mode, error);
}

Test(build_id, is_read_from_the_file_with_its_address)
{
	static const uint8_t bytes[] = { 0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99,
					 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff, 0x01, 0x23, 0x45, 0x67 };

	cr_assert_eq(id.size, sizeof(bytes));
	cr_expect_arr_eq(id.bytes, bytes, sizeof(bytes));
	cr_expect_geq(id.gva, 0xffffffff80200000);
	cr_expect_lt(id.gva, 0xffffffff80300000);
}

Test(build_id, a_guest_with_the_same_bytes_runs_that_program)
{
	struct error error;

	cr_expect_eq(check(&error), 0, "%s", error.text);
}

Test(build_id, another_build_is_named_by_its_build_id)
{
	struct error error;

	remove_note();
	id.bytes[0] ^= 0xff;
	put_note(WORLD_STACK + 0x1000 - 16 - id.size, id.bytes, (uint32_t)id.size);
	cr_assert_eq(check(&error), -1);
	cr_expect_eq(error.kind, ERROR_INPUT);
	cr_expect(
		strstr(error.text,
		       "its build-id is ff112233445566778899aabbccddeeff01234567, the file's is " PROGRAM_ID),
		"%s", error.text);
}

Test(build_id, a_guest_without_a_build_id_does_not_run_the_program)
{
	struct error error;

	remove_note();
	cr_assert_eq(check(&error), -1);
	cr_expect(strstr(error.text, PROGRAM_ID " is not in the guest's memory"), "%s", error.text);
}

Test(build_id, notes_with_a_wrong_size_are_skipped)
{
	static const uint32_t sizes[] = { 0, BUILD_ID_MAX + 1, 0x7fffffff, ~0u };
	uint8_t bytes[4] = { 1, 2, 3, 4 };
	struct error error;

	remove_note();
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		put_note(WORLD_STACK + 64 * i, bytes, sizeof(bytes));
		memcpy((uint8_t *)world_at(&world, WORLD_STACK + 64 * i) + 4, &sizes[i], 4);
	}
	put_note(WORLD_STACK + 0x2000 - 20, bytes, sizeof(bytes));
	*(uint32_t *)world_at(&world, WORLD_STACK + 0x2000 - 16) = 8; /* one that goes on in the next page */
	cr_assert_eq(check(&error), -1);
	cr_expect(strstr(error.text, "is not in the guest's memory"), "%s", error.text);
}

Test(build_id, a_file_without_a_build_id_is_accepted)
{
	struct symbols *symbols;
	struct error error;

	cr_assert_eq(symbols_open(file_named("PROGRAM_4"), &symbols, &error), 0, "%s", error.text);
	cr_expect_eq(build_id_check(symbols, &world.view, &world.mode, &error), 0);
	symbols_close(symbols);
}

/* ---- a program at an offset ---- */

static uint64_t *table(unsigned int index)
{
	return (uint64_t *)(world.memory + WORLD_TABLES) + (size_t)512 * index;
}

/* Moves the 2M of the image by whole pages; table 4 is free. */
static void move_image(uint64_t offset)
{
	for (uint64_t gva = WORLD_START; gva < WORLD_END; gva += 0x1000) {
		uint64_t page = (gva - WORLD_IMAGE) >> 12, moved = page + (offset >> 12);

		table(4 + (moved >> 9) - 1)[moved & 511] = page << 12 | PTE_P | PTE_W;
	}
	table(2)[1] = table(2)[2] = 0;
	for (unsigned int i = 1; i < 4; i++)
		if (*table(4 + i - 1) || table(4 + i - 1)[511])
			table(2)[i] = (WORLD_TABLES + (4 + i - 1) * 0x1000) | PTE_P | PTE_W;
}

static void expect_offset(uint64_t offset)
{
	uint64_t address, linked = world_symbol(&world, "inlines") - symbols_offset(world.symbols);
	const struct symbols_segment *segments;
	struct error error;
	char text[100];

	cr_assert_eq(check(&error), 0, "%s", error.text);
	cr_expect_eq(symbols_offset(world.symbols), offset);
	cr_assert(symbols_find(world.symbols, "inlines", &address, NULL));
	cr_expect_eq(address, linked + offset);
	cr_expect(!strncmp(symbols_describe(world.symbols, address, text, sizeof(text)), "inlines (", 9),
		  "%s", text);
	cr_expect_str_empty(symbols_describe(world.symbols, linked + 0x10000000, text, sizeof(text)));
	symbols_segments(world.symbols, &segments);
	cr_expect_leq(segments[0].gva, address);
}

Test(build_id, is_found_at_an_offset_of_whole_2_mib)
{
	move_image(2 << 20);
	expect_offset(2 << 20);
	/* Another snapshot of the guest may have it elsewhere. */
	world_destroy(&world);
	world_create(&world, "PROGRAM_5");
	expect_offset(0);
}

Test(build_id, is_found_at_an_offset_of_whole_pages)
{
	move_image((2 << 20) + 0x7000);
	expect_offset((2 << 20) + 0x7000);
}

Test(build_id, is_not_searched_page_by_page_where_each_page_has_a_cost)
{
	struct error error;

	move_image((2 << 20) + 0x7000);
	world.view.tracks_access = true;
	cr_expect_eq(check(&error), -1);
	cr_expect(strstr(error.text, "where it was searched, which is not everywhere ("), "%s", error.text);
	cr_expect_eq(symbols_offset(world.symbols), 0);
}

/* Moves the image by whole GiB: to another entry of the top table and of the one below it. */
static void map_image_at(unsigned int slot, unsigned int place)
{
	uint64_t top = table(0)[511], entry = table(1)[510];

	table(0)[511] = table(1)[510] = 0;
	table(0)[slot] = top;
	table(1)[place] = entry;
}

Test(build_id, is_found_below_the_top_2_gib)
{
	map_image_at(511, 509);
	expect_offset(-0x40000000ull);
}

Test(build_id, is_found_in_the_lower_half)
{
	map_image_at(0, 3);
	expect_offset((3ull << 30) + 0x80000000);
}

Test(build_id, where_nothing_can_be_executed_is_not_the_program)
{
	struct error error;

	move_image(2 << 20);
	table(2)[2] |= PTE_NX;
	cr_expect_eq(check(&error), -1);
	cr_expect_eq(symbols_offset(world.symbols), 0);
}

Test(build_id, is_where_vmcoreinfo_says_if_it_is_there)
{
	struct error error;

	move_image((2 << 20) + 0x7000);
	world.view.tracks_access = world.view.has_kernel_offset = true;
	world.view.kernel_offset = (2 << 20) + 0x7000;
	expect_offset((2 << 20) + 0x7000);
	world.view.kernel_offset = 1ull << 63;
	cr_expect_eq(check(&error), -1, "what it says is not believed");
}
