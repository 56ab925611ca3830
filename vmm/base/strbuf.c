/* SPDX-License-Identifier: MIT */
#include "base/strbuf.h"

#include <stdarg.h>
#include <stdio.h>

static void add(struct strbuf *buffer, const char *format, va_list arguments)
{
	size_t room = strbuf_room(buffer);
	int length = vsnprintf(buffer->text + buffer->length, room + 1, format, arguments);

	if (length > 0)
		buffer->length += (size_t)length < room ? (size_t)length : room;
}

void strbuf_add(struct strbuf *buffer, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	add(buffer, format, arguments);
	va_end(arguments);
}

void strbuf_add_item(struct strbuf *buffer, const char *separator, const char *format, ...)
{
	va_list arguments;

	if (buffer->length)
		strbuf_add(buffer, "%s", separator);
	va_start(arguments, format);
	add(buffer, format, arguments);
	va_end(arguments);
}
