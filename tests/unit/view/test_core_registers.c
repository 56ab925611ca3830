/* SPDX-License-Identifier: MIT */
/*
 * test_core_registers.c: every register of a vCPU has its place in the notes of a core; and the headers before them.
 */
#include "cores.h"
#include "view/core_head.h"
#include "view/core_registers.h"

#include <criterion/criterion.h>
#include <elf.h>
#include <stdlib.h>
#include <string.h>

/* The order of struct user_regs_struct. */
#define USER_REGISTERS                                                                                       \
	{                                                                                                    \
		15, 14, 13, 12, 7, 2, 11, 10, 9, 8, 1, 3, 4, 5, 6, ~0ull, 17, 24, 18, 16, 25, 30, 31, 26,    \
			27, 28, 29                                                                           \
	}

static const struct view_cpu cpu = {
	.rax = 1,
	.rbx = 2,
	.rcx = 3,
	.rdx = 4,
	.rsi = 5,
	.rdi = 6,
	.rbp = 7,
	.rsp = 16,
	.r8 = 8,
	.r9 = 9,
	.r10 = 10,
	.r11 = 11,
	.r12 = 12,
	.r13 = 13,
	.r14 = 14,
	.r15 = 15,
	.rip = 17,
	.rflags = 18,
	.cr0 = 19,
	.cr2 = 20,
	.cr3 = 21,
	.cr4 = 22,
	.efer = 23,
	.cs = 24,
	.ss = 25,
	.ds = 26,
	.es = 27,
	.fs = 28,
	.gs = 29,
	.fs_base = 30,
	.gs_base = 31,
};

static void expect_same_words(const void *found, const void *expected, size_t size)
{
	for (size_t at = 0; at < size; at += 8)
		cr_expect(!memcmp((const char *)found + at, (const char *)expected + at, 8), "at byte %zu",
			  at);
}

Test(core_registers, are_where_debuggers_read_them)
{
	static const uint64_t registers[] = USER_REGISTERS;
	struct elf_prstatus status, expected = { .pr_pid = 7 };

	cr_assert_eq(sizeof(registers), sizeof(expected.pr_reg));
	memcpy(&expected.pr_reg, registers, sizeof(registers));
	memset(&status, 0xee, sizeof(status));
	core_registers_pack(&cpu, 7, &status);
	expect_same_words(&status, &expected, sizeof(status));
}

Test(core_registers, are_read_from_the_same_places)
{
	static const uint64_t registers[] = USER_REGISTERS;
	struct elf_prstatus status = { 0 };
	struct view_cpu found = { 0 }, expected = cpu;

	memcpy(&status.pr_reg, registers, sizeof(registers));
	expected.cr0 = expected.cr2 = expected.cr3 = expected.cr4 = expected.efer = 0;
	core_registers_unpack(&status, &found);
	expect_same_words(&found, &expected, sizeof(found));
}

Test(core_registers, the_control_registers_have_a_note_of_their_own)
{
	static const struct view view = { .physical_bits = 43,
					  .physical_bits_assumed = true,
					  .pages_1g = true };
	const struct core_control expected = {
		.version = 1,
		.physical_bits = 43,
		.physical_bits_assumed = 1,
		.pages_1g = 1,
		.lacks = VIEW_LACKS_RIP | VIEW_LACKS_SEGMENTS,
		.cr0 = 19,
		.cr2 = 20,
		.cr3 = 21,
		.cr4 = 22,
		.efer = 23,
	};
	struct view_cpu found = { 0 }, packed = cpu,
			expected_cpu = { .cr0 = 19, .cr2 = 20, .cr3 = 21, .cr4 = 22, .efer = 23 };
	struct core_control control;

	packed.lacks = VIEW_LACKS_RIP | VIEW_LACKS_SEGMENTS;
	core_control_pack(&view, &packed, &control);
	expect_same_words(&control, &expected, sizeof(control));
	core_control_unpack(&control, &found);
	expected_cpu.lacks = packed.lacks;
	expect_same_words(&found, &expected_cpu, sizeof(found));
	/* The PAT register has a note of its own, which alone says whether it is there. */
	control.lacks = 0xff;
	core_control_unpack(&control, &found);
	cr_expect_eq(found.lacks, VIEW_LACKS_ALL);
}

Test(core_registers, of_a_qemu_note_are_the_control_registers)
{
	static const struct {
		uint64_t cr0, cr4, efer;
	} cases[] = {
		{ 0x80000011, 0x20, 0xd00 }, /* PG, PAE: LME, LMA, NXE */
		{ 0x80000011, 0xdf, 0 },
		{ 0x7fffffff, 0x20, 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		static struct view view;
		const struct core_qemu note = { .cr = { cases[i].cr0, 101, 102, 103, cases[i].cr4 } };
		const struct view_cpu expected = {
			.cr0 = cases[i].cr0,
			.cr2 = 102,
			.cr3 = 103,
			.cr4 = cases[i].cr4,
			.efer = cases[i].efer,
			.lacks = VIEW_LACKS_EFER,
		};
		struct view_cpu found = { 0 };

		core_qemu_unpack(&note, &view, &found);
		expect_same_words(&found, &expected, sizeof(found));
		cr_expect(view.physical_bits == 52 && view.physical_bits_assumed);
		cr_expect(view.pages_1g);
	}
}

/* ---- the headers ---- */

Test(core_head, a_core_by_physical_address_has_a_segment_for_each_region)
{
	static const Elf64_Ehdr header = {
		.e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
		.e_type = ET_CORE,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_phoff = CORE_SEGMENTS,
		.e_ehsize = sizeof(Elf64_Ehdr),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = 3,
	};
	const Elf64_Phdr segments[] = {
		{
			.p_type = PT_NOTE,
			.p_offset = CORE_NOTES,
			.p_filesz = 20 + 336 + 20 + 48 + 20 + 12,
			.p_align = 4,
		},
		{
			.p_type = PT_LOAD,
			.p_flags = PF_R | PF_W | PF_X,
			.p_offset = PAGE,
			.p_filesz = 2 * PAGE,
			.p_memsz = 2 * PAGE,
			.p_align = PAGE,
		},
		{
			.p_type = PT_LOAD,
			.p_flags = PF_R | PF_W | PF_X,
			.p_offset = 3 * PAGE,
			.p_vaddr = 1 << 20,
			.p_paddr = 1 << 20,
			.p_filesz = PAGE,
			.p_memsz = PAGE,
			.p_align = PAGE,
		},
	};
	uint8_t core[CORE_SIZE];

	core_make(core);
	expect_same_words(core, &header, sizeof(header));
	expect_same_words(core + CORE_SEGMENTS, segments, sizeof(segments));
	for (size_t i = CORE_NOTES + segments[0].p_filesz; i < PAGE; i++)
		cr_expect_eq(core[i], 0, "byte %zu", i);
}

Test(core_head, each_cpu_has_its_notes_in_order)
{
	static const struct {
		uint32_t type, size;
	} notes[] = {
		{ NT_PRSTATUS, 336 },      { CORE_NOTE_CONTROL, 48 }, { NT_PRSTATUS, 336 },
		{ CORE_NOTE_CONTROL, 48 }, { CORE_NOTE_PAT, 16 },
	};
	struct view_cpu cpus[] = { cpu, cpu };
	const struct view view = { .cpus = cpus, .cpu_count = 2, .physical_bits = 46 };
	struct core_head head;
	size_t at = sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr);
	const Elf64_Phdr *segment;

	cpus[1].has_pat = true;
	cpus[1].pat = 77;
	cr_assert_eq(core_head_make(&head, &view, &(struct core_addresses){ 0 }, NULL), 0);
	cr_expect_eq(head.size, PAGE);
	segment = (const Elf64_Phdr *)(head.bytes + sizeof(Elf64_Ehdr));
	cr_expect_eq(segment->p_offset, at);
	cr_expect_eq(segment->p_filesz, 5 * 20 + 2 * (336 + 48) + 16);
	for (size_t i = 0; i < sizeof(notes) / sizeof(notes[0]); i++, at += 20 + notes[i - 1].size) {
		const Elf64_Nhdr *note = (const Elf64_Nhdr *)(head.bytes + at);
		struct elf_prstatus status;
		struct core_pat pat;

		cr_expect_eq(note->n_type, notes[i].type);
		cr_expect_eq(note->n_descsz, notes[i].size);
		cr_expect_str_eq((const char *)(note + 1), i % 2 || i == 4 ? "KVMAP" : "CORE");
		memcpy(&status, head.bytes + at + 20, sizeof(status));
		memcpy(&pat, head.bytes + at + 20, sizeof(pat));
		if (notes[i].type == NT_PRSTATUS)
			cr_expect_eq(status.pr_pid, 1 + (int)i / 2, "threads count from 1");
		if (notes[i].type == CORE_NOTE_PAT)
			cr_expect(pat.cpu == 1 && pat.pat == 77 && !pat.unused);
	}
	cr_expect_eq(head.used, at);
	free(head.bytes);
}

Test(core_head, a_core_by_virtual_address_has_both_kinds_of_segments)
{
	static const struct core_mapping mapping = { 0xffffc90000000000, 0x3000, PAGE, PF_R | PF_W };
	static struct view_cpu no_registers;
	static struct view view = { .cpus = &no_registers, .cpu_count = 1 };
	const struct view_region regions[] = {
		{ .gpa = 0x1000, .size = PAGE, .fd = -1 },
		{ .gpa = 0x2000, .size = 3 * PAGE, .fd = -1 },
	};
	Elf64_Phdr expected[] = {
		{
			.p_type = CORE_SEGMENT_MEMORY,
			.p_flags = PF_R | PF_W | PF_X,
			.p_offset = PAGE,
			.p_paddr = 0x1000,
			.p_filesz = PAGE,
			.p_memsz = PAGE,
			.p_align = PAGE,
		},
		{
			.p_type = CORE_SEGMENT_MEMORY,
			.p_flags = PF_R | PF_W | PF_X,
			.p_offset = 2 * PAGE,
			.p_paddr = 0x2000,
			.p_filesz = 3 * PAGE,
			.p_memsz = 3 * PAGE,
			.p_align = PAGE,
		},
		{
			.p_type = PT_LOAD,
			.p_flags = PF_R | PF_W,
			.p_offset = 3 * PAGE,
			.p_vaddr = 0xffffc90000000000,
			.p_paddr = 0x3000,
			.p_filesz = PAGE,
			.p_memsz = PAGE,
			.p_align = PAGE,
		},
	};
	struct core_head head;
	struct error error;

	for (unsigned int i = 0; i < 2; i++)
		cr_assert_eq(view_add_region(&view, &regions[i], &error), 0);
	cr_assert_eq(core_head_make(&head, &view, &(struct core_addresses){ &mapping, 1, false }, NULL), 0);
	expect_same_words(head.bytes + sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr), expected, sizeof(expected));
	free(head.bytes);
	/* By both addresses: what was for kvmap alone is for debuggers, too. */
	for (unsigned int i = 0; i < 2; i++) {
		expected[i].p_type = PT_LOAD;
		expected[i].p_vaddr = expected[i].p_paddr;
	}
	cr_assert_eq(core_head_make(&head, &view, &(struct core_addresses){ &mapping, 1, true }, NULL), 0);
	expect_same_words(head.bytes + sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr), expected, sizeof(expected));
	free(head.bytes);
}

/* As many segments as e_phnum can count, and one more: PN_XNUM itself is a mark. */
Test(core_head, more_segments_than_e_phnum_can_count_are_counted_by_a_section)
{
	static struct core_mapping mappings[PN_XNUM];
	static struct view_cpu no_registers;
	static struct view view = { .cpus = &no_registers, .cpu_count = 1 };
	const struct view_region region = { .size = PAGE, .fd = -1 };
	struct error error;

	cr_assert_eq(view_add_region(&view, &region, &error), 0);
	for (unsigned int more = 0; more < 2; more++) {
		const Elf64_Shdr section = { .sh_size = 1, .sh_info = PN_XNUM };
		struct core_addresses addresses;
		struct core_head head;
		const Elf64_Ehdr *header;

		addresses = (struct core_addresses){ mappings, PN_XNUM - 3 + more, false };
		cr_assert_eq(core_head_make(&head, &view, &addresses, NULL), 0);
		header = (const Elf64_Ehdr *)head.bytes;
		cr_expect_eq(header->e_phnum, PN_XNUM - 1 + more);
		cr_expect_eq(header->e_phoff, 64 + more * 64);
		cr_expect_eq(header->e_shoff, more * 64);
		cr_expect_eq(header->e_shnum, more);
		cr_expect_eq(header->e_shentsize, more * 64);
		if (more)
			expect_same_words(header + 1, &section, sizeof(section));
		cr_expect_eq(head.used, 64 + more * 64 + (PN_XNUM - 1 + more) * 56 + 20 + 336 + 20 + 48);
		cr_expect_eq(head.size, (head.used + PAGE - 1) / PAGE * PAGE);
		free(head.bytes);
	}
}
