/* SPDX-License-Identifier: MIT */
#include "lab/lab.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char report[] =
	"{\"type\":\"area\",\"variable\":\"v\",\"address\":\"0xffffc90000011000\",\"frames\":[{\"pages\":3},{\"pages\":4}]}\n"
	"{\"type\":\"area\",\"variable\":\"w\",\"address\":\"0xffffc90000010000\",\"frames\":[]}\n"
	"{\"type\":\"buddyinfo\",\"free\":[5,6,7]}\n";

/* The result of a check of the report; -1: it is no check. */
static int result_of(const char *check)
{
	struct lab_lines lines = { 0 };
	struct lab_checked checked = { 0 };
	struct error error;
	int result;

	cr_assert_eq(lab_lines_add(&lines, 1, report, strlen(report), &error), 0);
	result = lab_check(&lines, check, &checked, &error);
	lab_lines_destroy(&lines);
	return result < 0 ? -1 : (int)checked.result;
}

Test(lab, a_selection_goes_through_arrays)
{
	cr_expect_eq(result_of("runs: count area[variable=v].frames.pages == 2"), LAB_TRUE);
	cr_expect_eq(result_of("pages: sum area[variable=v].frames.pages == 7"), LAB_TRUE);
	cr_expect_eq(result_of("most: max area.frames.pages == 4"), LAB_TRUE);
	cr_expect_eq(result_of("first: area[variable=v].frames.pages == 3"), LAB_TRUE);
	cr_expect_eq(result_of("last: last area[variable=v].frames.pages == 3"), LAB_FALSE);
	cr_expect_eq(result_of("an item: buddyinfo.free.2 == 7"), LAB_TRUE);
}

Test(lab, an_address_has_all_of_its_bits)
{
	cr_expect_eq(result_of("distance: area[variable=v].address - area[variable=w].address == 4K"),
		     LAB_TRUE);
	cr_expect_eq(result_of("equal: area[variable=v].address == 0xffffc90000011001"), LAB_FALSE);
}

Test(lab, products_bind_closer_than_sums)
{
	cr_expect_eq(result_of("value: 2 + 3 * 4 == 14"), LAB_TRUE);
	cr_expect_eq(result_of("value: 10 - 2 - 3 == 5"), LAB_TRUE);
}

Test(lab, what_no_report_has_is_not_seen)
{
	cr_expect_eq(result_of("no such line: object.size == 0"), LAB_NOT_SEEN);
	cr_expect_eq(result_of("no such member: area.colour != 1"), LAB_NOT_SEEN);
	cr_expect_eq(result_of("none of them: sum area[variable=w].frames.pages == 0"), LAB_NOT_SEEN);
	cr_expect_eq(result_of("by zero: 1 / 0 > 1"), LAB_NOT_SEEN);
	cr_expect_eq(result_of("a text and a number: area.variable == 1"), LAB_NOT_SEEN);
	cr_expect_eq(result_of("order of texts: area.variable < 'w'"), LAB_NOT_SEEN);
	cr_expect_eq(result_of("a count is always known: count object == 0"), LAB_TRUE);
}

Test(lab, what_is_no_check_is_an_error)
{
	static const char *const wrong[] = {
		"no colon",        "none: ",         "half: 1 ==", "more: 1 == 1 1", "open: area[a=b == 1",
		"text: 'a == 'a'", "other: area = 1"
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		cr_expect_eq(result_of(wrong[i]), -1, "%s", wrong[i]);
}

Test(lab, a_line_that_is_no_object_is_an_error)
{
	static const char *const wrong[] = { "[1]\n", "{\"a\":1\n", "text\n", "1\n" };
	struct lab_lines lines = { 0 };
	struct error error;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		cr_expect_eq(lab_lines_add(&lines, 1, wrong[i], strlen(wrong[i]), &error), -1, "%s",
			     wrong[i]);
	lab_lines_destroy(&lines);
}

/* Loads a page of that text. */
static int load(const char *text, struct lab *lab, struct error *error)
{
	char path[] = "/tmp/kvmap-lab-XXXXXX";
	int fd = mkstemp(path), result;

	cr_assert(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
	result = lab_load(path, lab, error);
	unlink(path);
	return result;
}

Test(lab, a_page_is_its_parts)
{
	struct lab lab;
	struct error error;

	cr_assert_eq(
		load("# A\n\n> Claim: b\n> c\n>\n> Found: d\n\n```kvs --cpus 2\nx\n```\n## Exercise\ntext\n",
		     &lab, &error),
		0);
	cr_expect_str_eq(lab.title, "A");
	cr_expect_str_eq(lab.claim, "b c");
	cr_expect_str_eq(lab.found, "d");
	cr_expect_eq(lab.parts.items[lab.parts.count - 1].in_exercise, true);
	for (size_t i = 0; i < lab.parts.count; i++)
		if (lab.parts.items[i].kind == LAB_RUN) {
			cr_expect_str_eq(lab.parts.items[i].words, "--cpus 2");
			cr_expect_str_eq(lab.parts.items[i].body, "x\n");
		}
	lab_destroy(&lab);
}

Test(lab, a_page_that_is_wrong_is_an_error_with_its_line)
{
	struct lab lab;
	struct error error;

	cr_assert_eq(load("# A\n```kvs\nx\n", &lab, &error), -1);
	cr_expect(strstr(error.text, ":2: the block has no end"), "%s", error.text);
	cr_assert_eq(load("# A\n```other\n```\n", &lab, &error), -1);
	cr_expect(strstr(error.text, ":2: a lab has no block of the kind `other`"), "%s", error.text);
	cr_assert_eq(load("# A\n", &lab, &error), -1);
}
