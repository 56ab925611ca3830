/* SPDX-License-Identifier: MIT */
/*
 * contents_bytes.c: the bytes that a variable of the script must have: zeros or a pattern from its start on, and
 * zeros in the range that a resize with __GFP_ZERO has gained.
 */
#include "verify/check.h"

#include "kvmap/operation.h"

#include <string.h>

/* Offset of the first of `words` words that is not `expected`; their end if there is none. Guest memory is copied. */
static uint64_t first_other(const uint8_t *bytes, uint64_t words, uint64_t expected)
{
	uint64_t differ = 0, word, i;

	for (i = 0; i < words; i++) {
		memcpy(&word, bytes + i * sizeof(word), sizeof(word));
		differ |= word ^ expected;
	}
	if (!differ)
		return words * sizeof(word);
	for (i = 0; i < words; i++) {
		memcpy(&word, bytes + i * sizeof(word), sizeof(word));
		if (word != expected)
			break;
	}
	return i * sizeof(word);
}

static uint64_t first_not_zero(const uint8_t *bytes, uint64_t from, uint64_t to)
{
	while (from < to && !bytes[from])
		from++;
	return from;
}

/* The part of [start, end) in the page at `base`, as offsets into it. */
static uint64_t part(uint64_t at, uint64_t base, uint64_t size)
{
	return at <= base ? 0 : at - base < size ? at - base : size;
}

bool contents_are_stated(const struct claim_variable *variable)
{
	return variable->contents == CONTENTS_ZERO || variable->contents == CONTENTS_PATTERN ||
	       variable->zero_start < variable->zero_end;
}

uint64_t contents_first_wrong(const struct claim_variable *variable, const uint8_t *bytes, uint64_t base,
			      uint64_t size, uint64_t *expected_out)
{
	uint64_t filled = part(variable->filled, base, size), words = filled / sizeof(uint64_t), at = size,
		 end;

	*expected_out = 0;
	if (variable->contents == CONTENTS_PATTERN) {
		uint64_t pattern = KVMAP_PATTERN(variable->fill_seed, base / KVMAP_PAGE_SIZE);

		at = first_other(bytes, words, pattern);
		if (at < words * sizeof(uint64_t)) {
			*expected_out = pattern;
			return at;
		}
	} else if (variable->contents == CONTENTS_ZERO) {
		at = first_other(bytes, words, 0);
		if (at < words * sizeof(uint64_t) || first_not_zero(bytes, at, filled) < filled)
			return at;
	}
	end = part(variable->zero_end, base, size);
	at = first_not_zero(bytes, part(variable->zero_start, base, size), end);
	return at < end ? at : size;
}
