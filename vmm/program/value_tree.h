/* SPDX-License-Identifier: MIT */
/*
 * value_tree.h: a value of the guest and all its parts down to numbers, as a list of nodes in output order:
 * each node is followed by its parts, one level deeper.
 */
#ifndef VMM_PROGRAM_VALUE_TREE_H
#define VMM_PROGRAM_VALUE_TREE_H

#include "base/array.h"
#include "program/value.h"

enum value_node_kind {
	NODE_UNSIGNED, /* `number`; `text` names the symbol at that address of the program, if any */
	NODE_SIGNED,
	NODE_CHAR,
	NODE_BOOL,
	NODE_FLOAT,    /* `text` */
	NODE_ENUM,     /* `text` is the enumerator; "" if there is none for `number` */
	NODE_POINTER,  /* `text` names the symbol of the program, if any */
	NODE_C_STRING, /* a `char *`; `text` is the string */
	NODE_STRING,   /* an array of char: `text` */
	NODE_LABEL,    /* a function or a label, at `number`; `text` names it */
	NODE_STRUCT,   /* or a union: its members follow */
	NODE_ARRAY,    /* its elements follow */
	NODE_MORE,     /* `number` elements, `first` to `last`, are left out */
	NODE_UNKNOWN,  /* of a type that cannot be shown, or too deep */
};

struct value_node {
	enum value_node_kind kind;
	unsigned int depth; /* 0: the value itself */
	bool is_element;    /* of an array; `first` to `last` are equal */
	uint64_t first, last;
	uint64_t number;
	char name[80];  /* of a member, escaped; "" if it is anonymous */
	char type[112]; /* in C, escaped */
	char text[240]; /* escaped */
};

struct value_tree {
	ARRAY_OF(struct value_node) nodes;
	bool is_number; /* computed: it has no address */
	uint64_t address;
	uint64_t size;  /* bytes */
	bool truncated; /* nodes beyond the limit are left out */
};

/* `limit`: largest number of groups of equal elements per array. Errors and *at_out as value_evaluate. */
int value_tree_build(const struct value_context *context, const struct expression *expression, uint64_t limit,
		     struct value_tree *out, size_t *at_out, struct error *error);
void value_tree_destroy(struct value_tree *tree);

#endif
