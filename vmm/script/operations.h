/* SPDX-License-Identifier: MIT */
/*
 * operations.h: the operations of kvmap/opcode.h and their parsers. Private to vmm/script.
 */
#ifndef VMM_SCRIPT_OPERATIONS_H
#define VMM_SCRIPT_OPERATIONS_H

#include "script/operands.h"

/* A row of KVMAP_OPERANDS. */
struct operands_syntax {
	const char *synopsis;
	/* Parses the operands into *operation. NULL: scripts cannot contain the operation. */
	int (*parse)(struct compile *compile, struct kvmap_operation *operation);
};

/* A row of KVMAP_OPERATIONS. */
struct operation_syntax {
	const char *name;
	uint16_t opcode;
	bool has_result; /* assigns a variable: NAME = OPERATION */
	const struct operands_syntax *operands;
	const char *outcome;
	const char *help;
};

/* The row of the operation named `word`, or NULL. */
const struct operation_syntax *operation_find(struct word word);

/* The usage of an operation: "NAME = vmalloc SIZE". Returns out. */
const char *operation_usage(const struct operation_syntax *syntax, char *out, size_t size);

/*
 * "; did you mean 'vmalloc'?", or a reference to the list of operations if no name is near enough. Returns
 * out.
 */
const char *operation_suggest(struct word word, const char *list, char *out, size_t size);

/* Whether a word is reserved: a variable cannot have this name. */
bool word_is_reserved(struct word word);

#endif
