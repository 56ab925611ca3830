/* SPDX-License-Identifier: MIT */
/* Types made by hand: each limit, and one beyond it. */
#include "corners_fixture.h"
#include "no_memory.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

TestSuite(corners, .init = corners_open, .fini = corners_close);

static struct ctype type_of(const char *variable)
{
	struct variable found;

	cr_assert_eq(debug_info_variable(info, variable, "", &found), VARIABLE_FOUND, "%s", variable);
	return found.type;
}

/* ---- kinds, sizes and names ---- */

struct type_case {
	const char *variable;
	enum ctype_kind kind;
	uint64_t size, elements;
	const char *name;
};

static void check_types(const struct type_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct ctype type = type_of(cases[i].variable);
		char name[112];

		cr_expect_eq(ctype_kind(&type), cases[i].kind, "%s: kind %d", cases[i].variable,
			     ctype_kind(&type));
		cr_expect_eq(ctype_size(&type), cases[i].size, "%s: 0x%" PRIx64 " bytes", cases[i].variable,
			     ctype_size(&type));
		cr_expect_eq(ctype_elements(&type), cases[i].elements, "%s: 0x%" PRIx64 " elements",
			     cases[i].variable, ctype_elements(&type));
		cr_expect_str_eq(ctype_name(&type, name, sizeof(name)), cases[i].name, "%s: %s",
				 cases[i].variable, name);
	}
}

#define CHECK_TYPES(cases) check_types(cases, sizeof(cases) / sizeof((cases)[0]))

Test(corners, base_types_have_the_kind_of_their_encoding)
{
	static const struct type_case cases[] = {
		{ "at_first", CTYPE_UNSIGNED, 4, 0, "u4" },
		{ "a_char", CTYPE_CHAR, 1, 0, "char" },
		{ "a_signed_char", CTYPE_SIGNED, 1, 0, "signed char" },
		{ "an_unsigned_char", CTYPE_UNSIGNED, 1, 0, "unsigned char" },
		{ "a_bool", CTYPE_BOOL, 1, 0, "_Bool" },
		{ "an_int", CTYPE_SIGNED, 4, 0, "int" },
		{ "a_u8", CTYPE_UNSIGNED, 8, 0, "u8" },
		{ "an_address", CTYPE_UNSIGNED, 8, 0, "address" },
		{ "a_float", CTYPE_FLOAT, 4, 0, "float" },
		{ "a_double", CTYPE_FLOAT, 8, 0, "double" },
		{ "a_complex", CTYPE_OTHER, 8, 0, "complex" },
		{ "a_u16", CTYPE_UNSIGNED, 16, 0, "u16" },
		{ "a_largest", CTYPE_UNSIGNED, 1ull << 40, 0, "largest" },
		{ "a_larger", CTYPE_UNSIGNED, 0, 0, "larger" },
		{ "an_escaped", CTYPE_UNSIGNED, 4, 0, "\\x01z" },
		{ "a_nothing", CTYPE_SIGNED, 4, 0, "?" },
		{ "a_no_encoding", CTYPE_OTHER, 4, 0, "no_encoding" },
	};

	CHECK_TYPES(cases);
}

Test(corners, qualifiers_are_transparent_and_that_of_a_pointer_is_not_named)
{
	static const struct type_case cases[] = {
		{ "an_atomic", CTYPE_UNSIGNED, 4, 0, "const u4" },
		{ "a_u4_alias", CTYPE_UNSIGNED, 4, 0, "u4_alias" },
		{ "a_pointer", CTYPE_POINTER, 8, 0, "u4 *" },
		{ "a_void_pointer", CTYPE_POINTER, 8, 0, "void *" },
		{ "a_const_pointer", CTYPE_POINTER, 8, 0, "void *" },
		{ "a_pointer_to_const", CTYPE_POINTER, 8, 0, "const u4 *" },
		{ "a_pointer_to_const_void", CTYPE_POINTER, 8, 0, "const void *" },
		{ "a_function", CTYPE_FUNCTION, 0, 0, "u4 ()" },
		{ "a_function_pointer", CTYPE_POINTER, 8, 0, "u4 (*)()" },
		{ "a_chain_of_32", CTYPE_UNSIGNED, 4, 0, "?" },
		{ "a_chain_of_33", CTYPE_OTHER, 0, 0, "?" },
	};

	CHECK_TYPES(cases);
}

#define ROWS_7  "[2][2][2][2][2][2][2]"
#define ROWS_21 ROWS_7 ROWS_7 ROWS_7

Test(corners, arrays_have_eight_dimensions_and_sizes_that_do_not_overflow)
{
	static const struct type_case cases[] = {
		{ "nine_dimensions", CTYPE_ARRAY, 6, 1, "unsigned char [1][2][1][1][1][1][1][3]" },
		{ "wide_array", CTYPE_ARRAY, 0, 1ull << 40, "unsigned char [1099511627776][10995116" },
		{ "pointer_to_wide_array", CTYPE_POINTER, 8, 0, "unsigned char (*)[1099511627776][10995116" },
		{ "array_beyond", CTYPE_ARRAY, 0, 0, "unsigned char [1099511627777]" },
		{ "elements_overflow", CTYPE_ARRAY, 0, 1ull << 40, "unsigned char [1099511627776][16777217" },
		{ "bytes_overflow", CTYPE_ARRAY, 0, 1ull << 40, "u16m [1099511627776]" },
		{ "indexed_array", CTYPE_ARRAY, 12, 3, "u4 [3]" },
		{ "boundless_array", CTYPE_ARRAY, 0, 0, "u4 []" },
		{ "dimensionless_array", CTYPE_ARRAY, 0, 0, "u4" },
		{ "matrices", CTYPE_ARRAY, 5 * 24, 5, "matrix [5]" },
		{ "voids", CTYPE_ARRAY, 0, 2, "const void [2]" },
		{ "rows_32", CTYPE_ARRAY, 1ull << 32, 2, "unsigned char " ROWS_21 },
		{ "rows_33", CTYPE_ARRAY, 0, 2, "? " ROWS_21 },
	};

	CHECK_TYPES(cases);
}

Test(corners, a_type_has_at_most_32_pointers_in_its_name)
{
	static const char stars[] = "********************************";
	struct ctype type = type_of("a_u4"), target;
	char name[112], wanted[112];

	type.pointers = 40;
	snprintf(wanted, sizeof(wanted), "u4 %s", stars);
	cr_expect_str_eq(ctype_name(&type, name, sizeof(name)), wanted, "%s", name);
	type.pointers = 2;
	cr_assert(ctype_target(&type, &target));
	cr_expect_eq(target.pointers, 1);
	cr_expect_eq(ctype_kind(&target), CTYPE_POINTER);
	cr_expect_eq(ctype_size(&target), 8);
}

Test(corners, pointers_and_arrays_have_a_target)
{
	static const struct {
		const char *variable, *target;
	} cases[] = {
		{ "a_pointer", "u4" },
		{ "a_void_pointer", "void" },
		{ "a_pointer_to_const_void", "const void" },
		{ "a_function_pointer", "u4 ()" },
		{ "matrices", "matrix" },
		{ "nine_dimensions", "unsigned char [2][1][1][1][1][1][3]" },
		{ "dimensionless_array", "u4" },
		{ "boundless_array", "u4" },
		{ "a_u4", NULL },
		{ "a_function", NULL },
		{ "a_pair", NULL },
	};
	struct ctype type, target;
	char name[112];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		type = type_of(cases[i].variable);
		cr_assert_eq(ctype_target(&type, &target), cases[i].target != NULL, "%s", cases[i].variable);
		if (cases[i].target)
			cr_expect_str_eq(ctype_name(&target, name, sizeof(name)), cases[i].target, "%s: %s",
					 cases[i].variable, name);
	}
	type = type_of("nine_dimensions");
	for (unsigned int i = 1; i < 8; i++) {
		cr_assert(ctype_target(&type, &target));
		cr_expect_eq(target.dimension, i);
		type = target;
	}
	cr_expect_eq(ctype_elements(&type), 3, "of the eighth dimension, the last that is read");
	cr_assert(ctype_target(&type, &target));
	cr_expect_eq(ctype_kind(&target), CTYPE_UNSIGNED);
}

/* ---- enumerations ---- */

Test(corners, enumerators_are_compared_in_the_bytes_of_their_type)
{
	static const struct {
		const char *variable;
		uint64_t value;
		const char *name;
	} cases[] = {
		{ "colours", 1, "ONE" },
		{ "colours", 0xffffffff, "MINUS" },
		{ "colours", ~0ull, "MINUS" },
		{ "colours", 0xff, NULL },
		{ "colours", 0x100000001, "ONE" },
		{ "colours", 3, "TAB\\\\t" },
		{ "colours", 0, NULL },
		{ "wide_values", 1ull << 63, "HIGH" },
		{ "wide_values", 0, NULL },
		{ "sizeless", (1ull << 32) + 1, "HIGH" },
		{ "sizeless", 1, NULL },
		{ "crowd", 9, "x" },
		{ "crowd", 10, "LAST" },
		{ "crowd", 11, NULL },
		{ "a_u4", 1, NULL },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ctype type = type_of(cases[i].variable);
		char name[80];
		const char *found = ctype_enumerator(&type, cases[i].value, name, sizeof(name));

		cr_assert_eq(!found, !cases[i].name, "%s 0x%" PRIx64 ": %s", cases[i].variable,
			     cases[i].value, found ? found : "none");
		if (found)
			cr_expect_str_eq(found, cases[i].name, "%s 0x%" PRIx64 ": %s", cases[i].variable,
					 cases[i].value, found);
	}
}

/* ---- members ---- */

/* "name type offset" of a member, and ":size+bit" of a bit field. */
static void add_member(char *text, size_t size, const struct member *member)
{
	size_t used = strlen(text);
	char name[112], bits[32] = "";

	if (member->bit_size)
		snprintf(bits, sizeof(bits), ":%u+%u", member->bit_size, member->bit_offset);
	snprintf(text + used, size - used, "%s %s %" PRIx64 "%s\n", member->name,
		 ctype_name(&member->type, name, sizeof(name)), member->offset, bits);
}

Test(corners, members_are_where_each_form_of_a_location_says)
{
	static const char wanted[] = "plain u4 4\n"
				     "no_location u4 0\n"
				     "at_largest u4 10000000000\n"
				     "new u4 1:3+5\n"
				     "old u4 a:3+7\n"
				     "older short int d:2+5\n"
				     "top short int d:2+6\n"
				     "bits_64 u8 10:64+1\n"
				     "bits_65 u8 18\n"
				     "bits_0 u8 20\n"
				     "bits_at_largest u4 10000000000:1+0\n"
				     " u4 3c\n"
				     "\001end void * 38\n";
	static char text[4096];
	struct ctype type = type_of("members");
	struct members members;
	struct member member;

	text[0] = '\0';
	members_begin(&type, &members);
	while (members_next(&members, &member))
		add_member(text, sizeof(text), &member);
	cr_expect_str_eq(text, wanted, "%s", text);
	type = type_of("colours");
	members_begin(&type, &members);
	cr_expect_not(members_next(&members, &member), "an enumeration has no members");
}

Test(corners, members_of_anonymous_structures_are_read_eight_levels_deep)
{
	static char text[4096];
	struct ctype type = type_of("levels");
	struct flat_members members;
	struct member member;

	text[0] = '\0';
	flat_members_begin(&type, &members);
	while (flat_members_next(&members, &member))
		add_member(text, sizeof(text), &member);
	cr_expect_str_eq(text,
			 "level_8 unsigned char 0\n"
			 "level_7 unsigned char 1\n"
			 "level_6 unsigned char 2\n"
			 "level_5 unsigned char 3\n"
			 "level_4 unsigned char 4\n"
			 "level_3 unsigned char 5\n"
			 "level_2 unsigned char 6\n"
			 "level_1 unsigned char 7\n",
			 "%s", text);
}

Test(corners, of_a_structure_4096_members_are_read)
{
	static const struct {
		const char *variable, *member;
		bool found;
		uint64_t offset;
	} cases[] = {
		{ "many", "x", true, 0 },
		{ "many", "before_last", true, 1 },
		{ "many", "last", true, 2 },
		{ "many", "beyond", false, 0 },
		{ "many_outer", "x", true, 4 },
		{ "many_outer", "last", true, 2 },
		{ "many_outer", "beyond", false, 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ctype type = type_of(cases[i].variable);
		struct member member;

		cr_assert_eq(ctype_member(&type, cases[i].member, &member), cases[i].found, "%s.%s",
			     cases[i].variable, cases[i].member);
		if (cases[i].found)
			cr_expect_eq(member.offset, cases[i].offset, "%s.%s at %" PRIu64, cases[i].variable,
				     cases[i].member, member.offset);
	}
}

/* ---- names of types ---- */

Test(corners, base_types_are_found_by_size_and_sign_in_any_spelling)
{
	static const char *const cases[][2] = {
		{ "int", "int" },
		{ "signed", "int" },
		{ "unsigned", "unsigned int" },
		{ "int unsigned", "unsigned int" },
		{ "long", "long int" },
		{ "long long", "long int" },
		{ "signed long int", "long int" },
		{ "unsigned long", "long unsigned int" },
		{ "short", "short int" },
		{ "unsigned short", "short unsigned int" },
		{ "char", "char" },
		{ "signed char", "signed char" },
		{ "char unsigned", "unsigned char" },
		{ "_Bool", "_Bool" },
		{ "unsigned word", NULL },
		{ "u4", NULL }, /* not by a typedef, and not of C */
		{ "u4_alias", "u4_alias" },
		{ "void", "void" },
		{ "missing", NULL },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ctype type = { .dimension = 77 };
		char name[112];

		cr_assert_eq(debug_info_type(info, TAG_NONE, cases[i][0], &type), cases[i][1] != NULL, "%s",
			     cases[i][0]);
		if (cases[i][1])
			cr_expect_str_eq(ctype_name(&type, name, sizeof(name)), cases[i][1], "%s: %s",
					 cases[i][0], name);
		else
			cr_expect_eq(type.dimension, 77, "an out parameter is untouched on failure");
	}
}

Test(corners, a_definition_is_preferred_to_a_declaration)
{
	static const struct {
		enum expression_tag tag;
		const char *name, *member; /* NULL: only declared */
	} cases[] = {
		{ TAG_STRUCT, "later", "of_structure" },
		{ TAG_UNION, "later", "of_union" },
		{ TAG_STRUCT, "never", NULL },
		{ TAG_STRUCT, "pair", "second" },
	};
	struct ctype type, first;
	struct member member;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cr_assert(debug_info_type(info, cases[i].tag, cases[i].name, &type), "%s", cases[i].name);
		cr_expect_eq(ctype_member(&type, cases[i].member ? cases[i].member : "", &member),
			     cases[i].member != NULL, "%s", cases[i].name);
	}
	cr_expect_not(debug_info_type(info, TAG_UNION, "pair", &type));
	cr_expect_not(debug_info_type(info, TAG_ENUM, "later", &type));
	cr_expect(debug_info_type(info, TAG_ENUM, "colours", &type));
	first = type_of("a_never");
	cr_assert(debug_info_type(info, TAG_STRUCT, "never", &type));
	cr_expect_eq(type.die.addr, first.die.addr, "of two declarations, the first");
}

Test(corners, a_declaration_is_completed_by_a_definition_of_the_same_kind)
{
	static const struct {
		const char *variable;
		uint64_t size;
	} cases[] = { { "a_later_union", 4 }, { "a_later_structure", 12 }, { "a_never", 0 }, { "a_u4", 4 } };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ctype type = type_of(cases[i].variable);

		debug_info_complete(info, &type);
		cr_expect_eq(ctype_size(&type), cases[i].size, "%s: %" PRIu64, cases[i].variable,
			     ctype_size(&type));
	}
}

struct taken {
	const char *names[4];
	size_t indexes[4], count, most;
};

static bool take(void *context, size_t index, const struct ctype *type)
{
	struct taken *taken = context;
	char name[112];

	cr_expect(strstr(ctype_name(type, name, sizeof(name)), taken->names[index]), "%s", name);
	taken->indexes[taken->count++] = index;
	return taken->count < taken->most;
}

Test(corners, structures_are_taken_in_the_order_of_the_file_until_there_are_enough)
{
	struct taken all = { .names = { "never", "later", "members", "pair" }, .most = 4 };
	struct taken two = { .names = { "later", NULL, "pair", "many_outer" }, .most = 2 };

	debug_info_structures(info, all.names, 4, take, &all);
	cr_assert_eq(all.count, 3, "a declaration is not taken");
	cr_expect_eq(all.indexes[0], 2);
	cr_expect_eq(all.indexes[1], 3);
	cr_expect_eq(all.indexes[2], 1);
	debug_info_structures(info, two.names, 4, take, &two);
	cr_assert_eq(two.count, 2);
	cr_expect_eq(two.indexes[0], 3);
	cr_expect_eq(two.indexes[1], 2);
}

Test(corners, without_memory_there_is_no_debug_information)
{
	struct debug_info *other = NULL;
	struct error error;

	no_memory_at(1);
	cr_assert_eq(debug_info_open(symbols, &other, &error), -1);
	cr_expect_str_eq(error.text, "out of memory", "%s", error.text);
	cr_expect_eq(error.kind, ERROR_HOST);
	cr_expect_eq(error.address, 0);
	cr_expect_null(other);
	debug_info_close(other);
}
