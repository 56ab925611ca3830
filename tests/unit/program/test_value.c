/* SPDX-License-Identifier: MIT */
/* Values of program.c by its debug information, DWARF 4 and 5, and the guest's memory. */
#include "program/value_tree.h"
#include "program.h"
#include "world.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

static struct world world;
static struct debug_info *info;
static struct value_tree tree;
static struct error error;
static size_t at;

static void open_world(const char *program)
{
	world_create(&world, program);
	cr_assert_eq(debug_info_open(world.symbols, &info, &error), 0, "%s", error.text);
}

static void setup(void)
{
	open_world("PROGRAM_5");
}

static void teardown(void)
{
	value_tree_destroy(&tree);
	debug_info_close(info);
	world_destroy(&world);
}

TestSuite(value, .init = setup, .fini = teardown);

static int build(const char *text, uint64_t limit)
{
	const struct value_context context = { info, world.symbols, &world.view, &world.mode };
	struct expression expression;

	value_tree_destroy(&tree);
	cr_assert_eq(expression_parse(text, &expression, &error), 0, "%s: %s", text, error.text);
	return value_tree_build(&context, &expression, limit, &tree, &at, &error);
}

/* The root node of a value that must be readable. */
static const struct value_node *node_of(const char *text)
{
	cr_assert_eq(build(text, 64), 0, "%s: %s", text, error.text);
	cr_assert_gt(tree.nodes.count, 0);
	return &tree.nodes.items[0];
}

/* Compilers name the base types differently: "long unsigned int" and "unsigned long". */
static bool same_type(const char *is, const char *wanted)
{
	static const char *const names[][2] = {
		{ "short int", "short" },
		{ "long int", "long" },
		{ "long unsigned int", "unsigned long" },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(wanted, names[i][0]) && !strcmp(is, names[i][1]))
			return true;
	return !strcmp(is, wanted);
}

static void expect_number(const char *text, enum value_node_kind kind, uint64_t number, const char *type)
{
	const struct value_node *node = node_of(text);

	cr_expect_eq(node->kind, kind, "%s: kind %d", text, node->kind);
	cr_expect_eq(node->number, number, "%s: 0x%" PRIx64, text, node->number);
	cr_expect(same_type(node->type, type), "%s: %s", text, node->type);
}

static void expect_text(const char *text, enum value_node_kind kind, const char *is, const char *type)
{
	const struct value_node *node = node_of(text);

	cr_expect_eq(node->kind, kind, "%s: kind %d", text, node->kind);
	cr_expect_str_eq(node->text, is, "%s: %s", text, node->text);
	cr_expect_str_eq(node->type, type, "%s: %s", text, node->type);
}

static void expect_wrong(const char *text, size_t where, const char *what)
{
	cr_assert_eq(build(text, 64), -1, "%s is accepted", text);
	cr_expect_eq(at, where, "%s: at %zu: %s", text, at, error.text);
	cr_expect_str_eq(error.text, what, "%s: %s", text, error.text);
	cr_expect_eq(error.kind, ERROR_INPUT);
	cr_expect_eq(error.address, 0);
}

/* The page of a GVA is not mapped. */
static void expect_unmapped(const char *text, size_t where, uint64_t gva)
{
	char what[40];

	cr_assert_eq(build(text, 64), -1, "%s is accepted", text);
	cr_expect_eq(at, where, "%s: at %zu: %s", text, at, error.text);
	snprintf(what, sizeof(what), "0x%" PRIx64 " is not mapped", gva);
	cr_expect(strstr(error.text, what), "%s: %s", text, error.text);
	cr_expect_eq(error.kind, ERROR_GUEST);
}

static void check_scalars(void)
{
	expect_number("everything.letter", NODE_CHAR, 'x', "char");
	expect_number("everything.small", NODE_SIGNED, (uint64_t)-5, "signed char");
	expect_number("everything.byte", NODE_UNSIGNED, 200, "u8");
	expect_number("everything.two", NODE_SIGNED, (uint64_t)-300, "short int");
	expect_number("everything.four", NODE_UNSIGNED, 4000000000, "u32");
	expect_number("everything.eight", NODE_SIGNED, (uint64_t)-5, "long int");
	expect_number("everything.large", NODE_UNSIGNED, 0xffffc90000001000, "u64");
	expect_number("everything.yes", NODE_BOOL, 1, "_Bool");
	expect_number("everything.qualified", NODE_UNSIGNED, 77, "const u32");
	expect_text("everything.colour", NODE_ENUM, "BLUE", "enum colour");
	expect_number("everything.colourless", NODE_ENUM, 5, "enum colour");
	expect_text("everything.colourless", NODE_ENUM, "", "enum colour");
	expect_text("everything.half", NODE_FLOAT, "0.5", "float");
	expect_text("everything.quarter", NODE_FLOAT, "0.25", "double");
	expect_text("everything.text", NODE_STRING, "ab\\x1bc", "char [8]");
	expect_text("everything.full", NODE_STRING, "full", "char [4]");
	expect_text("everything.string", NODE_C_STRING, "pointed at", "const char *");
}

static void check_bits(void)
{
	expect_number("everything.bits.low", NODE_UNSIGNED, 5, "u32");
	expect_number("everything.bits.middle", NODE_UNSIGNED, 100, "u32");
	expect_number("everything.bits.negative", NODE_SIGNED, (uint64_t)-3, "int");
	expect_number("everything.bits.wide", NODE_UNSIGNED, 0x123456789a, "u64");
}

static void check_locations(void)
{
	uint64_t everything = world_symbol(&world, "everything");

	expect_number("everything.whole", NODE_UNSIGNED, 0x1122334455667788, "u64");
	expect_number("everything.bottom", NODE_UNSIGNED, 0x55667788, "u32");
	expect_number("everything.top", NODE_UNSIGNED, 0x11223344, "u32");
	expect_number("everything.table[1][2]", NODE_UNSIGNED, 6, "u32");
	expect_number("everything.nodes[0]->next->number", NODE_SIGNED, 22, "int");
	expect_number("everything.nodes[0].next.number", NODE_SIGNED, 22, "int");
	expect_number("(*everything.nodes[0]->next).number", NODE_SIGNED, 22, "int");
	expect_number("&everything", NODE_POINTER, everything, "struct everything *");
	expect_text("&everything", NODE_POINTER, "everything", "struct everything *");
	expect_number("&everything.table", NODE_POINTER, node_of("everything.table")->number + tree.address,
		      "u32 (*)[2][3]");
	expect_number("((struct everything *)everything.anything)->byte", NODE_UNSIGNED, 200, "u8");
	expect_wrong("((union everything *)everything.anything)->byte", 1,
		     "there is no type `union everything`");
	expect_wrong("(enum node)1", 0, "there is no type `enum node`");
	expect_number("*&everything.four", NODE_UNSIGNED, 4000000000, "u32");
	expect_number("head.next[0].number", NODE_SIGNED, 22, "int");
	expect_number("*everything.table[1]", NODE_UNSIGNED, 4, "u32");
}

Test(value, numbers_have_the_types_and_signs_of_DWARF_5)
{
	check_scalars();
	check_bits();
	check_locations();
}

Test(value, numbers_have_the_types_and_signs_of_DWARF_4)
{
	teardown();
	open_world("PROGRAM_4");
	check_scalars();
	check_bits();
	check_locations();
}

Test(value, types_are_named_as_in_C)
{
	cr_expect(strstr(node_of("everything.function")->text, "double_it (program.c:"), "%s",
		  tree.nodes.items[0].text);
	cr_expect_str_eq(node_of("everything.function")->type, "handler");
	cr_expect_str_eq(node_of("everything.table")->type, "u32 [2][3]");
	cr_expect_str_eq(node_of("everything.table[0]")->type, "u32 [3]");
	cr_expect_str_eq(node_of("everything.nodes")->type, "struct node *[2]");
	cr_expect_str_eq(node_of("&everything.nodes")->type, "struct node *(*)[2]");
	cr_expect_str_eq(node_of("&everything.function")->type, "handler *");
	cr_expect_str_eq(node_of("everything.unknown")->type, "struct only_declared *");
}

Test(value, a_function_or_a_label_has_an_address)
{
	const struct value_node *node = node_of("twins");

	cr_expect_eq(node->kind, NODE_LABEL);
	cr_expect_eq(node->number, world_symbol(&world, "twins"));
	cr_expect(strstr(node->text, "twins (program.c:"), "%s", node->text);
	cr_expect_eq(node_of("&stack_leaf")->number, world_symbol(&world, "stack_leaf"));
	expect_number("(u64)&stack_middle", NODE_UNSIGNED, world_symbol(&world, "stack_middle"), "u64");
}

Test(value, a_static_variable_of_two_files_needs_its_file)
{
	expect_wrong(
		"twin", 0,
		"`twin` is static in several files: write FILE::twin, with one of 'program.c', 'other.c'");
	expect_number("'program.c'::twin", NODE_SIGNED, 1, "int");
	expect_number("'other.c'::twin", NODE_SIGNED, 2, "int");
	expect_wrong("'stack.S'::twin", 0, "there is no variable `twin` in that file");
}

/* The node of a member or an element, at depth 1. */
static const struct value_node *part(const char *name, uint64_t first)
{
	for (size_t i = 1; i < tree.nodes.count; i++) {
		const struct value_node *node = &tree.nodes.items[i];

		if (node->depth == 1 && (*name ? !strcmp(node->name, name) : node->first == first))
			return node;
	}
	cr_assert_fail("no part %s %lu", name, first);
	return NULL;
}

Test(value, a_structure_is_shown_down_to_its_numbers)
{
	cr_assert_eq(node_of("everything")->kind, NODE_STRUCT);
	cr_expect_eq(tree.address, world_symbol(&world, "everything"));
	cr_expect_not(tree.truncated);
	cr_expect_eq(part("four", 0)->number, 4000000000);
	cr_expect_eq(part("bits", 0)->kind, NODE_STRUCT);
	cr_expect_str_eq(part("bits", 0)[4].name, "wide");
	cr_expect_eq(part("bits", 0)[4].number, 0x123456789a);
	cr_expect_eq(part("table", 0)[1].kind, NODE_ARRAY);
	cr_expect_eq(part("table", 0)[7].number, 5, "rows and then columns");
}

Test(value, equal_elements_are_one_group_and_groups_are_limited)
{
	node_of("everything.many");
	cr_assert_eq(tree.nodes.count, 1 + 4);
	cr_expect_eq(part("", 0)->last, 2);
	cr_expect_eq(part("", 3)->number, 9);
	cr_expect_eq(part("", 4)->last, 98);
	cr_expect_eq(part("", 99)->number, 1);
	cr_assert_eq(build("everything.many", 2), 0);
	cr_assert_eq(tree.nodes.count, 1 + 3);
	cr_expect_eq(tree.nodes.items[3].kind, NODE_MORE);
	cr_expect_eq(tree.nodes.items[3].number, 96);
}

Test(value, elements_beyond_the_limit_of_bytes_are_left_out)
{
	uint32_t *huge = world_at(&world, world_symbol(&world, "huge"));

	huge[0x3ffff] = 5;
	huge[0x40000] = 6;
	node_of("huge");
	cr_expect_eq(tree.size, 0x110000);
	cr_assert_eq(tree.nodes.count, 1 + 3);
	cr_expect_eq(part("", 0)->last, 0x3fffe);
	cr_expect_eq(part("", 0x3ffff)->number, 5);
	cr_expect_eq(part("", 0x3ffff)->last, 0x3ffff);
	cr_expect_eq(tree.nodes.items[3].kind, NODE_MORE);
	cr_expect_eq(tree.nodes.items[3].first, 0x40000);
	cr_expect_eq(tree.nodes.items[3].last, 0x43fff);
	cr_expect_eq(tree.nodes.items[3].number, 0x4000);
}

Test(value, a_slice_is_evaluated_element_by_element)
{
	node_of("everything.table[0..1][1]");
	cr_assert_eq(tree.nodes.count, 3);
	cr_expect_eq(part("", 0)->number, 2);
	cr_expect_eq(part("", 1)->number, 5);
	expect_wrong("everything.table[1..2]", 16, "there is no element 2: the array has 2");
	expect_wrong("everything.many[0..100000]", 15, "a slice has at most 65536 elements");
}

Test(value, errors_have_a_message_and_an_offset)
{
	expect_wrong("evrything", 0, "there is no variable `evrything`; did you mean `everything`?");
	expect_wrong("qqqqq", 0, "there is no variable `qqqqq`");
	cr_expect_null(strstr(error.text, "did you mean"));
	expect_wrong(
		"everything.bytes", 10,
		"`struct everything` has no member `bytes`: it has letter, small, byte, two, four, eight, "
		"large, yes, colour, colourless, half, quarter, text, full, string, bits, table, many ...");
	expect_wrong("everything.four.x", 15,
		     "a structure or a pointer to one is needed here, and this is a `u32`");
	expect_wrong("everything->four", 10, "a pointer is needed here, and this is a `struct everything`");
	expect_wrong("*everything.four", 0, "a pointer is needed here, and this is a `u32`");
	expect_wrong("everything.four[1]", 15, "a pointer or an array is needed here, and this is a `u32`");
	expect_wrong("*everything.anything", 0,
		     "this is a `void *`: cast it to what it points to, (struct NAME *)");
	expect_wrong("everything.anything[1]", 19, "the size of an element is not known");
	expect_wrong("everything.table[2]", 16, "there is no element 2: the array has 2");
	expect_wrong("&everything.bits.low", 0, "a bit field has no address");
	expect_wrong("&&everything", 0, "a number has no address");
	expect_wrong("*everything.unknown", 0, "`struct only_declared` has no known size");
	expect_wrong("everything.unknown->x", 18, "`struct only_declared` has no member `x`");
	expect_wrong("(struct missing *)0x10", 0, "there is no type `struct missing`");
	expect_wrong("(struct node)head", 0, "a cast is to a number or to a pointer, as in *(struct node *)");
	expect_wrong("0x10", 0, "a number has no type: cast it, *(struct NAME *)0x...");
	expect_wrong("0x10->x", 4, "a number has no type: cast it, (struct NAME *)0x...");
	expect_wrong("head.next[0x1fffffffffffffff]", 9,
		     "element 2305843009213693951 is beyond the address space");
}

Test(value, unmapped_memory_is_an_error_of_the_guest)
{
	expect_unmapped("everything.nodes[1]->next->number", 25, 0);
	expect_unmapped("everything.nodes[1][2].number", 22, 40);
	expect_unmapped("*(struct node *)0xffffffff80400000", 0, WORLD_END);
	world_map(&world, world_symbol(&world, "head"), false);
	expect_unmapped("head", 0, world_symbol(&world, "head"));
	expect_unmapped("everything", 0, world_symbol(&world, "everything"));
	expect_unmapped("head.next->number", 9, world_symbol(&world, "head"));
	expect_unmapped("head.next[1]", 9, world_symbol(&world, "head"));
	expect_unmapped("*head.next", 0, world_symbol(&world, "head"));
	expect_unmapped("(u64)head.next", 0, world_symbol(&world, "head"));
	expect_unmapped("everything.table[0..1][1]", 16,
			world_symbol(&world, "everything") + offsetof(struct everything, table) + 4);
	expect_unmapped("(&head)[0..1].next->number", 18, world_symbol(&world, "head"));
}

Test(value, a_string_that_is_not_mapped_or_never_ends_is_cut)
{
	uint8_t *string = world_at(&world, WORLD_STACK);
	uint64_t address = node_of("&everything.string")->number;

	memset(string, 'a', 4096);
	*(uint64_t *)world_at(&world, address) = WORLD_STACK;
	cr_expect_eq(strlen(node_of("everything.string")->text), 80 + 3);
	memset(world_at(&world, WORLD_END - 4), 'a', 4);
	*(uint64_t *)world_at(&world, address) = WORLD_END - 4;
	cr_expect_eq(node_of("everything.string")->kind, NODE_POINTER);
	*(uint64_t *)world_at(&world, address) = UINT64_MAX;
	cr_expect_eq(node_of("everything.string")->kind, NODE_POINTER);
}

Test(value, base_types_are_found_by_all_spellings_of_C)
{
	expect_number("(unsigned char)everything.large", NODE_UNSIGNED, 0, "unsigned char");
	expect_number("(unsigned long)everything.large", NODE_UNSIGNED, 0xffffc90000001000,
		      "long unsigned int");
	expect_number("(long int)everything.two", NODE_SIGNED, (uint64_t)-300, "long int");
	expect_number("(short)everything.four", NODE_SIGNED, (uint64_t)0x2800, "short int");
	expect_number("(char)everything.byte", NODE_CHAR, (uint64_t)-56, "char");
	expect_number("(_Bool)1", NODE_BOOL, 1, "_Bool");
	expect_number("(enum colour)2", NODE_ENUM, 2, "enum colour");
	expect_text("(enum colour)2", NODE_ENUM, "GREEN", "enum colour");
	expect_number("(void *)0x1234", NODE_POINTER, 0x1234, "void *");
	expect_number("*(u8 *)&everything.whole", NODE_UNSIGNED, 0x88, "u8");
}
