/* SPDX-License-Identifier: MIT */
/*
 * The guest's ELF file: what is accepted, and each way in which it is not.
 */
#include "image.h"
#include "machine/program.h"
#include "text.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MEMORY_END 0x1000000u

static struct image good(void)
{
	return image_make("\xf4", 1);
}

static int parse(const void *bytes, size_t size, struct program *out, struct error *error)
{
	return program_parse(bytes, size, "guest.elf", MEMORY_END, out, error);
}

static void refused(const void *bytes, size_t size, const char *because)
{
	struct program program;
	struct error error = { 0 };

	cr_assert(eq(int, parse(bytes, size, &program, &error), -1), "accepted; should be refused: %s",
		  because);
	cr_expect(eq(int, error.kind, ERROR_INPUT));
	cr_expect(ne(ptr, strstr(error.text, because), NULL), "the error is \"%s\", without \"%s\"",
		  error.text, because);
	cr_expect(ne(ptr, strstr(error.text, "guest.elf"), NULL), "\"%s\" names no file", error.text);
	cr_expect(eq(ptr, strchr(error.text, '\n'), NULL));
}

static void image_refused(const struct image *image, const char *because)
{
	refused(image, sizeof(*image), because);
}

Test(program, a_good_file_gives_segments_and_entry)
{
	struct image image = good();
	struct program program;
	struct error error;

	cr_assert(eq(int, parse(&image, sizeof(image), &program, &error), 0));
	cr_expect(eq(u32, program.segment_count, 1));
	cr_expect(eq(u32, program.entry, IMAGE_GPA));
	cr_expect(eq(u64, program.end, IMAGE_GPA + 0x2000));
	cr_expect(eq(u64, program.segments[0].offset, offsetof(struct image, code)));
}

Test(program, segments_are_sorted_and_may_touch)
{
	struct image image = good();
	struct program program;
	struct error error;

	image.spare = image.load;
	image.spare.p_paddr = IMAGE_GPA - image.load.p_memsz;
	cr_assert(eq(int, parse(&image, sizeof(image), &program, &error), 0));
	cr_expect(eq(u64, program.segments[0].gpa, IMAGE_GPA - 0x2000));
	cr_expect(eq(u64, program.segments[1].gpa, IMAGE_GPA));
}

Test(program, a_segment_may_end_exactly_at_the_end_of_ram)
{
	struct image image = good();
	struct program program;
	struct error error;

	image.load.p_memsz = MEMORY_END - IMAGE_GPA;
	cr_expect(eq(int, parse(&image, sizeof(image), &program, &error), 0));
	image.load.p_memsz++;
	image_refused(&image, "does not fit into RAM");
}

Test(program, a_file_cut_anywhere_is_refused)
{
	struct image image = good();
	struct program program;
	struct error error;

	for (size_t size = 0; size < offsetof(struct image, code) + IMAGE_CODE_MAX; size++)
		cr_assert(eq(int, parse(&image, size, &program, &error), -1), "accepted when cut at byte %zu",
			  size);
}

Test(program, an_empty_file_is_named_so)
{
	refused("", 0, "is empty");
}

Test(program, text_is_not_elf)
{
	refused("#!/bin/sh\necho this is certainly no ELF file, but longer than its header\n", 70,
		"not an ELF file");
}

Test(program, a_32_bit_file_is_named_so)
{
	struct image image = good();

	image.header.e_ident[EI_CLASS] = ELFCLASS32;
	image_refused(&image, "32-bit ELF");
}

Test(program, a_big_endian_file_is_refused)
{
	struct image image = good();

	image.header.e_ident[EI_DATA] = ELFDATA2MSB;
	image_refused(&image, "not a little-endian 64-bit");
}

Test(program, another_machine_is_refused)
{
	struct image image = good();

	image.header.e_machine = EM_AARCH64;
	image_refused(&image, "for ELF machine 183");
}

Test(program, a_shared_object_is_refused)
{
	struct image image = good();

	image.header.e_type = ET_DYN;
	image_refused(&image, "not an executable");
}

Test(program, headers_beyond_the_file_are_truncation)
{
	struct image image = good();

	image.header.e_phoff = UINT64_MAX - 8;
	image_refused(&image, "truncated");
}

Test(program, no_program_headers_is_refused)
{
	struct image image = good();

	image.header.e_phnum = 0;
	image_refused(&image, "no program headers");
}

Test(program, nothing_to_load_is_refused)
{
	struct image image = good();

	image.load.p_type = PT_NULL;
	image_refused(&image, "no PT_LOAD");
}

Test(program, a_file_without_pvh_note_is_refused)
{
	struct image image = good();

	image.note.header.n_type = 17;
	image_refused(&image, "no PVH entry");
}

Test(program, a_note_that_lies_about_its_size_is_refused)
{
	struct image image = good();

	image.note.header.n_namesz = 0xfffffff0;
	image_refused(&image, "no PVH entry");
}

Test(program, notes_beyond_the_file_are_not_read)
{
	struct image image = good();

	image.notes.p_offset = UINT64_MAX - 4;
	image_refused(&image, "no PVH entry");
}

Test(program, overlapping_segments_are_refused)
{
	struct image image = good();

	image.spare = image.load;
	image.spare.p_paddr = IMAGE_GPA + image.load.p_memsz - 1;
	image_refused(&image, "overlap");
}

Test(program, a_segment_with_more_file_than_memory_is_refused)
{
	struct image image = good();

	image.load.p_memsz = image.load.p_filesz - 1;
	image_refused(&image, "only 0x1ff in memory");
}

Test(program, a_segment_beyond_the_file_is_truncation)
{
	struct image image = good();

	image.load.p_offset = UINT64_MAX - 0x100;
	image_refused(&image, "truncated");
}

Test(program, a_segment_that_wraps_is_refused)
{
	struct image image = good();

	image.load.p_paddr = UINT64_MAX - 0xfff;
	image_refused(&image, "wraps around");
}

Test(program, a_segment_in_low_memory_is_refused)
{
	struct image image = good();

	image.load.p_paddr = 0xff000;
	image_refused(&image, "below 1 MiB");
}

Test(program, a_segment_outside_ram_is_refused)
{
	struct image image = good();

	image.load.p_paddr = MEMORY_END;
	image_refused(&image, "outside RAM");
}

Test(program, an_entry_outside_the_segments_is_refused)
{
	struct image image = good();

	image.note.entry = IMAGE_GPA - 1;
	image_refused(&image, "lies in none of its segments");
}

Test(program, any_byte_of_the_headers_may_be_anything)
{
	struct image image = good();
	struct program program;
	struct error error;

	for (size_t offset = 0; offset < offsetof(struct image, code); offset++) {
		for (unsigned int value = 0; value < 256; value += 15) {
			struct image spoilt = image;

			((uint8_t *)&spoilt)[offset] = (uint8_t)value;
			if (parse(&spoilt, sizeof(spoilt), &program, &error) < 0)
				continue;
			for (unsigned int i = 0; i < program.segment_count; i++) {
				const struct program_segment *segment = &program.segments[i];

				cr_assert(segment->gpa >= GUEST_RAM_START && segment->gpa < MEMORY_END &&
					  segment->memory_size <= MEMORY_END - segment->gpa &&
					  segment->offset <= sizeof(image) &&
					  segment->file_size <= sizeof(image) - segment->offset);
			}
		}
	}
}

/* ---- files ---- */

Test(program, loading_puts_the_bytes_where_they_belong)
{
	struct image image = image_make("code", 4);
	struct guest_memory memory;
	struct private_file file;
	struct program program;
	struct error error;
	char path[64];

	image_write(&image, sizeof(image), path);
	cr_assert(eq(int, private_file_read(path, "", &file, &error), 0));
	unlink(path);
	cr_assert(eq(int, guest_memory_create(16 << 20, &memory, &error), 0));
	cr_assert(eq(int, program_load(&file, &memory, &program, &error), 0));
	private_file_close(&file);
	cr_expect(eq(int, memcmp(memory.bytes + IMAGE_GPA, image.code, IMAGE_CODE_MAX), 0));
	guest_memory_destroy(&memory);
}
