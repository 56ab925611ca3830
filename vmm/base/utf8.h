/* SPDX-License-Identifier: MIT */
/*
 * utf8.h: which bytes may be shown to a terminal or stand in JSON as they are.
 */
#ifndef VMM_BASE_UTF8_H
#define VMM_BASE_UTF8_H

#include <stddef.h>

/*
 * The bytes of the character that `text` starts with: 1 for printable ASCII, 2..4 for well-formed UTF-8 (RFC
 * 3629) that is no C1 control character, no character that turns the direction of text, and nothing invisible
 * that ends a line. 0 for anything else, and for an empty text.
 */
size_t utf8_printable(const char *text, size_t length);

#endif
