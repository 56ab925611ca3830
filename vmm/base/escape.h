/* SPDX-License-Identifier: MIT */
/*
 * escape.h: text that came from a guest or a file, made harmless for a terminal.
 */
#ifndef VMM_BASE_ESCAPE_H
#define VMM_BASE_ESCAPE_H

#include <stddef.h>

/*
 * Writes `length` bytes of `text`, or fewer up to a NUL, into out[size]. A byte that is neither printable
 * ASCII nor part of well-formed, printable UTF-8 becomes \xNN, a backslash becomes two. What does not fit is
 * cut at a whole piece; out always ends with a NUL. Returns out.
 */
const char *text_escape(const char *text, size_t length, char *out, size_t size);

#endif
