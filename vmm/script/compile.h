/* SPDX-License-Identifier: MIT */
/*
 * compile.h: the state of a compilation, and its errors. Private to vmm/script.
 */
#ifndef VMM_SCRIPT_COMPILE_H
#define VMM_SCRIPT_COMPILE_H

#include "script/script.h"

#include <stdbool.h>

#define SCRIPT_LINE_MAX       1000 /* bytes */
#define SCRIPT_NAME_MAX       31   /* bytes of a variable's name */
#define SCRIPT_LOOPS_MAX      16   /* `repeat` in `repeat` */
#define SCRIPT_OPERATIONS_MAX 1000000

/* In operand.unused of a `fill` that names no seed, until the operations are numbered. */
#define SEED_UNSTATED 1

/* Where something stands: enough to name and to show it later. */
struct place {
	const char *line; /* its first byte, in script->text */
	size_t length;    /* without the end of line */
	uint32_t number;  /* 1-based */
	const char *at;   /* the byte that is meant */
};

struct loop {
	bool parallel;      /* not repeated: times is 1 */
	struct place place; /* of the count */
	uint64_t times;
	size_t start; /* index of its first operation */
};

struct compile {
	struct script *script;
	size_t text_length;
	struct place now;     /* now.at: what is read next */
	const char *end;      /* of the line's code: where its comment or its trailing blanks begin */
	const char *usage;    /* of the operation being parsed, for messages; NULL before it is known */
	char usage_text[160]; /* of an operation of the table: usage points to it */
	struct loop loops[SCRIPT_LOOPS_MAX];
	unsigned int loop_count;
	struct error *error;
	char *context;
	size_t context_size;
};

/* "FILE:LINE:COLUMN: ..." and its context. Always -1. */
int compile_error_at(struct compile *compile, const struct place *place, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* The same, at a byte of the present line. */
int compile_error(struct compile *compile, const char *at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
int compile_error_memory(struct compile *compile);

/* A path as messages show it: unprintable bytes as '?', the end of it where it is long. Returns out. */
const char *path_printable(const char *path, char *out, size_t size);

#endif
