/* SPDX-License-Identifier: MIT */
/*
 * debug_info.c: searches for names. Each is one pass over the top level of the DWARF, ended at the first
 * global definition: an index of all names would cost more than the few different searches of a command.
 * Results are cached.
 */
#include "program/debug_info.h"
#include "program/debug_sections.h"
#include "base/strbuf.h"
#include "base/escape.h"
#include "program/known_names.h"
#include "program/libdw.h"
#include "program/program_elf.h"

#include <dwarf.h>
#include <gelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct debug_info {
	struct program_elf file;
	Dwarf *dwarf;
	const struct symbols *symbols;
	struct known_names known;
};

int debug_info_open(const struct symbols *symbols, struct debug_info **out, struct error *error)
{
	struct debug_info *info;
	Dwarf_CU *unit = NULL;

	if (libdw_load(error) < 0 || debug_sections_check(symbols_file(symbols), error) < 0)
		return -1;
	info = calloc(1, sizeof(*info));
	if (!info)
		return error_set(error, ERROR_HOST, 0, 0, "out of memory");
	info->symbols = symbols;
	if (program_elf_open(symbols_file(symbols), &info->file, error) < 0) {
		debug_info_close(info);
		return -1;
	}
	info->dwarf = dwarf_begin_elf(info->file.elf, DWARF_C_READ, NULL);
	if (!info->dwarf || dwarf_get_units(info->dwarf, NULL, &unit, NULL, NULL, NULL, NULL) != 0) {
		error_set(error, ERROR_INPUT, 0, 0, "%s has no debug information (build it with -g): %s",
			  symbols_file(symbols)->file.name, dwarf_errmsg(-1));
		debug_info_close(info);
		return -1;
	}
	*out = info;
	return 0;
}

void debug_info_close(struct debug_info *info)
{
	if (!info)
		return;
	if (info->dwarf)
		dwarf_end(info->dwarf);
	program_elf_close(&info->file);
	known_names_destroy(&info->known);
	free(info);
}

/* ---- the top level of the DWARF ---- */

struct top {
	Dwarf_CU *unit;
	Dwarf_Die unit_die, die;
	bool inside;
};

/*
 * The next DIE of the top level of all units. Siblings have increasing addresses: no file can make a cycle.
 */
static bool top_next(struct debug_info *info, struct top *top)
{
	Dwarf_Die next;
	Dwarf_Half version;
	uint8_t type;

	if (top->inside && dwarf_siblingof(&top->die, &next) == 0 && next.addr > top->die.addr) {
		top->die = next;
		return true;
	}
	top->inside = false;
	while (dwarf_get_units(info->dwarf, top->unit, &top->unit, &version, &type, &top->unit_die, NULL) ==
	       0) {
		if (dwarf_tag(&top->unit_die) == DW_TAG_compile_unit &&
		    dwarf_child(&top->unit_die, &top->die) == 0) {
			top->inside = true;
			return true;
		}
	}
	return false;
}

/* A variable's definition may take its name from its declaration. */
static const char *variable_name(Dwarf_Die *die)
{
	Dwarf_Attribute attribute;

	return dwarf_attr_integrate(die, DW_AT_name, &attribute) ? dwarf_formstring(&attribute) : NULL;
}

static const char *last_part(const char *path)
{
	const char *slash = path ? strrchr(path, '/') : NULL;

	return slash ? slash + 1 : path;
}

/* `file` is the unit's path, or its last parts: "page.c" and "mm/page.c" are "guest/mm/page.c". */
static bool is_unit(const char *path, const char *file)
{
	size_t whole = path ? strlen(path) : 0, last = strlen(file);

	return path && whole >= last && !strcmp(path + whole - last, file) &&
	       (whole == last || path[whole - last - 1] == '/' || *file == '/');
}

/* ---- variables ---- */

static bool flag(Dwarf_Die *die, unsigned int name)
{
	Dwarf_Attribute attribute;
	bool value;

	return dwarf_attr_integrate(die, name, &attribute) && dwarf_formflag(&attribute, &value) == 0 &&
	       value;
}

/* False if the location is not one fixed address. */
static bool variable_address(Dwarf_Die *die, uint64_t *out)
{
	Dwarf_Attribute attribute, indexed;
	Dwarf_Op *operations;
	size_t count;

	if (!dwarf_attr(die, DW_AT_location, &attribute) ||
	    dwarf_getlocation(&attribute, &operations, &count) < 0 || count != 1)
		return false;
	if (operations[0].atom == DW_OP_addrx) /* clang */
		return dwarf_getlocation_attr(&attribute, &operations[0], &indexed) == 0 &&
		       dwarf_formaddr(&indexed, out) == 0;
	*out = operations[0].number;
	return operations[0].atom == DW_OP_addr;
}

static bool die_type(Dwarf_Die *die, struct ctype *out)
{
	Dwarf_Attribute attribute;

	*out = (struct ctype){ .is_void = true };
	if (dwarf_attr_integrate(die, DW_AT_type, &attribute) && dwarf_formref_die(&attribute, &out->die))
		out->is_void = false;
	return !out->is_void;
}

/* Adds the name of a unit's file to the list; false if it is there already. */
static bool add_file(struct variable *variable, const char *file)
{
	struct strbuf files = { variable->files, sizeof(variable->files), strlen(variable->files) };
	char escaped[96], quoted[100];

	snprintf(quoted, sizeof(quoted), "'%s'", text_escape(file, strlen(file), escaped, sizeof(escaped)));
	if (strstr(variable->files, quoted))
		return false;
	if (strbuf_room(&files) > strlen(quoted) + 2)
		strbuf_add_item(&files, ", ", "%s", quoted);
	return true;
}

/* A symbol of assembly has no type; a declaration may give it one. */
static enum variable_found declared_only(struct debug_info *info, const char *name,
					 const struct ctype *declared, struct variable *out)
{
	if (!declared->is_void && symbols_find(info->symbols, name, &out->address, NULL)) {
		out->address -= symbols_offset(info->symbols);
		out->type = *declared;
		return VARIABLE_FOUND;
	}
	return declared->is_void ? VARIABLE_UNKNOWN : VARIABLE_WITHOUT_ADDRESS;
}

/* *alike: files in different folders have the same name; `paths` lists them by path. */
static enum variable_found search_variable(struct debug_info *info, const struct name_search *search,
					   bool paths, struct variable *out, bool *alike)
{
	struct ctype declared = { .is_void = true };
	struct variable found = { .address = 0 };
	struct top top = { .unit = NULL };
	unsigned int statics = 0;
	uint64_t address;

	while (top_next(info, &top)) {
		const char *unit, *is;

		if (dwarf_tag(&top.die) != DW_TAG_variable || !(is = variable_name(&top.die)) ||
		    strcmp(is, search->name) != 0)
			continue;
		unit = dwarf_diename(&top.unit_die);
		if (*search->file && !is_unit(unit, search->file))
			continue;
		if (!variable_address(&top.die, &address)) {
			die_type(&top.die, &declared);
			continue;
		}
		if (statics && address == found.address)
			continue;
		if (!statics++ || flag(&top.die, DW_AT_external)) {
			found.address = address;
			die_type(&top.die, &found.type);
		}
		*alike |= !add_file(&found, !unit ? "?" : paths ? unit : last_part(unit));
		if (flag(&top.die, DW_AT_external)) {
			statics = 1;
			break;
		}
	}
	*out = found;
	if (!statics)
		return declared_only(info, search->name, &declared, out);
	return statics == 1 ? VARIABLE_FOUND : VARIABLE_AMBIGUOUS;
}

enum variable_found debug_info_variable(struct debug_info *info, const char *name, const char *file,
					struct variable *out)
{
	const struct name_search search = { .is_variable = true, .name = name, .file = file };
	const struct name_result *known = known_names_find(&info->known, &search);
	struct name_result result = { .has_type = false };
	bool alike = false;

	if (!known) {
		result.found = search_variable(info, &search, false, &result.variable, &alike);
		if (result.found == VARIABLE_AMBIGUOUS && alike)
			result.found = search_variable(info, &search, true, &result.variable, &alike);
		known_names_add(&info->known, &search, &result);
		known = &result;
	}
	*out = known->variable;
	/* The cache has the addresses of the file. */
	out->address += symbols_offset(info->symbols);
	return known->found;
}

/* ---- types ---- */

/* Size and encoding of a base type in any spelling of C. False: other words than those of C's base types. */
static bool base_words(const char *name, unsigned int *size_out, unsigned int *encoding_out)
{
	unsigned int longs = 0, size = 4;
	bool is_unsigned = false, is_signed = false, is_char = false, is_bool = false, is_short = false;
	char words[EXPRESSION_NAME_MAX], *state = NULL;

	snprintf(words, sizeof(words), "%s", name);
	for (char *word = strtok_r(words, " ", &state); word; word = strtok_r(NULL, " ", &state)) {
		longs += !strcmp(word, "long");
		is_unsigned |= !strcmp(word, "unsigned");
		is_signed |= !strcmp(word, "signed");
		is_char |= !strcmp(word, "char");
		is_short |= !strcmp(word, "short");
		is_bool |= !strcmp(word, "_Bool");
		if (strcmp(word, "long") != 0 && strcmp(word, "unsigned") != 0 &&
		    strcmp(word, "signed") != 0 && strcmp(word, "char") != 0 && strcmp(word, "short") != 0 &&
		    strcmp(word, "_Bool") != 0 && strcmp(word, "int") != 0)
			return false;
	}
	if (is_char || is_bool)
		size = 1;
	else if (is_short)
		size = 2;
	else if (longs)
		size = 8;
	*size_out = size;
	if (is_bool)
		*encoding_out = DW_ATE_boolean;
	else if (is_char)
		*encoding_out = is_unsigned ? DW_ATE_unsigned_char : DW_ATE_signed_char;
	else
		*encoding_out = is_unsigned ? DW_ATE_unsigned : DW_ATE_signed;
	/* A plain char is another type than a signed one. */
	if (is_char && !is_unsigned && !is_signed)
		*encoding_out = 0;
	return true;
}

/* A base type that a compiler made for itself (clang: __ARRAY_SIZE_TYPE__) has no spelling of C. */
static bool is_base(Dwarf_Die *die, unsigned int size, unsigned int encoding)
{
	unsigned int die_size, die_encoding;
	const char *name;

	return dwarf_tag(die) == DW_TAG_base_type && dwarf_bytesize(die) == (int)size &&
	       (name = die_own_name(die)) && base_words(name, &die_size, &die_encoding) &&
	       die_encoding == encoding;
}

static bool search_type(struct debug_info *info, enum expression_tag tag, const char *name, struct ctype *out)
{
	static const unsigned int tags[] = {
		[TAG_NONE] = DW_TAG_typedef,
		[TAG_STRUCT] = DW_TAG_structure_type,
		[TAG_UNION] = DW_TAG_union_type,
		[TAG_ENUM] = DW_TAG_enumeration_type,
	};
	unsigned int size = 0, encoding = 0;
	bool is_base_type = tag == TAG_NONE && base_words(name, &size, &encoding), declared = false;
	struct top top = { .unit = NULL };
	const char *is;

	if (tag == TAG_NONE && !strcmp(name, "void")) {
		*out = (struct ctype){ .is_void = true };
		return true;
	}
	while (top_next(info, &top)) {
		if (is_base_type ? !is_base(&top.die, size, encoding)
				 : dwarf_tag(&top.die) != (int)tags[tag] || !(is = die_own_name(&top.die)) ||
					   strcmp(is, name) != 0)
			continue;
		if (declared && flag(&top.die, DW_AT_declaration))
			continue;
		*out = (struct ctype){ .die = top.die };
		declared = flag(&top.die, DW_AT_declaration);
		if (!declared)
			return true;
	}
	return declared;
}

bool debug_info_type(struct debug_info *info, enum expression_tag tag, const char *name, struct ctype *out)
{
	const struct name_search search = { .tag = tag, .name = name, .file = "" };
	const struct name_result *known = known_names_find(&info->known, &search);
	struct name_result result = { .found = VARIABLE_UNKNOWN };

	if (!known) {
		result.has_type = search_type(info, tag, name, &result.type);
		known_names_add(&info->known, &search, &result);
		known = &result;
	}
	if (known->has_type)
		*out = known->type;
	return known->has_type;
}

void debug_info_structures(struct debug_info *info, const char *const *names, size_t count,
			   bool (*take)(void *context, size_t index, const struct ctype *type), void *context)
{
	struct top top = { .unit = NULL };
	const char *name;
	size_t i;

	while (top_next(info, &top)) {
		if (dwarf_tag(&top.die) != DW_TAG_structure_type || !(name = die_own_name(&top.die)))
			continue;
		for (i = 0; i < count && (!names[i] || strcmp(names[i], name) != 0); i++)
			;
		if (i < count && !dwarf_hasattr(&top.die, DW_AT_declaration) &&
		    !take(context, i, &(struct ctype){ .die = top.die }))
			return;
	}
}

void debug_info_complete(struct debug_info *info, struct ctype *type)
{
	struct ctype stripped = ctype_strip(type), whole;
	enum ctype_kind kind = ctype_kind(&stripped);
	const char *name;

	if ((kind != CTYPE_STRUCT && kind != CTYPE_UNION) || !flag(&stripped.die, DW_AT_declaration))
		return;
	name = die_own_name(&stripped.die);
	if (name && debug_info_type(info, kind == CTYPE_STRUCT ? TAG_STRUCT : TAG_UNION, name, &whole))
		*type = whole;
}
