/* SPDX-License-Identifier: MIT */
/*
 * operands.h: reading the operands of an operation from left to right. Private to vmm/script.
 *
 * All return 0, or -1 with the error made; an _out parameter is untouched then.
 */
#ifndef VMM_SCRIPT_OPERANDS_H
#define VMM_SCRIPT_OPERANDS_H

#include "script/compile.h"
#include "script/names.h"

/* Words of the lexicon, as the bytes [at, at + length). */
struct word {
	const char *at;
	size_t length;
};

void skip_blanks(struct compile *compile);
/* Is the code of the line used up? Skips blanks. */
bool at_line_end(struct compile *compile);
/* Letters, digits, '_', and '-' where `dashes`; empty if the line goes on with something else. Does not
 * advance. */
struct word peek_word(struct compile *compile, bool dashes);
/* All up to the next blank, for messages; at most 40 bytes. Does not advance. */
struct word peek_token(struct compile *compile);
/* Advances over the word if it comes next. */
bool take_keyword(struct compile *compile, const char *keyword);

/* `what` names the operand in messages: "a size". */
int operand_number(struct compile *compile, const char *what, uint64_t *out);
int operand_percent(struct compile *compile, uint64_t *out);
/* variable, number, `text` or `rodata`, then + or - and a number. */
int operand_address(struct compile *compile, struct kvmap_operand *out);
/* A variable that is set, without a constant. */
int operand_variable(struct compile *compile, struct kvmap_operand *out);
/* "text" in double quotes; *out is the offset in script->strings. */
int operand_string(struct compile *compile, uint64_t *out);
/* Flags of kvmap/gfp.h, separated by '|'. */
int operand_gfp(struct compile *compile, uint64_t *out);
int operand_choice(struct compile *compile, const struct name *table, const char *what, uint32_t *out);

#endif
