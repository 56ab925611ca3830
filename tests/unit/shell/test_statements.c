/* SPDX-License-Identifier: MIT */
#include "shell/statements.h"

#include "shell/help.h"

#include <criterion/criterion.h>
#include <string.h>

static const char *const guest[] = { "map", "areas", "print", "frames", 0 };
static const char *const core[] = { "map", "areas", "print", "frames", "verify", 0 };

Test(statements, are_told_apart_by_their_first_words)
{
	static const struct {
		const char *line;
		enum statement guest, core;
	} cases[] = {
		{ "", STATEMENT_NOTHING, STATEMENT_NOTHING },
		{ " \t\r", STATEMENT_NOTHING, STATEMENT_NOTHING },
		{ "map", STATEMENT_COMMAND, STATEMENT_COMMAND },
		{ "  map --all", STATEMENT_COMMAND, STATEMENT_COMMAND },
		{ "maps", STATEMENT_OPERATION, STATEMENT_OPERATION },
		{ "a = vmalloc 4K", STATEMENT_OPERATION, STATEMENT_OPERATION },
		{ "map = vmalloc 4K", STATEMENT_OPERATION, STATEMENT_OPERATION },
		{ "save = vmalloc 4K", STATEMENT_OPERATION, STATEMENT_OPERATION },
		{ "save x", STATEMENT_OWN, STATEMENT_OWN },
		{ "exit", STATEMENT_OWN, STATEMENT_OWN },
		{ "areas", STATEMENT_COMMAND, STATEMENT_COMMAND },
		{ "areas --json", STATEMENT_COMMAND, STATEMENT_COMMAND },
		{ "areas 10 4K", STATEMENT_OPERATION, STATEMENT_OPERATION },
		{ "print \"text\"", STATEMENT_OPERATION, STATEMENT_OPERATION },
		{ "print zones[0]", STATEMENT_COMMAND, STATEMENT_COMMAND },
		{ "verify", STATEMENT_OPERATION, STATEMENT_COMMAND },
		{ "verify  ", STATEMENT_OPERATION, STATEMENT_COMMAND },
		{ "verify off", STATEMENT_OWN, STATEMENT_COMMAND },
		{ "frames a", STATEMENT_COMMAND, STATEMENT_COMMAND },
		{ "repeat 2", STATEMENT_OPERATION, STATEMENT_OPERATION },
	};

	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cr_expect_eq(statement_of(cases[i].line, guest), cases[i].guest, "%s", cases[i].line);
		cr_expect_eq(statement_of(cases[i].line, core), cases[i].core, "%s", cases[i].line);
	}
}

Test(statements, mistyped_words_of_the_shell_are_known)
{
	static const struct {
		const char *line, *meant;
	} cases[] = {
		{ "mpa", "map" },
		{ "  maps --all", "map" },
		{ "MAP", "map" },
		{ "exti", "exit" },
		{ "restrat", "restart" },
		{ "hlep vmalloc", "help" },
		{ "frame a", "frames" },
		/* Operations, or nearer to one. */
		{ "vmalock 4K", NULL },
		{ "purge", NULL },
		{ "repaet 2", NULL },
		{ "mpa = vmalloc 4K", NULL },
		{ "xyzzy", NULL },
		{ "", NULL },
	};

	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *meant = statement_meant(cases[i].line, guest);

		if (cases[i].meant)
			cr_expect(meant && !strcmp(meant, cases[i].meant), "%s: %s", cases[i].line,
				  meant ? meant : "nothing");
		else
			cr_expect_null(meant, "%s: %s", cases[i].line, meant);
	}
}

Test(statements, words_of_the_shell_have_a_usage)
{
	size_t most = 9;

	for (const char *const *word = help_own_words; *word; word++)
		cr_expect(help_usage(*word, &most) && most <= 1, "%s", *word);
	cr_expect_str_eq(help_usage("save", &most), "save FILE");
	cr_expect_eq(most, 1);
	cr_expect_str_eq(help_usage("exit", &most), "exit");
	cr_expect_eq(most, 0);
	cr_expect_null(help_usage("vmalloc", &most));
}

Test(statements, a_line_may_begin_or_end_a_block)
{
	cr_expect_eq(statement_depth("repeat 2"), 1);
	cr_expect_eq(statement_depth(" \trepeat"), 1);
	cr_expect_eq(statement_depth("parallel# all"), 1);
	cr_expect_eq(statement_depth("on cpu 0 in interrupt parallel"), 1);
	cr_expect_eq(statement_depth("expect refused repeat 3"), 1);
	cr_expect_eq(statement_depth("end"), -1);
	cr_expect_eq(statement_depth("  end # of it"), -1);
	cr_expect_eq(statement_depth(""), 0);
	cr_expect_eq(statement_depth("# end"), 0);
	cr_expect_eq(statement_depth("on cpu"), 0);
	cr_expect_eq(statement_depth("ending"), 0);
	cr_expect_eq(statement_depth("repeat = vmalloc 4K"), 0);
	cr_expect_eq(statement_depth("vfree end"), 0);
}
