/* SPDX-License-Identifier: MIT */
#include "shell/words.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static struct words words;

static void expect_words(const char *line, size_t count, const char *const *wanted)
{
	cr_assert(words_split(line, &words), "%s", line);
	cr_assert_eq(words.count, count, "%s: %zu words", line, words.count);
	for (size_t i = 0; i < count; i++)
		cr_expect_str_eq(words.items[i], wanted[i]);
	cr_expect_null(words.items[count]);
}

Test(words, are_separated_by_blanks)
{
	expect_words("walk a", 2, (const char *const[]){ "walk", "a" });
	expect_words(" \t walk\t a+8  \r", 2, (const char *const[]){ "walk", "a+8" });
	expect_words("", 0, NULL);
	expect_words("   ", 0, NULL);
}

Test(words, keep_blanks_in_quotes)
{
	expect_words("dump 'my core'", 2, (const char *const[]){ "dump", "my core" });
	expect_words("dump my\" \"core ''", 3, (const char *const[]){ "dump", "my core", "" });
	cr_expect_not(words_split("dump 'my core", &words));
	cr_expect_not(words_split("dump \"", &words));
}

Test(words, end_before_a_comment)
{
	static const struct {
		const char *code, *comment;
	} cases[] = {
		{ "", "# walk a" },
		{ "walk a ", "# b" },
		{ "walk a", "#b" },
		{ "walk a", "" },
		{ "dump '#1' \"#2\" ", "# 'a" },
		{ "print \"a \\\" # b\" ", "# \"c" },
		{ "dump 'a\\' ", "# b'" },
		{ "dump \"# no end", "" },
		{ "dump \"\\", "" },
	};
	char line[100];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(line, sizeof(line), "%s%s", cases[i].code, cases[i].comment);
		cr_expect_eq(words_code_length(line), strlen(cases[i].code), "%s", line);
	}
}

Test(words, have_limits)
{
	char line[2 * WORDS_LINE_MAX + 1];

	memset(line, 'x', sizeof(line));
	line[WORDS_LINE_MAX] = '\0';
	cr_expect(words_split(line, &words));
	line[WORDS_LINE_MAX] = 'x';
	line[WORDS_LINE_MAX + 1] = '\0';
	cr_expect_not(words_split(line, &words));
	for (size_t i = 0; i < WORDS_MAX; i++)
		memcpy(line + 2 * i, "x ", 3);
	cr_expect(words_split(line, &words));
	memcpy(line + 2 * WORDS_MAX, "x", 2);
	cr_expect_not(words_split(line, &words));
}

Test(words, are_the_beginning_of_a_line)
{
	cr_expect(words_begin("map", "map"));
	cr_expect(words_begin("  map --all", "map"));
	cr_expect_not(words_begin("mapping", "map"));
	cr_expect_not(words_begin("ma", "map"));
}

Test(words, have_a_rest)
{
	char text[WORDS_LINE_MAX + 2];

	cr_expect_str_eq(words_rest("print  'slab.c'::x [1] \r", text, sizeof(text)), "'slab.c'::x [1]");
	cr_expect_str_eq(words_rest("print", text, sizeof(text)), "");
}

Test(words, of_an_address_are_joined)
{
	static const char *const lines[] = { "walk a+64K --cpu 1", "walk a + 64K --cpu 1",
					     "walk a +64K --cpu 1", "walk a+ 64K --cpu 1" };

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		cr_assert(words_split(lines[i], &words));
		words_join(&words);
		cr_assert_eq(words.count, 4, "%s: %zu", lines[i], words.count);
		cr_expect_str_eq(words.items[1], "a+64K");
		cr_expect_str_eq(words.items[2], "--cpu");
		cr_expect_str_eq(words.items[3], "1");
		cr_expect_null(words.items[4]);
	}
	cr_assert(words_split("walk a - 8", &words));
	words_join(&words);
	cr_expect_str_eq(words.items[1], "a-8");
	cr_assert(words_split("map --range 1-", &words));
	words_join(&words);
	cr_expect_eq(words.count, 3);
}
