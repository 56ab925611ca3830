/* SPDX-License-Identifier: MIT */
/* Variables of one name in several units, in files that are named or not, with and without a fixed address. */
#include "corners.h"
#include "corners_fixture.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

TestSuite(names, .init = corners_open, .fini = corners_close);

#define A CORNERS_DATA

struct name_case {
	const char *name, *file;
	enum variable_found found;
	const char *type; /* VARIABLE_FOUND */
	uint64_t address;
	const char *files; /* VARIABLE_AMBIGUOUS */
};

static void check_names(const struct name_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct name_case *is = &cases[i];
		struct variable variable;
		char type[112];

		cr_assert_eq(debug_info_variable(info, is->name, is->file, &variable), is->found,
			     "%s of '%s'", is->name, is->file);
		if (is->found == VARIABLE_FOUND) {
			cr_expect_eq(variable.address, is->address, "%s of '%s': 0x%lx", is->name, is->file,
				     variable.address);
			cr_expect_str_eq(ctype_name(&variable.type, type, sizeof(type)), is->type,
					 "%s of '%s': %s", is->name, is->file, type);
		}
		if (is->found == VARIABLE_AMBIGUOUS)
			cr_expect_str_eq(variable.files, is->files, "%s of '%s': %s", is->name, is->file,
					 variable.files);
	}
}

#define CHECK_NAMES(cases) check_names(cases, sizeof(cases) / sizeof((cases)[0]))

Test(names, a_global_variable_has_precedence)
{
	static const struct name_case cases[] = {
		{ "global_first", "", VARIABLE_FOUND, "number", A },
		{ "global_last", "", VARIABLE_FOUND, "number", A + 8 },
		{ "global_last", "north/one.c", VARIABLE_FOUND, "other", A },
		{ "same_address", "", VARIABLE_FOUND, "number", A },
		{ "of_partial", "", VARIABLE_UNKNOWN },
		{ "glob", "", VARIABLE_UNKNOWN },
	};

	CHECK_NAMES(cases);
}

Test(names, static_variables_of_several_files_need_a_file)
{
	static const struct name_case cases[] = {
		{ "everywhere", "", VARIABLE_AMBIGUOUS,
		  .files = "'north/one.c', 'south/one.c', '/abs/two.c'" },
		{ "everywhere", "one.c", VARIABLE_AMBIGUOUS, .files = "'north/one.c', 'south/one.c'" },
		{ "everywhere", "south/one.c", VARIABLE_FOUND, "number", A + 8 },
		{ "everywhere", "orth/one.c", VARIABLE_UNKNOWN },
		{ "everywhere", "ne.c", VARIABLE_UNKNOWN },
		{ "everywhere", "further/north/one.c", VARIABLE_UNKNOWN },
		{ "everywhere", "two.c", VARIABLE_FOUND, "number", A + 16 },
		{ "everywhere", "/two.c", VARIABLE_FOUND, "number", A + 16 },
		{ "everywhere", "/abs/two.c", VARIABLE_FOUND, "number", A + 16 },
		{ "everywhere", "a/abs/two.c", VARIABLE_UNKNOWN },
		{ "nowhere", "", VARIABLE_AMBIGUOUS, .files = "'one.c', '?'" },
		{ "nowhere", "?", VARIABLE_UNKNOWN },
	};

	CHECK_NAMES(cases);
}

Test(names, a_list_of_files_has_names_that_are_whole_and_in_the_room_that_there_is)
{
	char listed[300], one[100], two[100], less[100], cut[300], longest[100];
	const struct name_case cases[] = {
		{ "long_a", "", VARIABLE_AMBIGUOUS, .files = listed },
		{ "cut", "", VARIABLE_AMBIGUOUS, .files = cut },
	};

	memset(one, 'n', sizeof(one));
	memcpy(one + 89, "1", 2);
	memcpy(two, one, sizeof(two));
	two[89] = '2';
	memset(less, 'm', 81);
	less[81] = '\0';
	memset(longest, 'c', 95);
	longest[95] = '\0';
	cr_assert_eq(snprintf(listed, sizeof(listed), "'one.c', '%s', '%s', '%s', 'fills_it_all.c'", one, two,
			      less),
		     298);
	snprintf(cut, sizeof(cut), "'%s', 'folder/slashes\\\\\\\\.c'", longest);
	CHECK_NAMES(cases);
	*strrchr(listed, ',') = '\0';
	check_names(&(struct name_case){ "long_b", "", VARIABLE_AMBIGUOUS, .files = listed }, 1);
}

Test(names, an_address_is_fixed_or_that_of_a_symbol)
{
	static const struct name_case cases[] = {
		{ "label_here", "", VARIABLE_FOUND, "number", A },
		{ "label_elsewhere", "", VARIABLE_WITHOUT_ADDRESS },
		{ "typeless", "", VARIABLE_UNKNOWN },
		{ "two_operations", "", VARIABLE_WITHOUT_ADDRESS },
		{ "other_operation", "", VARIABLE_WITHOUT_ADDRESS },
		{ "no_operation", "", VARIABLE_WITHOUT_ADDRESS },
		{ "by_index", "", VARIABLE_FOUND, "number", A + 48 },
		{ "by_wrong_index", "", VARIABLE_WITHOUT_ADDRESS },
	};

	CHECK_NAMES(cases);
}
