/* SPDX-License-Identifier: MIT */
#include "report/text.h"

#include "base/utf8.h"
#include "sample.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static char *line_of(unsigned int indent, unsigned int hang, const char *text)
{
	char *out;
	size_t size;
	struct report report = report_begin(REPORT_TEXT, &out, &size);

	text_line(&report, PAINT_PLAIN, indent, hang, "%s", text);
	report_end(&report);
	return out;
}

Test(text, counts_durations_and_nouns_are_written_for_people)
{
	char out[40];

	cr_expect_str_eq(text_count(0, out, sizeof(out)), "0");
	cr_expect_str_eq(text_count(999, out, sizeof(out)), "999");
	cr_expect_str_eq(text_count(1000, out, sizeof(out)), "1,000");
	cr_expect_str_eq(text_count(UINT64_MAX, out, sizeof(out)), "18,446,744,073,709,551,615");
	cr_expect_str_eq(text_duration(0, out, sizeof(out)), "0 ns");
	cr_expect_str_eq(text_duration(999, out, sizeof(out)), "999 ns");
	cr_expect_str_eq(text_duration(1234, out, sizeof(out)), "1.23 us");
	cr_expect_str_eq(text_duration(12345678, out, sizeof(out)), "12.3 ms");
	cr_expect_str_eq(text_duration(123456789, out, sizeof(out)), "123 ms");
	cr_expect_str_eq(text_duration(4560000000, out, sizeof(out)), "4.56 s");
	cr_expect_str_eq(text_number_of(0, "flush", out, sizeof(out)), "no flushes");
	cr_expect_str_eq(text_number_of(1, "entry", out, sizeof(out)), "1 entry");
	cr_expect_str_eq(text_number_of(1000, "entry", out, sizeof(out)), "1,000 entries");
}

Test(text, in_a_narrow_terminal_a_row_keeps_its_cells_and_goes_on_below_them)
{
	char *out;
	size_t size;
	struct report report = report_begin(REPORT_TEXT, &out, &size);

	report.columns = 30;
	text_line(&report, PAINT_PLAIN, 0, 12, "first cell  some words of the last cell, which go on");
	text_line(&report, PAINT_PLAIN, 0, 32, "cells that take 30 columns ..., last");
	text_line(&report, PAINT_PLAIN, 0, 4, "words that have room: as ever, below each other");
	report_end(&report);
	cr_expect_str_eq(out, "first cell  some words of the\n        last cell, which go on\n"
			      "cells that take 30 columns ...,\n        last\n"
			      "words that have room: as ever,\n    below each other\n");
	free(out);
}

Test(text, a_long_line_is_broken_at_a_blank)
{
	char long_text[140], *out;

	memset(long_text, 'x', sizeof(long_text));
	long_text[50] = ' ';
	long_text[139] = '\0';
	out = line_of(2, 6, long_text);
	cr_expect_eq(strcspn(out, "\n"), 52);
	cr_expect_eq(strspn(out + 53, " "), 6);
	check_lines(out);
	free(out);
}

Test(text, a_word_without_end_is_broken_anywhere)
{
	char long_text[1000], *out;
	size_t count = 0;

	memset(long_text, 'x', sizeof(long_text));
	long_text[999] = '\0';
	out = line_of(0, 10, long_text);
	check_lines(out);
	for (const char *at = out; *at; at++)
		count += *at == 'x';
	cr_expect_eq(count, 999);
	free(out);
}

Test(text, an_endless_text_is_cut)
{
	char *long_text = malloc(100000), *out;

	memset(long_text, 0x1b, 99999);
	long_text[99999] = '\0';
	out = line_of(0, 0, long_text);
	check_lines(out);
	cr_expect_lt(strlen(out), 4000);
	free(out);
	free(long_text);
}

Test(text, an_empty_text_is_an_empty_line)
{
	char *out = line_of(0, 0, "");

	cr_expect_str_eq(out, "\n");
	free(out);
}

Test(text, only_printable_characters_pass)
{
	cr_expect_eq(utf8_printable("", 0), 0);
	cr_expect_eq(utf8_printable("a", 1), 1);
	cr_expect_eq(utf8_printable("\x1b", 1), 0);
	cr_expect_eq(utf8_printable("\x7f", 1), 0);
	cr_expect_eq(utf8_printable("\xc3\xa4", 2), 2);
	cr_expect_eq(utf8_printable("\xc3\xa4", 1), 0);     /* cut short */
	cr_expect_eq(utf8_printable("\xc2\x9b", 2), 0);     /* C1: CSI */
	cr_expect_eq(utf8_printable("\xc0\xaf", 2), 0);     /* overlong */
	cr_expect_eq(utf8_printable("\xe0\x80\xaf", 3), 0); /* overlong */
	cr_expect_eq(utf8_printable("\xed\xa0\x80", 3), 0); /* surrogate */
	cr_expect_eq(utf8_printable("\xe2\x80\xae", 3), 0); /* right-to-left override */
	cr_expect_eq(utf8_printable("\xe2\x82\xac", 3), 3); /* euro */
	cr_expect_eq(utf8_printable("\xf0\x9f\x98\x80", 4), 4);
	cr_expect_eq(utf8_printable("\xf4\x90\x80\x80", 4), 0); /* beyond U+10FFFF */
	cr_expect_eq(utf8_printable("\xff", 1), 0);
}
