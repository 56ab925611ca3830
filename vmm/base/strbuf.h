/* SPDX-License-Identifier: MIT */
/*
 * strbuf.h: a string made of parts, in a buffer of the caller. It always ends with a NUL; what does not fit is
 * cut.
 */
#ifndef VMM_BASE_STRBUF_H
#define VMM_BASE_STRBUF_H

#include <stddef.h>

struct strbuf {
	char *text;
	size_t size;   /* of the buffer, at least 1 */
	size_t length; /* of the string, below size */
};

/* An empty string in text[size]. */
static inline struct strbuf strbuf_of(char *text, size_t size)
{
	text[0] = '\0';
	return (struct strbuf){ .text = text, .size = size };
}

/* The same in a whole array. */
#define STRBUF(array) strbuf_of(array, sizeof(array))

/* Characters that still fit. */
static inline size_t strbuf_room(const struct strbuf *buffer)
{
	return buffer->size - 1 - buffer->length;
}

void strbuf_add(struct strbuf *buffer, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Appends an item of a list: the separator first, unless the string is empty. */
void strbuf_add_item(struct strbuf *buffer, const char *separator, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
