/* SPDX-License-Identifier: MIT */
/* The steps of expressions, and the offsets of errors in wrong ones. */
#include "program/expression.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct expression expression;

/* The steps as text: "everything .bits [3] & (struct node**)". */
static const char *steps(const char *text)
{
	static char out[2048];
	static const char *const tags[] = { "", "struct ", "union ", "enum " };
	struct error error;
	size_t used = 0;

	out[0] = '\0';
	cr_assert_eq(expression_parse(text, &expression, &error), 0, "%s: %s", text, error.text);
	for (size_t i = 0; i < expression.count; i++) {
		const struct expression_step *step = &expression.steps[i];
		char *to = out + used;
		size_t size = sizeof(out) - used;

		if (i)
			*to++ = ' ', size--, used++;
		switch (step->kind) {
		case STEP_SYMBOL:
			used += (size_t)snprintf(to, size, "%s%s%s", step->file, *step->file ? ":" : "",
						 step->name);
			break;
		case STEP_NUMBER: used += (size_t)snprintf(to, size, "0x%lx", step->first); break;
		case STEP_MEMBER: used += (size_t)snprintf(to, size, ".%s", step->name); break;
		case STEP_ARROW: used += (size_t)snprintf(to, size, "->%s", step->name); break;
		case STEP_INDEX: used += (size_t)snprintf(to, size, "[%lu]", step->first); break;
		case STEP_SLICE:
			used += (size_t)snprintf(to, size, "[%lu..%lu]", step->first, step->last);
			break;
		case STEP_DEREFERENCE: used += (size_t)snprintf(to, size, "*"); break;
		case STEP_ADDRESS_OF: used += (size_t)snprintf(to, size, "&"); break;
		case STEP_CAST:
			used += (size_t)snprintf(to, size, "(%s%s%.*s)", tags[step->tag], step->name,
						 (int)step->pointers, "********");
			break;
		}
	}
	return out;
}

static void expect_wrong(const char *text, size_t at, const char *what)
{
	struct error error = { 0 };

	cr_assert_eq(expression_parse(text, &expression, &error), -1, "`%s` is accepted", text);
	cr_expect_eq(error.kind, ERROR_INPUT);
	cr_expect_eq(error.address, at, "`%s`: at %lu: %s", text, error.address, error.text);
	cr_expect(strstr(error.text, what), "`%s`: \"%s\" does not say \"%s\"", text, error.text, what);
}

Test(expression, what_stands_behind_binds_before_what_stands_in_front)
{
	cr_expect_str_eq(steps("zones"), "zones");
	cr_expect_str_eq(steps("zones[1].free_area[2].first"), "zones [1] .free_area [2] .first");
	cr_expect_str_eq(steps("*a->b[3]"), "a ->b [3] *");
	cr_expect_str_eq(steps("(*a)->b"), "a * ->b");
	cr_expect_str_eq(steps("&*a.b"), "a .b * &");
	cr_expect_str_eq(steps("((a).b)[0x10]"), "a .b [16]");
	cr_expect_str_eq(steps(" * & a [ 1 ] . b "), "a [1] .b & *");
}

Test(expression, casts_are_told_from_parentheses)
{
	cr_expect_str_eq(steps("(struct page *)0xffff888000000000"), "0xffff888000000000 (struct page*)");
	cr_expect_str_eq(steps("*(u64 *)0x1000"), "0x1000 (u64*) *");
	cr_expect_str_eq(steps("((struct a *)b)->c"), "b (struct a*) ->c");
	cr_expect_str_eq(steps("(struct a *)b->c"), "b ->c (struct a*)");
	cr_expect_str_eq(steps("(u64)x"), "x (u64)");
	cr_expect_str_eq(steps("(unsigned long int)x"), "x (unsigned long int)");
	cr_expect_str_eq(steps("(enum colour)(a)"), "a (enum colour)");
	cr_expect_str_eq(steps("(char **)(&a)"), "a & (char**)");
	cr_expect_str_eq(steps("(a)"), "a");
	cr_expect_str_eq(steps("(a)[1]"), "a [1]");
	cr_expect_str_eq(steps("(a)->b"), "a ->b");
}

Test(expression, slices_and_names_of_files)
{
	cr_expect_str_eq(steps("cpus[0..3].state"), "cpus [0..3] .state");
	cr_expect_eq(expression.slice, 1);
	cr_expect_str_eq(steps("'mm/slab.c'::again"), "mm/slab.c:again");
	cr_expect_eq(expression.slice, expression.count);
}

Test(expression, what_is_wrong_is_pointed_at)
{
	expect_wrong("", 0, "a name or an address is expected, but it ends");
	expect_wrong("a.", 2, "a name is expected, but it ends");
	expect_wrong("a.1", 2, "a name is expected, but there is `1`");
	expect_wrong("a b", 2, "`.`, `->`, `[` or the end is expected, but there is `b`");
	expect_wrong("a[", 2, "a number is expected");
	expect_wrong("a[b]", 2, "a number is expected");
	expect_wrong("a[1", 3, "`]` is expected");
	expect_wrong("a[3..1]", 1, "ends before it begins");
	expect_wrong("a[0..1][0..1]", 7, "one slice at a time");
	expect_wrong("a[0x]", 2, "not a number");
	expect_wrong("a[0x10000000000000000]", 2, "more than 64 bits");
	expect_wrong("(a", 2, "`)` is expected");
	expect_wrong("(struct a", 9, "`)` after the type");
	expect_wrong("(struct)a", 7, "`)` after the type");
	expect_wrong("a + 1", 2, "there is `+ 1`");
	expect_wrong("'a.c'x", 5, "`::` is expected");
	expect_wrong("'a.c", 0, "a file's name between ' and '");
	expect_wrong("\033[31m", 0, "there is `\\x1b[31m`");
}

/* `what` repeated, then "a". */
static char *repeated(const char *what, size_t times)
{
	char *text = calloc(1, strlen(what) * times + 2);

	for (size_t i = 0; i < times; i++)
		strcat(text, what);
	return strcat(text, "a");
}

Test(expression, what_is_long_or_deep_ends)
{
	char *parentheses = repeated("(", 10000), *stars = repeated("*", 10000),
	     *ampersands = repeated("(&", 30);
	char *name = repeated("a", 200), *members = repeated("a.", 100);

	expect_wrong(parentheses, 17, "too many parentheses");
	expect_wrong(stars, 16, "too many operators");
	expect_wrong(ampersands, 33, "too many parentheses");
	expect_wrong(name, 0, "the name is too long");
	expect_wrong(members, 127, "the expression is too long");
	free(parentheses);
	free(stars);
	free(ampersands);
	free(name);
	free(members);
}
