/* SPDX-License-Identifier: MIT */
#include "base/strbuf.h"

#include <criterion/criterion.h>
#include <string.h>

Test(strbuf, parts_follow_one_another)
{
	char text[32] = "before";
	struct strbuf buffer = STRBUF(text);

	cr_expect_str_eq(text, "", "a new string is empty");
	strbuf_add(&buffer, "%d", 12);
	strbuf_add(&buffer, "-%s", "x");
	cr_expect_str_eq(text, "12-x");
	cr_expect_eq(buffer.length, 4);
	cr_expect_eq(strbuf_room(&buffer), 27);
}

Test(strbuf, items_are_separated_and_the_first_is_not_preceded)
{
	char text[32];
	struct strbuf buffer = STRBUF(text);

	strbuf_add_item(&buffer, ", ", "%s", "one");
	strbuf_add_item(&buffer, ", ", "%s", "two");
	cr_expect_str_eq(text, "one, two");
}

Test(strbuf, what_does_not_fit_is_cut_and_nothing_is_written_beyond)
{
	char text[12];
	struct strbuf buffer;

	memset(text, 'z', sizeof(text));
	buffer = strbuf_of(text, 8);
	strbuf_add(&buffer, "12345");
	strbuf_add_item(&buffer, ", ", "678");
	cr_expect_str_eq(text, "12345, ");
	strbuf_add(&buffer, "more");
	cr_expect_str_eq(text, "12345, ");
	cr_expect_eq(buffer.length, 7);
	cr_expect_eq(strbuf_room(&buffer), 0);
	cr_expect_eq(text[8], 'z');
}

Test(strbuf, a_buffer_of_one_byte_holds_the_empty_string)
{
	char text[1];
	struct strbuf buffer = STRBUF(text);

	strbuf_add(&buffer, "a");
	cr_expect_str_eq(text, "");
}
