/* SPDX-License-Identifier: MIT */
/*
 * compile.h: the state and the errors of a compilation. Private to vmm/script.
 */
#ifndef VMM_SCRIPT_COMPILE_H
#define VMM_SCRIPT_COMPILE_H

#include "script/script.h"

#include <stdbool.h>

#define SCRIPT_LINE_MAX       1000 /* bytes */
#define SCRIPT_NAME_MAX       KVMAP_VARIABLE_NAME_MAX
#define SCRIPT_OPERATIONS_MAX 1000000

/* In operand.unused of a `fill` without a seed, until the operations are numbered. */
#define SEED_UNSTATED 1

/* A position in the script, for error messages. */
struct place {
	const char *line; /* first byte of the line, in script->text */
	size_t length;    /* bytes of the line, without the end of line */
	uint32_t number;  /* 1-based */
	const char *at;   /* the byte that the message points to */
};

struct compile {
	struct script *script;
	struct place now;         /* the current line; now.at is the next byte to parse */
	const char *end;          /* end of the line's code, before comment and trailing blanks */
	const char *usage;        /* usage of the statement, for messages; NULL until it is known */
	char usage_text[160];     /* buffer for the usage of an operation */
	bool appending;           /* script_append(): the guest has booted, there is no head */
	unsigned int head_stated; /* statements of the head up to now, a bit each */
	struct error *error;
	char *context; /* for the line and the caret of an error */
	size_t context_size;
};

/* The place of a byte of a line that was compiled. */
struct place compile_place(const struct script *script, uint32_t line, uint32_t column);

/* Sets compile->error to "FILE:LINE:COLUMN: ..." and fills in compile->context. Returns -1. */
int compile_error_at(struct compile *compile, const struct place *place, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* The same, for a byte of the current line. */
int compile_error(struct compile *compile, const char *at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
int compile_error_memory(struct compile *compile);

/* Appends an operation to the script. -1: there are too many, which an error at `at` says, or memory is out. */
int compile_operation(struct compile *compile, const char *at, const struct kvmap_operation *operation);

/*
 * Formats a path for messages: what is not printable is escaped, a long path is shortened to its end. Returns
 * out.
 */
const char *path_printable(const char *path, char *out, size_t size);

#endif
