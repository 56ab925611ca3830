/* SPDX-License-Identifier: MIT */
/*
 * expression.h: parses the argument of `print`: "zones[0].free_area", "&cpus[1]", "*kmem_caches[3]->name",
 * "(struct page *)0xffff888000100000", "'smp.c'::again", "cpus[0..3].state".
 *
 * All operators have one operand, so that an expression is a list of steps, each applied to the result of the
 * one before it.
 */
#ifndef VMM_PROGRAM_EXPRESSION_H
#define VMM_PROGRAM_EXPRESSION_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EXPRESSION_STEPS_MAX 64
#define EXPRESSION_NAME_MAX  128 /* with the NUL */

enum expression_step_kind {
	STEP_SYMBOL, /* first step: `name`, in the file `file` if that is not empty */
	STEP_NUMBER, /* first step: `first` is an address without a type */
	STEP_MEMBER, /* .name */
	STEP_ARROW,  /* ->name */
	STEP_INDEX,  /* [first] */
	STEP_SLICE,  /* [first..last], both included; at most one in an expression */
	STEP_DEREFERENCE,
	STEP_ADDRESS_OF,
	STEP_CAST, /* to the type of `tag` and `name`, `pointers` times a pointer to it */
};

enum expression_tag { TAG_NONE, TAG_STRUCT, TAG_UNION, TAG_ENUM };

struct expression_step {
	enum expression_step_kind kind;
	size_t at; /* offset in the text, for errors */
	char name[EXPRESSION_NAME_MAX];
	char file[EXPRESSION_NAME_MAX];
	uint64_t first, last;
	enum expression_tag tag;
	unsigned int pointers;
};

struct expression {
	struct expression_step steps[EXPRESSION_STEPS_MAX];
	size_t count;
	size_t slice; /* index of the STEP_SLICE; count if there is none */
};

/* 0, or -1 with ERROR_INPUT, whose `address` is the offset of the error in the text. */
int expression_parse(const char *text, struct expression *out, struct error *error);

#endif
