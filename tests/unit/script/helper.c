/* SPDX-License-Identifier: MIT */
#include "helper.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

struct script *compiled(const char *text)
{
	struct script *script = NULL;
	char context[1024];
	struct error error;

	cr_assert_eq(script_compile("t.kvs", text, strlen(text), &script, context, sizeof(context), &error),
		     0, "%s\n%s", error.text, context);
	return script;
}

struct kvmap_operation compiled_one(const char *text)
{
	struct script *script = compiled(text);
	struct kvmap_operation operation;

	cr_assert_geq(script->operations.count, 1);
	operation = script->operations.items[script->operations.count - 1];
	script_destroy(script);
	return operation;
}

void check_refused_bytes(const char *text, size_t length, const char *message)
{
	struct script *script = NULL;
	struct error error = { 0 };
	char expected[1100];

	snprintf(expected, sizeof(expected), "t.kvs:%s", message);
	cr_assert_eq(script_compile("t.kvs", text, length, &script, NULL, 0, &error), -1, "compiled: %s",
		     text);
	cr_expect_str_eq(error.text, expected);
	cr_expect_eq(error.kind, ERROR_INPUT);
	cr_expect_null(script);
}

void check_refused(const char *text, const char *message)
{
	check_refused_bytes(text, strlen(text), message);
}
