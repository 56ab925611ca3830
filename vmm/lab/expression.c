/* SPDX-License-Identifier: MIT */
/*
 * expression.c: checks: "TEXT: VALUE RELATION VALUE".
 *
 *	value    = product { ("+" | "-") product }
 *	product  = atom { ("*" | "/") atom }
 *	atom     = NUMBER[K|M|G] | 'TEXT' | [function] TYPE ["[" KEY=TEXT { "," KEY=TEXT } "]"] { "." MEMBER }
 *	function = count | sum | max | min | last
 *	relation = == | != | < | <= | > | >=
 *
 * A selection is the members of all lines of that type whose other members are as in the brackets; an array on the
 * way is each of its items, or one of them by a number. Without a function it is the first one. One that
 * finds nothing has no value, and the check is not seen.
 */
#include "base/strbuf.h"
#include "lab/lab.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Long double has the 64 bits of an address. */
struct value {
	bool known;
	bool is_text;
	long double number;
	char text[160];
};

struct parser {
	const struct lab_lines *lines;
	const char *at;
	bool wrong;    /* at `at` the syntax ends */
	char why[256]; /* why a value is not known */
};

#define WORD_MAX 64
#define KEYS_MAX 4

struct key {
	char name[WORD_MAX];
	char text[128];
};

struct selection {
	char type[WORD_MAX];
	struct key keys[KEYS_MAX];
	unsigned int key_count;
	char path[128]; /* "frames.pages" */
};

static void skip(struct parser *parser)
{
	parser->at += strspn(parser->at, " ");
}

/* Reads a word of letters, digits and '_'. */
static bool word(struct parser *parser, char *out, size_t size)
{
	size_t length = 0;

	while (isalnum((unsigned char)parser->at[length]) || parser->at[length] == '_')
		length++;
	if (length == 0 || length >= size)
		return false;
	memcpy(out, parser->at, length);
	out[length] = '\0';
	parser->at += length;
	return true;
}

/* A number in a text: all of it, or up to a blank. */
static bool number_of(const char *text, long double *out)
{
	char *end;

	*out = strncmp(text, "0x", 2) ? strtold(text, &end) : (long double)strtoull(text, &end, 16);
	return end != text && isfinite(*out) && (!*end || *end == ' ');
}

static bool keys(struct parser *parser, struct selection *selection)
{
	if (*parser->at != '[')
		return true;
	do {
		struct key *key = &selection->keys[selection->key_count];
		size_t length;

		parser->at++;
		skip(parser);
		if (selection->key_count == KEYS_MAX || !word(parser, key->name, sizeof(key->name)) ||
		    *parser->at != '=')
			return false;
		parser->at++;
		length = strcspn(parser->at, ",]");
		if (length >= sizeof(key->text))
			return false;
		memcpy(key->text, parser->at, length);
		key->text[length] = '\0';
		parser->at += length;
		selection->key_count++;
	} while (*parser->at == ',');
	if (*parser->at != ']')
		return false;
	parser->at++;
	return true;
}

static bool selection_parse(struct parser *parser, struct selection *selection)
{
	size_t length;

	if (!keys(parser, selection))
		return false;
	if (*parser->at == '.')
		parser->at++;
	length = strspn(parser->at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.");
	if (length >= sizeof(selection->path))
		return false;
	memcpy(selection->path, parser->at, length);
	selection->path[length] = '\0';
	parser->at += length;
	return true;
}

static bool matches(const struct selection *selection, struct json_object *line)
{
	const char *type = lab_member(line, "type");

	if (!type || strcmp(type, selection->type) != 0)
		return false;
	for (unsigned int i = 0; i < selection->key_count; i++) {
		const char *text = lab_member(line, selection->keys[i].name);

		if (!text || strcmp(text, selection->keys[i].text) != 0)
			return false;
	}
	return true;
}

/* The values of a selection, one after the other. */
struct gathered {
	size_t count;
	struct value first, last;
	long double sum, max, min;
	bool numbers; /* all are */
};

static void gather(struct gathered *gathered, struct json_object *object)
{
	struct value value = { .known = true };

	snprintf(value.text, sizeof(value.text), "%s", object ? json_object_get_string(object) : "");
	value.is_text = !number_of(value.text, &value.number);
	gathered->numbers &= !value.is_text;
	if (!gathered->count || value.number > gathered->max)
		gathered->max = value.number;
	if (!gathered->count || value.number < gathered->min)
		gathered->min = value.number;
	gathered->sum += value.number;
	gathered->last = value;
	if (!gathered->count++)
		gathered->first = value;
}

#define PATH_DEPTH 8

/* All values below `object` by the members of `path`. Returns whether the path is one. */
static void descend(struct gathered *gathered, struct json_object *object, const char *path,
		    unsigned int depth) /* NOLINT(misc-no-recursion) */
{
	size_t length = strcspn(path, ".");
	struct json_object *below;
	char name[WORD_MAX];

	if (object && json_object_get_type(object) == json_type_array && !isdigit((unsigned char)*path)) {
		for (size_t i = 0; depth && i < json_object_array_length(object); i++)
			descend(gathered, json_object_array_get_idx(object, i), path, depth - 1);
		return;
	}
	if (!*path) {
		gather(gathered, object);
		return;
	}
	if (!object || !depth || length >= sizeof(name))
		return;
	memcpy(name, path, length);
	name[length] = '\0';
	path += length + (path[length] == '.');
	if (json_object_get_type(object) == json_type_array)
		below = json_object_array_get_idx(object, strtoul(name, NULL, 10));
	else if (!json_object_object_get_ex(object, name, &below))
		return;
	if (below)
		descend(gathered, below, path, depth - 1);
}

static struct value selected(struct parser *parser, const char *function, const struct selection *selection)
{
	struct gathered gathered = { .numbers = true };
	struct value value = { .known = true };

	for (size_t i = 0; i < parser->lines->objects.count; i++)
		if (matches(selection, parser->lines->objects.items[i]))
			descend(&gathered, parser->lines->objects.items[i],
				*selection->path ? selection->path : "type", PATH_DEPTH);
	if (!strcmp(function, "count")) {
		value.number = (long double)gathered.count;
		return value;
	}
	if (!gathered.count || (*function && strcmp(function, "last") != 0 && !gathered.numbers)) {
		snprintf(parser->why, sizeof(parser->why), "no report has a %s %s%s%s",
			 gathered.count ? "number for" : "line of the type", selection->type,
			 *selection->path ? " with " : "", selection->path);
		value.known = false;
		return value;
	}
	if (!*function)
		return gathered.first;
	if (!strcmp(function, "last"))
		return gathered.last;
	value.number = !strcmp(function, "sum")   ? gathered.sum
		       : !strcmp(function, "max") ? gathered.max
						  : gathered.min;
	return value;
}

static bool is_function(const char *name)
{
	static const char *const names[] = { "count", "sum", "max", "min", "last" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(name, names[i]))
			return true;
	return false;
}

static struct value selection_value(struct parser *parser)
{
	struct selection selection = { 0 };
	char function[WORD_MAX] = "";

	if (word(parser, selection.type, sizeof(selection.type)) && is_function(selection.type)) {
		memcpy(function, selection.type, sizeof(function));
		skip(parser);
		if (!word(parser, selection.type, sizeof(selection.type)))
			selection.type[0] = '\0';
	}
	if (!selection.type[0] || !selection_parse(parser, &selection)) {
		parser->wrong = true;
		return (struct value){ 0 };
	}
	return selected(parser, function, &selection);
}

static struct value atom(struct parser *parser)
{
	struct value value = { .known = true };
	static const char suffixes[] = "KMG";
	const char *suffix;
	char *end;

	skip(parser);
	if (*parser->at == '\'') {
		size_t length = strcspn(parser->at + 1, "'");

		parser->wrong |= parser->at[length + 1] != '\'' || length >= sizeof(value.text);
		if (parser->wrong)
			return value;
		memcpy(value.text, parser->at + 1, length);
		value.is_text = true;
		parser->at += length + 2;
		return value;
	}
	if (!isdigit((unsigned char)*parser->at))
		return selection_value(parser);
	value.number = strncmp(parser->at, "0x", 2) ? strtold(parser->at, &end)
						    : (long double)strtoull(parser->at, &end, 16);
	suffix = *end ? strchr(suffixes, *end) : NULL;
	for (const char *at = suffixes; suffix && at <= suffix; at++)
		value.number *= 1024;
	parser->at = end + !!suffix;
	return value;
}

static struct value combine(struct parser *parser, struct value left, char operation, struct value right)
{
	if (!left.known || !right.known || left.is_text || right.is_text ||
	    (operation == '/' && right.number == 0)) {
		if (!*parser->why)
			snprintf(parser->why, sizeof(parser->why), "%s",
				 left.known && right.known ? "a value is no number, or divides by 0"
							   : "a value is not known");
		return (struct value){ 0 };
	}
	switch (operation) {
	case '+': left.number += right.number; break;
	case '-': left.number -= right.number; break;
	case '*': left.number *= right.number; break;
	default: left.number /= right.number; break;
	}
	return left;
}

/* Values of atoms, with the operators of `level` 0, and those of products, with those of level 1. */
static struct value value_parse(struct parser *parser, unsigned int level) /* NOLINT(misc-no-recursion) */
{
	static const char operators[2][3] = { "*/", "+-" };
	struct value value = level ? value_parse(parser, 0) : atom(parser);

	for (skip(parser); *parser->at && strchr(operators[level], *parser->at) && !parser->wrong;
	     skip(parser)) {
		char operation = *parser->at++;

		value = combine(parser, value, operation, level ? value_parse(parser, 0) : atom(parser));
	}
	return value;
}

static const char *const relations[] = { "==", "!=", "<=", ">=", "<", ">" };
#define RELATION_COUNT (sizeof(relations) / sizeof(relations[0]))

/* The index of the relation at the parser, after it; RELATION_COUNT: there is none. */
static size_t relation_parse(struct parser *parser)
{
	size_t i = 0;

	skip(parser);
	while (i < RELATION_COUNT && strncmp(parser->at, relations[i], strlen(relations[i])) != 0)
		i++;
	if (i < RELATION_COUNT)
		parser->at += strlen(relations[i]);
	return i;
}

static bool holds(size_t relation, int order)
{
	switch (relation) {
	case 0: return order == 0;
	case 1: return order != 0;
	case 2: return order <= 0;
	case 3: return order >= 0;
	case 4: return order < 0;
	default: return order > 0;
	}
}

static bool is_whole(long double number)
{
	if (number < 0)
		return number > -0x1p63L && number == (long double)(int64_t)number;
	return number < 0x1p64L && number == (long double)(uint64_t)number;
}

static void value_print(const struct value *value, char *out, size_t size)
{
	if (value->is_text || !value->known)
		snprintf(out, size, "%s", value->known ? value->text : "");
	else if (is_whole(value->number))
		snprintf(out, size, "%.0Lf", value->number);
	else
		snprintf(out, size, "%.2Lf", value->number);
}

static void compare(struct parser *parser, const struct value *left, size_t relation,
		    const struct value *right, struct lab_checked *out)
{
	value_print(left, out->left, sizeof(out->left));
	value_print(right, out->right, sizeof(out->right));
	if (!left->known || !right->known || left->is_text != right->is_text ||
	    (left->is_text && relation > 1)) {
		out->result = LAB_NOT_SEEN;
		snprintf(out->why, sizeof(out->why), "%s",
			 *parser->why ? parser->why : "a text is compared with a number");
		return;
	}
	if (left->is_text)
		out->result = holds(relation, strcmp(left->text, right->text)) ? LAB_TRUE : LAB_FALSE;
	else
		out->result = holds(relation, (left->number > right->number) - (left->number < right->number))
				      ? LAB_TRUE
				      : LAB_FALSE;
}

int lab_check(const struct lab_lines *lines, const char *check, struct lab_checked *out, struct error *error)
{
	const char *colon = strstr(check, ": ");
	struct parser parser = { .lines = lines, .at = colon ? colon + 2 : "" };
	struct lab_checked checked = { 0 };
	struct value left, right = { 0 };
	size_t relation;

	left = value_parse(&parser, 1);
	relation = parser.wrong ? RELATION_COUNT : relation_parse(&parser);
	if (relation < RELATION_COUNT)
		right = value_parse(&parser, 1);
	skip(&parser);
	if (!colon || parser.wrong || relation == RELATION_COUNT || *parser.at)
		return error_set(error, ERROR_INPUT, 0, 0, "no check TEXT: VALUE RELATION VALUE: %.200s",
				 check);
	snprintf(checked.text, sizeof(checked.text), "%.*s", (int)(colon - check), check);
	compare(&parser, &left, relation, &right, &checked);
	*out = checked;
	return 0;
}
