/* SPDX-License-Identifier: MIT */
/*
 * escape.c: foreign text made harmless: printable ASCII stays, every other byte becomes \xNN, so that neither
 * control sequences nor right-to-left marks nor broken UTF-8 reach a terminal.
 */
#include "inspect/symbols.h"

#include <string.h>

/* The text of one byte, NUL-terminated, into piece[5]; its length. */
static size_t escape_byte(unsigned char byte, char *piece)
{
	static const char digits[] = "0123456789abcdef";

	if (byte == '\\') {
		memcpy(piece, "\\\\", 3);
		return 2;
	}
	if (byte >= 0x20 && byte < 0x7f) {
		piece[0] = (char)byte;
		piece[1] = '\0';
		return 1;
	}
	piece[0] = '\\';
	piece[1] = 'x';
	piece[2] = digits[byte >> 4];
	piece[3] = digits[byte & 15];
	piece[4] = '\0';
	return 4;
}

const char *text_escape(const char *text, size_t length, char *out, size_t size)
{
	size_t used = 0, piece_length;
	char piece[5];

	if (!size)
		return out;
	for (size_t i = 0; i < length && text[i]; i++) {
		piece_length = escape_byte((unsigned char)text[i], piece);
		if (piece_length > size - 1 - used)
			break;
		memcpy(out + used, piece, piece_length);
		used += piece_length;
	}
	out[used] = '\0';
	return out;
}
