/* SPDX-License-Identifier: MIT */
/*
 * types.c: one pass over the top level of the DWARF, ended as soon as every wanted structure is found whole.
 * A declaration, or another structure that happens to have the name but not the members, is passed over.
 */
#include "program/types.h"
#include "program/program_file.h"
#include "program/symbols.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Anonymous structs within anonymous unions within ...: a file that nests deeper, or has more members, is
 * damaged. */
#define NESTING_MAX 8
#define MEMBERS_MAX 4096

/* A structure that is looked for, and its wanted members: those whose `owner` is its index. */
struct search_structure {
	const char *name;
	bool found;
};

struct search {
	const struct type_wanted *wanted;
	size_t count;
	size_t *owner;               /* by wanted: index into structures */
	struct type_member *members; /* by wanted: of the structure in hand, or of the one found */
	bool *has;                   /* by wanted: seen in the structure in hand */
	bool *seen;                  /* by wanted: seen in any structure, for the message */
	struct search_structure *structures;
	size_t structure_count, left;
};

static void search_destroy(struct search *search)
{
	free(search->owner);
	free(search->members);
	free(search->has);
	free(search->seen);
	free(search->structures);
}

static int search_init(struct search *search, const struct type_wanted *wanted, size_t count)
{
	size_t owner;

	*search = (struct search){ .wanted = wanted, .count = count };
	search->owner = calloc(count + 1, sizeof(*search->owner));
	search->members = calloc(count + 1, sizeof(*search->members));
	search->has = calloc(count + 1, sizeof(*search->has));
	search->seen = calloc(count + 1, sizeof(*search->seen));
	search->structures = calloc(count + 1, sizeof(*search->structures));
	if (!search->owner || !search->members || !search->has || !search->seen || !search->structures)
		return -1;
	for (size_t i = 0; i < count; i++) {
		for (owner = 0; owner < search->structure_count; owner++)
			if (!strcmp(search->structures[owner].name, wanted[i].structure))
				break;
		if (owner == search->structure_count)
			search->structures[search->structure_count++].name = wanted[i].structure;
		search->owner[i] = owner;
	}
	search->left = search->structure_count;
	return 0;
}

/* The next DIE of the level. A sibling must lie behind, so that a damaged file cannot lead in a circle. */
static bool die_next(Dwarf_Die *die)
{
	Dwarf_Die next;

	if (dwarf_siblingof(die, &next) != 0 || next.addr <= die->addr)
		return false;
	*die = next;
	return true;
}

/* dwarf_diename without its search through origins, which a type does not have. */
static const char *die_name(Dwarf_Die *die)
{
	Dwarf_Attribute attribute;

	return dwarf_attr(die, DW_AT_name, &attribute) ? dwarf_formstring(&attribute) : NULL;
}

static bool die_type(Dwarf_Die *die, Dwarf_Die *type_out)
{
	Dwarf_Attribute attribute;

	return dwarf_attr(die, DW_AT_type, &attribute) && dwarf_formref_die(&attribute, type_out);
}

/* False for a bit field and for a location that is an expression: the host could read neither. */
static bool member_offset(Dwarf_Die *member, Dwarf_Word *out)
{
	Dwarf_Attribute attribute;

	if (dwarf_hasattr(member, DW_AT_bit_size))
		return false;
	if (!dwarf_attr(member, DW_AT_data_member_location, &attribute)) {
		*out = 0; /* a union's member */
		return true;
	}
	return dwarf_formudata(&attribute, out) == 0 && *out <= UINT32_MAX;
}

static bool type_size(Dwarf_Die *type, Dwarf_Word *out)
{
	return dwarf_aggregate_size(type, out) == 0 && *out <= UINT32_MAX;
}

static void search_take(struct search *search, size_t structure, const char *name, Dwarf_Die *type,
			Dwarf_Word offset)
{
	Dwarf_Word size;

	for (size_t i = 0; i < search->count; i++) {
		const char *wanted = search->wanted[i].member;

		if (search->owner[i] != structure || search->has[i] || !wanted || strcmp(wanted, name) != 0)
			continue;
		if (!type_size(type, &size))
			continue;
		search->members[i] =
			(struct type_member){ .offset = (uint32_t)offset, .size = (uint32_t)size };
		search->has[i] = search->seen[i] = true;
	}
}

/* All members of the structure, those of its anonymous structs and unions too. */
static void search_members(struct search *search, size_t structure, Dwarf_Die *die)
{
	struct {
		Dwarf_Die next;
		Dwarf_Word base;
	} stack[NESTING_MAX];
	Dwarf_Die member, type;
	Dwarf_Word base = 0, offset;
	unsigned int depth = 0, left = MEMBERS_MAX;
	const char *name;
	bool more;

	more = dwarf_child(die, &member) == 0;
	for (;;) {
		while (!more && depth) {
			depth--;
			base = stack[depth].base;
			member = stack[depth].next;
			more = die_next(&member);
		}
		if (!more || !left--)
			return;
		if (dwarf_tag(&member) == DW_TAG_member && member_offset(&member, &offset) &&
		    die_type(&member, &type)) {
			name = die_name(&member);
			if (name) {
				search_take(search, structure, name, &type, base + offset);
			} else if (depth < NESTING_MAX) {
				stack[depth].next = member;
				stack[depth++].base = base;
				base += offset;
				more = dwarf_child(&type, &member) == 0;
				continue;
			}
		}
		more = die_next(&member);
	}
}

/* One definition of a wanted structure: taken if it has all that is wanted of it. */
static void search_definition(struct search *search, size_t structure, Dwarf_Die *die)
{
	Dwarf_Word size;
	bool whole = true;

	for (size_t i = 0; i < search->count; i++) {
		if (search->owner[i] != structure)
			continue;
		search->has[i] = !search->wanted[i].member && type_size(die, &size);
		if (search->has[i]) {
			search->members[i] = (struct type_member){ .offset = 0, .size = (uint32_t)size };
			search->seen[i] = true;
		}
	}
	search_members(search, structure, die);
	for (size_t i = 0; i < search->count; i++)
		whole = whole && (search->owner[i] != structure || search->has[i]);
	if (whole) {
		search->structures[structure].found = true;
		search->left--;
	}
}

static void search_unit(struct search *search, Dwarf_Die *unit)
{
	const char *name;
	Dwarf_Die die;
	bool more;

	for (more = dwarf_child(unit, &die) == 0; more && search->left; more = die_next(&die)) {
		if (dwarf_tag(&die) != DW_TAG_structure_type || dwarf_hasattr(&die, DW_AT_declaration) ||
		    !(name = die_name(&die)))
			continue;
		for (size_t i = 0; i < search->structure_count; i++)
			if (!search->structures[i].found && !strcmp(search->structures[i].name, name)) {
				search_definition(search, i, &die);
				break;
			}
	}
}

static void search_all(struct search *search, Dwarf *dwarf)
{
	Dwarf_CU *unit = NULL;
	Dwarf_Half version;
	Dwarf_Die die;
	uint8_t type;

	while (search->left && dwarf_get_units(dwarf, unit, &unit, &version, &type, &die, NULL) == 0)
		if (dwarf_tag(&die) == DW_TAG_compile_unit)
			search_unit(search, &die);
}

static int search_finish(const struct search *search, const char *file, struct error *error)
{
	for (size_t i = 0; i < search->count; i++) {
		const struct type_wanted *wanted = &search->wanted[i];

		if (search->structures[search->owner[i]].found)
			continue;
		if (wanted->member && !search->seen[i])
			return error_set(error, ERROR_INPUT, 0, 0,
					 "%s has no `struct %s` with a member `%s` in its debug information",
					 file, wanted->structure, wanted->member);
		if (!wanted->member && !search->seen[i])
			return error_set(error, ERROR_INPUT, 0, 0,
					 "%s has no `struct %s` in its debug information", file,
					 wanted->structure);
	}
	for (size_t i = 0; i < search->count; i++)
		if (!search->structures[search->owner[i]].found)
			return error_set(error, ERROR_INPUT, 0, 0,
					 "%s has several different `struct %s` in its debug information",
					 file, search->wanted[i].structure);
	for (size_t i = 0; i < search->count; i++)
		*search->wanted[i].out = search->members[i];
	return 0;
}

static int types_resolve_in(const struct program_file *file, struct search *search, struct error *error)
{
	Dwarf *dwarf = dwarf_begin_elf(file->elf, DWARF_C_READ, NULL);
	int result;

	if (!dwarf)
		return error_set(error, ERROR_INPUT, 0, 0,
				 "%s has no debug information (build it with -g): %s", file->name,
				 dwarf_errmsg(-1));
	search_all(search, dwarf);
	result = search_finish(search, file->name, error);
	dwarf_end(dwarf);
	return result;
}

int types_resolve(const char *path, const struct type_wanted *wanted, size_t count, struct error *error)
{
	struct program_file file;
	struct search search;
	int result;

	if (program_file_open(path, &file, error) < 0)
		return -1;
	if (search_init(&search, wanted, count) < 0)
		result = error_set(error, ERROR_HOST, 0, 0, "out of memory");
	else
		result = types_resolve_in(&file, &search, error);
	search_destroy(&search);
	program_file_close(&file);
	return result;
}
