/* SPDX-License-Identifier: MIT */
/*
 * test_core_damage.c: damaged and hostile cores. Built with sanitizers, so that a read too far is a failure.
 */
#include "cores.h"

#include <criterion/criterion.h>
#include <elf.h>
#include <stdlib.h>
#include <string.h>

static uint8_t core[CORE_SIZE];

static void make(void)
{
	core_make(core);
}

TestSuite(core_damage, .init = make);

/* Touches what a walk or a copy might touch of a view that was opened. Bounded, however large it claims to
 * be. */
static unsigned int use(const struct view *view)
{
	unsigned int sum = 0;
	uint64_t gpa = 0, start, end;

	for (unsigned int i = 0; i < view->region_count; i++) {
		const struct view_region *region = &view->regions[i];

		sum += *(const uint8_t *)view_bytes(view, region->gpa, 1);
		sum += *(const uint8_t *)view_bytes(view, region->gpa + region->size - 1, 1);
	}
	for (int i = 0; i < 100 && view_next_data(view, gpa, ~0ull, &start, &end); i++) {
		cr_assert(start >= gpa && start < end);
		sum += *(const uint8_t *)view_bytes(view, start, 1) +
		       *(const uint8_t *)view_bytes(view, end - 1, 1);
		gpa = end;
	}
	return sum;
}

static void expect_refused(const char *what)
{
	struct view *view;
	struct error error;

	if (core_open_bytes(core, CORE_SIZE, &view, &error) == 0) {
		view_destroy(view);
		cr_expect(false, "opened, although: %s", what);
		return;
	}
	cr_expect_not_null(strstr(error.text, what), "expected '%s', found '%s'", what, error.text);
	cr_expect_eq(error.kind, ERROR_INPUT);
	cr_expect_eq(error.errnum, 0, "%s", error.text);
}

static void set64(size_t offset, uint64_t value)
{
	memcpy(core + offset, &value, 8);
}

static void set32(size_t offset, uint32_t value)
{
	memcpy(core + offset, &value, 4);
}

/* One field, what is written to it, and what must be said. */
struct damage {
	size_t offset;
	unsigned int size;
	uint64_t value;
	const char *what;
};

static const struct damage damages[] = {
	{ 0, 1, 0, "not an ELF file" },
	{ EI_CLASS, 1, ELFCLASS32, "32-bit" },
	{ EI_DATA, 1, ELFDATA2MSB, "big-endian" },
	{ 16, 2, ET_EXEC, "not a core" },
	{ 18, 2, EM_AARCH64, "not of an x86-64" },
	{ 32, 8, CORE_SIZE, "beyond the end" },
	{ 32, 8, ~0ull - 15, "beyond the end" },
	{ 54, 2, 64, "program headers" },
	{ 56, 2, 0xfffe, "beyond the end" },
	{ 56, 2, PN_XNUM, "PN_XNUM" },
	{ 56, 2, 0, "no registers" },
	{ 56, 2, 1, "no guest memory" },
	/* the notes: offset, size */
	{ CORE_SEGMENT(0) + 8, 8, CORE_SIZE - 1, "beyond the end" },
	{ CORE_SEGMENT(0) + 32, 8, CORE_SIZE, "beyond the end" },
	{ CORE_SEGMENT(0) + 32, 8, ~0ull, "beyond the end" },
	{ CORE_SEGMENT(0) + 32, 8, 0, "no registers" },
	{ CORE_SEGMENT(0) + 32, 8, 20 + 336, "no control registers" },
	{ CORE_SEGMENT(0) + 32, 8, 20 + 335, "damaged note" },
	{ CORE_SEGMENT(0) + 32, 8, 3, "damaged note" },
	/* the first note: size of name, of contents */
	{ CORE_NOTES, 4, 0xffffffff, "damaged note" },
	{ CORE_NOTES, 4, 0, "damaged note" },
	{ CORE_NOTES + 4, 4, 0xffffffff, "damaged note" },
	{ CORE_NOTES + 4, 4, 8, "wrong size" },
	{ CORE_NOTES + 8, 4, NT_PRPSINFO, "no registers" },
	{ CORE_CONTROL + 4, 4, 40, "wrong size" },
	{ CORE_CONTROL + 20, 4, 2, "another version" },
	{ CORE_CONTROL + 24, 4, 31, "31 bits" },
	{ CORE_CONTROL + 24, 4, 53, "53 bits" },
	{ CORE_CONTROL + 8, 4, 99, "no control registers" },
	/* the program's path: without its end, or with one inside */
	{ CORE_CONTROL + 20 + 48 + 20 + 10, 1, 'x', "no path" },
	{ CORE_CONTROL + 20 + 48 + 20 + 4, 1, 0, "no path" },
	/* memory: offset, GPA, size in the file, in memory */
	{ CORE_SEGMENT(1) + 8, 8, CORE_SIZE + 1, "beyond the end" },
	{ CORE_SEGMENT(1) + 8, 8, CORE_SIZE - PAGE, "beyond the end" },
	{ CORE_SEGMENT(1) + 8, 8, ~0ull - PAGE + 1, "beyond the end" },
	{ CORE_SEGMENT(1) + 24, 8, 8, "whole number of pages" },
	{ CORE_SEGMENT(1) + 24, 8, -PAGE, "52 bits" },
	{ CORE_SEGMENT(1) + 24, 8, 1ull << 52, "52 bits" },
	{ CORE_SEGMENT(1) + 24, 8, 1 << 20, "overlaps" },
	{ CORE_SEGMENT(1) + 32, 8, 3 * PAGE, "more bytes in the file" },
	{ CORE_SEGMENT(1) + 40, 8, 2 * PAGE + 8, "whole number of pages" },
	{ CORE_SEGMENT(1) + 40, 8, 0, "more bytes in the file" },
	{ CORE_SEGMENT(1) + 40, 8, -PAGE, "52 bits" },
	{ CORE_SEGMENT(1) + 40, 8, (1 << 20) + PAGE, "overlaps" },
};

Test(core_damage, is_named_whatever_it_is)
{
	for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
		uint8_t kept[8];

		memcpy(kept, core + damages[i].offset, 8);
		memcpy(core + damages[i].offset, &damages[i].value, damages[i].size);
		expect_refused(damages[i].what);
		memcpy(core + damages[i].offset, kept, 8);
	}
}

/* libelf counts the sections of a header that counts none by the first section's size. */
Test(core_damage, of_the_number_of_sections_is_found_by_libelf)
{
	struct view *view;
	struct error error;

	set64(40, PAGE);              /* e_shoff: a page of memory */
	memset(core + 60, 0, 2);      /* e_shnum */
	set64(PAGE + 32, 1ull << 60); /* sh_size */
	cr_assert_eq(core_open_bytes(core, CORE_SIZE, &view, &error), -1);
	cr_expect_eq(error.kind, ERROR_HOST);
	cr_expect_eq(error.errnum, 0);
	cr_expect_eq(error.address, 0);
	cr_expect(strstr(error.text, ": invalid ELF file data"), "%s", error.text);
	cr_expect_null(strchr(strstr(error.text, "invalid"), ':'), "%s", error.text);
}

Test(core_damage, of_memory_larger_than_this_process_is_an_error)
{
	struct view *view;
	struct error error;

	set64(CORE_SEGMENT(2) + 40, (1ull << 52) - (1 << 20));
	cr_expect_eq(core_open_bytes(core, CORE_SIZE, &view, &error), -1);
	cr_expect_eq(error.kind, ERROR_HOST);
}

/* A core made of `count` notes of one CPU's registers, and as many of its control registers, in a large file.
 */
static void expect_cpus(unsigned int count, unsigned int controls, const char *what)
{
	const size_t notes = PAGE * 4, status_size = 20 + 336, control_size = 20 + 48;
	size_t size = notes + count * status_size + controls * control_size;
	uint8_t *bytes = calloc(1, size), *at = bytes + notes;
	struct view *view;
	struct error error;
	int result;

	memcpy(bytes, core, CORE_SIZE);
	for (unsigned int i = 0; i < count; i++, at += status_size)
		memcpy(at, core + CORE_NOTES, status_size);
	for (unsigned int i = 0; i < controls; i++, at += control_size)
		memcpy(at, core + CORE_CONTROL, control_size);
	memcpy(bytes + CORE_SEGMENT(0) + 8, &notes, 8);
	memcpy(bytes + CORE_SEGMENT(0) + 32, &(uint64_t){ size - notes }, 8);
	result = core_open_bytes(bytes, size, &view, &error);
	cr_expect_eq(result, what ? -1 : 0, "%u CPUs", count);
	if (result == 0) {
		cr_expect_eq(view->cpu_count, count);
		view_destroy(view);
	} else if (what) {
		cr_expect_not_null(strstr(error.text, what), "%s", error.text);
	}
	free(bytes);
}

Test(core_damage, of_the_number_of_cpus_is_found)
{
	expect_cpus(4096, 4096, NULL);
	expect_cpus(4097, 4097, "more than 4096 CPUs");
	expect_cpus(1, 4097, "more than 4096 CPUs");
	expect_cpus(3, 2, "registers of 3 CPUs");
	expect_cpus(2, 3, "registers of 2 CPUs");
	expect_cpus(30000, 0, "notes"); /* more than eight megabytes */
}

/* Opens the core with one note more after its own; NULL if it is refused. */
static struct view *with_note(const char *name, uint32_t type, const void *contents, uint32_t size,
			      struct error *error)
{
	static uint8_t bytes[CORE_SIZE + 2 * PAGE];
	const Elf64_Nhdr note = { .n_namesz = strlen(name) + 1, .n_descsz = size, .n_type = type };
	const uint64_t own = 20 + 336 + 20 + 48 + 20 + 12, offset = CORE_SIZE;
	uint8_t *at = bytes + offset + own;
	struct view *view;

	memset(bytes, 0, sizeof(bytes));
	memcpy(bytes, core, CORE_SIZE);
	memcpy(bytes + offset, core + CORE_NOTES, own);
	memcpy(at, &note, sizeof(note));
	memcpy(at + 12, name, note.n_namesz);
	memcpy(at + 20, contents, size);
	memcpy(bytes + CORE_SEGMENT(0) + 8, &offset, 8);
	memcpy(bytes + CORE_SEGMENT(0) + 32, &(uint64_t){ own + 20 + (size + 3) / 4 * 4 }, 8);
	return core_open_bytes(bytes, sizeof(bytes), &view, error) == 0 ? view : NULL;
}

static void expect_note_refused(const char *name, uint32_t type, const void *contents, uint32_t size,
				const char *what)
{
	struct error error = { 0 };
	struct view *view = with_note(name, type, contents, size, &error);

	cr_expect_null(view, "opened, although: %s", what);
	view_destroy(view);
	cr_expect_not_null(strstr(error.text, what), "expected '%s', found '%s'", what, error.text);
	cr_expect_eq(error.kind, ERROR_INPUT);
}

Test(core_damage, by_a_note_of_no_known_name_or_type_is_none)
{
	static const uint8_t contents[64] = { 1, 2, 3 };
	struct error error = { 0 };
	struct view *view;

	view = with_note("OTHER", CORE_NOTE_CONTROL, contents, 64, &error);
	cr_assert_not_null(view, "%s", error.text);
	cr_expect_eq(view->cpu_count, 1);
	view_destroy(view);
	view = with_note("KVMAP", 77, contents, 0, &error);
	cr_assert_not_null(view, "%s", error.text);
	view_destroy(view);
}

Test(core_damage, of_a_pat_note_is_found)
{
	struct core_pat pat = { .cpu = 0, .pat = 0x0007040600070406 };
	struct error error = { 0 };
	struct view *view = with_note("KVMAP", CORE_NOTE_PAT, &pat, sizeof(pat), &error);

	cr_assert_not_null(view, "%s", error.text);
	cr_expect(view->cpus[0].has_pat);
	cr_expect_eq(view->cpus[0].pat, 0x0007040600070406);
	view_destroy(view);
	expect_note_refused("KVMAP", CORE_NOTE_PAT, &pat, sizeof(pat) - 1, "wrong size");
	pat.cpu = VIEW_CPUS_MAX;
	expect_note_refused("KVMAP", CORE_NOTE_PAT, &pat, sizeof(pat), "CPU 4096");
	pat.cpu = UINT32_MAX;
	expect_note_refused("KVMAP", CORE_NOTE_PAT, &pat, sizeof(pat), "CPU 4294967295");
}

Test(core_damage, of_two_programs_or_of_registers_from_two_tools_is_found)
{
	/* QEMU's note of a CPU: version 1, its size. */
	uint32_t state[432 / 4] = { 1, 432 };

	expect_note_refused("KVMAP", CORE_NOTE_PROGRAM, "/other.elf", 11, "two notes with the path");
	expect_note_refused("QEMU", 0, state, sizeof(state), "in notes of QEMU's");
}

Test(core_damage, of_cpus_with_different_address_widths_is_found)
{
	struct core_control control = { .version = 1, .physical_bits = 46 };

	expect_note_refused("KVMAP", CORE_NOTE_CONTROL, &control, sizeof(control), "control registers of 2");
	control.pages_1g = 1;
	expect_note_refused("KVMAP", CORE_NOTE_CONTROL, &control, sizeof(control), "the CPUs differ");
	control.pages_1g = 0;
	control.physical_bits = 45;
	expect_note_refused("KVMAP", CORE_NOTE_CONTROL, &control, sizeof(control), "the CPUs differ");
	control.pages_1g = 2;
	expect_note_refused("KVMAP", CORE_NOTE_CONTROL, &control, sizeof(control), "neither yes nor no");
}

Test(core_damage, is_not_that_there_are_many_segments)
{
	enum { SEGMENTS = 3000 };
	static uint8_t bytes[CORE_SIZE + SEGMENTS * 56];
	struct view *view;
	struct error error;
	uint16_t count = SEGMENTS;
	uint64_t headers = CORE_SIZE;

	memcpy(bytes, core, CORE_SIZE);
	memcpy(bytes + 32, &headers, 8);
	memcpy(bytes + 56, &count, 2);
	memcpy(bytes + headers, core + CORE_SEGMENT(0), 56);
	for (unsigned int i = 1; i < SEGMENTS; i++) {
		uint8_t *segment = bytes + headers + i * 56;
		uint64_t gpa = i * PAGE * 2;

		memcpy(segment, core + CORE_SEGMENT(2), 56);
		memcpy(segment + 24, &gpa, 8);
	}
	cr_assert_eq(core_open_bytes(bytes, sizeof(bytes), &view, &error), 0, "%s", error.text);
	cr_expect_eq(view->region_count, SEGMENTS - 1);
	cr_expect_not_null(view_bytes(view, (SEGMENTS - 1) * PAGE * 2, PAGE));
	view_destroy(view);
}

Test(core_damage, by_truncation_at_any_length_is_an_error)
{
	struct view *view;
	struct error error;

	for (size_t size = 0; size < CORE_SIZE; size++)
		cr_assert_eq(core_open_bytes(core, size, &view, &error), -1, "opened with %zu bytes", size);
	cr_assert_eq(core_open_bytes(core, CORE_SIZE, &view, &error), 0, "%s", error.text);
	view_destroy(view);
}

Test(core_damage, by_random_bits_of_the_headers_never_leads_outside)
{
	uint8_t whole[CORE_SIZE];
	unsigned int opened = 0, refused = 0, sum = 0;

	memcpy(whole, core, CORE_SIZE);
	srand(1);
	for (int i = 0; i < 20000; i++) {
		struct view *view;
		struct error error;

		memcpy(core, whole, CORE_NOTES + 600);
		for (int flips = 1 + rand() % 4; flips; flips--)
			core[rand() % (CORE_NOTES + 500)] ^= 1 << rand() % 8;
		if (core_open_bytes(core, CORE_SIZE, &view, &error) < 0) {
			refused++;
			continue;
		}
		opened++;
		sum += use(view);
		view_destroy(view);
	}
	cr_expect_gt(opened, 100);
	cr_expect_gt(refused, 100);
	cr_expect_gt(sum, 0);
}

Test(core_damage, by_random_fields_never_leads_outside)
{
	static const uint64_t values[] = { 0,          1,          7,          PAGE - 1,
					   PAGE,       PAGE + 1,   CORE_SIZE,  CORE_SIZE - 1,
					   1 << 20,    1ull << 32, 1ull << 40, 1ull << 51,
					   1ull << 52, 1ull << 63, -PAGE,      ~0ull };
	uint8_t whole[CORE_SIZE];

	memcpy(whole, core, CORE_SIZE);
	srand(2);
	for (int i = 0; i < 20000; i++) {
		struct view *view;
		struct error error;

		memcpy(core, whole, CORE_NOTES + 600);
		for (int fields = 1 + rand() % 3; fields; fields--)
			set64(CORE_SEGMENT(rand() % 3) + 8 * (rand() % 7), values[rand() % 16]);
		if (!(rand() % 4))
			set32(CORE_NOTES + 4 * (rand() % 120), values[rand() % 16]);
		if (core_open_bytes(core, CORE_SIZE, &view, &error) < 0)
			continue;
		use(view);
		view_destroy(view);
	}
}
