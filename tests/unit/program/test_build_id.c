/* SPDX-License-Identifier: MIT */
/* The guest's memory has the build-id of its program, that of another build, or none. */
#include "program/build_id.h"
#include "program/program_file.h"
#include "elf_file.h"
#include "file.h"
#include "world.h"

#include <criterion/criterion.h>
#include <elf.h>
#include <stdio.h>
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

/* The guest is refused, with a text of the file's name between these parts. */
static void expect_refused(struct symbols *symbols, const char *before, const char *after)
{
	const char *name = symbols_file(symbols)->file.name;
	struct error error = { 0 };
	struct build_id file;
	char text[600];

	cr_assert(build_id_of_file(symbols, &file));
	cr_assert_eq(build_id_check(symbols, &world.view, &world.mode, &error), -1);
	snprintf(text, sizeof(text), "%s%s%s", before, name, after);
	cr_expect_str_eq(error.text, text, "%s", error.text);
	cr_expect_eq(error.kind, ERROR_INPUT);
	cr_expect_eq(error.errnum, 0);
	cr_expect_eq(error.address, file.gva);
}

static void expect_not_in_memory(struct symbols *symbols, const char *wanted)
{
	char after[400];

	snprintf(
		after, sizeof(after),
		": its build-id %s is not in the guest's memory at any address where it executes the program "
		"(--guest FILE names the right one)",
		wanted);
	expect_refused(symbols, "the guest does not run ", after);
}

static void expect_other(struct symbols *symbols, const char *other, const char *wanted)
{
	char after[500];

	snprintf(after, sizeof(after),
		 ": its build-id is %s, the file's is %s (--guest FILE names the right one)", other, wanted);
	expect_refused(symbols, "the guest runs another build than ", after);
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

/* Its note is the last of a page, or ends one byte too late. */
Test(build_id, another_build_is_named_by_its_build_id)
{
	remove_note();
	id.bytes[0] ^= 0xff;
	put_note(WORLD_STACK + 0x1000 - 16 - 20, id.bytes, 20);
	expect_other(world.symbols, "ff112233445566778899aabbccddeeff01234567", PROGRAM_ID);
	put_note(WORLD_STACK + 0x1000 - 16 - 20, id.bytes, 21);
	expect_not_in_memory(world.symbols, PROGRAM_ID);
	put_note(WORLD_STACK - 16 - 4, id.bytes, 4);
	expect_other(world.symbols, "ff112233", PROGRAM_ID);
}

Test(build_id, the_first_build_id_of_the_image_counts)
{
	remove_note();
	id.bytes[0] = 0xee;
	put_note(WORLD_END - 0x1000, id.bytes, 2);
	expect_other(world.symbols, "ee11", PROGRAM_ID);
	id.bytes[0] = 0xdd;
	put_note(WORLD_STACK + 4, id.bytes, 1);
	expect_other(world.symbols, "dd", PROGRAM_ID);
	world_map(&world, WORLD_STACK, false);
	expect_other(world.symbols, "ee11", PROGRAM_ID);
}

/* Words that are not all of a note: name, its size, type. */
Test(build_id, other_notes_are_skipped)
{
	static const struct {
		size_t at;
		uint32_t word;
	} wrong[] = { { 0, 5 }, { 8, NT_GNU_BUILD_ID + 1 }, { 12, 0x554e48 } };

	remove_note();
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		put_note(WORLD_STACK, id.bytes, 8);
		memcpy((uint8_t *)world_at(&world, WORLD_STACK) + wrong[i].at, &wrong[i].word, 4);
		expect_not_in_memory(world.symbols, PROGRAM_ID);
	}
}

Test(build_id, a_guest_without_a_build_id_does_not_run_the_program)
{
	remove_note();
	expect_not_in_memory(world.symbols, PROGRAM_ID);
	cr_expect_eq(check(&(struct error){ 0 }), -1);
}

/* ---- notes of files ---- */

struct note {
	uint32_t name_size, size, type;
	char name[4];
	uint8_t bytes[BUILD_ID_MAX + 8];
};

/* A file whose image is at `gva`, with these notes of `size` bytes in a segment of its own. */
static struct symbols *open_notes(const void *notes, size_t size, uint64_t gva, uint64_t align)
{
	const Elf64_Phdr headers[] = {
		{ .p_type = PT_LOAD, .p_offset = 0, .p_vaddr = gva, .p_filesz = 64, .p_memsz = 64 },
		{ .p_type = PT_NOTE, .p_offset = ELF_FILE_BYTES, .p_vaddr = gva + 0x500, .p_align = 4 },
		{ .p_type = PT_NOTE,
		  .p_offset = ELF_FILE_BYTES,
		  .p_vaddr = gva + 0x100,
		  .p_filesz = size,
		  .p_memsz = size,
		  .p_align = align },
	};

	return elf_file_open(&(struct elf_file){ headers, 3, .bytes = notes, .size = size });
}

static void expect_id(struct symbols *symbols, const uint8_t *bytes, size_t size, uint64_t gva)
{
	struct build_id found;

	cr_assert(build_id_of_file(symbols, &found));
	cr_expect_eq(found.gva, gva, "0x%lx", found.gva);
	cr_assert_eq(found.size, size);
	cr_expect_arr_eq(found.bytes, bytes, size);
	symbols_close(symbols);
}

static void expect_none(struct symbols *symbols)
{
	struct build_id found;

	cr_expect_not(build_id_of_file(symbols, &found));
	symbols_close(symbols);
}

Test(build_id, of_a_file_is_the_note_of_that_type_and_name)
{
	struct note notes[5] = {
		{ 4, BUILD_ID_MAX + 8, NT_GNU_BUILD_ID + 1, "GNU", { 1 } },
		{ 4, BUILD_ID_MAX + 8, NT_GNU_BUILD_ID, "GNV", { 2 } },
		{ 3, BUILD_ID_MAX + 8, NT_GNU_BUILD_ID, "GN", { 3 } },
		{ 4, BUILD_ID_MAX, NT_GNU_BUILD_ID, "GNU", { 4, [BUILD_ID_MAX - 1] = 5 } },
	};
	const uint64_t gva = WORLD_START, at = gva + 0x100 + 3 * sizeof(notes[0]) + 16;

	expect_id(open_notes(notes, sizeof(notes), gva, 4), notes[3].bytes, BUILD_ID_MAX, at);
	expect_none(open_notes(notes, 3 * sizeof(notes[0]), gva, 4));
	notes[3].size = BUILD_ID_MAX + 1;
	expect_none(open_notes(notes, sizeof(notes), gva, 4));
	notes[3].size = 0;
	expect_none(open_notes(notes, sizeof(notes), gva, 4));
	notes[3].size = 1;
	expect_id(open_notes(notes, sizeof(notes), gva, 4), notes[3].bytes, 1, at);
}

/* After a note of 4 bytes, the next begins at 4 more, or at a multiple of 8. */
Test(build_id, notes_are_aligned_as_their_segment)
{
	static const uint32_t of_4[] = { 4, 4, 9, 0x554e47, 0, 4, 2, NT_GNU_BUILD_ID, 0x554e47, 0x7766 };
	static const uint32_t of_8[] = {
		4, 4, 9, 0x554e47, 0, 0, 4, 2, NT_GNU_BUILD_ID, 0x554e47, 0x7766, 0
	};
	static const uint8_t bytes[] = { 0x66, 0x77 };

	expect_id(open_notes(of_4, sizeof(of_4), WORLD_START, 4), bytes, 2, WORLD_START + 0x100 + 36);
	expect_id(open_notes(of_8, sizeof(of_8), WORLD_START, 8), bytes, 2, WORLD_START + 0x100 + 40);
}

/* 64 bytes are 128 digits; the note in memory may be as long. */
Test(build_id, the_longest_one_is_named_whole)
{
	struct note note = { 4, BUILD_ID_MAX, NT_GNU_BUILD_ID, "GNU", { 0 } };
	struct symbols *symbols;
	char wanted[2 * BUILD_ID_MAX + 1], found[2 * BUILD_ID_MAX + 1];
	uint8_t bytes[BUILD_ID_MAX];

	memset(note.bytes, 0x11, BUILD_ID_MAX);
	symbols = open_notes(&note, sizeof(note), WORLD_START + 0x30, 4);
	memset(wanted, '1', sizeof(wanted));
	memset(found, 'a', sizeof(found));
	wanted[128] = found[128] = '\0';
	memset(bytes, 0xaa, sizeof(bytes));
	remove_note();
	memset(world_at(&world, WORLD_START), 0xff, 0x1000);
	expect_not_in_memory(symbols, wanted);
	put_note(WORLD_START + 4, bytes, BUILD_ID_MAX); /* before the segment, in its page */
	expect_other(symbols, found, wanted);
	symbols_close(symbols);
}

/* The image ends with the last address: address 0 is not part of it. Nor is it if there is no image. */
Test(build_id, address_zero_is_not_searched)
{
	uint64_t *tables = (uint64_t *)(world.memory + WORLD_TABLES);
	const struct note note = { 4, 2, NT_GNU_BUILD_ID, "GNU", { 0x12, 0x34 } };
	const Elf64_Phdr alone = { .p_type = PT_NOTE,
				   .p_offset = ELF_FILE_BYTES,
				   .p_vaddr = 0x7000000000,
				   .p_filesz = 20,
				   .p_align = 4 };
	struct symbols *last = open_notes(&note, 20, 0xfffffffffffff000, 4);
	struct symbols *none = elf_file_open(&(struct elf_file){ &alone, 1, .bytes = &note, .size = 20 });

	/* Address 0 is the page of WORLD_START. */
	tables[0] = tables[511];
	tables[512] = tables[512 + 510];
	tables[2 * 512] = tables[2 * 512 + 1];
	remove_note();
	put_note(WORLD_START, id.bytes, 8);
	expect_not_in_memory(last, "1234");
	expect_not_in_memory(none, "1234");
	symbols_close(last);
	symbols_close(none);
}

Test(build_id, notes_with_a_wrong_size_are_skipped)
{
	static const uint32_t sizes[] = { 0, BUILD_ID_MAX + 1, 0x7fffffff, ~0u };
	uint8_t bytes[4] = { 1, 2, 3, 4 };

	remove_note();
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		put_note(WORLD_STACK + 64 * i, bytes, sizeof(bytes));
		memcpy((uint8_t *)world_at(&world, WORLD_STACK + 64 * i) + 4, &sizes[i], 4);
	}
	put_note(WORLD_STACK + 0x2000 - 20, bytes, sizeof(bytes));
	*(uint32_t *)world_at(&world, WORLD_STACK + 0x2000 - 16) = 8; /* one that goes on in the next page */
	expect_not_in_memory(world.symbols, PROGRAM_ID);
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
