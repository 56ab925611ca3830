/* SPDX-License-Identifier: MIT */
/*
 * complete.h: what can follow in a line of the shell: operations, commands, variables, choices.
 */
#ifndef VMM_SHELL_COMPLETE_H
#define VMM_SHELL_COMPLETE_H

#include "script/script.h"

#define COMPLETE_TEXT_MAX 1000 /* bytes before the cursor */
#define COMPLETE_WORD_MAX 63
#define COMPLETE_MAX      256

struct completion {
	char items[COMPLETE_MAX][COMPLETE_WORD_MAX + 1]; /* sorted, no two alike */
	size_t count;
	size_t typed; /* bytes of each word that are typed already */
};

/* The words of the shell itself and of the inspecting commands: NULL ends a list. */
struct complete_words {
	const char *const *own;
	const char *const *commands;
	const struct script *script; /* for its variables; NULL: only commands */
};

/* Finds what can follow `text`. */
void complete_line(const struct complete_words *words, const char *text, struct completion *out);

/* The letters that all words share after what is typed, and a blank after the only one; "" if there are none. */
void completion_rest(const struct completion *completion, char *out, size_t size);

#endif
