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
	/* Parses what follows the name into *operation; NULL: no operation by this name can be written. */
	int (*parse)(struct compile *compile, struct kvmap_operation *operation);
};

/* A row of KVMAP_OPERATIONS. */
struct operation_syntax {
	const char *name;
	uint16_t opcode;
	bool has_result; /* sets a variable: NAME = operation */
	const struct operands_syntax *operands;
	const char *outcome;
};

/* The row of a word, or NULL. */
const struct operation_syntax *operation_find(struct word word);

/* "NAME = vmalloc SIZE". Returns out. */
const char *operation_usage(const struct operation_syntax *syntax, char *out, size_t size);

/* "; did you mean 'vmalloc'?" or, where nothing is near, where all of them stand. Returns out. */
const char *operation_suggest(struct word word, char *out, size_t size);

/* Words that no variable may be named. */
bool word_is_reserved(struct word word);

#endif
