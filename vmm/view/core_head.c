/* SPDX-License-Identifier: MIT */
/*
 * core_head.c: ELF header, program headers and notes of a core.
 *
 * Program headers: PT_NOTE; per region a CORE_SEGMENT_MEMORY, or by physical address a PT_LOAD; and a PT_LOAD
 * per mapping, which refers to the same bytes of the file.
 */
#include "view/core_head.h"

#include "base/page.h"
#include "view/core_registers.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

struct content {
	const struct view *view;
	const struct core_addresses *addresses;
	const char *program;
};

static size_t note_size(const char *name, size_t size)
{
	return sizeof(Elf64_Nhdr) + (strlen(name) + 1 + 3) / 4 * 4 + (size + 3) / 4 * 4;
}

static void put(struct core_head *head, const void *bytes, size_t size)
{
	memcpy(head->bytes + head->used, bytes, size);
	head->used += size;
}

static void put_note(struct core_head *head, const char *name, uint32_t type, const void *bytes, size_t size)
{
	Elf64_Nhdr note = { .n_namesz = strlen(name) + 1, .n_descsz = size, .n_type = type };
	size_t end = head->used + note_size(name, size);

	put(head, &note, sizeof(note));
	put(head, name, note.n_namesz);
	head->used = (head->used + 3) / 4 * 4;
	put(head, bytes, size);
	head->used = end;
}

static size_t notes_size(const struct content *content)
{
	size_t size = content->view->cpu_count * (note_size("CORE", sizeof(struct elf_prstatus)) +
						  note_size(CORE_NOTE_NAME, sizeof(struct core_control)));

	for (unsigned int i = 0; i < content->view->cpu_count; i++)
		if (content->view->cpus[i].has_pat)
			size += note_size(CORE_NOTE_NAME, sizeof(struct core_pat));
	return size + (content->program ? note_size(CORE_NOTE_NAME, strlen(content->program) + 1) : 0);
}

static void put_notes(struct core_head *head, const struct content *content)
{
	const struct view *view = content->view;

	for (unsigned int i = 0; i < view->cpu_count; i++) {
		struct elf_prstatus status;
		struct core_control control;
		struct core_pat pat = { .cpu = i, .pat = view->cpus[i].pat };

		core_registers_pack(&view->cpus[i], i + 1, &status);
		core_control_pack(view, &view->cpus[i], &control);
		put_note(head, "CORE", NT_PRSTATUS, &status, sizeof(status));
		put_note(head, CORE_NOTE_NAME, CORE_NOTE_CONTROL, &control, sizeof(control));
		if (view->cpus[i].has_pat)
			put_note(head, CORE_NOTE_NAME, CORE_NOTE_PAT, &pat, sizeof(pat));
	}
	if (content->program)
		put_note(head, CORE_NOTE_NAME, CORE_NOTE_PROGRAM, content->program,
			 strlen(content->program) + 1);
}

static size_t segment_count(const struct content *content)
{
	return 1 + content->view->region_count + content->addresses->mapping_count;
}

/* e_phnum has 16 bits: for more program headers, section 0 has their number (PN_XNUM). */
static bool has_section(const struct content *content)
{
	return segment_count(content) >= PN_XNUM;
}

static void put_elf(struct core_head *head, const struct content *content)
{
	bool section = has_section(content);
	Elf64_Ehdr elf = {
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
		.e_type = ET_CORE,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_phoff = sizeof(Elf64_Ehdr) + (section ? sizeof(Elf64_Shdr) : 0),
		.e_shoff = section ? sizeof(Elf64_Ehdr) : 0,
		.e_ehsize = sizeof(Elf64_Ehdr),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = section ? PN_XNUM : segment_count(content),
		.e_shentsize = section ? sizeof(Elf64_Shdr) : 0,
		.e_shnum = section,
	};
	Elf64_Shdr first = { .sh_type = SHT_NULL, .sh_size = 1, .sh_info = segment_count(content) };

	put(head, &elf, sizeof(elf));
	if (section)
		put(head, &first, sizeof(first));
}

static void put_regions(struct core_head *head, const struct content *content)
{
	uint64_t offset = head->size;

	for (unsigned int i = 0; i < content->view->region_count; i++) {
		const struct view_region *region = &content->view->regions[i];
		Elf64_Phdr segment = {
			.p_type = content->addresses->physical ? PT_LOAD : CORE_SEGMENT_MEMORY,
			.p_flags = PF_R | PF_W | PF_X,
			.p_offset = offset,
			.p_vaddr = content->addresses->physical ? region->gpa : 0,
			.p_paddr = region->gpa,
			.p_filesz = region->size,
			.p_memsz = region->size,
			.p_align = PAGE_4K,
		};

		put(head, &segment, sizeof(segment));
		offset += region->size;
	}
}

/* Offset of the byte at `gpa`, which lies in a region. */
static uint64_t file_offset(const struct core_head *head, const struct view *view, uint64_t gpa)
{
	const struct view_region *holder = view_region(view, gpa, 1);
	uint64_t offset = head->size;

	for (const struct view_region *region = view->regions; region < holder; region++)
		offset += region->size;
	return offset + (gpa - holder->gpa);
}

static void put_mappings(struct core_head *head, const struct content *content)
{
	for (size_t i = 0; i < content->addresses->mapping_count; i++) {
		const struct core_mapping *mapping = &content->addresses->mappings[i];
		Elf64_Phdr segment = {
			.p_type = PT_LOAD,
			.p_flags = mapping->flags,
			.p_offset = file_offset(head, content->view, mapping->gpa),
			.p_vaddr = mapping->gva,
			.p_paddr = mapping->gpa,
			.p_filesz = mapping->size,
			.p_memsz = mapping->size,
			.p_align = PAGE_4K,
		};

		put(head, &segment, sizeof(segment));
	}
}

static void put_segments(struct core_head *head, const struct content *content)
{
	size_t notes = notes_size(content);
	Elf64_Phdr segment = {
		.p_type = PT_NOTE,
		.p_offset = head->used + segment_count(content) * sizeof(Elf64_Phdr),
		.p_filesz = notes,
		.p_align = 4,
	};

	put(head, &segment, sizeof(segment));
	put_regions(head, content);
	put_mappings(head, content);
}

int core_head_make(struct core_head *head, const struct view *view, const struct core_addresses *addresses,
		   const char *program)
{
	const struct content content = { view, addresses, program };
	size_t size = sizeof(Elf64_Ehdr) + (has_section(&content) ? sizeof(Elf64_Shdr) : 0) +
		      segment_count(&content) * sizeof(Elf64_Phdr) + notes_size(&content);

	head->size = page_round_up(size, PAGE_4K);
	head->used = 0;
	head->bytes = calloc(1, head->size);
	if (!head->bytes)
		return -1;
	put_elf(head, &content);
	put_segments(head, &content);
	put_notes(head, &content);
	return 0;
}
