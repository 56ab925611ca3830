/* SPDX-License-Identifier: MIT */
/* Headers and notes of files that are whole, cut, or lie. */
#include "base/elf_image.h"

#include <criterion/criterion.h>
#include <string.h>

struct file {
	Elf64_Ehdr header;
	Elf64_Phdr segments[2];
	Elf64_Shdr sections[3];
	struct {
		Elf64_Nhdr first;
		char first_name[4], first_value[8];
		Elf64_Nhdr second;
		char second_name[8], second_value[2]; /* the last one has no padding */
	} notes;
};

static struct file good(void)
{
	struct file file = {
		.header = {
			.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
			.e_phoff = offsetof(struct file, segments),
			.e_phentsize = sizeof(Elf64_Phdr),
			.e_phnum = 2,
			.e_shoff = offsetof(struct file, sections),
			.e_shentsize = sizeof(Elf64_Shdr),
			.e_shnum = 3,
		},
		.segments = { { .p_type = PT_LOAD }, { .p_type = PT_NOTE, .p_offset = offsetof(struct file, notes),
			.p_filesz = offsetof(struct file, notes.second_value) + 2 - offsetof(struct file, notes) } },
		.sections = { { .sh_info = 2, .sh_size = 3 }, { .sh_type = SHT_SYMTAB }, { .sh_type = SHT_STRTAB } },
		.notes = {
			.first = { 4, 8, 18 }, .first_name = "Xen", .first_value = "eightbyt",
			.second = { 6, 2, NT_GNU_BUILD_ID }, .second_name = "other", .second_value = "ab",
		},
	};

	return file;
}

static struct elf_image open_whole(const struct file *file)
{
	struct elf_image image;

	cr_assert(elf_image_open(file, sizeof(*file), &image));
	return image;
}

Test(elf_image, other_files_are_not_opened)
{
	struct file file = good();
	struct elf_image image;

	cr_expect_not(elf_image_open(&file, sizeof(Elf64_Ehdr) - 1, &image));
	cr_expect_not(elf_image_open(NULL, 0, &image));
	file.header.e_ident[EI_CLASS] = ELFCLASS32;
	cr_expect_not(elf_image_open(&file, sizeof(file), &image));
	file = good();
	file.header.e_ident[EI_DATA] = ELFDATA2MSB;
	cr_expect_not(elf_image_open(&file, sizeof(file), &image));
	file = good();
	file.header.e_ident[0] = 0;
	cr_expect_not(elf_image_open(&file, sizeof(file), &image));
}

Test(elf_image, has_its_headers)
{
	struct file file = good();
	struct elf_image image = open_whole(&file);
	Elf64_Phdr segment;
	Elf64_Shdr section;

	cr_expect_eq(elf_image_segments(&image), 2);
	cr_assert(elf_image_segment(&image, 1, &segment));
	cr_expect_eq(segment.p_type, PT_NOTE);
	cr_expect_not(elf_image_segment(&image, 2, &segment));
	cr_expect_eq(elf_image_sections(&image), 3);
	cr_assert(elf_image_section(&image, 2, &section));
	cr_expect_eq(section.sh_type, SHT_STRTAB);
	cr_expect_not(elf_image_section(&image, 3, &section));
}

Test(elf_image, counts_without_room_in_the_header_are_in_section_0)
{
	struct file file = good();
	struct elf_image image;
	Elf64_Phdr segment;

	file.header.e_phnum = PN_XNUM;
	file.header.e_shnum = 0;
	image = open_whole(&file);
	cr_expect_eq(elf_image_segments(&image), 2);
	cr_expect_eq(elf_image_sections(&image), 3);
	cr_expect(elf_image_segment(&image, 1, &segment));
	image.header.e_shoff = 0;
	cr_expect_eq(elf_image_segments(&image), 0);
	cr_expect_eq(elf_image_sections(&image), 0);
}

Test(elf_image, what_lies_beyond_the_end_is_not_there)
{
	struct file file = good();
	struct elf_image image = open_whole(&file);
	Elf64_Phdr segment;
	Elf64_Shdr section;

	cr_expect_not_null(elf_image_bytes(&image, sizeof(file), 0));
	cr_expect_null(elf_image_bytes(&image, sizeof(file), 1));
	cr_expect_null(elf_image_bytes(&image, 1, UINT64_MAX));
	cr_expect_null(elf_image_bytes(&image, UINT64_MAX, 2));
	image.header.e_phoff = sizeof(file) - sizeof(segment) - 1;
	cr_expect(elf_image_segment(&image, 0, &segment));
	cr_expect_not(elf_image_segment(&image, 1, &segment));
	image.header.e_phoff = UINT64_MAX - 8;
	cr_expect_not(elf_image_segment(&image, 1, &segment));
	image.header.e_shnum = 0;
	file.sections[0].sh_size = UINT64_MAX;
	cr_expect_not(elf_image_section(&image, UINT64_MAX - 1, &section));
	image.header.e_shentsize--;
	cr_expect_not(elf_image_section(&image, 0, &section));
}

Test(elf_image, notes_follow_each_other)
{
	struct file file = good();
	struct elf_image image = open_whole(&file);
	struct elf_notes notes = elf_image_notes(&image, &file.segments[1]);
	struct elf_note note;

	cr_assert(elf_notes_next(&notes, &note));
	cr_expect_eq(note.type, 18);
	cr_expect_arr_eq(note.value, "eightbyt", 8);
	cr_assert(elf_notes_next(&notes, &note));
	cr_expect_eq(note.type, NT_GNU_BUILD_ID);
	cr_expect_str_eq((const char *)note.name, "other");
	cr_expect_eq(note.value_size, 2);
	cr_expect_arr_eq(note.value, "ab", 2);
	cr_expect_not(elf_notes_next(&notes, &note));
}

Test(elf_image, notes_that_are_cut_end_the_list)
{
	struct file file = good();
	struct elf_image image = open_whole(&file);
	uint64_t whole = file.segments[1].p_filesz;
	struct elf_note note;

	for (uint64_t size = 0; size < whole; size++) {
		struct elf_notes notes;
		unsigned int count = 0;

		file.segments[1].p_filesz = size;
		for (notes = elf_image_notes(&image, &file.segments[1]); elf_notes_next(&notes, &note);)
			count++;
		cr_expect_eq(count, size < 24 ? 0 : 1, "%llu bytes", (unsigned long long)size);
	}
	file.segments[1].p_filesz = UINT64_MAX;
	cr_expect_eq(elf_image_notes(&image, &file.segments[1]).left, 0);
	file.segments[1].p_filesz = whole;
	file.notes.first.n_namesz = UINT32_MAX;
	struct elf_notes notes = elf_image_notes(&image, &file.segments[1]);
	cr_expect_not(elf_notes_next(&notes, &note));
}
