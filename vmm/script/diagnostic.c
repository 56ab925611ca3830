/* SPDX-License-Identifier: MIT */
/*
 * diagnostic.c: an error in a script: where, what, and the line with a caret.
 */
#include "base/escape.h"
#include "script/compile.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define PATH_SHOWN    200 /* bytes: leaves room for the message in error->text */
#define CONTEXT_SHOWN 90  /* bytes of a long line */

/* A byte of UTF-8 that is not the first one of its character. */
static bool is_continuation(char byte)
{
	return ((unsigned char)byte & 0xc0) == 0x80;
}

const char *path_printable(const char *path, char *out, size_t size)
{
	size_t length = strlen(path);
	size_t shown = size - 1 < PATH_SHOWN ? size - 1 : PATH_SHOWN;
	size_t first = length > shown ? length - shown : 0;
	char escaped[TEXT_ESCAPED_SIZE(PATH_SHOWN)];

	/* From the first character on from which all fits. */
	while (strlen(text_escape(path + first, length - first, escaped, sizeof(escaped))) >
	       shown - (first ? 3 : 0))
		do
			first++;
		while (is_continuation(path[first]));
	snprintf(out, size, "%s%s", first ? "..." : "", escaped);
	return out;
}

/* A part of a line, escaped but for its tabs. */
static void escape_part(const char *text, size_t length, char *out, size_t size)
{
	while (length) {
		const char *tab = memchr(text, '\t', length);
		size_t part = tab ? (size_t)(tab - text) : length, used;

		used = strlen(text_filter(text, part, out, size));
		out += used;
		size -= used;
		if (tab && size > 1) {
			*out++ = '\t';
			*out = '\0';
			size--;
		}
		part += tab != NULL;
		text += part;
		length -= part;
	}
}

/* Spaces as wide as the text, whose tabs stay; in place. */
static void blank(char *text)
{
	char *out = text;

	for (; *text; text++)
		if (!is_continuation(*text))
			*out++ = *text == '\t' ? '\t' : ' ';
	*out = '\0';
}

/* The line, or the part of a long one around the place, and below it a caret. */
static void write_context(struct compile *compile, const struct place *place)
{
	size_t column = (size_t)(place->at - place->line);
	size_t first = column > CONTEXT_SHOWN - 20 ? column - (CONTEXT_SHOWN - 20) : 0;
	size_t length = place->length - first < CONTEXT_SHOWN ? place->length - first : CONTEXT_SHOWN;
	char line[TEXT_ESCAPED_SIZE(CONTEXT_SHOWN)] = "", caret[TEXT_ESCAPED_SIZE(CONTEXT_SHOWN)] = "";

	if (!compile->context)
		return;
	escape_part(place->line + first, length, line, sizeof(line));
	escape_part(place->line + first, column - first, caret, sizeof(caret));
	blank(caret);
	snprintf(compile->context, compile->context_size, "  %s\n  %s^", line, caret);
}

static int diagnose(struct compile *compile, const struct place *place, const char *format, va_list arguments)
{
	char what[900], path[PATH_SHOWN + 1];

	vsnprintf(what, sizeof(what), format, arguments);
	write_context(compile, place);
	return error_set(compile->error, ERROR_INPUT, 0, (uint64_t)(place->at - compile->script->text),
			 "%s:%u:%zu: %s", path_printable(compile->script->path, path, sizeof(path)),
			 place->number, (size_t)(place->at - place->line) + 1, what);
}

int compile_error_at(struct compile *compile, const struct place *place, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	diagnose(compile, place, format, arguments);
	va_end(arguments);
	return -1;
}

int compile_error(struct compile *compile, const char *at, const char *format, ...)
{
	struct place place = compile->now;
	va_list arguments;

	place.at = at;
	va_start(arguments, format);
	diagnose(compile, &place, format, arguments);
	va_end(arguments);
	return -1;
}

int compile_error_memory(struct compile *compile)
{
	return error_set(compile->error, ERROR_HOST, ENOMEM, 0, "no memory to compile the script");
}
