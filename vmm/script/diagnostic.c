/* SPDX-License-Identifier: MIT */
/*
 * diagnostic.c: an error in a script: where, what, and the line with a caret.
 */
#include "base/utf8.h"
#include "script/compile.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define PATH_SHOWN    200 /* bytes: leaves room for the message in error->text */
#define CONTEXT_SHOWN 90  /* bytes of a long line */

/* Byte for byte, so that a caret below stays where it belongs; 0 at the end. */
static void copy_printable(const char *text, size_t length, char *out)
{
	size_t i = 0;

	while (i < length) {
		size_t size = utf8_printable(text + i, length - i);

		if (size) {
			memcpy(out + i, text + i, size);
			i += size;
		} else {
			out[i] = text[i] == '\t' ? '\t' : '?';
			i++;
		}
	}
	out[i] = '\0';
}

const char *path_printable(const char *path, char *out, size_t size)
{
	size_t length = strlen(path);
	size_t shown = size - 1 < PATH_SHOWN ? size - 1 : PATH_SHOWN;

	if (length <= shown) {
		copy_printable(path, length, out);
		return out;
	}
	copy_printable(path + length - shown, shown, out);
	memset(out, '.', 3);
	return out;
}

/* The line, or the part of a long one around the place, and below it a caret. */
static void write_context(struct compile *compile, const struct place *place)
{
	size_t column = (size_t)(place->at - place->line);
	size_t first = column > CONTEXT_SHOWN - 20 ? column - (CONTEXT_SHOWN - 20) : 0;
	size_t length = place->length - first < CONTEXT_SHOWN ? place->length - first : CONTEXT_SHOWN;
	char line[CONTEXT_SHOWN + 1] = "", caret[CONTEXT_SHOWN + 1];

	if (!compile->context || !compile->text_length)
		return;
	copy_printable(place->line + first, length, line);
	for (size_t i = 0; i < column - first; i++)
		caret[i] = line[i] == '\t' ? '\t' : ' ';
	caret[column - first] = '\0';
	snprintf(compile->context, compile->context_size, "  %s\n  %s^", line, caret);
}

static int diagnose(struct compile *compile, const struct place *place, const char *format, va_list arguments)
{
	char what[400], path[PATH_SHOWN + 1];

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
