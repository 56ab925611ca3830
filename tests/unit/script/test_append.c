/* SPDX-License-Identifier: MIT */
/* A script that grows line by line. */
#include "helper.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static struct script *script;
static struct error error;
static char context[400];

static void prepare(void)
{
	script = script_empty("shell");
	cr_assert(script);
}

static void finish(void)
{
	script_destroy(script);
}

TestSuite(append, .init = prepare, .fini = finish);

static int append(const char *text)
{
	return script_append(script, text, strlen(text), 2, context, sizeof(context), &error);
}

static void expect_counts(size_t operations, size_t variables, const char *text)
{
	cr_expect_eq(script->operations.count, operations, "%zu operations", script->operations.count);
	cr_expect_eq(script->variables.count, variables, "%zu variables", script->variables.count);
	cr_expect_str_eq(script->text, text);
}

Test(append, lines_follow_the_ones_before_them)
{
	char line[80];

	cr_assert_eq(append("a = vmalloc 4K\n"), 0);
	cr_assert_eq(append("# nothing\n"), 0);
	cr_assert_eq(append("vfree a"), 0);
	expect_counts(2, 1, "a = vmalloc 4K\n# nothing\nvfree a\n");
	cr_expect_eq(script->operations.items[0].line, 1);
	cr_expect_eq(script->operations.items[1].line, 3);
	cr_expect_eq(script->operations.items[1].operand[0].variable, 0);
	cr_expect_str_eq(script_line(script, 3, line, sizeof(line)), "vfree a");
}

Test(append, a_script_whose_last_line_has_no_end_gets_one)
{
	script_destroy(script);
	script = compiled("cpus 2\na = vmalloc 4K");
	cr_assert_eq(append("vfree a\n"), 0);
	expect_counts(2, 1, "cpus 2\na = vmalloc 4K\nvfree a\n");
	cr_expect_eq(script->operations.items[1].line, 3);
}

Test(append, an_error_names_the_line_and_leaves_the_script_as_it_was)
{
	cr_assert_eq(append("a = vmalloc 4K\n"), 0);
	cr_assert_eq(append("b = vmalloc 4K\nprint \"x\"\nvfree c\n"), -1);
	cr_expect_eq(error.kind, ERROR_INPUT);
	cr_expect(strstr(error.text, "shell:4:7: unknown variable 'c'"), "%s", error.text);
	cr_expect_str_eq(context, "  vfree c\n        ^");
	expect_counts(1, 1, "a = vmalloc 4K\n");
	cr_expect_eq(script->strings.count, 0);
	cr_assert_eq(append("vfree a\n"), 0);
	cr_expect_eq(script->operations.items[1].line, 2);
}

Test(append, a_block_without_its_end_is_open_until_its_end_comes)
{
	struct script_mark mark = script_mark(script);
	uint64_t seeds[2];

	cr_expect_eq(append("repeat 2\n"), SCRIPT_OPEN);
	cr_expect_eq(append("parallel\n"), SCRIPT_OPEN);
	cr_expect_eq(append("on cpu 1 a = vmalloc 4K\n"), SCRIPT_OPEN);
	cr_expect_eq(append("end\nfill a"), SCRIPT_OPEN);
	cr_expect_eq(append("end\n"), 0);
	cr_assert_eq(script->operations.count, 6);
	cr_expect_eq(script->operations.items[3].operand[0].value, 1);
	seeds[0] = script->operations.items[2].operand[1].value;
	seeds[1] = script->operations.items[5].operand[1].value;
	cr_expect_eq(seeds[0], 3);
	cr_expect_eq(seeds[1], 6);
	cr_expect_eq(append("repeat 2\npurge\n"), SCRIPT_OPEN);
	script_rewind(script, &mark);
	expect_counts(0, 0, "");
	cr_expect_eq(append("end\n"), -1);
}

Test(append, an_error_in_a_block_drops_its_line_only)
{
	static const char *const wrong[] = { "vfree b\n", "end now\n", "b = vmalloc 4K\nend\nend\nend\n",
					     "end\nrepeat 3\nvfree b\n" };

	cr_expect_eq(append("repeat 2\nparallel\non cpu 1 a = vmalloc 4K\n"), SCRIPT_OPEN);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		cr_expect_eq(append(wrong[i]), -1, "%s", wrong[i]);
		expect_counts(2, 1, "repeat 2\nparallel\non cpu 1 a = vmalloc 4K\n");
	}
	cr_expect_eq(append("end\n"), SCRIPT_OPEN);
	cr_expect_eq(append("end\n"), 0);
	cr_expect_eq(script->operations.count, 4);
}

Test(append, the_line_of_a_count_that_is_too_large_is_blamed_at_the_end)
{
	cr_expect_eq(append("# nothing\nrepeat 2\nrepeat 900000\n"), SCRIPT_OPEN);
	cr_expect_eq(append("purge\npurge\n"), SCRIPT_OPEN);
	cr_expect_eq(append("end\n"), -1);
	cr_expect(strstr(error.text, "shell:3:8: this repeat makes more than"), "%s", error.text);
	cr_expect_str_eq(context, "  repeat 900000\n         ^");
	cr_expect_eq(error.address, strlen("# nothing\nrepeat 2\nrepeat "));
	cr_expect_eq(script->block_count, 2);
}

Test(append, lines_are_found_where_they_are_however_many_there_are)
{
	char line[80], text[80];

	for (unsigned int i = 1; i <= 3000; i++) {
		snprintf(text, sizeof(text), i % 7 ? "v%u = vmalloc 4K" : "  # %u", i % 100);
		cr_assert_eq(append(text), 0);
	}
	for (unsigned int i = 1; i <= 3000; i++) {
		snprintf(text, sizeof(text), "v%u = vmalloc 4K", i % 100);
		cr_assert_str_eq(script_line(script, i, line, sizeof(line)), i % 7 ? text : "");
	}
	cr_expect_str_eq(script_line(script, 0, line, sizeof(line)), "");
	cr_expect_str_eq(script_line(script, 3001, line, sizeof(line)), "");
	cr_expect_eq(append("on cpu 2 purge\n"), -1);
	cr_expect(strstr(error.text, "shell:3001:8: the guest has 2 CPUs"), "%s", error.text);
}

/* These would last for minutes if each line read those above it. */
#define MANY_LINES 30000

Test(append, a_long_session_costs_what_its_lines_cost)
{
	char comment[900], line[80];

	memset(comment, '-', sizeof(comment));
	comment[0] = '#';
	for (uint32_t i = 1; i < MANY_LINES; i += 2) {
		cr_assert_eq(script_append(script, comment, sizeof(comment), 1, NULL, 0, &error), 0);
		cr_assert_eq(append("purge"), 0);
		cr_assert_eq(script->operations.items[i / 2].line, i + 1);
		cr_assert_str_eq(script_line(script, i + 1, line, sizeof(line)), "purge");
	}
	cr_expect_eq(script->length, MANY_LINES / 2 * (sizeof(comment) + 1 + strlen("purge\n")));
}

Test(append, a_long_block_costs_what_its_lines_cost)
{
	cr_assert_eq(append("repeat 2"), SCRIPT_OPEN);
	for (size_t i = 0; i < MANY_LINES; i++)
		cr_assert_eq(append("purge"), SCRIPT_OPEN);
	cr_assert_eq(append("end"), 0);
	cr_expect_eq(script->operations.count, 2 * MANY_LINES);
}

Test(append, an_end_without_a_block_is_an_error)
{
	cr_assert_eq(append("repeat 2\na = vmalloc 4K\nend\n"), 0);
	cr_expect_eq(append("end\n"), -1);
	cr_expect(strstr(error.text, "shell:4:1: end without a repeat"), "%s", error.text);
}

Test(append, the_head_is_settled)
{
	cr_expect_eq(append("cpus 4\n"), -1);
	cr_expect(strstr(error.text, "'cpus' is settled before the guest boots"), "%s", error.text);
	cr_expect_eq(script->head.cpus, 0);
	/* A variable may have that name. */
	cr_expect_eq(append("cpus = vmalloc 4K\n"), 0);
}

Test(append, a_cpu_that_the_guest_does_not_have_is_an_error)
{
	cr_assert_eq(append("on cpu 1 a = vmalloc 4K\n"), 0);
	cr_expect_eq(append("on cpu 2 vfree a\n"), -1);
	cr_expect(strstr(error.text, "shell:2:8: the guest has 2 CPUs, there is no CPU 2"), "%s", error.text);
	expect_counts(1, 1, "on cpu 1 a = vmalloc 4K\n");
}

Test(append, a_fill_has_a_seed_of_its_own)
{
	cr_assert_eq(append("a = vmalloc 4K\nfill a\n"), 0);
	cr_assert_eq(append("fill a\n"), 0);
	cr_expect_eq(script->operations.items[1].operand[1].value, 2);
	cr_expect_eq(script->operations.items[2].operand[1].value, 3);
	cr_expect_eq(script->operations.items[2].operand[1].unused, 0);
}

Test(append, a_nul_byte_is_an_error)
{
	cr_expect_eq(script_append(script, "purge\0\n", 7, 2, context, sizeof(context), &error), -1);
	expect_counts(0, 0, "");
}

Test(append, a_mark_brings_the_script_back)
{
	struct script_mark mark;

	cr_assert_eq(append("a = vmalloc 4K\n"), 0);
	mark = script_mark(script);
	cr_assert_eq(append("b = vmalloc 4K\nprint \"x\" b\n"), 0);
	script_rewind(script, &mark);
	expect_counts(1, 1, "a = vmalloc 4K\n");
	cr_expect_eq(script->strings.count, 0);
	cr_expect_eq(append("vfree b\n"), -1);
}

Test(append, every_operation_is_listed_once_and_has_help)
{
	char usage[160];
	const char *name;
	size_t count = 0;

	for (; (name = operation_listed(count)); count++) {
		const char *help = operation_help(name, usage, sizeof(usage));

		cr_expect(help && *help, "%s", name);
		cr_expect(strstr(usage, name), "%s", usage);
	}
	cr_expect_gt(count, 40);
	cr_expect_null(operation_help("touch", usage, sizeof(usage)));
	cr_expect_null(operation_help("vmallok", usage, sizeof(usage)));
}
