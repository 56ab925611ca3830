/* SPDX-License-Identifier: MIT */
/*
 * test_core_damage.c: damaged and hostile cores. Built with sanitizers, so that a read too far is a failure.
 */
#include "cores.h"

#include <criterion/criterion.h>
#include <elf.h>
#include <errno.h>
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

static void expect_refused(uint64_t address, const char *text)
{
	struct view *view;
	struct error error;

	if (core_open_bytes(core, CORE_SIZE, &view, &error) == 0) {
		view_destroy(view);
		cr_expect(false, "opened, although: %s", text);
		return;
	}
	core_expect_error(&error, ERROR_INPUT, address, text);
}

static void set64(size_t offset, uint64_t value)
{
	memcpy(core + offset, &value, 8);
}

static void set32(size_t offset, uint32_t value)
{
	memcpy(core + offset, &value, 4);
}

/* One field, what is written to it, and the error: its address and its text. */
struct damage {
	size_t offset;
	unsigned int size;
	uint64_t value;
	uint64_t address;
	const char *text;
};

#define NO_REGISTERS "no registers (no NT_PRSTATUS note)"
#define NO_CONTROL                                                                                           \
	"no control registers (no KVMAP note, nor one of QEMU's): a core of a process, or of a tool that "   \
	"does not write them"
#define NO_PATH    "the note with the path of the guest's program is no path"
#define BEYOND_END "goes beyond the end of the file: truncated?"

static const struct damage damages[] = {
	{ 0, 1, 0, 0, "not an ELF file" },
	{ EI_CLASS, 1, ELFCLASS32, 0, "a 32-bit ELF file; a core of an x86-64 guest is wanted" },
	{ EI_DATA, 1, ELFDATA2MSB, 0, "a big-endian ELF file; a core of an x86-64 guest is wanted" },
	{ 16, 2, ET_EXEC, 0, "an ELF file, but not a core" },
	{ 18, 2, EM_AARCH64, 0, "a core, but not of an x86-64 machine" },
	{ 32, 8, CORE_SIZE, CORE_SIZE, "3 program headers at offset 0x4000: beyond the end of the file" },
	{ 32, 8, CORE_SIZE - 167, CORE_SIZE - 167,
	  "3 program headers at offset 0x3f59: beyond the end of the file" },
	{ 32, 8, ~0ull - 15, ~0ull - 15,
	  "3 program headers at offset 0xfffffffffffffff0: beyond the end of the file" },
	{ 54, 2, 64, 0, "program headers of a form that no core of a guest has" },
	{ 56, 2, 0xfffe, 64, "65534 program headers at offset 0x40: beyond the end of the file" },
	{ 56, 2, PN_XNUM, 0,
	  "the number of program headers is not where it should be (PN_XNUM, but no section)" },
	{ 56, 2, 0, 0, NO_REGISTERS },
	{ 56, 2, 1, 0, "no guest memory (no PT_LOAD)" },
	/* the notes: offset, size */
	{ CORE_SEGMENT(0) + 8, 8, CORE_SIZE - 1, CORE_SIZE - 1,
	  "segment 0 (offset 0x3fff, 0x1c8 bytes) " BEYOND_END },
	{ CORE_SEGMENT(0) + 32, 8, CORE_SIZE, CORE_NOTES,
	  "segment 0 (offset 0xe8, 0x4000 bytes) " BEYOND_END },
	{ CORE_SEGMENT(0) + 32, 8, ~0ull, CORE_NOTES,
	  "segment 0 (offset 0xe8, 0xffffffffffffffff bytes) " BEYOND_END },
	{ CORE_SEGMENT(0) + 32, 8, 0, 0, NO_REGISTERS },
	{ CORE_SEGMENT(0) + 32, 8, 20 + 336, 0, NO_CONTROL },
	{ CORE_SEGMENT(0) + 32, 8, 20 + 335, CORE_NOTES, "damaged note at offset 0xe8" },
	{ CORE_SEGMENT(0) + 32, 8, 3, CORE_NOTES, "damaged note at offset 0xe8" },
	/* the first note: size of name, of contents */
	{ CORE_NOTES, 4, 0xffffffff, CORE_NOTES, "damaged note at offset 0xe8" },
	{ CORE_NOTES, 4, 0, CORE_NOTES + 20 + 340, "damaged note at offset 0x250" },
	{ CORE_NOTES + 4, 4, 0xffffffff, CORE_NOTES, "damaged note at offset 0xe8" },
	{ CORE_NOTES + 4, 4, 8, 0, "a note of registers (NT_PRSTATUS) of the wrong size" },
	{ CORE_NOTES + 8, 4, NT_PRPSINFO, 0, NO_REGISTERS },
	{ CORE_CONTROL + 4, 4, 40, 0, "a note of control registers of the wrong size" },
	{ CORE_CONTROL + 20, 4, 2, 0,
	  "control registers in a form that only another version of kvmap knows" },
	{ CORE_CONTROL + 24, 4, 31, 0, "physical addresses of 31 bits, not 32 to 52" },
	{ CORE_CONTROL + 24, 4, 53, 0, "physical addresses of 53 bits, not 32 to 52" },
	{ CORE_CONTROL + 8, 4, 99, 0, NO_CONTROL },
	/* the program's path: without its end, or with one inside */
	{ CORE_CONTROL + 20 + 48 + 20 + 10, 1, 'x', 0, NO_PATH },
	{ CORE_CONTROL + 20 + 48 + 20 + 4, 1, 0, 0, NO_PATH },
	/* memory: offset, GPA, size in the file, in memory */
	{ CORE_SEGMENT(1) + 8, 8, CORE_SIZE + 1, CORE_SIZE + 1,
	  "segment 1 (offset 0x4001, 0x2000 bytes) " BEYOND_END },
	{ CORE_SEGMENT(1) + 8, 8, CORE_SIZE - PAGE, CORE_SIZE - PAGE,
	  "segment 1 (offset 0x3000, 0x2000 bytes) " BEYOND_END },
	{ CORE_SEGMENT(1) + 8, 8, -PAGE, -PAGE,
	  "segment 1 (offset 0xfffffffffffff000, 0x2000 bytes) " BEYOND_END },
	{ CORE_SEGMENT(1) + 24, 8, 8, 8,
	  "guest memory at GPA 0x8, size 0x2000: not a whole number of pages" },
	{ CORE_SEGMENT(1) + 24, 8, -PAGE, -PAGE,
	  "guest memory at GPA 0xfffffffffffff000, size 0x2000: beyond 52 bits of physical address" },
	{ CORE_SEGMENT(1) + 24, 8, 1ull << 52, 1ull << 52,
	  "guest memory at GPA 0x10000000000000, size 0x2000: beyond 52 bits of physical address" },
	{ CORE_SEGMENT(1) + 24, 8, (1ull << 52) - PAGE, (1ull << 52) - PAGE,
	  "guest memory at GPA 0xffffffffff000, size 0x2000: beyond 52 bits of physical address" },
	{ CORE_SEGMENT(1) + 24, 8, 1 << 20, 1 << 20,
	  "memory at GPA 0x100000, size 0x2000: overlaps the memory at GPA 0x100000" },
	{ CORE_SEGMENT(1) + 32, 8, 2 * PAGE + 1, 0,
	  "guest memory at GPA 0x0, size 0x2000: more bytes in the file than in memory" },
	{ CORE_SEGMENT(1) + 40, 8, 2 * PAGE + 8, 0,
	  "guest memory at GPA 0x0, size 0x2008: not a whole number of pages" },
	{ CORE_SEGMENT(1) + 40, 8, 0, 0,
	  "guest memory at GPA 0x0, size 0x0: more bytes in the file than in memory" },
	{ CORE_SEGMENT(1) + 40, 8, -PAGE, 0,
	  "guest memory at GPA 0x0, size 0xfffffffffffff000: beyond 52 bits of physical address" },
	{ CORE_SEGMENT(1) + 40, 8, (1 << 20) + PAGE, 1 << 20,
	  "memory at GPA 0x100000, size 0x1000: overlaps the memory at GPA 0x0" },
};

Test(core_damage, is_named_whatever_it_is)
{
	for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
		uint8_t kept[8];

		memcpy(kept, core + damages[i].offset, 8);
		memcpy(core + damages[i].offset, &damages[i].value, damages[i].size);
		expect_refused(damages[i].address, damages[i].text);
		memcpy(core + damages[i].offset, kept, 8);
	}
}

/* Values next to some of those above. */
static const struct {
	size_t offset;
	unsigned int size;
	uint64_t value;
} limits[] = {
	{ CORE_CONTROL + 24, 4, 32 },
	{ CORE_CONTROL + 24, 4, 52 },
	{ CORE_SEGMENT(1) + 24, 8, (1ull << 52) - 2 * PAGE },
	{ CORE_SEGMENT(1) + 24, 8, (1ull << 20) - 2 * PAGE },
	{ CORE_SEGMENT(1) + 40, 8, 1 << 20 },
	{ CORE_SEGMENT(1) + 8, 8, CORE_SIZE - 2 * PAGE },
};

Test(core_damage, a_field_at_its_limit_is_none)
{
	struct view *view;
	struct error error;

	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		uint8_t kept[8];

		memcpy(kept, core + limits[i].offset, 8);
		memcpy(core + limits[i].offset, &limits[i].value, limits[i].size);
		cr_assert_eq(core_open_bytes(core, CORE_SIZE, &view, &error), 0, "%s", error.text);
		view_destroy(view);
		memcpy(core + limits[i].offset, kept, 8);
	}
	/* The program headers at the end of the file. */
	memmove(core + CORE_SIZE - 168, core + CORE_SEGMENTS, 168);
	set64(32, CORE_SIZE - 168);
	cr_assert_eq(core_open_bytes(core, CORE_SIZE, &view, &error), 0, "%s", error.text);
	view_destroy(view);
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
	core_expect_error(&error, ERROR_HOST, 0, "invalid ELF file data");
}

Test(core_damage, of_memory_larger_than_this_process_is_an_error)
{
	struct view *view;
	struct error error;

	set64(CORE_SEGMENT(2) + 40, (1ull << 52) - (1 << 20));
	cr_expect_eq(core_open_bytes(core, CORE_SIZE, &view, &error), -1);
	cr_expect_eq(error.kind, ERROR_HOST);
	cr_expect_eq(error.errnum, ENOMEM);
	cr_expect_eq(error.address, 1 << 20);
	cr_expect_str_eq(strstr(error.text, ": ") + 2,
			 "0xffffffff00000 bytes of guest memory at GPA 0x100000 cannot be mapped: "
			 "Cannot allocate memory");
}

/* A core made of `count` notes of one CPU's registers, and as many of its control registers, in a large file.
 */
static void expect_cpus(unsigned int count, unsigned int controls, uint64_t address, const char *what)
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
		core_expect_error(&error, ERROR_INPUT, address, what);
	}
	free(bytes);
}

Test(core_damage, of_the_number_of_cpus_is_found)
{
	expect_cpus(4096, 4096, 0, NULL);
	expect_cpus(4097, 4097, 0, "more than 4096 CPUs");
	expect_cpus(1, 4097, 0, "more than 4096 CPUs");
	expect_cpus(3, 2, 0, "registers of 3 CPUs, but control registers of 2");
	expect_cpus(2, 3, 0, "registers of 2 CPUs, but control registers of 3");
	expect_cpus(30000, 0, CORE_SIZE, "10680000 bytes of notes: more than any guest's core has");
}

/* Bytes of notes that a core may have; those of the core above. */
#define NOTES_MAX (8u << 20)
#define NOTES_OWN (20 + 336 + 20 + 48 + 20 + 12)

/* Opens the core with one note more after its own; NULL if it is refused. */
static struct view *with_note(const char *name, uint32_t type, const void *contents, uint32_t size,
			      struct error *error)
{
	static uint8_t bytes[CORE_SIZE + NOTES_MAX + PAGE];
	const Elf64_Nhdr note = { .n_namesz = strlen(name) + 1, .n_descsz = size, .n_type = type };
	const uint64_t own = NOTES_OWN, offset = CORE_SIZE;
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
	core_expect_error(&error, ERROR_INPUT, 0, what);
}

Test(core_damage, notes_may_have_eight_megabytes)
{
	static const uint8_t contents[NOTES_MAX];
	const uint32_t rest = NOTES_MAX - NOTES_OWN - 20;
	struct error error = { 0 };
	struct view *view = with_note("OTHER", 77, contents, rest, &error);

	cr_assert_not_null(view, "%s", error.text);
	view_destroy(view);
	cr_expect_null(with_note("OTHER", 77, contents, rest + 1, &error));
	core_expect_error(&error, ERROR_INPUT, CORE_SIZE,
			  "8388612 bytes of notes: more than any guest's core has");
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
	expect_note_refused("KVMAP", CORE_NOTE_PAT, &pat, sizeof(pat) - 1,
			    "a note of a PAT register of the wrong size");
	/* That of a CPU that the core does not have is of none. */
	pat.cpu = VIEW_CPUS_MAX - 1;
	view = with_note("KVMAP", CORE_NOTE_PAT, &pat, sizeof(pat), &error);
	cr_assert_not_null(view, "%s", error.text);
	cr_expect_eq(view->cpu_count, 1);
	cr_expect_not(view->cpus[0].has_pat);
	view_destroy(view);
	pat.cpu = VIEW_CPUS_MAX;
	expect_note_refused("KVMAP", CORE_NOTE_PAT, &pat, sizeof(pat), "a PAT register of CPU 4096");
	pat.cpu = UINT32_MAX;
	expect_note_refused("KVMAP", CORE_NOTE_PAT, &pat, sizeof(pat), "a PAT register of CPU 4294967295");
}

Test(core_damage, of_two_programs_or_of_registers_from_two_tools_is_found)
{
	/* QEMU's note of a CPU: version 1, its size. */
	uint32_t state[432 / 4] = { 1, 432 };

	expect_note_refused("KVMAP", CORE_NOTE_PROGRAM, "/other.elf", 11,
			    "two notes with the path of the guest's program");
	expect_note_refused("QEMU", 0, state, sizeof(state),
			    "control registers both in notes of kvmap's and in notes of QEMU's");
}

Test(core_damage, of_cpus_with_different_address_widths_is_found)
{
	struct core_control control = { .version = 1, .physical_bits = 46 };

	expect_note_refused("KVMAP", CORE_NOTE_CONTROL, &control, sizeof(control),
			    "registers of 1 CPUs, but control registers of 2");
	control.pages_1g = 1;
	expect_note_refused("KVMAP", CORE_NOTE_CONTROL, &control, sizeof(control),
			    "the CPUs differ in what addresses and pages they know");
	control.pages_1g = 0;
	control.physical_bits = 45;
	expect_note_refused("KVMAP", CORE_NOTE_CONTROL, &control, sizeof(control),
			    "the CPUs differ in what addresses and pages they know");
	control.pages_1g = 2;
	expect_note_refused("KVMAP", CORE_NOTE_CONTROL, &control, sizeof(control),
			    "neither yes nor no to 1G pages");
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
