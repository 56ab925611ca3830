/* SPDX-License-Identifier: MIT */
/* All kinds of types in a program of many units, and names that are searched for many times. */
#include "program/value_tree.h"
#include "world.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

static struct world world;
static struct debug_info *info;
static struct value_tree tree;
static struct error error;
static size_t at;

static void setup(void)
{
	world_create(&world, "PROGRAM_CROWD");
	cr_assert_eq(debug_info_open(world.symbols, &info, &error), 0, "%s", error.text);
}

static void teardown(void)
{
	value_tree_destroy(&tree);
	debug_info_close(info);
	world_destroy(&world);
}

TestSuite(crowd, .init = setup, .fini = teardown);

static int build_up_to(const char *text, uint64_t limit)
{
	const struct value_context context = { info, world.symbols, &world.view, &world.mode };
	struct expression expression;

	value_tree_destroy(&tree);
	cr_assert_eq(expression_parse(text, &expression, &error), 0, "%s: %s", text, error.text);
	return value_tree_build(&context, &expression, limit, &tree, &at, &error);
}

static int build(const char *text)
{
	return build_up_to(text, 64);
}

static const struct value_node *node_of(const char *text)
{
	cr_assert_eq(build(text), 0, "%s: %s", text, error.text);
	cr_assert_gt(tree.nodes.count, 0);
	return &tree.nodes.items[0];
}

static void expect(const char *text, enum value_node_kind kind, uint64_t number, const char *type)
{
	const struct value_node *node = node_of(text);

	cr_expect_eq(node->kind, kind, "%s: kind %d", text, node->kind);
	cr_expect_eq(node->number, number, "%s: 0x%" PRIx64, text, node->number);
	cr_expect_str_eq(node->type, type, "%s: %s", text, node->type);
}

static void expect_enumerator(const char *text, const char *name, const char *type)
{
	const struct value_node *node = node_of(text);

	cr_expect_eq(node->kind, NODE_ENUM, "%s: kind %d", text, node->kind);
	cr_expect_str_eq(node->text, name, "%s: %s", text, node->text);
	cr_expect_str_eq(node->type, type, "%s: %s", text, node->type);
}

static void expect_wrong(const char *text, const char *what)
{
	cr_assert_eq(build(text), -1, "%s is accepted", text);
	cr_expect_str_eq(error.text, what, "%s: %s", text, error.text);
	cr_expect_eq(error.kind, ERROR_INPUT);
	cr_expect_eq(error.address, 0);
}

Test(crowd, members_of_a_union_share_their_bytes)
{
	expect("shapes.number", NODE_UNSIGNED, 0x3f800000, "u32");
	expect("shapes.bytes[3]", NODE_UNSIGNED, 0x3f, "unsigned char");
	cr_expect_eq(node_of("shapes.halves.high")->number, 0x3f80);
	cr_expect_str_eq(node_of("shapes.real")->text, "1");
	cr_expect_str_eq(node_of("shapes")->type, "union shapes");
}

Test(crowd, bit_fields_of_all_widths_and_types)
{
	expect("packed_bits.a", NODE_UNSIGNED, 1, "u32");
	expect("packed_bits.b", NODE_UNSIGNED, 0x7ffffffe, "u32");
	expect("packed_bits.c", NODE_SIGNED, (uint64_t)-4, "int");
	expect("packed_bits.d", NODE_BOOL, 1, "_Bool");
	expect_enumerator("packed_bits.e", "PLUS", "enum sign");
	cr_expect_eq(node_of("packed_bits.f")->number, 0xabcdef012345678);
	expect("packed_bits.g", NODE_UNSIGNED, 99, "unsigned char");
}

Test(crowd, members_of_anonymous_members_are_found_by_name)
{
	expect("inner.deep", NODE_SIGNED, 11, "int");
	expect("inner.bit", NODE_UNSIGNED, 3, "u32");
	expect("inner.beside", NODE_SIGNED, 22, "int");
	expect("inner.last", NODE_SIGNED, 33, "int");
	expect_wrong("inner.missing", "`struct inner` has no member `missing`: it has last");
}

Test(crowd, arrays_of_structures_of_arrays)
{
	cr_expect_eq(node_of("cells[1].points[1].y")->number, 4);
	expect("cells[1].row[2]", NODE_UNSIGNED, 7, "fixed_t");
	cr_expect_str_eq(node_of("cells")->type, "struct cell [3]");
	cr_expect_eq(node_of("rows[1][0]")->number, 4);
	expect_wrong("rows[1][3]", "there is no element 3: the array has 3");
	cr_expect_str_eq(node_of("to_row")->type, "u32 (*)[3]");
	expect("flexible.items[1]", NODE_SIGNED, 71, "int");
	cr_expect_eq(node_of("flexible.count")->number, 2);
	cr_assert_eq(build("empty"), -1, "it has no bytes");
}

Test(crowd, enumerations_are_of_any_sign_and_size)
{
	expect_enumerator("sign", "MINUS", "enum sign");
	expect_enumerator("wide", "LARGE", "enum wide");
	expect_enumerator("nameless", "NAMELESS", "enum");
	expect_enumerator("(enum sign)0xfffffffffffffffe", "ZERO", "enum sign");
}

Test(crowd, chains_of_typedefs_end_at_the_type)
{
	expect("fixed", NODE_UNSIGNED, 8, "fixed_t");
	expect("alias.of_typedef", NODE_SIGNED, 44, "int");
	cr_expect_str_eq(node_of("alias")->type, "const alias_t");
	expect("((alias_t *)&alias)->of_typedef", NODE_SIGNED, 44, "int");
	expect("(index_t)0x100000007", NODE_UNSIGNED, 7, "index_t");
}

Test(crowd, pointers_to_functions_are_described)
{
	static const struct {
		const char *text, *type;
	} pointers[] = {
		{ "plain", "int (*)()" },
		{ "stepped", "step_t *" },
		{ "*twice", "step_t *" },
		{ "functions[1]", "int (*)()" },
	};

	for (size_t i = 0; i < sizeof(pointers) / sizeof(pointers[0]); i++) {
		const struct value_node *node = node_of(pointers[i].text);

		cr_expect(strstr(node->text, "add_one"), "%s: %s", pointers[i].text, node->text);
		cr_expect_str_eq(node->type, pointers[i].type, "%s: %s", pointers[i].text, node->type);
	}
	expect("functions[0]", NODE_POINTER, 0, "int (*)()");
	cr_expect_str_eq(node_of("functions")->type, "int (*[2])()");
	cr_expect_str_eq(node_of("returns")->type, "void (*(*)())()");
}

Test(crowd, a_declaration_is_completed_by_the_definition_in_another_unit)
{
	uint64_t *wholes = world_at(&world, WORLD_STACK); /* where holders[999].whole points to */

	memcpy(wholes, world_at(&world, world_symbol(&world, "wholes")), 32);
	expect("holders[999].whole->value", NODE_SIGNED, 10, "int");
	expect("holders[999].whole[1].value", NODE_SIGNED, 20, "int");
	cr_expect_eq(node_of("holders[999].self->whole->before")->number, 1);
	expect("whole_pointer->value", NODE_SIGNED, 20, "int");
	expect("holders[999].never", NODE_POINTER, 0, "struct never *");
	expect_wrong("*holders[999].never", "`struct never` has no known size");
}

/* Two files define it; their paths depend on the build. */
static void expect_places(const char *text)
{
	cr_assert_eq(build(text), -1, "%s is accepted", text);
	cr_expect(strstr(error.text, "north/place.c', '"), "%s", error.text);
	cr_expect(strstr(error.text, "south/place.c'"), "%s", error.text);
}

Test(crowd, a_static_variable_in_files_of_the_same_name_needs_their_folders)
{
	expect_places("place");
	expect("'north/place.c'::place", NODE_SIGNED, 1, "int");
	expect("'crowd/south/place.c'::place", NODE_SIGNED, 2, "int");
	expect_places("'place.c'::place");
	expect_wrong("'uth/place.c'::place", "there is no variable `place` in that file");
}

/* A search through all units for each element would take minutes of the processor's time. */
Test(crowd, a_long_slice_searches_for_each_name_once)
{
	clock_t start = clock();

	cr_assert_eq(build("(&whole_pointer)[0..18999]"), 0, "%s", error.text);
	cr_expect_lt((double)(clock() - start) / CLOCKS_PER_SEC, 6);
	cr_assert_eq(tree.nodes.count, 1 + 19000);
	cr_expect_eq(tree.nodes.items[19000].first, 18999);
}

Test(crowd, values_that_are_too_large_too_wide_or_too_deep_are_not_shown)
{
	unsigned int deepest = 0;

	expect_wrong("*huge", "`struct huge` is too large to be shown");
	cr_expect_eq(node_of("sixteen")->kind, NODE_UNKNOWN);
	cr_expect_eq(node_of("extended")->kind, NODE_UNKNOWN);
	node_of("deep");
	for (size_t i = 0; i < tree.nodes.count; i++)
		if (tree.nodes.items[i].depth > deepest)
			deepest = tree.nodes.items[i].depth;
	cr_expect_eq(deepest, 17);
	cr_expect_eq(tree.nodes.items[tree.nodes.count - 1].kind, NODE_UNKNOWN);
	expect("deep.in.in.in.in.in.in.in.in.in.in.in.in.in.in.in.in.in.number", NODE_SIGNED, 0, "int");
}

Test(crowd, a_value_with_more_than_20000_parts_is_truncated)
{
	cr_assert_eq(build_up_to("(&whole_pointer)[0..19998]", 64), 0, "%s", error.text);
	cr_expect_not(tree.truncated);
	cr_expect_eq(tree.nodes.count, 20000);
	cr_assert_eq(build_up_to("(&whole_pointer)[0..19999]", 64), 0, "%s", error.text);
	cr_expect(tree.truncated);
	cr_expect_eq(tree.nodes.count, 20000);
	cr_assert_eq(build_up_to("(&whole_pointer)[0..65535]", 64), 0, "%s", error.text);
	cr_expect(tree.truncated);
	expect_wrong("(&whole_pointer)[0..65536]", "a slice has at most 65536 elements");
	cr_expect_eq(at, 16);
}
