/* SPDX-License-Identifier: MIT */
#include "base/utf8.h"

#include <stdbool.h>
#include <stdint.h>

/* U+2028 and U+2029 end lines; U+200E, U+200F, U+202A..E and U+2066..9 turn the direction of what follows. */
static bool is_hidden(uint32_t character)
{
	return character == 0x200e || character == 0x200f || (character >= 0x2028 && character <= 0x202e) ||
	       (character >= 0x2066 && character <= 0x2069);
}

size_t utf8_printable(const char *text, size_t length)
{
	static const uint32_t smallest[5] = { 0, 0, 0xa0, 0x800, 0x10000 };
	const uint8_t *byte = (const uint8_t *)text;
	uint32_t character;
	size_t size, i;

	if (!length || byte[0] < 0x20 || byte[0] == 0x7f)
		return 0;
	if (byte[0] < 0x80)
		return 1;
	size = byte[0] >= 0xf0 ? 4 : byte[0] >= 0xe0 ? 3 : 2;
	if (byte[0] < 0xc2 || byte[0] > 0xf4 || size > length)
		return 0;
	character = byte[0] & (0x7f >> size);
	for (i = 1; i < size; i++) {
		if ((byte[i] & 0xc0) != 0x80)
			return 0;
		character = character << 6 | (byte[i] & 0x3f);
	}
	if (character < smallest[size] || character > 0x10ffff ||
	    (character >= 0xd800 && character <= 0xdfff))
		return 0;
	return is_hidden(character) ? 0 : size;
}
