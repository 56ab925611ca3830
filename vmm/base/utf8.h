/* SPDX-License-Identifier: MIT */
/*
 * utf8.h: which bytes need no escape on a terminal and in JSON.
 */
#ifndef VMM_BASE_UTF8_H
#define VMM_BASE_UTF8_H

#include <stddef.h>

/*
 * Length in bytes of the character at the start of `text`: 1 for printable ASCII, 2 to 4 for well-formed
 * UTF-8 (RFC 3629). 0 for an empty text, malformed bytes, control characters (C0, DEL, C1), bidirectional
 * formatting characters, and line and paragraph separators.
 */
size_t utf8_printable(const char *text, size_t length);

#endif
