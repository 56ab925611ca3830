/* SPDX-License-Identifier: MIT */
#include "shell/plain_lines.h"

#include "base/signals.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static struct plain_lines lines;
static int writer;

static void prepare(void)
{
	int ends[2];

	cr_assert_eq(pipe(ends), 0);
	lines = (struct plain_lines){ .fd = ends[0] };
	writer = ends[1];
}

static void finish(void)
{
	plain_lines_destroy(&lines);
	close(lines.fd);
}

TestSuite(plain_lines, .init = prepare, .fini = finish);

static void put(const char *text)
{
	cr_assert_eq(write(writer, text, strlen(text)), (ssize_t)strlen(text));
}

static void expect_line(const char *wanted)
{
	const char *line = NULL;

	cr_assert_eq(plain_line(&lines, &line), INPUT_READ);
	cr_expect_str_eq(line, wanted);
}

Test(plain_lines, come_one_by_one_and_the_last_one_may_lack_its_newline)
{
	const char *line;

	put("one\n\nof another system\r\ntwo words\nlast");
	close(writer);
	expect_line("one");
	expect_line("");
	expect_line("of another system");
	expect_line("two words");
	expect_line("last");
	cr_expect_eq(plain_line(&lines, &line), INPUT_END);
	cr_expect_eq(plain_line(&lines, &line), INPUT_END);
}

Test(plain_lines, may_begin_with_a_byte_order_mark)
{
	put("\xef\xbb\xbf"
	    "first\n\xef\xbb\xbf"
	    "second\n");
	expect_line("first");
	expect_line("\xef\xbb\xbf"
		    "second");
}

Test(plain_lines, with_a_nul_byte_are_none)
{
	const char *line;

	cr_assert_eq(write(writer, "walk\0a\npurge\n", 13), 13);
	cr_expect_eq(plain_line(&lines, &line), INPUT_BINARY);
	expect_line("purge");
}

Test(plain_lines, may_be_longer_than_what_is_read_at_once)
{
	char wanted[10001];

	memset(wanted, 'x', 10000);
	wanted[10000] = '\0';
	put(wanted);
	put("\nnext\n");
	expect_line(wanted);
	expect_line("next");
}

static void ignore(const char *name)
{
	(void)name;
}

Test(plain_lines, are_interrupted_by_a_signal_that_came_before_or_comes)
{
	const char *line;

	signals_begin(ignore);
	signals_defer(NULL, NULL);
	raise(SIGINT);
	cr_expect_eq(plain_line(&lines, &line), INPUT_INTERRUPTED);
	signals_forget();
	put("a line\n");
	expect_line("a line");
	raise(SIGTERM);
	cr_expect_eq(plain_line(&lines, &line), INPUT_INTERRUPTED);
	cr_expect_eq(signals_received(), SIGTERM);
	signals_forget();
	close(writer);
	cr_expect_eq(plain_line(&lines, &line), INPUT_END);
}

Test(plain_lines, that_cannot_be_read_are_a_failure)
{
	const char *line;
	int good = lines.fd;

	lines.fd = open("/", O_RDONLY | O_DIRECTORY);
	cr_expect_eq(plain_line(&lines, &line), INPUT_FAILED);
	close(lines.fd);
	lines.fd = good;
	close(writer);
}
