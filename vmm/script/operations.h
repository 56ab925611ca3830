/* SPDX-License-Identifier: MIT */
/*
 * operations.h: the table of the operations. Private to vmm/script.
 */
#ifndef VMM_SCRIPT_OPERATIONS_H
#define VMM_SCRIPT_OPERATIONS_H

#include "script/operands.h"

struct operation_syntax {
	const char *name;
	uint16_t opcode;
	bool has_result; /* it may stand behind `NAME =` */
	const char *usage;
	/* Reads what follows the name into *operation; NULL: not to be written as such. */
	int (*operands)(struct compile *compile, struct kvmap_operation *operation);
};

/* The row of a word, or NULL. */
const struct operation_syntax *operation_find(struct word word);

/* "; did you mean 'vmalloc'?" or, where nothing is near, where all of them stand. Returns out. */
const char *operation_suggest(struct word word, char *out, size_t size);

/* Words that no variable may be named. */
bool word_is_reserved(struct word word);

#endif
