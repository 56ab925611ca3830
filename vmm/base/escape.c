/* SPDX-License-Identifier: MIT */
/*
 * escape.c: foreign text made harmless: a byte that may not be shown as it is becomes \xNN, a backslash two,
 * so that neither control sequences nor right-to-left marks nor broken UTF-8 reach a terminal.
 */
#include "base/escape.h"
#include "base/utf8.h"

#include <string.h>

/* What the text starts with, as it may be shown, into piece[4]; its length in the text and in the piece. */
static void escape_one(const char *text, size_t length, size_t *text_used, char *piece, size_t *piece_length)
{
	static const char digits[] = "0123456789abcdef";
	unsigned char byte = (unsigned char)*text;

	*text_used = utf8_printable(text, length);
	if (*text_used && byte != '\\') {
		*piece_length = *text_used;
		memcpy(piece, text, *text_used);
		return;
	}
	*text_used = 1;
	piece[0] = '\\';
	piece[1] = byte == '\\' ? '\\' : 'x';
	piece[2] = digits[byte >> 4];
	piece[3] = digits[byte & 15];
	*piece_length = byte == '\\' ? 2 : 4;
}

const char *text_escape(const char *text, size_t length, char *out, size_t size)
{
	size_t used = 0, text_used, piece_length;
	char piece[4];

	if (!size)
		return out;
	for (size_t i = 0; i < length && text[i]; i += text_used) {
		escape_one(text + i, length - i, &text_used, piece, &piece_length);
		if (piece_length > size - 1 - used)
			break;
		memcpy(out + used, piece, piece_length);
		used += piece_length;
	}
	out[used] = '\0';
	return out;
}
