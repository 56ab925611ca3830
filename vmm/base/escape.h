/* SPDX-License-Identifier: MIT */
/*
 * escape.h: text from a guest or a file, made safe for a terminal and for JSON. A byte that is neither
 * printable ASCII nor part of well-formed, printable UTF-8 becomes \xNN.
 */
#ifndef VMM_BASE_ESCAPE_H
#define VMM_BASE_ESCAPE_H

#include <stddef.h>

/*
 * Escapes `length` bytes of `text`, or fewer up to a NUL, into out[size]; a backslash becomes two. Text that
 * does not fit is cut between two characters or escapes; out ends with a NUL unless size is 0. Returns out.
 */
const char *text_escape(const char *text, size_t length, char *out, size_t size);

/* The same for text that is escaped in parts: a backslash stays one, and a second call changes nothing. */
const char *text_filter(const char *text, size_t length, char *out, size_t size);

/* Bytes of `out` that a text of `length` bytes needs at most, its NUL included. */
#define TEXT_ESCAPED_SIZE(length) (4 * (length) + 1)

#endif
