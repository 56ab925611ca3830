/* SPDX-License-Identifier: MIT */
/*
 * value_tree.h: a value of the guest taken apart down to its numbers, as a list of nodes in the order in
 * which they are written: each is followed by what is in it, one level deeper.
 */
#ifndef VMM_PROGRAM_VALUE_TREE_H
#define VMM_PROGRAM_VALUE_TREE_H

#include "program/value.h"

enum value_node_kind {
	NODE_UNSIGNED, /* `number`, and in `text` what is at that address, if it is one of the program */
	NODE_SIGNED,
	NODE_CHAR,
	NODE_BOOL,
	NODE_FLOAT,    /* `text` */
	NODE_ENUM,     /* `text` is the enumerator; "" if there is none for `number` */
	NODE_POINTER,  /* `text`: what is there in the program */
	NODE_C_STRING, /* a `char *`; `text` is what it points to */
	NODE_STRING,   /* an array of char: `text` */
	NODE_PLACE,    /* a function or a label, at `number`; `text` names it */
	NODE_STRUCT,   /* or a union: its members follow */
	NODE_ARRAY,    /* its elements follow */
	NODE_MORE,     /* `number` elements are not shown; of `first` to `last` */
	NODE_UNKNOWN,  /* of a type that cannot be shown, or too deep */
};

struct value_node {
	enum value_node_kind kind;
	unsigned int depth; /* 0: the value itself */
	bool is_element;    /* of an array: alike are `first` to `last` */
	uint64_t first, last;
	uint64_t number;
	char name[80];  /* of a member, escaped; "" if it is anonymous */
	char type[112]; /* as C writes it, escaped */
	char text[240]; /* escaped */
};

struct value_tree {
	struct {
		struct value_node *items;
		size_t count, capacity;
	} nodes;
	bool is_number; /* it has no address */
	uint64_t address;
	uint64_t size;  /* bytes */
	bool truncated; /* there are more nodes than anyone wants to see */
};

/*
 * `limit`: groups of elements that are alike, shown of each array. Errors and *at_out as of value_evaluate.
 */
int value_tree_build(const struct value_context *context, const struct expression *expression, uint64_t limit,
		     struct value_tree *out, size_t *at_out, struct error *error);
void value_tree_destroy(struct value_tree *tree);

#endif
