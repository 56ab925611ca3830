/* SPDX-License-Identifier: MIT */
/* Damaged debug information is refused or read within its bounds, under the sanitizers. */
#include "program/types.h"
#include "program/value_tree.h"
#include "file.h"
#include "kvmap/operation.h"
#include "world.h"

#include <criterion/criterion.h>
#include <dwarf.h>
#include <elf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROUNDS      400
#define DAMAGES_MAX 8

static struct world world;
static uint8_t *bytes; /* of the program's file */
static size_t size;

static void setup(void)
{
	world_create(&world, "PROGRAM_5");
	bytes = file_read(file_named("PROGRAM_5"), &size);
}

static void teardown(void)
{
	free(bytes);
	world_destroy(&world);
}

TestSuite(debug_info, .init = setup, .fini = teardown);

static uint64_t random_next(uint64_t *state)
{
	*state += 0x9e3779b97f4a7c15;
	return KVMAP_MIX2(KVMAP_MIX1(*state));
}

/* ---- what a command reads ---- */

static bool print(struct debug_info *info, struct symbols *symbols, const char *text)
{
	const struct value_context context = { info, symbols, &world.view, &world.mode };
	struct expression expression;
	struct value_tree tree;
	struct error error;
	size_t at;

	cr_assert_eq(expression_parse(text, &expression, &error), 0, "%s", error.text);
	if (value_tree_build(&context, &expression, 16, &tree, &at, &error) < 0)
		return false;
	value_tree_destroy(&tree);
	return true;
}

static bool resolve(const struct symbols *symbols)
{
	struct type_member out[4];
	const struct type_wanted wanted[] = { { "everything", NULL, &out[0] },
					      { "everything", "top", &out[1] },
					      { "everything", "table", &out[2] },
					      { "node", "number", &out[3] } };
	struct error error;

	return types_resolve(symbols, wanted, 4, &error) == 0;
}

/* Reads variables, types, lines and inlined functions. Returns the number of values that could be read. */
static unsigned int read_all(const uint8_t *file, size_t file_size)
{
	static const char *const texts[] = {
		"everything",        "everything.table[1]", "head.next->number",
		"'other.c'::twin",   "&everything.top",     "(struct everything *)head.next",
		"everything.colour", "(unsigned long)1",    "*everything.unknown",
	};
	struct symbols *symbols = NULL;
	struct debug_info *info = NULL;
	unsigned int readable = 0;
	struct error error;
	uint64_t address = 0;
	char path[64], text[200];
	int fd = file_make(file, file_size, path);

	if (symbols_open(path, &symbols, &error) == 0 && debug_info_open(symbols, &info, &error) == 0) {
		for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
			readable += print(info, symbols, texts[i]);
		readable += resolve(symbols);
		if (symbols_find(symbols, "inlines", &address, NULL))
			for (uint64_t at = 0; at < 24; at++)
				symbols_describe_frame(symbols, address + at, true, text, sizeof(text));
	}
	debug_info_close(info);
	symbols_close(symbols);
	close(fd);
	return readable;
}

/* ---- damage ---- */

/* The debug sections, as ranges of the file. */
static size_t debug_sections(Elf64_Shdr out[16])
{
	const Elf64_Ehdr *header = (const Elf64_Ehdr *)bytes;
	const Elf64_Shdr *sections = (const Elf64_Shdr *)(bytes + header->e_shoff);
	const char *names = (const char *)bytes + sections[header->e_shstrndx].sh_offset;
	size_t count = 0;

	for (unsigned int i = 0; i < header->e_shnum && count < 16; i++)
		if (!strncmp(names + sections[i].sh_name, ".debug", 6) && sections[i].sh_size)
			out[count++] = sections[i];
	return count;
}

Test(debug_info, undamaged_it_is_read)
{
	cr_expect_eq(read_all(bytes, size), 9, "all but *everything.unknown");
}

Test(debug_info, random_damage_from_fixed_seeds_is_refused_or_read_within_its_bounds)
{
	Elf64_Shdr sections[16];
	size_t section_count = debug_sections(sections);
	unsigned int readable = 0;

	cr_assert_geq(section_count, 4);
	for (uint64_t seed = 1; seed <= ROUNDS; seed++) {
		uint64_t state = seed, count = 1 + random_next(&state) % DAMAGES_MAX;
		uint8_t *damaged = malloc(size);

		memcpy(damaged, bytes, size);
		for (uint64_t i = 0; i < count; i++) {
			const Elf64_Shdr *section = &sections[random_next(&state) % section_count];
			uint64_t at = section->sh_offset + random_next(&state) % section->sh_size;

			damaged[at] = (uint8_t)(random_next(&state) >> 40);
		}
		readable += read_all(damaged, size);
		free(damaged);
	}
	cr_expect_gt(readable, ROUNDS, "most damage leaves something to read");
	cr_expect_lt(readable, 9 * ROUNDS, "and some of it is noticed");
}

/* ---- a structure that contains itself ---- */

/* The first top-level DIE of the program with that tag and name. */
static bool find_die(Dwarf *dwarf, int tag, const char *name, Dwarf_Die *out)
{
	Dwarf_CU *unit = NULL;
	Dwarf_Die unit_die;

	while (dwarf_get_units(dwarf, unit, &unit, NULL, NULL, &unit_die, NULL) == 0)
		for (int end = dwarf_child(&unit_die, out); !end; end = dwarf_siblingof(out, out))
			if (dwarf_tag(out) == tag && dwarf_diename(out) && !strcmp(dwarf_diename(out), name))
				return true;
	return false;
}

/* Makes the anonymous union of `struct everything` a member of type `struct everything`. */
static void make_recursive(void)
{
	Dwarf_Attribute reference;
	Dwarf_Die structure, member;
	Elf *elf = elf_memory((char *)bytes, size);
	Dwarf *dwarf = dwarf_begin_elf(elf, DWARF_C_READ, NULL);
	uint32_t offset;
	int end;

	cr_assert(find_die(dwarf, DW_TAG_structure_type, "everything", &structure));
	for (end = dwarf_child(&structure, &member); !end && dwarf_diename(&member);)
		end = dwarf_siblingof(&member, &member);
	cr_assert_eq(end, 0, "no anonymous member");
	cr_assert_not_null(dwarf_attr(&member, DW_AT_type, &reference));
	cr_assert_eq(dwarf_whatform(&reference), DW_FORM_ref4);
	offset = (uint32_t)dwarf_cuoffset(&structure);
	memcpy(reference.valp, &offset, sizeof(offset));
	dwarf_end(dwarf);
	elf_end(elf);
}

Test(debug_info, a_structure_that_contains_itself_ends)
{
	struct type_member out;
	const struct type_wanted wanted = { "everything", "no_such_member", &out };
	struct symbols *symbols;
	struct debug_info *info;
	struct error error;
	char path[64];
	int fd;

	elf_version(EV_CURRENT);
	make_recursive();
	fd = file_make(bytes, size, path);
	cr_assert_eq(symbols_open(path, &symbols, &error), 0, "%s", error.text);
	cr_expect_eq(types_resolve(symbols, &wanted, 1, &error), -1);
	cr_assert_eq(debug_info_open(symbols, &info, &error), 0, "%s", error.text);
	cr_expect(print(info, symbols, "everything"));
	cr_expect_not(print(info, symbols, "everything.no_such_member"));
	cr_expect(print(info, symbols, "everything.qualified"));
	debug_info_close(info);
	symbols_close(symbols);
	close(fd);
}
