/* SPDX-License-Identifier: MIT */
#include "base/escape.h"

#include <criterion/criterion.h>
#include <string.h>

static const char *escaped(const char *text, size_t length)
{
	static char out[64];

	return text_escape(text, length, out, sizeof(out));
}

Test(escape, plain_text_stays)
{
	cr_expect_str_eq(escaped("vmalloc.c ~!", 12), "vmalloc.c ~!");
	cr_expect_str_eq(escaped("caf\xc3\xa9", 5), "caf\xc3\xa9");
}

Test(escape, what_moves_a_terminal_is_shown_as_numbers)
{
	cr_expect_str_eq(escaped("\x1b[2J\n\x7f", 6), "\\x1b[2J\\x0a\\x7f");
	cr_expect_str_eq(escaped("\xc2\x9b", 2), "\\xc2\\x9b", "a C1 control");
	cr_expect_str_eq(escaped("\xe2\x80\xae", 3), "\\xe2\\x80\\xae", "right-to-left override");
	cr_expect_str_eq(escaped("\xff\xc3", 2), "\\xff\\xc3", "no UTF-8");
	cr_expect_str_eq(escaped("a\\b", 3), "a\\\\b");
}

Test(escape, a_filter_keeps_what_is_escaped_already)
{
	char out[64];

	cr_expect_str_eq(text_filter("a\\x1b\x1b", 6, out, sizeof(out)), "a\\x1b\\x1b");
	cr_expect_str_eq(text_filter("a\\x1b\\x1b", 9, out, sizeof(out)), "a\\x1b\\x1b");
}

Test(escape, a_buffer_of_the_stated_size_holds_any_text)
{
	char bytes[256], out[TEXT_ESCAPED_SIZE(sizeof(bytes))];

	memset(bytes, 0x1b, sizeof(bytes));
	cr_expect_eq(strlen(text_escape(bytes, sizeof(bytes), out, sizeof(out))), sizeof(out) - 1);
}

Test(escape, text_ends_at_its_length_and_at_a_nul)
{
	cr_expect_str_eq(escaped("abcdef", 3), "abc");
	cr_expect_str_eq(escaped("ab\0cd", 5), "ab");
}

Test(escape, a_full_buffer_never_cuts_an_escape)
{
	char out[8];

	memset(out, 'z', sizeof(out));
	cr_expect_str_eq(text_escape("abcd\n", 5, out, sizeof(out)), "abcd");
	cr_expect_str_eq(text_escape("abc\n", 4, out, sizeof(out)), "abc\\x0a");
	cr_expect_str_eq(text_escape("abc", 3, out, 1), "");
	out[0] = 'q';
	text_escape("abc", 3, out, 0);
	cr_expect_eq(out[0], 'q');
}
