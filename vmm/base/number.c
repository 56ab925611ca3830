/* SPDX-License-Identifier: MIT */
#include "base/number.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 99;
}

static unsigned int suffix_shift(char c)
{
	switch (c) {
	case 'k':
	case 'K': return 10;
	case 'm':
	case 'M': return 20;
	case 'g':
	case 'G': return 30;
	case 't':
	case 'T': return 40;
	default: return 0;
	}
}

enum number_result number_parse(const char *text, size_t length, uint64_t *out)
{
	unsigned int base = 10, shift = 0;
	uint64_t value = 0;
	size_t i = 0;

	if (length > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
		base = 16;
		i = 2;
	}
	/* KiB is K, in any case. */
	if (length > i + 3 && (text[length - 2] | 0x20) == 'i' && (text[length - 1] | 0x20) == 'b' &&
	    suffix_shift(text[length - 3]))
		length -= 2;
	if (length > i + 1 && suffix_shift(text[length - 1])) {
		shift = suffix_shift(text[length - 1]);
		length--;
	}
	if (i == length)
		return NUMBER_MALFORMED;
	for (size_t j = i; j < length; j++)
		if (digit_value(text[j]) >= (int)base)
			return NUMBER_MALFORMED;
	for (; i < length; i++) {
		if (__builtin_mul_overflow(value, base, &value) ||
		    __builtin_add_overflow(value, (uint64_t)digit_value(text[i]), &value))
			return NUMBER_TOO_LARGE;
	}
	if (shift && value >> (64 - shift))
		return NUMBER_TOO_LARGE;
	*out = value << shift;
	return NUMBER_OK;
}

const char *number_bytes(uint64_t bytes, char *out, size_t size)
{
	static const struct {
		unsigned int shift;
		const char *name;
	} units[] = { { 30, "GiB" }, { 20, "MiB" }, { 10, "KiB" } };

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (bytes && !(bytes & ((1ull << units[i].shift) - 1))) {
			snprintf(out, size, "%" PRIu64 " %s", bytes >> units[i].shift, units[i].name);
			return out;
		}
	}
	snprintf(out, size, "%" PRIu64 " bytes", bytes);
	return out;
}

const char *number_offset(uint64_t offset, char *out, size_t size)
{
	bool below = offset >> 63;

	snprintf(out, size, "%s0x%" PRIx64, below ? "-" : "", below ? -offset : offset);
	return out;
}

/* Digits of base 16, at most 16 of them. */
static uint64_t hexadecimal(const char *text, size_t length)
{
	uint64_t value = 0;

	for (size_t i = 0; i < length; i++)
		value = value << 4 | (uint64_t)digit_value(text[i]);
	return value;
}

enum number_result number_parse_address(const char *text, size_t length, uint64_t *out)
{
	bool letter = false;
	size_t digits = 0;

	for (; digits < length && digit_value(text[digits]) < 16; digits++)
		letter |= digit_value(text[digits]) > 9;
	if (!length || digits < length)
		return number_parse(text, length, out); /* 0x, a suffix, or no number */
	if (!letter && length != 16) {
		uint64_t decimal;
		enum number_result result = number_parse(text, length, &decimal);

		return result == NUMBER_OK ? NUMBER_AMBIGUOUS : result;
	}
	if (length > 16)
		return NUMBER_TOO_LARGE;
	*out = hexadecimal(text, length);
	return NUMBER_OK;
}
