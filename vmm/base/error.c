/* SPDX-License-Identifier: MIT */
#include "base/error.h"

#include "base/escape.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int error_set(struct error *error, enum error_kind kind, int errnum, uint64_t address, const char *format,
	      ...)
{
	char raw[sizeof(error->text)];
	va_list arguments;
	size_t length;

	error->kind = kind;
	error->errnum = errnum;
	error->address = address;
	va_start(arguments, format);
	vsnprintf(raw, sizeof(raw), format, arguments);
	va_end(arguments);
	/* Paths and names are not always escaped by callers. A text that is escaped already is not changed. */
	text_filter(raw, strlen(raw), error->text, sizeof(error->text));
	if (errnum) {
		length = strlen(error->text);
		snprintf(error->text + length, sizeof(error->text) - length, ": %s", strerror(errnum));
	}
	return -1;
}
