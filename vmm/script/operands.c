/* SPDX-License-Identifier: MIT */
#include "script/operands.h"

#include "base/array.h"
#include "base/number.h"
#include "script/operations.h"
#include "script/variables.h"

#include <string.h>

#define TOKEN_SHOWN 40

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_word_byte(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

void skip_blanks(struct compile *compile)
{
	while (compile->now.at < compile->end && is_blank(*compile->now.at))
		compile->now.at++;
}

bool at_line_end(struct compile *compile)
{
	skip_blanks(compile);
	return compile->now.at == compile->end;
}

struct word peek_word(struct compile *compile, bool dashes)
{
	struct word word;

	skip_blanks(compile);
	word = (struct word){ compile->now.at, 0 };
	while (word.at + word.length < compile->end &&
	       (is_word_byte(word.at[word.length]) || (dashes && word.at[word.length] == '-')))
		word.length++;
	return word;
}

struct word peek_token(struct compile *compile)
{
	struct word word;

	skip_blanks(compile);
	word = (struct word){ compile->now.at, 0 };
	while (word.at + word.length < compile->end && !is_blank(word.at[word.length]) &&
	       word.length < TOKEN_SHOWN)
		word.length++;
	return word;
}

bool take_keyword(struct compile *compile, const char *keyword)
{
	struct word word = peek_word(compile, true);

	if (word.length != strlen(keyword) || memcmp(word.at, keyword, word.length) != 0)
		return false;
	compile->now.at += word.length;
	return true;
}

/* Reports a missing operand at the end of the line. */
static int expect_operand(struct compile *compile, const char *what)
{
	if (!at_line_end(compile))
		return 0;
	if (compile->usage)
		return compile_error(compile, compile->end, "%s is missing; write: %s", what, compile->usage);
	return compile_error(compile, compile->end, "%s is missing", what);
}

int operand_number(struct compile *compile, const char *what, uint64_t *out)
{
	struct word word;

	if (expect_operand(compile, what) < 0)
		return -1;
	word = peek_word(compile, false);
	if (!word.length)
		word = peek_token(compile);
	switch (number_parse(word.at, word.length, out)) {
	case NUMBER_OK: compile->now.at += word.length; return 0;
	case NUMBER_TOO_LARGE:
		return compile_error(compile, word.at, "%s of more than 64 bits: '%.*s'", what,
				     (int)word.length, word.at);
	default:
		return compile_error(
			compile, word.at,
			"expected %s, got '%.*s': digits, or 0x and hexadecimal digits, optionally "
			"followed by K, M, G or T",
			what, (int)word.length, word.at);
	}
}

int operand_percent(struct compile *compile, uint64_t *out)
{
	const char *start;
	uint64_t percent;

	skip_blanks(compile);
	start = compile->now.at;
	if (operand_number(compile, "a percentage", &percent) < 0)
		return -1;
	if (compile->now.at == compile->end || *compile->now.at != '%')
		return compile_error(compile, compile->now.at, "'%%' is missing after the percentage");
	if (percent > 100)
		return compile_error(compile, start, "a percentage above 100%%");
	compile->now.at++;
	*out = percent;
	return 0;
}

/* `text`, `rodata`, a variable or a number. */
static int address_base(struct compile *compile, struct kvmap_operand *out)
{
	static const struct name bases[] = { { "text", KVMAP_BASE_TEXT },
					     { "rodata", KVMAP_BASE_RODATA },
					     { NULL, 0 } };
	struct word word = peek_word(compile, false);
	const struct name *base = name_find(bases, word.at, word.length);

	if (base) {
		compile->now.at += word.length;
		out->base = (uint16_t)base->value;
		return 0;
	}
	if (word.length && !is_digit(*word.at))
		return operand_variable(compile, out);
	return operand_number(compile, "an address", &out->value);
}

int operand_address(struct compile *compile, struct kvmap_operand *out)
{
	struct kvmap_operand operand = { 0 };
	uint64_t constant;
	const char *sign;
	bool wraps;

	if (expect_operand(compile, "an address") < 0 || address_base(compile, &operand) < 0)
		return -1;
	skip_blanks(compile);
	sign = compile->now.at;
	if (sign < compile->end && (*sign == '+' || *sign == '-')) {
		compile->now.at++;
		if (operand_number(compile, "a number", &constant) < 0)
			return -1;
		/* For a base that only the guest knows, a negative constant is in two's complement. */
		wraps = *sign == '+' ? __builtin_add_overflow(operand.value, constant, &operand.value)
				     : __builtin_sub_overflow(operand.value, constant, &operand.value);
		if (wraps && operand.base == KVMAP_BASE_NONE)
			return compile_error(compile, sign, "this address is outside of 64 bits");
	}
	*out = operand;
	return 0;
}

int operand_variable(struct compile *compile, struct kvmap_operand *out)
{
	struct word word;
	int number;

	if (expect_operand(compile, "a variable") < 0)
		return -1;
	word = peek_word(compile, false);
	if (!word.length || is_digit(*word.at)) {
		word = peek_token(compile);
		return compile_error(compile, word.at, "expected a variable, got '%.*s'", (int)word.length,
				     word.at);
	}
	number = variable_find(compile, word);
	if (number < 0)
		return variable_diagnose(compile, word);
	compile->now.at += word.length;
	*out = (struct kvmap_operand){ .base = KVMAP_BASE_VARIABLE, .variable = (uint16_t)number };
	return 0;
}

int operand_string(struct compile *compile, uint64_t *out)
{
	size_t offset = compile->script->strings.count;
	struct word token;
	const char *at;

	if (expect_operand(compile, "a text in \"quotes\"") < 0)
		return -1;
	at = compile->now.at;
	if (*at != '"') {
		token = peek_token(compile);
		return compile_error(compile, at, "expected a text in \"quotes\", got '%.*s'",
				     (int)token.length, token.at);
	}
	/* The string ends within the line: check_bytes() rejects open strings. */
	for (at++; *at != '"'; at++) {
		if (*at == '\\' && *++at != '"' && *at != '\\')
			return compile_error(compile, at - 1,
					     "after a backslash only \\\" and \\\\ are allowed");
		if (array_push(&compile->script->strings, *at) < 0)
			return compile_error_memory(compile);
	}
	if (array_push(&compile->script->strings, '\0') < 0)
		return compile_error_memory(compile);
	compile->now.at = at + 1;
	*out = offset;
	return 0;
}

int operand_choice(struct compile *compile, const struct name *table, const char *what, uint32_t *out)
{
	const struct name *row;
	char list[900]; /* what an error has room for */
	struct word word;

	if (at_line_end(compile))
		return compile_error(compile, compile->end, "%s is missing; write: %s: %s", what,
				     compile->usage, name_list(table, list, sizeof(list)));
	word = peek_word(compile, true);
	row = name_find(table, word.at, word.length);
	if (row) {
		compile->now.at += word.length;
		*out = row->value;
		return 0;
	}
	if (!word.length)
		word = peek_token(compile);
	row = name_nearest(table, word.at, word.length);
	if (row)
		return compile_error(compile, word.at, "expected %s, got '%.*s'; did you mean '%s'?", what,
				     word.length > TOKEN_SHOWN ? TOKEN_SHOWN : (int)word.length, word.at,
				     row->name);
	return compile_error(compile, word.at, "expected %s, got '%.*s': %s", what,
			     word.length > TOKEN_SHOWN ? TOKEN_SHOWN : (int)word.length, word.at,
			     name_list(table, list, sizeof(list)));
}

int operand_gfp(struct compile *compile, uint64_t *out)
{
	uint64_t flags = 0;
	uint32_t flag = 0;

	do {
		if (operand_choice(compile, gfp_names, "a flag of an allocation", &flag) < 0)
			return -1;
		flags |= flag;
		if (at_line_end(compile) || *compile->now.at != '|')
			break;
		compile->now.at++;
	} while (true);
	*out = flags;
	return 0;
}
