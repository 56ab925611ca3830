/* SPDX-License-Identifier: MIT */
#include "shell/complete.h"

#include <criterion/criterion.h>
#include <string.h>

static const char *const own[] = { "help", "restart", "verify", NULL };
static const char *const commands[] = { "map", "walk", NULL };
static struct completion found;
static char rest[COMPLETE_WORD_MAX + 2];

/* With the variables `area` and `big`. */
static void complete(const char *text)
{
	static const char lines[] = "area = vmalloc 4K\nbig = vmalloc 4K\n";
	struct script *script;
	struct error error;

	cr_assert_eq(script_compile("t.kvs", lines, strlen(lines), &script, NULL, 0, &error), 0);
	complete_line(&(struct complete_words){ own, commands, script }, text, &found);
	completion_rest(&found, rest, sizeof(rest));
	script_destroy(script);
}

static bool has(const char *word)
{
	for (size_t i = 0; i < found.count; i++)
		if (!strcmp(found.items[i], word))
			return true;
	return false;
}

static void expect_only(const char *text, const char *word, const char *wanted_rest)
{
	complete(text);
	cr_expect_eq(found.count, 1, "%s: %zu", text, found.count);
	cr_expect(has(word), "%s", text);
	cr_expect_str_eq(rest, wanted_rest);
}

Test(complete, the_first_word_is_anything)
{
	complete("");
	cr_expect(has("vmalloc") && has("restart") && has("map") && has("area") && has("parallel"));
	cr_expect_str_eq(rest, "");
	expect_only("rest", "restart", "art ");
	expect_only("  wal", "walk", "k ");
	expect_only("bi", "big", "g ");
	complete("xyz");
	cr_expect_eq(found.count, 0);
	cr_expect_str_eq(rest, "");
}

Test(complete, words_in_common_are_taken_as_far_as_they_go)
{
	complete("a = vmalloc_");
	cr_expect_gt(found.count, 1);
	cr_expect(has("vmalloc_huge") && has("vmalloc_array"));
	cr_expect_str_eq(rest, "");
	complete("a = vmallo");
	cr_expect_str_eq(rest, "c");
}

Test(complete, after_a_prefix_comes_an_operation)
{
	static const char *const prefixes[] = {
		"a = vmalloc_h",          "a=vmalloc_h",        "expect refused vmalloc_h",
		"in interrupt vmalloc_h", "on cpu 1 vmalloc_h", "on cpu 12 in interrupt a = vmalloc_h"
	};

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		expect_only(prefixes[i], "vmalloc_huge", "uge ");
	complete("a = m");
	cr_expect_not(has("map"), "a command has no result");
}

Test(complete, after_an_operation_come_variables_and_flags)
{
	complete("vfree ");
	cr_expect_eq(found.count, 2);
	cr_expect(has("area") && has("big"));
	expect_only("walk ar", "area", "ea ");
	expect_only("a = kmalloc 64 GFP_AT", "GFP_ATOMIC", "OMIC ");
}

Test(complete, choices_of_some_words)
{
	expect_only("proc me", "meminfo", "minfo ");
	expect_only("verify o", "off", "ff ");
	expect_only("expect f", "fault", "ault ");
	expect_only("expect fault gu", "guard", "ard ");
	expect_only("show meminf", "meminfo", "o ");
	expect_only("expect refused crash ha", "hang", "ng ");
	expect_only("bug guard-m", "guard-mapped", "apped ");
	expect_only("help vmalloc_h", "vmalloc_huge", "uge ");
	expect_only("help wa", "walk", "lk ");
	expect_only("on ", "cpu", "cpu ");
	expect_only("on cpu 1 in ", "interrupt", "interrupt ");
	expect_only("in int", "interrupt", "errupt ");
	for (size_t i = 0; i < 2; i++) {
		complete(i ? "repeat " : "on cpu ");
		cr_expect_eq(found.count, 0, "a number");
	}
}

Test(complete, without_a_guest_there_are_only_commands)
{
	complete_line(&(struct complete_words){ own, commands, NULL }, "", &found);
	cr_expect_eq(found.count, 5);
	cr_expect(has("map") && has("help"));
}
