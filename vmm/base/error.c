/* SPDX-License-Identifier: MIT */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int error_set(struct error *error, enum error_kind kind, int errnum, uint64_t address, const char *format,
	      ...)
{
	va_list arguments;
	size_t length;

	error->kind = kind;
	error->errnum = errnum;
	error->address = address;
	va_start(arguments, format);
	vsnprintf(error->text, sizeof(error->text), format, arguments);
	va_end(arguments);
	if (errnum) {
		length = strlen(error->text);
		snprintf(error->text + length, sizeof(error->text) - length, ": %s", strerror(errnum));
	}
	return -1;
}
