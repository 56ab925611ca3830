/* SPDX-License-Identifier: MIT */
#include "base/escape.h"
#include "base/utf8.h"

#include <stdbool.h>
#include <string.h>

struct piece {
	size_t taken; /* bytes of the text */
	char bytes[4];
	size_t length; /* of bytes */
};

/* The first character of the text, or its first byte as an escape. length > 0. */
static struct piece piece_first(const char *text, size_t length, bool keep_backslash)
{
	static const char digits[] = "0123456789abcdef";
	unsigned char byte = (unsigned char)*text;
	struct piece piece = { .taken = utf8_printable(text, length) };

	if (piece.taken && (byte != '\\' || keep_backslash)) {
		memcpy(piece.bytes, text, piece.taken);
		piece.length = piece.taken;
		return piece;
	}
	piece.taken = 1;
	piece.bytes[0] = '\\';
	piece.bytes[1] = byte == '\\' ? '\\' : 'x';
	piece.bytes[2] = digits[byte >> 4];
	piece.bytes[3] = digits[byte & 15];
	piece.length = byte == '\\' ? 2 : 4;
	return piece;
}

static const char *escape(const char *text, size_t length, bool keep_backslash, char *out, size_t size)
{
	struct piece piece;
	size_t used = 0;

	if (!size)
		return out;
	for (size_t i = 0; i < length && text[i]; i += piece.taken) {
		piece = piece_first(text + i, length - i, keep_backslash);
		if (piece.length > size - 1 - used)
			break;
		memcpy(out + used, piece.bytes, piece.length);
		used += piece.length;
	}
	out[used] = '\0';
	return out;
}

const char *text_escape(const char *text, size_t length, char *out, size_t size)
{
	return escape(text, length, false, out, size);
}

const char *text_filter(const char *text, size_t length, char *out, size_t size)
{
	return escape(text, length, true, out, size);
}
