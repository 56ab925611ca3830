/* SPDX-License-Identifier: MIT */
/*
 * value.h: the value of an expression in a guest: a typed object in its memory, or a computed number.
 */
#ifndef VMM_PROGRAM_VALUE_H
#define VMM_PROGRAM_VALUE_H

#include "program/debug_info.h"
#include "paging/walk.h"

/* The guest and its program. All borrowed. */
struct value_context {
	struct debug_info *info;
	struct symbols *symbols;
	const struct view *view;
	const struct walk_mode *mode;
};

struct value {
	struct ctype type;
	bool is_number; /* not in memory: a literal, an address, or a cast */
	uint64_t number;
	uint64_t address;                  /* of an object in memory */
	unsigned int bit_offset, bit_size; /* of a bit field at `address`; bit_size 0: not a bit field */
};

/*
 * Evaluates an expression; `element` is the index to use for its slice. ERROR_INPUT for wrong names and
 * types, ERROR_GUEST for memory that is not mapped; *at_out is then the offset in the text.
 */
int value_evaluate(const struct value_context *context, const struct expression *expression, uint64_t element,
		   struct value *out, size_t *at_out, struct error *error);

/* The integer, enumeration, bit field or pointer in `bytes`, sign-extended if its type is signed. */
uint64_t value_number(const struct value *value, const uint8_t *bytes, size_t size);

/* Size of the value in bytes, 0 if unknown. */
uint64_t value_size(const struct value *value);

#endif
