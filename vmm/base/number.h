/* SPDX-License-Identifier: MIT */
/*
 * number.h: numbers as people write them.
 */
#ifndef VMM_BASE_NUMBER_H
#define VMM_BASE_NUMBER_H

#include <stddef.h>
#include <stdint.h>

enum number_result {
	NUMBER_OK = 0,
	NUMBER_MALFORMED, /* no digits, or something after them that is no suffix */
	NUMBER_TOO_LARGE, /* more than 64 bits */
	NUMBER_AMBIGUOUS, /* number_parse_address() only */
};

/*
 * Parses all of text[0..length): decimal, or hexadecimal after 0x, and one optional suffix K, M, G or T (2^10,
 * 2^20, 2^30, 2^40; either case; KiB is K). *out is untouched on failure.
 */
enum number_result number_parse(const char *text, size_t length, uint64_t *out);

/*
 * Parses an address as a user types or copies it: hexadecimal with 0x, and without it if there is a hexadecimal letter or
 * if there are 16 digits. NUMBER_AMBIGUOUS: other digits alone, even one, which mean one address in decimal and
 * another, or none, in hexadecimal. With a suffix as number_parse().
 */
enum number_result number_parse_address(const char *text, size_t length, uint64_t *out);

/* "256 MiB", "64 KiB", "1 GiB", "4097 bytes": exact, in the largest unit that divides. Returns out. */
const char *number_bytes(uint64_t bytes, char *out, size_t size);

/* "0x200000"; "-0x40000000" for a difference below 0. Returns out. */
const char *number_offset(uint64_t offset, char *out, size_t size);

#endif
