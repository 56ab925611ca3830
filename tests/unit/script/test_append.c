/* SPDX-License-Identifier: MIT */
/* A script that grows line by line. */
#include "helper.h"

#include <criterion/criterion.h>
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

Test(append, a_block_without_its_end_is_open_and_changes_nothing)
{
	static const char *const open[] = {
		"repeat 2\n",
		"parallel\non cpu 1 a = vmalloc 4K\n",
		"repeat 2\nparallel\non cpu 1 a = vmalloc 4K\nend\n",
	};

	for (size_t i = 0; i < sizeof(open) / sizeof(open[0]); i++) {
		cr_expect_eq(append(open[i]), SCRIPT_OPEN, "%s", open[i]);
		expect_counts(0, 0, "");
	}
	cr_assert_eq(append("repeat 2\nparallel\non cpu 1 a = vmalloc 4K\nend\nend\n"), 0);
	cr_expect_eq(script->operations.count, 4);
	cr_expect_eq(script->operations.items[2].operand[0].value, 1);
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
