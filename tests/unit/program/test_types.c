/* SPDX-License-Identifier: MIT */
/* Offsets and sizes of members, which must be the compiler's own. */
#include "program/types.h"
#include "file.h"
#include "no_memory.h"
#include "program.h"

#include <criterion/criterion.h>
#include <stddef.h>
#include <string.h>

static int resolve(const char *variable, const struct type_wanted *wanted, size_t count, struct error *error)
{
	struct symbols *symbols;
	int result;

	cr_assert_eq(symbols_open(file_named(variable), &symbols, error), 0, "%s", error->text);
	result = types_resolve(symbols, wanted, count, error);
	symbols_close(symbols);
	return result;
}

/* The error's text is the program's path and `what`. */
static void expect_text(const char *variable, const struct error *error, const char *what)
{
	const char *path = file_named(variable);

	cr_expect(!strncmp(error->text, path, strlen(path)) && !strcmp(error->text + strlen(path), what),
		  "%s", error->text);
	cr_expect_eq(error->kind, ERROR_INPUT);
	cr_expect_eq(error->address, 0);
}

#define CHECK(program, type, name)                                                                           \
	do {                                                                                                 \
		struct type_member found = { ~0u, ~0u };                                                     \
		struct type_wanted wanted = { #type, #name, &found };                                        \
		struct error error;                                                                          \
		cr_assert_eq(resolve(program, &wanted, 1, &error), 0, "%s", error.text);                     \
		cr_expect_eq(found.offset, offsetof(struct type, name), "%s.%s at %u", #type, #name,         \
			     found.offset);                                                                  \
		cr_expect_eq(found.size, sizeof(((struct type *)0)->name), "%s.%s has %u", #type, #name,     \
			     found.size);                                                                    \
	} while (0)

static void check_members(const char *program)
{
	CHECK(program, everything, letter);
	CHECK(program, everything, two);
	CHECK(program, everything, eight);
	CHECK(program, everything, colour);
	CHECK(program, everything, quarter);
	CHECK(program, everything, text);
	CHECK(program, everything, string);
	CHECK(program, everything, bits);
	CHECK(program, everything, whole);
	CHECK(program, everything, top);
	CHECK(program, everything, table);
	CHECK(program, everything, nodes);
	CHECK(program, everything, function);
	CHECK(program, everything, unknown);
	CHECK(program, everything, qualified);
	CHECK(program, node, number);
}

Test(types, members_are_where_DWARF_4_says)
{
	check_members("PROGRAM_4");
}

Test(types, members_are_where_DWARF_5_says)
{
	check_members("PROGRAM_5");
}

Test(types, many_structures_are_resolved_in_one_pass)
{
	struct type_member out[4];
	struct type_wanted wanted[] = { { "node", NULL, &out[0] },
					{ "node", "number", &out[1] },
					{ "bits", NULL, &out[2] },
					{ "everything", "bottom", &out[3] } };
	struct error error;

	cr_assert_eq(resolve("PROGRAM_5", wanted, 4, &error), 0, "%s", error.text);
	cr_expect_eq(out[0].offset, 0);
	cr_expect_eq(out[0].size, sizeof(struct node));
	cr_expect_eq(out[1].offset, offsetof(struct node, number));
	cr_expect_eq(out[2].size, sizeof(struct bits));
	cr_expect_eq(out[3].offset, offsetof(struct everything, bottom));
}

Test(types, what_is_missing_is_named)
{
	struct type_member out[3];
	struct type_wanted wanted[] = { { "node", "next", &out[0] },
					{ "node", "colour", &out[1] },
					{ "mud", NULL, &out[2] } };
	struct error error;

	cr_assert_eq(resolve("PROGRAM_5", wanted, 2, &error), -1);
	expect_text("PROGRAM_5", &error,
		    " has no `struct node` with a member `colour` in its debug information");
	cr_assert_eq(resolve("PROGRAM_5", &wanted[2], 1, &error), -1);
	expect_text("PROGRAM_5", &error, " has no `struct mud` in its debug information");
}

Test(types, a_bit_field_and_a_structure_that_is_only_declared_are_missing)
{
	struct type_member out;
	struct type_wanted low = { "bits", "low", &out }, declared = { "only_declared", NULL, &out };
	struct error error;

	cr_assert_eq(resolve("PROGRAM_5", &low, 1, &error), -1);
	expect_text("PROGRAM_5", &error,
		    " has no `struct bits` with a member `low` in its debug information");
	cr_assert_eq(resolve("PROGRAM_5", &declared, 1, &error), -1);
	expect_text("PROGRAM_5", &error, " has no `struct only_declared` in its debug information");
}

Test(types, of_structures_with_one_name_the_first_with_all_members_counts)
{
	struct type_member out[3];
	struct type_wanted other[] = { { "twin", "second", &out[0] }, { "twin", NULL, &out[1] } };
	struct type_wanted both[] = { { "twin", "first", &out[0] }, { "twin", "second", &out[1] } };
	struct error error;

	cr_assert_eq(resolve("PROGRAM_5", other, 2, &error), 0, "%s", error.text);
	cr_expect_eq(out[0].offset, 8);
	cr_expect_eq(out[1].size, 16);
	cr_assert_eq(resolve("PROGRAM_5", both, 2, &error), -1);
	expect_text("PROGRAM_5", &error, " has several different `struct twin` in its debug information");
}

Test(types, a_program_without_debug_information_is_refused)
{
	struct type_member out;
	struct type_wanted wanted = { "node", NULL, &out };
	struct error error;

	cr_assert_eq(resolve("PROGRAM_PLAIN", &wanted, 1, &error), -1);
	expect_text("PROGRAM_PLAIN", &error,
		    " has no debug information (build it with -g): no DWARF information");
}

/* Two wanted structures, of whose several definitions the first that is complete counts, in any order. */
Test(types, a_structure_that_is_found_is_not_searched_for_again)
{
	struct type_member out[5] = { { 0 } };
	struct type_wanted wanted[] = { { "twin", NULL, &out[0] },
					{ "bits", NULL, &out[1] },
					{ "node", "number", &out[2] },
					{ "node", "number", &out[3] },
					{ "node", "next", &out[4] } };
	struct error error;

	cr_assert_eq(resolve("PROGRAM_5", wanted, 5, &error), 0, "%s", error.text);
	cr_expect_eq(out[0].size, 4, "that of program.c, the first");
	cr_expect_eq(out[1].size, sizeof(struct bits));
	cr_expect_eq(out[2].offset, offsetof(struct node, number));
	cr_expect_eq(out[2].size, 4);
	cr_expect_eq(out[3].offset, offsetof(struct node, number));
	cr_expect_eq(out[4].offset, 0);
	cr_expect_eq(out[4].size, 8);
	cr_assert_eq(resolve("PROGRAM_5", wanted, 0, &error), 0, "nothing is wanted");
}

Test(types, a_member_has_a_size_and_an_offset_of_32_bits)
{
	struct type_member out = { 0 };
	static const struct {
		const char *structure, *member, *what; /* NULL: found */
		uint32_t offset, size;
	} cases[] = {
		{ "limits", "last_offset", NULL, UINT32_MAX, 4 },
		{ "limits", "largest", NULL, 0, UINT32_MAX },
		{ "limits", "offset_beyond",
		  " has no `struct limits` with a member `offset_beyond` in its debug information", 0, 0 },
		{ "limits", "larger",
		  " has no `struct limits` with a member `larger` in its debug information", 0, 0 },
		{ "limits", NULL, " has no `struct limits` in its debug information", 0, 0 },
		{ "never", NULL, " has no `struct never` in its debug information", 0, 0 },
		{ "limits", "sizeless",
		  " has no `struct limits` with a member `sizeless` in its debug information", 0, 0 },
	};
	struct error error;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct type_wanted wanted = { cases[i].structure, cases[i].member, &out };

		cr_assert_eq(resolve("PROGRAM_CORNERS", &wanted, 1, &error), cases[i].what ? -1 : 0, "%s: %s",
			     cases[i].member, error.text);
		if (cases[i].what) {
			expect_text("PROGRAM_CORNERS", &error, cases[i].what);
			continue;
		}
		cr_expect_eq(out.offset, cases[i].offset, "%s: %u", cases[i].member, out.offset);
		cr_expect_eq(out.size, cases[i].size, "%s: %u", cases[i].member, out.size);
	}
}

Test(types, without_memory_nothing_is_resolved)
{
	struct type_member out;
	struct type_wanted wanted = { "node", "number", &out };
	struct symbols *symbols;
	struct error error;

	cr_assert_eq(symbols_open(file_named("PROGRAM_5"), &symbols, &error), 0, "%s", error.text);
	for (unsigned int n = 1; n <= 5; n++) {
		no_memory_at(n);
		cr_assert_eq(types_resolve(symbols, &wanted, 1, &error), -1, "allocation %u", n);
		cr_expect(no_memory_failed());
		cr_expect_str_eq(error.text, "out of memory", "%s", error.text);
		cr_expect_eq(error.kind, ERROR_HOST);
		cr_expect_eq(error.address, 0);
	}
	no_memory_at(0);
	cr_expect_eq(types_resolve(symbols, &wanted, 1, &error), 0, "%s", error.text);
	symbols_close(symbols);
}
