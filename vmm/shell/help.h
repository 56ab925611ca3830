/* SPDX-License-Identifier: MIT */
/*
 * help.h: the texts of `help`.
 */
#ifndef VMM_SHELL_HELP_H
#define VMM_SHELL_HELP_H

#include <stdbool.h>
#include <stdio.h>

/* The words that are of the shell itself; NULL ends the list. */
extern const char *const help_own_words[];

/* Words with which a line of operations may begin, but for operations; NULL ends the list. */
extern const char *const help_prefixes[];

/* "save FILE", and how many arguments it takes at most; NULL: it is no word of the shell itself. */
const char *help_usage(const char *word, size_t *arguments_out);

/* Prints all that can be typed. commands: the inspecting ones; NULL ends the list. operations: whether they can be. */
void help_print(FILE *stream, const char *const *commands, bool operations, unsigned int columns);

/* Prints what one of the shell's words, an operation or a prefix does. False: it is none. */
bool help_print_word(FILE *stream, const char *word, unsigned int columns);

#endif
