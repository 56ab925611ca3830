/* SPDX-License-Identifier: MIT */
/* Offsets and sizes of members, which must be the compiler's own. */
#include "program/types.h"
#include "file.h"
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
	cr_expect_eq(error.kind, ERROR_INPUT);
	cr_expect(strstr(error.text, "`struct node` with a member `colour`"), "%s", error.text);
	cr_assert_eq(resolve("PROGRAM_5", &wanted[2], 1, &error), -1);
	cr_expect(strstr(error.text, "no `struct mud`"), "%s", error.text);
}

Test(types, a_bit_field_and_a_structure_that_is_only_declared_are_missing)
{
	struct type_member out;
	struct type_wanted low = { "bits", "low", &out }, declared = { "only_declared", NULL, &out };
	struct error error;

	cr_assert_eq(resolve("PROGRAM_5", &low, 1, &error), -1);
	cr_expect(strstr(error.text, "`struct bits` with a member `low`"), "%s", error.text);
	cr_assert_eq(resolve("PROGRAM_5", &declared, 1, &error), -1);
	cr_expect(strstr(error.text, "no `struct only_declared`"), "%s", error.text);
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
	cr_expect(strstr(error.text, "several different `struct twin`"), "%s", error.text);
}

Test(types, a_program_without_debug_information_is_refused)
{
	struct type_member out;
	struct type_wanted wanted = { "node", NULL, &out };
	struct error error;

	cr_assert_eq(resolve("PROGRAM_PLAIN", &wanted, 1, &error), -1);
	cr_expect_eq(error.kind, ERROR_INPUT);
	cr_expect(strstr(error.text, "has no debug information (build it with -g)"), "%s", error.text);
}
