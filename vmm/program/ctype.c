/* SPDX-License-Identifier: MIT */
/*
 * ctype.c: kind, size, target, members and name of a type of the DWARF. A chain of types that refer to types
 * is followed CHAIN_MAX times at most.
 */
#include "program/debug_info.h"

#include "base/escape.h"
#include "base/strbuf.h"

#include <dwarf.h>
#include <stdio.h>
#include <string.h>

#define CHAIN_MAX      32
#define DIMENSIONS_MAX 8
#define MEMBERS_MAX    4096
#define SIZE_LARGEST   (1ull << 40)
#define POINTER_SIZE   8

static int tag_of(const struct ctype *type)
{
	Dwarf_Die die = type->die;

	return type->is_void ? -1 : dwarf_tag(&die);
}

/* The type that DW_AT_type refers to; void if there is none. */
static struct ctype referred(const struct ctype *type)
{
	struct ctype next = { .is_void = true };
	Dwarf_Attribute attribute;
	Dwarf_Die die = type->die;

	if (!type->is_void && dwarf_attr(&die, DW_AT_type, &attribute) &&
	    dwarf_formref_die(&attribute, &next.die))
		next.is_void = false;
	return next;
}

static bool is_transparent(int tag)
{
	return tag == DW_TAG_typedef || tag == DW_TAG_const_type || tag == DW_TAG_volatile_type ||
	       tag == DW_TAG_restrict_type || tag == DW_TAG_atomic_type;
}

struct ctype ctype_strip(const struct ctype *type)
{
	struct ctype stripped = *type;

	for (unsigned int i = 0; i < CHAIN_MAX && !stripped.pointers && is_transparent(tag_of(&stripped));
	     i++)
		stripped = referred(&stripped);
	return stripped;
}

const char *die_own_name(Dwarf_Die *die)
{
	Dwarf_Attribute attribute;

	return dwarf_attr(die, DW_AT_name, &attribute) ? dwarf_formstring(&attribute) : NULL;
}

/* An attribute of a type or a member, which take none from another DIE. */
static uint64_t attribute_number(const Dwarf_Die *die, unsigned int name, uint64_t otherwise)
{
	Dwarf_Attribute attribute;
	Dwarf_Die copy = *die;
	Dwarf_Word value;

	return dwarf_attr(&copy, name, &attribute) && dwarf_formudata(&attribute, &value) == 0 ? value
											       : otherwise;
}

static enum ctype_kind base_kind(const Dwarf_Die *die)
{
	switch (attribute_number(die, DW_AT_encoding, 0)) {
	case DW_ATE_unsigned:
	case DW_ATE_unsigned_char:
	case DW_ATE_address: return CTYPE_UNSIGNED;
	case DW_ATE_signed: return CTYPE_SIGNED;
	case DW_ATE_boolean: return CTYPE_BOOL;
	case DW_ATE_float: return CTYPE_FLOAT;
	case DW_ATE_signed_char: {
		Dwarf_Die copy = *die;
		const char *name = die_own_name(&copy);

		return name && !strcmp(name, "char") ? CTYPE_CHAR : CTYPE_SIGNED;
	}
	default: return CTYPE_OTHER;
	}
}

enum ctype_kind ctype_kind(const struct ctype *type)
{
	struct ctype stripped = ctype_strip(type);

	if (stripped.pointers)
		return CTYPE_POINTER;
	if (stripped.is_void)
		return CTYPE_VOID;
	switch (tag_of(&stripped)) {
	case DW_TAG_base_type: return base_kind(&stripped.die);
	case DW_TAG_enumeration_type: return CTYPE_ENUM;
	case DW_TAG_pointer_type: return CTYPE_POINTER;
	case DW_TAG_array_type: return CTYPE_ARRAY;
	case DW_TAG_structure_type: return CTYPE_STRUCT;
	case DW_TAG_union_type: return CTYPE_UNION;
	case DW_TAG_subroutine_type: return CTYPE_FUNCTION;
	default: return CTYPE_OTHER;
	}
}

/* ---- arrays ---- */

/* The bounds of an array, 0 for an unknown one. Returns their number, at most DIMENSIONS_MAX. */
static unsigned int dimensions(const struct ctype *array, uint64_t *out)
{
	Dwarf_Die die = array->die, bound, next;
	unsigned int count = 0;
	bool more;

	for (more = dwarf_child(&die, &bound) == 0; more && count < DIMENSIONS_MAX;) {
		if (dwarf_tag(&bound) == DW_TAG_subrange_type) {
			uint64_t upper = attribute_number(&bound, DW_AT_upper_bound, UINT64_MAX);

			out[count++] = attribute_number(&bound, DW_AT_count, upper + 1);
		}
		more = dwarf_siblingof(&bound, &next) == 0 && next.addr > bound.addr;
		bound = next;
	}
	return count;
}

uint64_t ctype_elements(const struct ctype *type)
{
	struct ctype array = ctype_strip(type);
	uint64_t bounds[DIMENSIONS_MAX];

	if (ctype_kind(&array) != CTYPE_ARRAY || array.dimension >= dimensions(&array, bounds))
		return 0;
	return bounds[array.dimension] <= SIZE_LARGEST ? bounds[array.dimension] : 0;
}

bool ctype_target(const struct ctype *type, struct ctype *out)
{
	struct ctype stripped = ctype_strip(type);
	uint64_t bounds[DIMENSIONS_MAX];

	if (stripped.pointers) {
		stripped.pointers--;
		*out = stripped;
		return true;
	}
	switch (ctype_kind(&stripped)) {
	case CTYPE_POINTER: *out = referred(&stripped); return true;
	case CTYPE_ARRAY:
		if (stripped.dimension + 1 < dimensions(&stripped, bounds)) {
			*out = stripped;
			out->dimension++;
		} else {
			*out = referred(&stripped);
		}
		return true;
	default: return false;
	}
}

uint64_t ctype_size(const struct ctype *type)
{
	struct ctype at = ctype_strip(type), target;
	uint64_t count = 1, size;

	for (unsigned int i = 0; i < CHAIN_MAX && ctype_kind(&at) == CTYPE_ARRAY; i++) {
		if (!ctype_target(&at, &target) || __builtin_mul_overflow(count, ctype_elements(&at), &count))
			return 0;
		at = ctype_strip(&target);
	}
	switch (ctype_kind(&at)) {
	case CTYPE_VOID:
	case CTYPE_FUNCTION:
	case CTYPE_ARRAY: return 0;
	case CTYPE_POINTER: size = POINTER_SIZE; break;
	default: size = attribute_number(&at.die, DW_AT_byte_size, 0);
	}
	if (__builtin_mul_overflow(count, size, &size) || size > SIZE_LARGEST)
		return 0;
	return size;
}

/* ---- names ---- */

/* The text around the name in a declaration, built from the inside. */
struct declarator {
	char text[96];
};

static void declarator_prefix(struct declarator *declarator, const char *prefix)
{
	char text[sizeof(declarator->text)];

	snprintf(text, sizeof(text), "%s%.90s", prefix, declarator->text);
	memcpy(declarator->text, text, sizeof(text));
}

/* Appends "[4]" or "()"; a pointer needs parentheses first. */
static void declarator_suffix(struct declarator *declarator, const char *suffix)
{
	char text[sizeof(declarator->text)];
	bool is_pointer = declarator->text[0] == '*';

	snprintf(text, sizeof(text), "%s%.60s%s%.24s", is_pointer ? "(" : "", declarator->text,
		 is_pointer ? ")" : "", suffix);
	memcpy(declarator->text, text, sizeof(text));
}

static void declare_array(struct declarator *declarator, const struct ctype *array)
{
	uint64_t bounds[DIMENSIONS_MAX];
	unsigned int count = dimensions(array, bounds);
	char all[64];
	struct strbuf text = STRBUF(all);

	for (unsigned int i = array->dimension; i < count && text.length < 40; i++) {
		if (bounds[i])
			strbuf_add(&text, "[%llu]", (unsigned long long)bounds[i]);
		else
			strbuf_add(&text, "[]");
	}
	declarator_suffix(declarator, all);
}

static const char *core_name(const struct ctype *type, char *out, size_t size)
{
	static const struct {
		int tag;
		const char *prefix;
	} prefixes[] = { { DW_TAG_structure_type, "struct" },
			 { DW_TAG_union_type, "union" },
			 { DW_TAG_enumeration_type, "enum" } };
	Dwarf_Die die = type->die;
	const char *name, *prefix = "";
	char escaped[80];

	if (type->is_void)
		return "void";
	name = die_own_name(&die);
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (tag_of(type) == prefixes[i].tag)
			prefix = prefixes[i].prefix;
	if (name)
		snprintf(out, size, "%s%s%s", prefix, *prefix ? " " : "",
			 text_escape(name, strlen(name), escaped, sizeof(escaped)));
	else
		snprintf(out, size, "%s", *prefix ? prefix : "?");
	return out;
}

const char *ctype_name(const struct ctype *type, char *out, size_t size)
{
	struct declarator declarator = { "" };
	struct ctype at = *type;
	bool is_const = false;
	char core[96];

	for (unsigned int i = 0; i < at.pointers && i < CHAIN_MAX; i++)
		declarator_prefix(&declarator, "*");
	at.pointers = 0;
	for (unsigned int i = 0; i < CHAIN_MAX; i++) {
		int tag = tag_of(&at);

		if (tag == DW_TAG_pointer_type)
			declarator_prefix(&declarator, "*");
		else if (tag == DW_TAG_array_type)
			declare_array(&declarator, &at);
		else if (tag == DW_TAG_subroutine_type)
			declarator_suffix(&declarator, "()");
		else if (tag == DW_TAG_const_type)
			is_const = true;
		else if (!is_transparent(tag) || tag == DW_TAG_typedef)
			break;
		/* A qualifier belongs to the type after it; that of a pointer is not shown. */
		if (tag == DW_TAG_pointer_type)
			is_const = false;
		at = referred(&at);
	}
	snprintf(out, size, "%s%s%s%s", is_const ? "const " : "", core_name(&at, core, sizeof(core)),
		 *declarator.text ? " " : "", declarator.text);
	return out;
}

const char *ctype_enumerator(const struct ctype *type, uint64_t value, char *out, size_t size)
{
	struct ctype stripped = ctype_strip(type);
	unsigned int left = MEMBERS_MAX, bits = (unsigned int)ctype_size(type) * 8;
	uint64_t mask = bits && bits < 64 ? (1ull << bits) - 1 : UINT64_MAX;
	Dwarf_Die enumerator, next;
	Dwarf_Attribute attribute;
	Dwarf_Sword number;
	const char *name;
	bool more;

	for (more = dwarf_child(&stripped.die, &enumerator) == 0; more && left; left--) {
		if (dwarf_tag(&enumerator) == DW_TAG_enumerator &&
		    dwarf_formsdata(dwarf_attr(&enumerator, DW_AT_const_value, &attribute), &number) == 0 &&
		    ((uint64_t)number & mask) == (value & mask) && (name = die_own_name(&enumerator)))
			return text_escape(name, strlen(name), out, size);
		more = dwarf_siblingof(&enumerator, &next) == 0 && next.addr > enumerator.addr;
		enumerator = next;
	}
	return NULL;
}

/* ---- members ---- */

void members_begin(const struct ctype *type, struct members *members)
{
	struct ctype stripped = ctype_strip(type);
	enum ctype_kind kind = ctype_kind(&stripped);

	*members = (struct members){ .left = MEMBERS_MAX };
	members->more = (kind == CTYPE_STRUCT || kind == CTYPE_UNION) &&
			dwarf_child(&stripped.die, &members->next) == 0;
}

/* The position of a bit field, in the form of DWARF 5, 5.7.6, or of DWARF 3, 5.6.6. */
static void bit_field_position(const Dwarf_Die *die, struct member *member)
{
	uint64_t bits, from_top;

	member->bit_size = (unsigned int)attribute_number(die, DW_AT_bit_size, 0);
	if (!member->bit_size || member->bit_size > 64) {
		member->bit_size = 0;
		return;
	}
	bits = attribute_number(die, DW_AT_data_bit_offset, UINT64_MAX);
	if (bits == UINT64_MAX) {
		uint64_t unit = attribute_number(die, DW_AT_byte_size, ctype_size(&member->type)) * 8;

		from_top = attribute_number(die, DW_AT_bit_offset, 0);
		bits = member->offset * 8 + unit - from_top - member->bit_size;
	}
	member->offset = bits / 8;
	member->bit_offset = bits % 8;
}

/* False for a location that is an expression: no constant offset. A member of a union has no location. */
static bool member_offset(Dwarf_Die *die, uint64_t *out)
{
	Dwarf_Attribute attribute;
	Dwarf_Word value = 0;

	if (dwarf_attr(die, DW_AT_data_member_location, &attribute) &&
	    dwarf_formudata(&attribute, &value) < 0)
		return false;
	*out = value;
	return value <= SIZE_LARGEST;
}

bool members_next(struct members *members, struct member *out)
{
	while (members->more && members->left) {
		Dwarf_Die die = members->next;

		members->left--;
		members->more = dwarf_siblingof(&die, &members->next) == 0 && members->next.addr > die.addr;
		*out = (struct member){ .name = die_own_name(&die) };
		if (dwarf_tag(&die) != DW_TAG_member || !member_offset(&die, &out->offset))
			continue;
		out->type = referred(&(struct ctype){ .die = die });
		bit_field_position(&die, out);
		if (!out->name)
			out->name = "";
		if (out->offset <= SIZE_LARGEST)
			return true;
	}
	return false;
}

void flat_members_begin(const struct ctype *type, struct flat_members *members)
{
	members->depth = 1;
	members->left = MEMBERS_MAX;
	members->levels[0].offset = 0;
	members_begin(type, &members->levels[0].members);
}

bool flat_members_next(struct flat_members *members, struct member *out)
{
	while (members->depth && members->left) {
		unsigned int depth = members->depth;

		if (!members_next(&members->levels[depth - 1].members, out)) {
			members->depth--;
			continue;
		}
		members->left--;
		out->offset += members->levels[depth - 1].offset;
		if (*out->name)
			return true;
		if (depth < MEMBERS_NESTING_MAX) {
			members_begin(&out->type, &members->levels[depth].members);
			members->levels[depth].offset = out->offset;
			members->depth++;
		}
	}
	return false;
}

bool ctype_member(const struct ctype *type, const char *name, struct member *out)
{
	struct flat_members members;

	flat_members_begin(type, &members);
	while (flat_members_next(&members, out))
		if (!strcmp(out->name, name))
			return true;
	return false;
}
