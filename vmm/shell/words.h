/* SPDX-License-Identifier: MIT */
/*
 * words.h: splits a line into words.
 */
#ifndef VMM_SHELL_WORDS_H
#define VMM_SHELL_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#define WORDS_MAX      64
#define WORDS_LINE_MAX 1000 /* bytes of a line; as of a script */

struct words {
	char *items[WORDS_MAX + 1]; /* the last one is NULL */
	size_t count;
	char text[WORDS_LINE_MAX + 2 * WORDS_MAX];
};

/* Bytes of the line before its comment, which a # outside of '...' and "..." begins. A \ in "..." keeps the next byte. */
size_t words_code_length(const char *line);

/*
 * Words are separated by blanks; '...' and "..." keep theirs. The line has no comment. False: the line or the number of
 * words is too long, or a quote has no end.
 */
bool words_split(const char *line, struct words *out);

/* Joins an address that is written with blanks, `a + 64K`, to one word. */
void words_join(struct words *words);

/* Copies what follows the first word of the line, without blanks around it, to the end of `text`. Returns it. */
char *words_rest(const char *line, char *text, size_t size);

/* Whether the line begins with the word. */
bool words_begin(const char *line, const char *word);

#endif
