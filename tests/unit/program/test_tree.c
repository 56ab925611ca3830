/* SPDX-License-Identifier: MIT */
/* Values of types made by hand: what each step gives, and all nodes of a value as text. */
#include "program/value_tree.h"
#include "corners.h"
#include "no_memory.h"
#include "world.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static struct world world;
static struct debug_info *info;
static struct value_tree tree;
static struct error error;
static uint8_t *data; /* at CORNERS_DATA */
static size_t at;

static void setup(void)
{
	world_create(&world, "PROGRAM_CORNERS");
	cr_assert_eq(debug_info_open(world.symbols, &info, &error), 0, "%s", error.text);
	data = world_at(&world, CORNERS_DATA);
	for (size_t i = 0; i < 64; i++)
		data[i] = (uint8_t)(i + 1);
}

static void teardown(void)
{
	value_tree_destroy(&tree);
	debug_info_close(info);
	world_destroy(&world);
}

TestSuite(tree, .init = setup, .fini = teardown);

static void put(uint64_t number)
{
	memcpy(data, &number, sizeof(number));
}

/* ---- steps ---- */

static int evaluate(const char *text, struct value *out)
{
	const struct value_context context = { info, world.symbols, &world.view, &world.mode };
	struct expression expression;

	cr_assert_eq(expression_parse(text, &expression, &error), 0, "%s: %s", text, error.text);
	return value_evaluate(&context, &expression, 0, out, &at, &error);
}

/* "A+4 u4", "A+1 u4:3+5" of a bit field, "=0x12 u4" of a number; A is CORNERS_DATA. */
static const char *value_text(const struct value *value)
{
	static char text[200];
	char name[112], bits[32] = "";

	ctype_name(&value->type, name, sizeof(name));
	if (value->bit_size)
		snprintf(bits, sizeof(bits), ":%u+%u", value->bit_size, value->bit_offset);
	if (value->is_number)
		snprintf(text, sizeof(text), "=0x%" PRIx64 " %s%s", value->number, name, bits);
	else
		snprintf(text, sizeof(text), "A+0x%" PRIx64 " %s%s", value->address - CORNERS_DATA, name,
			 bits);
	return text;
}

Test(tree, each_step_gives_a_place_and_a_type)
{
	static const char *const cases[][2] = {
		{ "a_u8", "A+0x0 u8" },
		{ "a_pair.second", "A+0x4 u4" },
		{ "(&a_pair)->second", "A+0x4 u4" },
		{ "members.new", "A+0x1 u4:3+5" },
		{ "members.bits_64", "A+0x10 u8:64+1" },
		{ "matrices[4]", "A+0x60 matrix" },
		{ "matrices[4][1][2]", "A+0x74 u4" },
		{ "boundless_array[1000]", "A+0xfa0 u4" },
		{ "*matrices", "A+0x0 matrix" },
		{ "*matrices[1]", "A+0x18 u4 [3]" },
		{ "a_pointer[3]", "A+0x10c u4" },
		{ "*a_pointer", "A+0x100 u4" },
		{ "&a_pair", "=0xffffffff803f0000 struct pair *" },
		{ "&matrices[1]", "=0xffffffff803f0018 matrix *" },
		{ "(u4_alias *)0x1234", "=0x1234 u4_alias *" },
		{ "(void *)matrices", "=0xffffffff803f0000 void *" },
		{ "(unsigned long)matrices", "=0xffffffff803f0000 long unsigned int" },
		{ "(unsigned char)0x1ff", "=0xff unsigned char" },
		{ "(signed char)0x80", "=0xffffffffffffff80 signed char" },
		{ "(char)0x80", "=0xffffffffffffff80 char" },
		{ "(long)0x8000000000000000", "=0x8000000000000000 long int" },
		{ "(_Bool)members.new", "=0x0 _Bool" },
		{ "(unsigned)members.bits_64", "=0x8a098908 unsigned int" },
		{ "0x10", "=0x10 void" },
		{ "a_later_structure.of_structure", "A+0x0 u4" },
	};
	struct value value;

	put(CORNERS_DATA + 0x100);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cr_assert_eq(evaluate(cases[i][0], &value), 0, "%s: %s", cases[i][0], error.text);
		cr_expect_str_eq(value_text(&value), cases[i][1], "%s: %s", cases[i][0], value_text(&value));
	}
}

Test(tree, steps_that_a_type_does_not_have_are_refused)
{
	static const char cast[] = "a cast is to a number or to a pointer, as in *(";
	static const struct {
		const char *text;
		size_t at;
		const char *what, *more;
	} cases[] = {
		{ "(struct pair)a_u8", 0, cast, "struct pair *)" },
		{ "(union later)a_u8", 0, cast, "union later *)" },
		{ "(row_alias)a_u8", 0, cast, "row_alias *)" },
		{ "(matrix)a_u8", 0, cast, "matrix *)" },
		{ "(float_alias)a_u8", 0, cast, "float_alias *)" },
		{ "(u16_alias)a_u8", 0, cast, "u16_alias *)" },
		{ "(void)0x1", 0, cast, "void *)" },
		{ "(unsigned long)lines_nested", 0, "this is not a number", "" },
		{ "(unsigned long)a_u16", 0, "this is not a number", "" },
		{ "(unsigned long)a_pair.first.x", 27, "a structure or a pointer to one is needed here, ",
		  "and this is a `u4`" },
		{ "a_pair.x", 6, "`struct pair` has no member `x`: it has first, second", "" },
		{ "a_never.x", 7, "`struct never` has no member `x`", "" },
		{ "members.x", 7,
		  "`struct members` has no member `x`: it has plain, no_location, at_largest, new, old, ",
		  "older, top, bits_64, bits_65, bits_0, bits_at_largest, \\x01end" },
		{ "&members.new", 0, "a bit field has no address", "" },
		{ "&0x10", 0, "a number has no address", "" },
		{ "label_elsewhere", 0, "`label_elsewhere` has no fixed address", "" },
		{ "voids[1]", 5, "the size of an element is not known", "" },
		{ "a_pointer[0x4000000000000000]", 9,
		  "element 4611686018427387904 is beyond the address space", "" },
		{ "a_pointer[4]", 9, "element 4 is beyond the address space", "" },
		{ "'corners.c'::a_u88", 0, "there is no variable `a_u88` in that file", "" },
		{ "a_u88", 0, "there is no variable `a_u88`", "" },
		{ "lines_nestde", 0, "there is no variable `lines_nestde`; did you mean `lines_nested`?",
		  "" },
		{ "lines__less", 0, "there is no variable `lines__less`; did you mean `lines_\\\\less`?",
		  "" },
	};
	struct value value = { .number = 77 };

	put(0xfffffffffffffff3);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char what[300];

		snprintf(what, sizeof(what), "%s%s", cases[i].what, cases[i].more);
		cr_assert_eq(evaluate(cases[i].text, &value), -1, "%s is accepted", cases[i].text);
		cr_expect_str_eq(error.text, what, "%s: %s", cases[i].text, error.text);
		cr_expect_eq(error.kind, ERROR_INPUT);
		cr_expect_eq(error.address, 0);
		cr_expect_eq(at, cases[i].at, "%s: at %zu", cases[i].text, at);
	}
	cr_expect_eq(value.number, 77, "an out parameter is untouched on failure");
	cr_assert_eq(evaluate("a_pointer[3]", &value), 0, "its last byte is the last of all addresses: %s",
		     error.text);
	cr_expect_eq(value.address, UINT64_MAX);
}

Test(tree, a_number_has_the_bits_and_the_sign_of_its_value)
{
	static const struct {
		const char *type; /* variable */
		unsigned int bit_offset, bit_size;
		size_t size;
		uint64_t number;
	} cases[] = {
		{ "a_u8", 0, 0, 8, 0x8786858483828180 },
		{ "a_u8", 0, 0, 9, 0x8786858483828180 },
		{ "a_u8", 0, 0, 3, 0x828180 },
		{ "an_int", 0, 0, 4, 0xffffffff83828180 },
		{ "a_char", 0, 0, 1, 0xffffffffffffff80 },
		{ "an_unsigned_char", 0, 0, 1, 0x80 },
		{ "a_bool", 0, 0, 1, 0x80 },
		{ "a_u8", 7, 64, 9, 0x110f0d0b09070503 },
		{ "a_u8", 0, 64, 9, 0x8786858483828180 },
		{ "a_u8", 4, 63, 9, 0x0878685848382818 },
		{ "an_int", 4, 4, 1, 0xfffffffffffffff8 },
		{ "an_int", 0, 8, 1, 0xffffffffffffff80 },
		{ "an_int", 0, 7, 1, 0 },
		{ "an_int", 7, 1, 1, UINT64_MAX },
		{ "a_u4", 7, 1, 1, 1 },
	};
	static const uint8_t bytes[16] = { 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89 };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct value value;
		uint64_t number;

		cr_assert_eq(evaluate(cases[i].type, &value), 0, "%s", error.text);
		value.bit_offset = cases[i].bit_offset;
		value.bit_size = cases[i].bit_size;
		number = value_number(&value, bytes, cases[i].size);
		cr_expect_eq(number, cases[i].number, "%s:%u+%u: 0x%" PRIx64, cases[i].type,
			     cases[i].bit_size, cases[i].bit_offset, number);
	}
}

/* ---- nodes ---- */

static int build(const char *text, uint64_t limit)
{
	const struct value_context context = { info, world.symbols, &world.view, &world.mode };
	struct expression expression;

	value_tree_destroy(&tree);
	cr_assert_eq(expression_parse(text, &expression, &error), 0, "%s: %s", text, error.text);
	return value_tree_build(&context, &expression, limit, &tree, &at, &error);
}

/* A line for each node, indented by its depth: "KIND [first..last] name (type) 0xnumber "text"". */
static const char *tree_text(void)
{
	static const char *const kinds[] = { "UNSIGNED", "SIGNED",  "CHAR",     "BOOL",   "FLOAT",
					     "ENUM",     "POINTER", "C_STRING", "STRING", "LABEL",
					     "STRUCT",   "ARRAY",   "MORE",     "UNKNOWN" };
	static char text[8000];
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < tree.nodes.count && used < sizeof(text) - 600; i++) {
		const struct value_node *node = &tree.nodes.items[i];
		char element[48] = "";

		if (node->is_element)
			snprintf(element, sizeof(element), "[%" PRIu64 "..%" PRIu64 "] ", node->first,
				 node->last);
		used += (size_t)snprintf(text + used, sizeof(text) - used,
					 "%*s%s %s%s(%s) 0x%" PRIx64 " \"%s\"\n", (int)node->depth, "",
					 kinds[node->kind], element, node->name, node->type, node->number,
					 node->text);
	}
	return text;
}

static void expect_tree(const char *expression, uint64_t limit, uint64_t size, const char *text)
{
	cr_assert_eq(build(expression, limit), 0, "%s: %s", expression, error.text);
	cr_expect_str_eq(tree_text(), text, "%s:\n%s", expression, tree_text());
	cr_expect_eq(tree.size, size, "%s: %" PRIu64 " bytes", expression, tree.size);
	cr_expect_not(tree.truncated);
}

Test(tree, a_value_of_each_kind_is_one_node)
{
	expect_tree("a_u4", 1, 4, "UNSIGNED (u4) 0x4030201 \"\"\n");
	expect_tree("an_int", 1, 4, "SIGNED (int) 0x4030201 \"\"\n");
	expect_tree("a_char", 1, 1, "CHAR (char) 0x1 \"\"\n");
	expect_tree("a_bool", 1, 1, "BOOL (_Bool) 0x1 \"\"\n");
	expect_tree("a_u8", 1, 8, "UNSIGNED (u8) 0x807060504030201 \"\"\n");
	expect_tree("colours", 1, 4, "ENUM (enum colours) 0x4030201 \"\"\n");
	expect_tree("a_pointer", 1, 8, "POINTER (u4 *) 0x807060504030201 \"\"\n");
	expect_tree("a_u16", 1, 16, "UNKNOWN (u16) 0x0 \"\"\n");
	expect_tree("a_complex", 1, 8, "UNKNOWN (complex) 0x0 \"\"\n");
	expect_tree("a_half", 1, 2, "UNKNOWN (half) 0x0 \"\"\n");
	expect_tree("members.new", 1, 1, "UNSIGNED (u4) 0x0 \"\"\n");
	expect_tree("members.bits_64", 1, 9, "UNSIGNED (u8) 0x8c0b8b0a8a098908 \"\"\n");
	put(0xbf800000);
	expect_tree("a_float", 1, 4, "FLOAT (float) 0x0 \"-1\"\n");
	put(0x4059000000000000);
	expect_tree("a_double", 1, 8, "FLOAT (double) 0x0 \"100\"\n");
	put(0xffffffff);
	expect_tree("colours", 1, 4, "ENUM (enum colours) 0xffffffff \"MINUS\"\n");
}

Test(tree, numbers_and_pointers_are_named_by_the_symbols_of_the_program)
{
	uint64_t function = world_symbol(&world, "lines_nested");
	char text[200];

	put(function + 1);
	snprintf(text, sizeof(text), "POINTER (u4 *) 0x%" PRIx64 " \"lines_nested+0x1 (a.c:11)\"\n",
		 function + 1);
	expect_tree("a_pointer", 1, 8, text);
	snprintf(text, sizeof(text), "UNSIGNED (u8) 0x%" PRIx64 " \"lines_nested+0x1 (a.c:11)\"\n",
		 function + 1);
	expect_tree("a_u8", 1, 8, text);
	snprintf(text, sizeof(text), "UNSIGNED (u4) 0x%" PRIx64 " \"\"\n", (function + 1) & 0xffffffff);
	expect_tree("a_u4", 1, 4, text);
	snprintf(text, sizeof(text), "LABEL () 0x%" PRIx64 " \"lines_nested (a.c:10)\"\n", function);
	expect_tree("lines_nested", 1, 0, text);
	cr_expect_not(tree.is_number);
	cr_expect_eq(tree.address, function);
	snprintf(text, sizeof(text), "POINTER (void *) 0x%" PRIx64 " \"lines_nested (a.c:10)\"\n", function);
	expect_tree("(void *)lines_nested", 1, 8, text);
	cr_expect(tree.is_number);
	put(0);
	expect_tree("a_pointer", 1, 8, "POINTER (u4 *) 0x0 \"\"\n");
	expect_tree("a_string", 1, 8, "POINTER (char *) 0x0 \"\"\n");
}

Test(tree, members_are_nodes_one_level_deeper)
{
	expect_tree("a_pair", 1, 8,
		    "STRUCT (struct pair) 0x0 \"\"\n"
		    " UNSIGNED first(u4) 0x4030201 \"\"\n"
		    " UNSIGNED second(u4) 0x8070605 \"\"\n");
	expect_tree("damaged", 1, 8,
		    "STRUCT (struct damaged) 0x0 \"\"\n"
		    " UNSIGNED at_end(u4) 0x8070605 \"\"\n"
		    " STRUCT empty_at_end(struct never) 0x0 \"\"\n");
	expect_tree("bit_array", 9, 4,
		    "STRUCT (struct bit_array) 0x0 \"\"\n"
		    " ARRAY array(unsigned char [2]) 0x0 \"\"\n"
		    "  UNSIGNED [0..0] (unsigned char) 0x1 \"\"\n"
		    "  UNSIGNED [1..1] (unsigned char) 0x2 \"\"\n");
	for (size_t i = 0; i < 64; i++)
		data[i] = (uint8_t)(0x6d * (i + 1));
	expect_tree("members", 1, 64,
		    "STRUCT (struct members) 0x0 \"\"\n"
		    " UNSIGNED plain(u4) 0x68fb8e21 \"\"\n"
		    " UNSIGNED no_location(u4) 0xb447da6d \"\"\n"
		    " UNSIGNED new(u4) 0x6 \"\"\n"
		    " UNSIGNED old(u4) 0x1 \"\"\n"
		    " SIGNED older(short int) 0xffffffffffffffff \"\"\n"
		    " SIGNED top(short int) 0xffffffffffffffff \"\"\n"
		    " UNSIGNED bits_64(u8) 0x9c65af78c20bd51e \"\"\n"
		    " UNSIGNED bits_65(u8) 0xa033c659ec7f12a5 \"\"\n"
		    " UNSIGNED bits_0(u8) 0x89b2ec154e77a0d \"\"\n"
		    " UNSIGNED (u4) 0x40d366f9 \"\"\n"
		    " POINTER \\x01end(void *) 0x40d366f98c1fb245 \"\"\n");
}

Test(tree, equal_elements_are_groups_and_those_beyond_the_limit_are_counted)
{
	expect_tree("nine_dimensions", 9, 6,
		    "ARRAY (unsigned char [1][2][1][1][1][1][1][3]) 0x0 \"\"\n"
		    " ARRAY [0..0] (unsigned char [2][1][1][1][1][1][3]) 0x0 \"\"\n"
		    "  ARRAY [0..0] (unsigned char [1][1][1][1][1][3]) 0x0 \"\"\n"
		    "   ARRAY [0..0] (unsigned char [1][1][1][1][3]) 0x0 \"\"\n"
		    "    ARRAY [0..0] (unsigned char [1][1][1][3]) 0x0 \"\"\n"
		    "     ARRAY [0..0] (unsigned char [1][1][3]) 0x0 \"\"\n"
		    "      ARRAY [0..0] (unsigned char [1][3]) 0x0 \"\"\n"
		    "       ARRAY [0..0] (unsigned char [3]) 0x0 \"\"\n"
		    "        UNSIGNED [0..0] (unsigned char) 0x1 \"\"\n"
		    "        UNSIGNED [1..1] (unsigned char) 0x2 \"\"\n"
		    "        UNSIGNED [2..2] (unsigned char) 0x3 \"\"\n"
		    "  ARRAY [1..1] (unsigned char [1][1][1][1][1][3]) 0x0 \"\"\n"
		    "   ARRAY [0..0] (unsigned char [1][1][1][1][3]) 0x0 \"\"\n"
		    "    ARRAY [0..0] (unsigned char [1][1][1][3]) 0x0 \"\"\n"
		    "     ARRAY [0..0] (unsigned char [1][1][3]) 0x0 \"\"\n"
		    "      ARRAY [0..0] (unsigned char [1][3]) 0x0 \"\"\n"
		    "       ARRAY [0..0] (unsigned char [3]) 0x0 \"\"\n"
		    "        UNSIGNED [0..0] (unsigned char) 0x4 \"\"\n"
		    "        UNSIGNED [1..1] (unsigned char) 0x5 \"\"\n"
		    "        UNSIGNED [2..2] (unsigned char) 0x6 \"\"\n");
	memset(data, 0, 64);
	data[4] = 1;
	expect_tree("matrices", 2, 120,
		    "ARRAY (matrix [5]) 0x0 \"\"\n"
		    " ARRAY [0..0] (matrix) 0x0 \"\"\n"
		    "  ARRAY [0..0] (u4 [3]) 0x0 \"\"\n"
		    "   UNSIGNED [0..0] (u4) 0x0 \"\"\n"
		    "   UNSIGNED [1..1] (u4) 0x1 \"\"\n"
		    "   MORE [2..2] (u4 [3]) 0x1 \"\"\n"
		    "  ARRAY [1..1] (u4 [3]) 0x0 \"\"\n"
		    "   UNSIGNED [0..2] (u4) 0x0 \"\"\n"
		    " ARRAY [1..4] (matrix) 0x0 \"\"\n"
		    "  ARRAY [0..1] (u4 [3]) 0x0 \"\"\n"
		    "   UNSIGNED [0..2] (u4) 0x0 \"\"\n");
	expect_tree("matrices", 1, 120,
		    "ARRAY (matrix [5]) 0x0 \"\"\n"
		    " ARRAY [0..0] (matrix) 0x0 \"\"\n"
		    "  ARRAY [0..0] (u4 [3]) 0x0 \"\"\n"
		    "   UNSIGNED [0..0] (u4) 0x0 \"\"\n"
		    "   MORE [1..2] (u4 [3]) 0x2 \"\"\n"
		    "  MORE [1..1] (matrix) 0x1 \"\"\n"
		    " MORE [1..4] (matrix [5]) 0x4 \"\"\n");
	expect_tree("matrices", 0, 120,
		    "ARRAY (matrix [5]) 0x0 \"\"\n"
		    " MORE [0..4] (matrix [5]) 0x5 \"\"\n");
	expect_tree("boundless_array", 9, 0, "ARRAY (u4 []) 0x0 \"\"\n");
	expect_tree("voids", 9, 0,
		    "ARRAY (const void [2]) 0x0 \"\"\n"
		    " MORE [0..1] (const void [2]) 0x2 \"\"\n");
	expect_tree("dimensionless_array", 9, 0, "ARRAY (u4) 0x0 \"\"\n");
	memcpy(data, "ab\0dwxyz", 8);
	expect_tree("texts", 9, 8,
		    "ARRAY (char [2][4]) 0x0 \"\"\n"
		    " STRING [0..0] (char [4]) 0x0 \"ab\"\n"
		    " STRING [1..1] (char [4]) 0x0 \"wxyz\"\n");
}

Test(tree, a_slice_is_an_array_of_values)
{
	expect_tree("matrices[1..2][1][0]", 9, 4,
		    "ARRAY (u4) 0x0 \"\"\n"
		    " UNSIGNED [1..1] (u4) 0x28272625 \"\"\n"
		    " UNSIGNED [2..2] (u4) 0x403f3e3d \"\"\n");
	cr_expect_eq(tree.address, CORNERS_DATA + 24 + 12);
	cr_expect_not(tree.is_number);
	expect_tree("&matrices[1..2]", 9, 8,
		    "ARRAY (matrix *) 0x0 \"\"\n"
		    " POINTER [1..1] (matrix *) 0xffffffff803f0018 \"\"\n"
		    " POINTER [2..2] (matrix *) 0xffffffff803f0030 \"\"\n");
	cr_expect(tree.is_number);
}

/* ---- strings ---- */

static const char *string_text(void)
{
	cr_assert_eq(build("a_string", 1), 0, "%s", error.text);
	cr_expect_eq(tree.nodes.items[0].kind, NODE_C_STRING);
	return tree.nodes.items[0].text;
}

/* Escapes, backslashes and letters that are read; the dots of a cut string need room for them. */
Test(tree, a_string_is_cut_after_80_characters)
{
	static const struct {
		unsigned int escapes, backslashes, letters;
		const char *end;
	} cases[] = {
		{ 0, 0, 79, "" },     { 0, 0, 80, "..." }, { 0, 0, 81, "..." },
		{ 51, 2, 27, "..." }, { 52, 0, 28, "" },
	};
	char *string = world_at(&world, CORNERS_DATA + 0x100);

	put(CORNERS_DATA + 0x100);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		unsigned int left = 80 - cases[i].escapes - cases[i].backslashes;
		char wanted[400] = "";

		memset(string, '\x01', cases[i].escapes);
		memset(string + cases[i].escapes, '\\', cases[i].backslashes);
		memset(string + cases[i].escapes + cases[i].backslashes, 'x', cases[i].letters);
		string[cases[i].escapes + cases[i].backslashes + cases[i].letters] = '\0';
		for (unsigned int n = 0; n < cases[i].escapes; n++)
			strcat(wanted, "\\x01");
		for (unsigned int n = 0; n < cases[i].backslashes; n++)
			strcat(wanted, "\\\\");
		for (unsigned int n = 0; n < cases[i].letters && n < left; n++)
			strcat(wanted, "x");
		strcat(wanted, cases[i].end);
		cr_expect_str_eq(string_text(), wanted, "%zu: %s", i, tree.nodes.items[0].text);
	}
}

Test(tree, a_string_may_end_with_the_last_address)
{
	uint64_t *tables = (uint64_t *)(world.memory + WORLD_TABLES);

	/* The last 2M of addresses are those before WORLD_END. */
	tables[512 + 511] = tables[512 + 510];
	tables[2 * 512 + 511] = tables[2 * 512 + 1];
	memcpy(world_at(&world, WORLD_END - 4), "last", 4);
	put(UINT64_MAX - 3);
	cr_expect_str_eq(string_text(), "last", "%s", tree.nodes.items[0].text);
}

/* ---- limits ---- */

Test(tree, a_value_has_at_most_a_mebibyte)
{
	*(uint8_t *)world_at(&world, CORNERS_MEBIBYTE + 0xfffff) = 7;
	expect_tree("mebibyte", 1, 0x100000,
		    "STRUCT (struct mebibyte) 0x0 \"\"\n UNSIGNED last(unsigned char) 0x7 \"\"\n");
	cr_assert_eq(build("large", 1), -1);
	cr_expect_str_eq(error.text, "`struct large` is too large to be shown", "%s", error.text);
	cr_expect_eq(error.kind, ERROR_INPUT);
	cr_expect_eq(error.address, 0);
	cr_expect_eq(at, 0);
}

Test(tree, without_memory_there_is_no_value)
{
	static const char *const texts[] = { "a_pair", "matrices", "matrices[0..4]", "a_u4", "lines_nested" };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		unsigned int failures = 0;
		int result;

		for (unsigned int n = 1;; n++) {
			no_memory_at(n);
			result = build(texts[i], 9);
			if (!no_memory_failed())
				break;
			/* Without memory for it, a name is not cached, which is no error. */
			if (!result)
				continue;
			failures++;
			cr_expect_str_eq(error.text, "out of memory", "%s: %s", texts[i], error.text);
			cr_expect_eq(error.kind, ERROR_HOST);
			cr_expect_eq(error.address, 0);
		}
		no_memory_at(0);
		cr_expect_eq(result, 0, "%s: %s", texts[i], error.text);
		cr_expect_geq(failures, 1, "%s", texts[i]);
	}
}
