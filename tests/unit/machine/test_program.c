/* SPDX-License-Identifier: MIT */
/*
 * The guest's ELF file: what is accepted, and each way in which it is not.
 */
#include "errors.h"
#include "image.h"
#include "machine/program.h"
#include "text.h"

#include <string.h>

#define MEMORY_END 0x1000000u

static struct image good(void)
{
	return image_make("\xf4", 1);
}

static int parse(const void *bytes, size_t size, struct program *out, struct error *error)
{
	return program_parse(bytes, size, "guest.elf", MEMORY_END, out, error);
}

/* `offset`: the place in the file that the error names. */
static void refused(const void *bytes, size_t size, uint64_t offset, const char *because)
{
	struct program program;
	struct error error = { 0 };

	cr_assert(eq(int, parse(bytes, size, &program, &error), -1), "accepted; should be refused: %s",
		  because);
	cr_expect(eq(int, error.kind, ERROR_INPUT));
	cr_expect(eq(int, error.errnum, 0));
	cr_expect(eq(u64, error.address, offset), "\"%s\"", error.text);
	cr_expect(ne(ptr, strstr(error.text, because), NULL), "the error is \"%s\", without \"%s\"",
		  error.text, because);
	cr_expect(ne(ptr, strstr(error.text, "guest.elf"), NULL), "\"%s\" names no file", error.text);
	cr_expect(eq(ptr, strchr(error.text, '\n'), NULL));
}

static void image_refused(const struct image *image, uint64_t offset, const char *because)
{
	refused(image, sizeof(*image), offset, because);
}

#define HEADER(member) offsetof(Elf64_Ehdr, member)
#define CODE           offsetof(struct image, code)

Test(program, a_good_file_gives_segments_and_entry)
{
	struct image image = good();
	struct program program;
	struct error error;

	cr_assert(eq(int, parse(&image, sizeof(image), &program, &error), 0));
	cr_expect(eq(u32, program.segment_count, 1));
	cr_expect(eq(u32, program.entry, IMAGE_GPA));
	cr_expect(eq(u64, program.end, IMAGE_GPA + 0x2000));
	cr_expect(eq(u64, program.segments[0].gpa, IMAGE_GPA));
	cr_expect(eq(u64, program.segments[0].memory_size, 0x2000));
	cr_expect(eq(u64, program.segments[0].offset, offsetof(struct image, code)));
	cr_expect(eq(u64, program.segments[0].file_size, IMAGE_CODE_MAX));
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
	image_refused(&image, CODE, "does not fit into RAM");
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

Test(program, text_is_not_elf)
{
	refused("#!/bin/sh\necho this is certainly no ELF file, but longer than its header\n", 70, 0,
		"not an ELF file");
}

Test(program, a_32_bit_file_is_named_so)
{
	struct image image = good();

	image.header.e_ident[EI_CLASS] = ELFCLASS32;
	image_refused(&image, EI_CLASS, "32-bit ELF");
}

Test(program, a_short_file_is_named_by_what_it_has)
{
	struct image image = good();

	refused("", 0, 0, "is empty");
	refused(&image, SELFMAG - 1, 0, "is not an ELF file");
	refused(&image, SELFMAG, SELFMAG, "is truncated in the middle of its ELF header");
	refused(&image, sizeof(Elf64_Ehdr) - 1, sizeof(Elf64_Ehdr) - 1, "in the middle of its ELF header");
	refused(&image, sizeof(Elf64_Ehdr), offsetof(struct image, load), "its program headers lie beyond");
	image.header.e_ident[EI_CLASS] = ELFCLASS32;
	refused(&image, EI_CLASS + 1, EI_CLASS, "32-bit ELF");
	refused(&image, EI_CLASS, EI_CLASS, "is truncated in the middle of its ELF header");
}

Test(program, a_big_endian_file_is_refused)
{
	struct image image = good();

	image.header.e_ident[EI_DATA] = ELFDATA2MSB;
	image_refused(&image, EI_CLASS, "not a little-endian 64-bit");
	image = good();
	image.header.e_ident[EI_VERSION]++;
	image_refused(&image, EI_CLASS, "not a little-endian 64-bit");
	image = good();
	image.header.e_ident[EI_CLASS] = 3;
	image_refused(&image, EI_CLASS, "not a little-endian 64-bit");
}

Test(program, another_machine_is_refused)
{
	struct image image = good();

	image.header.e_machine = EM_AARCH64;
	image_refused(&image, HEADER(e_machine), "for ELF machine 183");
}

Test(program, a_shared_object_is_refused)
{
	struct image image = good();

	image.header.e_type = ET_DYN;
	image_refused(&image, HEADER(e_type), "not an executable");
}

Test(program, headers_beyond_the_file_are_truncation)
{
	struct image image = good();

	image.header.e_phoff = UINT64_MAX - 8;
	image_refused(&image, UINT64_MAX - 8, "is truncated: its program headers lie beyond its end");
}

Test(program, program_headers_of_another_size_are_refused)
{
	struct image image = good();

	image.header.e_phentsize++;
	image_refused(&image, HEADER(e_phentsize), "program headers of 57 bytes, not of 56");
}

Test(program, no_program_headers_is_refused)
{
	struct image image = good();

	image.header.e_phnum = 0;
	image_refused(&image, HEADER(e_phnum), "no program headers");
}

Test(program, nothing_to_load_is_refused)
{
	struct image image = good();

	image.load.p_type = PT_NULL;
	image_refused(&image, 0, "no PT_LOAD");
}

Test(program, a_file_without_pvh_note_is_refused)
{
	struct image image = good();

	image.note.header.n_type = 17;
	image_refused(&image, 0, "no PVH entry");
}

Test(program, a_note_that_lies_about_its_size_is_refused)
{
	struct image image = good();

	image.note.header.n_namesz = 0xfffffff0;
	image_refused(&image, 0, "no PVH entry");
}

Test(program, notes_beyond_the_file_are_not_read)
{
	struct image image = good();

	image.notes.p_offset = UINT64_MAX - 4;
	image_refused(&image, 0, "no PVH entry");
}

/* A file of as many segments as there may be, downwards, and one more if `count` is larger. */
static void parse_segments(unsigned int count, struct program *program, int result)
{
	struct {
		struct image image;
		Elf64_Phdr more[PROGRAM_SEGMENTS_MAX + 2];
	} file = { .image = good() };
	struct error error;

	file.image.header.e_phoff = offsetof(__typeof__(file), more);
	file.image.header.e_phnum = (Elf64_Half)(count + 1);
	for (unsigned int i = 0; i < count; i++) {
		file.more[i] = file.image.load;
		file.more[i].p_paddr = IMAGE_GPA + (count - 1 - i) * file.image.load.p_memsz;
	}
	file.more[count] = file.image.notes;
	cr_assert(eq(int, parse(&file, sizeof(file), program, &error), result));
	if (result < 0)
		expect_whole_error(&error, ERROR_INPUT, 0, CODE,
				   "guest program guest.elf has more than 16 segments");
}

Test(program, has_as_many_segments_as_there_may_be)
{
	struct program program;

	parse_segments(PROGRAM_SEGMENTS_MAX, &program, 0);
	cr_assert(eq(u32, program.segment_count, PROGRAM_SEGMENTS_MAX));
	for (unsigned int i = 0; i < PROGRAM_SEGMENTS_MAX; i++)
		cr_expect(eq(u64, program.segments[i].gpa, IMAGE_GPA + i * 0x2000));
	cr_expect(eq(u64, program.end, IMAGE_GPA + PROGRAM_SEGMENTS_MAX * 0x2000));
	parse_segments(PROGRAM_SEGMENTS_MAX + 1, &program, -1);
}

Test(program, a_segment_of_no_bytes_is_skipped_and_one_of_file_bytes_alone_is_not)
{
	struct image image = good();
	struct program program;
	struct error error;

	image.spare = (Elf64_Phdr){ .p_type = PT_LOAD, .p_paddr = 0x1000 };
	cr_assert(eq(int, parse(&image, sizeof(image), &program, &error), 0));
	cr_expect(eq(u32, program.segment_count, 1));
	image.spare.p_filesz = 1;
	image_refused(&image, 0, "has 0x1 bytes in the file, but only 0x0 in memory");
	image.spare = (Elf64_Phdr){ .p_type = PT_LOAD, .p_paddr = GUEST_RAM_START, .p_memsz = 0x1000 };
	cr_assert(eq(int, parse(&image, sizeof(image), &program, &error), 0));
	cr_expect(eq(u32, program.segment_count, 2));
	cr_expect(eq(u64, program.segments[0].gpa, GUEST_RAM_START), "the lowest address that there may be");
}

Test(program, the_entry_is_that_of_the_first_xen_note_of_type_18)
{
	struct {
		struct image image;
		struct {
			Elf64_Nhdr header;
			char name[4];
			uint64_t value;
		} __attribute__((packed)) note[5];
	} file = { .image = good(),
		   .note = {
			   { { 4, 8, 17 }, "Xen", IMAGE_GPA + 1 },
			   { { 4, 8, 18 }, "Yen", IMAGE_GPA + 2 },
			   { { 3, 8, 18 }, "Xe", IMAGE_GPA + 3 },
			   { { 4, 8, 18 }, "Xen", IMAGE_GPA + 4 },
			   { { 4, 8, 18 }, "Xen", IMAGE_GPA + 5 },
		   } };
	struct program program;
	struct error error;

	file.image.notes.p_offset = offsetof(__typeof__(file), note);
	file.image.notes.p_filesz = sizeof(file.note);
	file.image.spare = file.image.notes;
	cr_assert(eq(int, parse(&file, sizeof(file), &program, &error), 0));
	cr_expect(eq(u32, program.entry, IMAGE_GPA + 4));
	/* A value of 8 bytes may be no address of 4. */
	file.note[3].value = file.note[4].value = (1ull << 32) + IMAGE_GPA;
	refused(&file, sizeof(file), 0, "its PVH entry 0x100200000 lies in none of its segments");
	file.note[3].header.n_type = file.note[4].header.n_type = 19;
	refused(&file, sizeof(file), 0, "has no PVH entry (ELF note Xen, type 18): it cannot be booted");
}

Test(program, the_entry_is_among_the_bytes_of_the_file)
{
	struct image image = good();
	struct program program;
	struct error error;

	image.note.entry = IMAGE_GPA + IMAGE_CODE_MAX - 1;
	cr_assert(eq(int, parse(&image, sizeof(image), &program, &error), 0));
	cr_expect(eq(u32, program.entry, IMAGE_GPA + IMAGE_CODE_MAX - 1));
	image.note.entry++;
	image_refused(&image, 0, "its PVH entry 0x200200 lies in none of its segments");
}

Test(program, overlapping_segments_are_refused)
{
	struct image image = good();

	image.spare = image.load;
	image.spare.p_paddr = IMAGE_GPA + image.load.p_memsz - 1;
	image_refused(&image, CODE, "overlap");
}

Test(program, a_segment_with_more_file_than_memory_is_refused)
{
	struct image image = good();

	image.load.p_memsz = image.load.p_filesz - 1;
	image_refused(&image, CODE, "only 0x1ff in memory");
}

Test(program, a_segment_beyond_the_file_is_truncation)
{
	struct image image = good();

	image.load.p_offset = UINT64_MAX - 0x100;
	image_refused(
		&image, UINT64_MAX - 0x100,
		"is truncated: its segment at GPA 0x200000 lies at 0xfffffffffffffeff+0x200 of a file of 0x");
}

Test(program, a_segment_that_wraps_is_refused)
{
	struct image image = good();

	image.load.p_paddr = UINT64_MAX - 0xfff;
	image_refused(&image, CODE, "wraps around");
}

Test(program, a_segment_in_low_memory_is_refused)
{
	struct image image = good();

	image.load.p_paddr = 0xff000;
	image_refused(&image, CODE, "below 1 MiB");
}

Test(program, a_segment_outside_ram_is_refused)
{
	struct image image = good();

	image.load.p_paddr = MEMORY_END;
	image_refused(&image, CODE, "outside RAM");
}

Test(program, an_entry_outside_the_segments_is_refused)
{
	struct image image = good();

	image.note.entry = IMAGE_GPA - 1;
	image_refused(&image, 0, "lies in none of its segments");
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
