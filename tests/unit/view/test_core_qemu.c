/* SPDX-License-Identifier: MIT */
/*
 * test_core_qemu.c: cores as QEMU's dump-guest-memory writes them: physical, or one segment for each piece of
 * mapped memory (-p), and more segments than an ELF header can count.
 */
#include "cores.h"

#include <criterion/criterion.h>
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/procfs.h>
#include <sys/user.h>

#define FILE_SIZE 0x8000
#define NOTES     0x1000 /* offset in the file */
#define MEMORY    0x2010 /* as QEMU's, at no multiple of a page: GPA 0 */
#define LOADS     0x200  /* program headers */

/* QEMU's note, as its target/i386/arch_dump.c has it: offsets of its members. */
#define NOTE_SIZE 440
#define NOTE_CR   392

static uint8_t file[FILE_SIZE];
static size_t notes_used;
static unsigned int segments;

static void put_note(const char *name, uint32_t type, const void *bytes, uint32_t size)
{
	Elf64_Nhdr header = { .n_namesz = 5, .n_descsz = size, .n_type = type };
	uint8_t *at = file + NOTES + notes_used;

	memcpy(at, &header, sizeof(header));
	memcpy(at + sizeof(header), name, 5);
	memcpy(at + sizeof(header) + 8, bytes, size);
	notes_used += sizeof(header) + 8 + (size + 3) / 4 * 4;
}

static void put_status(uint64_t rip)
{
	struct elf_prstatus status = { 0 };
	struct user_regs_struct registers = { .rip = rip, .rsp = rip + 1, .gs_base = rip + 2 };

	memcpy(&status.pr_reg, &registers, sizeof(registers));
	put_note("CORE", NT_PRSTATUS, &status, sizeof(status));
}

static void put_qemu(uint32_t version, uint32_t size_said, uint32_t size, uint64_t cr3, uint64_t cr0)
{
	uint8_t note[NOTE_SIZE + 8] = { 0 };
	uint64_t cr[5] = { cr0, 0, 0x1234, cr3, 0xa0 };

	memcpy(note, &version, 4);
	memcpy(note + 4, &size_said, 4);
	memcpy(note + NOTE_CR, cr, sizeof(cr));
	put_note("QEMU", 0, note, size);
}

static void put_segment(uint32_t type, uint64_t offset, uint64_t gpa, uint64_t file_size, uint64_t size)
{
	Elf64_Phdr segment = { .p_type = type,
			       .p_offset = offset,
			       .p_vaddr = 0xffff888000000000 + gpa,
			       .p_paddr = gpa,
			       .p_filesz = file_size,
			       .p_memsz = size };

	memcpy(file + LOADS + segments++ * sizeof(segment), &segment, sizeof(segment));
}

/* Notes first; memory is what the test adds. */
static void begin(void)
{
	memset(file, 0, sizeof(file));
	for (size_t i = MEMORY; i < FILE_SIZE; i++)
		file[i] = (i - MEMORY) / PAGE + 1; /* every page has the number of its GPA, and 1 */
	notes_used = 0;
	segments = 1;
}

TestSuite(core_qemu, .init = begin);

static int open_it(struct view **view, struct error *error)
{
	Elf64_Ehdr header = {
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
		.e_type = ET_CORE,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_phoff = LOADS,
		.e_ehsize = sizeof(Elf64_Ehdr),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = segments,
	};
	unsigned int count = segments;

	segments = 0;
	put_segment(PT_NOTE, NOTES, 0, notes_used, notes_used);
	segments = count;
	memcpy(file, &header, sizeof(header));
	return core_open_bytes(file, sizeof(file), view, error);
}

static void one_cpu(void)
{
	put_status(0x1000);
	put_qemu(1, NOTE_SIZE, NOTE_SIZE, 0x5000, 0x80000011);
}

static uint8_t byte_at(const struct view *view, uint64_t gpa)
{
	const uint8_t *byte = view_bytes(view, gpa, 1);

	cr_assert_not_null(byte, "no memory at 0x%lx", gpa);
	return *byte;
}

static struct view *opened(void)
{
	struct view *view = NULL;
	struct error error;

	cr_assert_eq(open_it(&view, &error), 0, "%s", error.text);
	return view;
}

static void expect_refused(uint64_t address, const char *what)
{
	struct view *view;
	struct error error;

	cr_assert_eq(open_it(&view, &error), -1, "opened, although: %s", what);
	core_expect_error(&error, ERROR_INPUT, address, what);
}

Test(core_qemu, gives_the_registers_of_every_cpu)
{
	struct view *view;

	put_status(0x1000);
	put_status(0x2000);
	put_qemu(1, NOTE_SIZE, NOTE_SIZE, 0x5000, 0x80000011);
	put_qemu(1, NOTE_SIZE, NOTE_SIZE, 0x6000, 0x11);
	put_segment(PT_LOAD, MEMORY, 0, PAGE, PAGE);
	view = opened();
	cr_assert_eq(view->cpu_count, 2);
	cr_expect_eq(view->cpus[0].rip, 0x1000);
	cr_expect_eq(view->cpus[0].cr0, 0x80000011);
	cr_expect_eq(view->cpus[0].cr2, 0x1234);
	cr_expect_eq(view->cpus[0].cr3, 0x5000);
	cr_expect_eq(view->cpus[0].cr4, 0xa0);
	cr_expect_eq(view->cpus[1].gs_base, 0x2002);
	cr_expect_eq(view->cpus[1].cr3, 0x6000);
	view_destroy(view);
}

Test(core_qemu, has_the_paging_that_the_control_registers_say)
{
	struct view *view;

	put_status(0);
	put_status(0);
	put_qemu(1, NOTE_SIZE, NOTE_SIZE, 0, 0x80000011);
	put_qemu(1, NOTE_SIZE, NOTE_SIZE, 0, 0x11);
	put_segment(PT_LOAD, MEMORY, 0, PAGE, PAGE);
	view = opened();
	cr_expect_eq(view->cpus[0].efer, 0xd00, "long mode, NX");
	cr_expect_eq(view->cpus[1].efer, 0, "paging is off");
	cr_expect(view->pages_1g);
	cr_expect_eq(view->physical_bits, 52);
	cr_expect(view->physical_bits_assumed);
	cr_expect_eq(view->cpus[0].lacks, VIEW_LACKS_EFER);
	view_destroy(view);
}

Test(core_qemu, may_have_a_note_of_an_older_or_a_later_qemu)
{
	for (uint32_t size = 432; size <= 448; size += 8) {
		struct view *view;

		begin();
		put_status(0);
		put_qemu(1, size, size, 0x5000, 0x80000011);
		put_segment(PT_LOAD, MEMORY, 0, PAGE, PAGE);
		view = opened();
		cr_expect_eq(view->cpus[0].cr3, 0x5000);
		view_destroy(view);
	}
}

Test(core_qemu, with_a_note_that_is_not_understood_is_refused)
{
	static const struct {
		uint32_t version, said, size;
		const char *what;
	} notes[] = {
		{ 2, NOTE_SIZE, NOTE_SIZE,
		  "QEMU's note of a CPU is of version 2 and 440 bytes; version 1 and 440 bytes are known" },
		{ 1, NOTE_SIZE, NOTE_SIZE - 8,
		  "QEMU's note of a CPU is of version 1 and 440 bytes; version 1 and 432 bytes are known" },
		{ 1, 0, NOTE_SIZE,
		  "QEMU's note of a CPU is of version 1 and 0 bytes; version 1 and 440 bytes are known" },
		{ 1, 424, 424, "a note of QEMU's with the registers of a CPU that is too short" },
	};

	for (size_t i = 0; i < sizeof(notes) / sizeof(notes[0]); i++) {
		begin();
		put_status(0);
		put_qemu(notes[i].version, notes[i].said, notes[i].size, 0, 0);
		put_segment(PT_LOAD, MEMORY, 0, PAGE, PAGE);
		expect_refused(0, notes[i].what);
	}
	begin();
	put_status(0);
	put_segment(PT_LOAD, MEMORY, 0, PAGE, PAGE);
	expect_refused(
		0, "no control registers (no KVMAP note, nor one of QEMU's): a core of a process, or of a "
		   "tool that does not write them");
	one_cpu();
	expect_refused(0, "registers of 2 CPUs, but control registers of 1");
}

Test(core_qemu, of_mapped_memory_is_one_view_of_physical_memory)
{
	struct view *view;

	one_cpu();
	/* As -p writes them: any order, the direct map and areas of the same frames. */
	put_segment(PT_LOAD, MEMORY + PAGE, PAGE, PAGE, PAGE);
	put_segment(PT_LOAD, MEMORY, 0, 3 * PAGE, 3 * PAGE);
	put_segment(PT_LOAD, MEMORY + 2 * PAGE, 2 * PAGE, 2 * PAGE, 2 * PAGE);
	put_segment(PT_LOAD, MEMORY + PAGE, PAGE, PAGE, PAGE);
	put_segment(PT_LOAD, MEMORY + 4 * PAGE, 4ull << 30, PAGE, PAGE);
	view = opened();
	cr_expect_eq(view->region_count, 2);
	cr_expect_eq(view->regions[0].size, 4 * PAGE);
	for (uint64_t page = 0; page < 4; page++) {
		cr_expect_eq(byte_at(view, page * PAGE), page + 1);
		cr_expect_eq(byte_at(view, page * PAGE + PAGE - 1), page + 1);
	}
	cr_expect_null(view_bytes(view, 4 * PAGE, 1));
	cr_expect_eq(byte_at(view, (4ull << 30) + 5), 5);
	view_destroy(view);
}

Test(core_qemu, says_where_two_pieces_mean_different_bytes)
{
	one_cpu();
	put_segment(PT_LOAD, MEMORY, 0, 2 * PAGE, 2 * PAGE);
	put_segment(PT_LOAD, MEMORY, PAGE, PAGE, PAGE);
	expect_refused(PAGE, "memory at GPA 0x1000, size 0x1000: overlaps the memory at GPA 0x0");
}

Test(core_qemu, has_no_memory_where_a_device_is_mapped)
{
	struct view *view;

	one_cpu();
	put_segment(PT_LOAD, MEMORY, 0, PAGE, PAGE);
	put_segment(PT_LOAD, ~0ull, 0xfee00000, 0, PAGE);
	/* A mapping that begins in memory and ends outside of it. */
	put_segment(PT_LOAD, MEMORY + 2 * PAGE, 2 * PAGE, PAGE, 512 * PAGE);
	view = opened();
	cr_expect_eq(byte_at(view, 0), 1);
	cr_expect_eq(byte_at(view, 2 * PAGE), 3);
	cr_expect_null(view_bytes(view, 3 * PAGE, 1));
	cr_expect_null(view_bytes(view, 0xfee00000, 1));
	view_destroy(view);
}

Test(core_qemu, may_have_more_segments_than_the_header_can_count)
{
	const Elf64_Shdr section = { .sh_info = 3 };
	const uint16_t many = PN_XNUM, one = 1, size = sizeof(section);
	const uint64_t offset = 0x100;
	struct view *view;
	struct error error;

	one_cpu();
	put_segment(PT_LOAD, MEMORY, 0, PAGE, PAGE);
	put_segment(PT_LOAD, MEMORY + PAGE, 4 * PAGE, PAGE, PAGE);
	view_destroy(opened());
	memcpy(file + offset, &section, sizeof(section));
	memcpy(file + offsetof(Elf64_Ehdr, e_phnum), &many, 2);
	memcpy(file + offsetof(Elf64_Ehdr, e_shoff), &offset, 8);
	memcpy(file + offsetof(Elf64_Ehdr, e_shentsize), &size, 2);
	memcpy(file + offsetof(Elf64_Ehdr, e_shnum), &one, 2);
	cr_assert_eq(core_open_bytes(file, sizeof(file), &view, &error), 0, "%s", error.text);
	cr_expect_eq(byte_at(view, 4 * PAGE), 2);
	view_destroy(view);
	for (uint32_t count = 0x7fffffff; count > 1000; count /= 2) {
		memcpy(file + offset + offsetof(Elf64_Shdr, sh_info), &count, 4);
		cr_assert_eq(core_open_bytes(file, sizeof(file), &view, &error), -1);
		cr_expect_not_null(strstr(error.text, "program header"), "%s", error.text);
	}
}

Test(core_qemu, in_another_format_is_named)
{
	static const char *const starts[][2] = {
		{ "KDUMP   ", "a dump in kdump's compressed format" },
		{ "makedumpfile", "a dump in makedumpfile's flattened format" },
		{ "PAGEDU64", "a Windows crash dump" },
		{ "PAGEDUMP", "a Windows crash dump" },
		{ "QEVM", "a saved state of QEMU's (savevm, migrate)" },
	};

	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
		char expected[200];
		struct view *view;
		struct error error;

		memcpy(file, starts[i][0], strlen(starts[i][0]));
		cr_assert_eq(core_open_bytes(file, sizeof(file), &view, &error), -1);
		snprintf(expected, sizeof(expected),
			 "%s; only ELF cores are read (QEMU: dump-guest-memory without -z, -l, -s, -w)",
			 starts[i][1]);
		core_expect_error(&error, ERROR_INPUT, 0, expected);
	}
}
