/* SPDX-License-Identifier: MIT */
#include "shell/statements.h"

#include <criterion/criterion.h>

static const char *const guest[] = { "map", "areas", "print", "frames", 0 };
static const char *const core[] = { "map", "areas", "print", "frames", "verify", 0 };

Test(statements, are_told_apart_by_their_first_words)
{
	static const struct {
		const char *line;
		enum statement guest, core;
	} cases[] = {
		{ "", STATEMENT_NOTHING, STATEMENT_NOTHING },
		{ " \t# map", STATEMENT_NOTHING, STATEMENT_NOTHING },
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
		{ "verify # now", STATEMENT_OPERATION, STATEMENT_COMMAND },
		{ "verify off", STATEMENT_OWN, STATEMENT_COMMAND },
		{ "frames a", STATEMENT_COMMAND, STATEMENT_COMMAND },
		{ "repeat 2", STATEMENT_OPERATION, STATEMENT_OPERATION },
	};

	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cr_expect_eq(statement_of(cases[i].line, guest), cases[i].guest, "%s", cases[i].line);
		cr_expect_eq(statement_of(cases[i].line, core), cases[i].core, "%s", cases[i].line);
	}
}
