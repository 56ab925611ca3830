/* SPDX-License-Identifier: MIT */
/*
 * expression.c: a recursive-descent parser. Precedence is C's: postfix operators bind before prefix
 * operators.
 */
#include "program/expression.h"
#include "base/escape.h"
#include "base/number.h"
#include "program/symbols.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define NESTING_MAX 16 /* of parentheses */
#define PREFIX_MAX  16 /* prefix operators of one operand */

struct parser {
	const char *text;
	size_t at;
	struct expression *out;
	struct error *error;
};

static int fail_at(struct parser *parser, size_t at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
static int fail_at(struct parser *parser, size_t at, const char *format, ...)
{
	char what[300];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(what, sizeof(what), format, arguments);
	va_end(arguments);
	return error_set(parser->error, ERROR_INPUT, 0, at, "%s", what);
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Skips blanks; returns the next character. */
static char next_char(struct parser *parser)
{
	while (parser->text[parser->at] == ' ' || parser->text[parser->at] == '\t')
		parser->at++;
	return parser->text[parser->at];
}

static bool accept(struct parser *parser, const char *token)
{
	size_t length = strlen(token);

	next_char(parser);
	if (strncmp(parser->text + parser->at, token, length) != 0)
		return false;
	parser->at += length;
	return true;
}

/* The text at the parser, for a message. */
static const char *found(struct parser *parser, char *out, size_t size)
{
	char escaped[32];

	if (!next_char(parser))
		return "it ends";
	snprintf(out, size, "there is `%s`",
		 text_escape(parser->text + parser->at, strnlen(parser->text + parser->at, 12), escaped,
			     sizeof(escaped)));
	return out;
}

static int expected(struct parser *parser, const char *what)
{
	char there[64];
	const char *is = found(parser, there, sizeof(there));

	return fail_at(parser, parser->at, "%s is expected, but %s", what, is);
}

static int add(struct parser *parser, const struct expression_step *step)
{
	struct expression *out = parser->out;

	if (out->count == EXPRESSION_STEPS_MAX)
		return fail_at(parser, step->at, "the expression is too long");
	out->steps[out->count++] = *step;
	return 0;
}

static int name(struct parser *parser, char *out)
{
	size_t start, length = 0;

	if (!is_letter(next_char(parser)))
		return expected(parser, "a name");
	start = parser->at;
	while (is_letter(parser->text[start + length]) || is_digit(parser->text[start + length]))
		length++;
	if (length >= EXPRESSION_NAME_MAX)
		return fail_at(parser, start, "the name is too long");
	memcpy(out, parser->text + start, length);
	out[length] = '\0';
	parser->at += length;
	return 0;
}

static int number(struct parser *parser, uint64_t *out)
{
	size_t start, length = 0;

	if (!is_digit(next_char(parser)))
		return expected(parser, "a number");
	start = parser->at;
	while (is_letter(parser->text[start + length]) || is_digit(parser->text[start + length]))
		length++;
	switch (number_parse(parser->text + start, length, out)) {
	case NUMBER_OK: parser->at += length; return 0;
	case NUMBER_TOO_LARGE: return fail_at(parser, start, "the number has more than 64 bits");
	default: return fail_at(parser, start, "this is not a number");
	}
}

/* ---- casts ---- */

static bool is_base_word(const char *word)
{
	static const char *const words[] = { "unsigned", "signed", "long", "short", "int", "char", "_Bool" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!strcmp(word, words[i]))
			return true;
	return false;
}

static bool is_operand_start(char c)
{
	return is_letter(c) || is_digit(c) || c == '(' || c == '*' || c == '&' || c == '\'';
}

/* "struct page", "unsigned long", "u64" */
static int type_name(struct parser *parser, struct expression_step *cast)
{
	static const struct {
		const char *word;
		enum expression_tag tag;
	} tags[] = { { "struct", TAG_STRUCT }, { "union", TAG_UNION }, { "enum", TAG_ENUM } };
	char word[EXPRESSION_NAME_MAX];
	size_t used;

	if (name(parser, cast->name) < 0)
		return -1;
	for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
		if (strcmp(cast->name, tags[i].word) != 0)
			continue;
		cast->tag = tags[i].tag;
		return name(parser, cast->name);
	}
	if (!is_base_word(cast->name))
		return 0;
	while (is_letter(next_char(parser))) {
		if (name(parser, word) < 0)
			return -1;
		used = strlen(cast->name);
		if (used + 1 + strlen(word) >= sizeof(cast->name) || !is_base_word(word))
			return fail_at(parser, cast->at + 1, "this is not a type");
		cast->name[used] = ' ';
		memcpy(cast->name + used + 1, word, strlen(word) + 1);
	}
	return 0;
}

/*
 * Parses "(struct page *)" before an operand. 1: a cast; 0: a parenthesised operand, nothing is consumed; -1:
 * an error.
 */
static int cast(struct parser *parser, struct expression_step *out)
{
	size_t start = parser->at;
	struct error *error = parser->error, ignored;
	bool is_cast = false;

	*out = (struct expression_step){ .kind = STEP_CAST, .at = start };
	if (!accept(parser, "(") || !is_letter(next_char(parser))) {
		parser->at = start;
		return 0;
	}
	parser->error = &ignored;
	if (type_name(parser, out) == 0) {
		while (accept(parser, "*"))
			out->pointers++;
		is_cast = accept(parser, ")") && (out->tag || out->pointers || is_base_word(out->name) ||
						  is_operand_start(next_char(parser)));
	}
	parser->error = error;
	if (!is_cast && out->tag)
		return expected(parser, "`)` after the type");
	if (!is_cast)
		parser->at = start;
	return is_cast;
}

/* ---- operands ---- */

static int unary(struct parser *parser, unsigned int depth);

/* 'file.c'::name */
static int qualified(struct parser *parser, struct expression_step *step)
{
	const char *start = parser->text + parser->at + 1, *end = strchr(start, '\'');
	size_t length = end ? (size_t)(end - start) : 0;

	if (!end || !length || length >= sizeof(step->file))
		return fail_at(parser, parser->at, "a file's name between ' and ' is expected");
	memcpy(step->file, start, length);
	parser->at += length + 2;
	return accept(parser, "::") ? name(parser, step->name) : expected(parser, "`::`");
}

static int primary(struct parser *parser, unsigned int depth)
{
	char first = next_char(parser);
	struct expression_step step = { .kind = STEP_SYMBOL, .at = parser->at };

	if (accept(parser, "(")) {
		if (unary(parser, depth + 1) < 0)
			return -1;
		return accept(parser, ")") ? 0 : expected(parser, "`)`");
	}
	if (is_digit(first)) {
		step.kind = STEP_NUMBER;
		if (number(parser, &step.first) < 0)
			return -1;
	} else if (first == '\'') {
		if (qualified(parser, &step) < 0)
			return -1;
	} else if (is_letter(first)) {
		if (name(parser, step.name) < 0)
			return -1;
	} else {
		return expected(parser, "a name or an address");
	}
	return add(parser, &step);
}

static int subscript(struct parser *parser, struct expression_step *step)
{
	step->kind = STEP_INDEX;
	if (number(parser, &step->first) < 0)
		return -1;
	if (accept(parser, "..")) {
		step->kind = STEP_SLICE;
		if (number(parser, &step->last) < 0)
			return -1;
		if (step->last < step->first)
			return fail_at(parser, step->at, "the slice ends before it begins");
		if (parser->out->slice != EXPRESSION_STEPS_MAX)
			return fail_at(parser, step->at, "one slice at a time");
		parser->out->slice = parser->out->count;
	}
	return accept(parser, "]") ? 0 : expected(parser, "`]`");
}

static int postfix(struct parser *parser, unsigned int depth)
{
	if (primary(parser, depth) < 0)
		return -1;
	for (;;) {
		struct expression_step step = { .kind = STEP_MEMBER };
		int result;

		next_char(parser);
		step.at = parser->at;
		if (accept(parser, "[")) {
			result = subscript(parser, &step);
		} else if (accept(parser, "->")) {
			step.kind = STEP_ARROW;
			result = name(parser, step.name);
		} else if (accept(parser, ".")) {
			result = name(parser, step.name);
		} else {
			return 0;
		}
		if (result < 0 || add(parser, &step) < 0)
			return -1;
	}
}

/* Prefix operators; they become steps after those of the operand, the innermost first. */
static int unary(struct parser *parser, unsigned int depth)
{
	struct expression_step prefix[PREFIX_MAX];
	size_t count = 0;

	if (depth > NESTING_MAX)
		return fail_at(parser, parser->at, "too many parentheses");
	for (;; count++) {
		struct expression_step step = { .kind = STEP_DEREFERENCE };
		int result = 1;

		next_char(parser);
		step.at = parser->at;
		if (accept(parser, "&"))
			step.kind = STEP_ADDRESS_OF;
		else if (!accept(parser, "*"))
			result = cast(parser, &step);
		if (result < 0)
			return -1;
		if (!result)
			break;
		if (count == PREFIX_MAX)
			return fail_at(parser, step.at, "too many operators");
		prefix[count] = step;
	}
	if (postfix(parser, depth) < 0)
		return -1;
	while (count)
		if (add(parser, &prefix[--count]) < 0)
			return -1;
	return 0;
}

int expression_parse(const char *text, struct expression *out, struct error *error)
{
	struct parser parser = { .text = text, .out = out, .error = error };

	*out = (struct expression){ .slice = EXPRESSION_STEPS_MAX };
	if (unary(&parser, 0) < 0)
		return -1;
	if (next_char(&parser))
		return expected(&parser, "`.`, `->`, `[` or the end");
	if (out->slice == EXPRESSION_STEPS_MAX)
		out->slice = out->count;
	return 0;
}
