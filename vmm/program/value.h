/* SPDX-License-Identifier: MIT */
/*
 * value.h: what an expression is in a guest: a typed place in its memory, or a number that was computed.
 */
#ifndef VMM_PROGRAM_VALUE_H
#define VMM_PROGRAM_VALUE_H

#include "program/debug_info.h"
#include "paging/walk.h"

/* Where expressions are evaluated. All borrowed. */
struct value_context {
	struct debug_info *info;
	struct symbols *symbols;
	const struct view *view;
	const struct walk_mode *mode;
};

struct value {
	struct ctype type;
	bool is_number; /* not in memory: an address that was taken or written, a cast */
	uint64_t number;
	uint64_t address;                  /* of what is in memory */
	unsigned int bit_offset, bit_size; /* of a bit field at `address`; bit_size 0: it is none */
};

/*
 * Evaluates it; `element` stands for a slice. ERROR_INPUT for names and types that do not fit, ERROR_GUEST
 * for memory that is not mapped; *at_out is then where in the text.
 */
int value_evaluate(const struct value_context *context, const struct expression *expression, uint64_t element,
		   struct value *out, size_t *at_out, struct error *error);

/* An integer, an enumeration, a bit field or a pointer of `bytes`, which hold the value; extended by its
 * sign. */
uint64_t value_number(const struct value *value, const uint8_t *bytes, size_t size);

/* Bytes that the value has in memory, 0 if unknown. */
uint64_t value_size(const struct value *value);

#endif
