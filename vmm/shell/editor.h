/* SPDX-License-Identifier: MIT */
/*
 * editor.h: lines that are typed: in a terminal with editing, history and completion by libedit, which is loaded only
 * then; anything else as it is.
 */
#ifndef VMM_SHELL_EDITOR_H
#define VMM_SHELL_EDITOR_H

#include "base/error.h"
#include "shell/complete.h"
#include "shell/plain_lines.h"

#include <stdio.h>

struct editor;

/* Fills in what can follow the text before the cursor. */
typedef void editor_complete(void *context, const char *text, struct completion *out);

struct editor_streams {
	FILE *input, *output, *errors;
};

/* -1 when memory is out. */
int editor_open(const struct editor_streams *streams, editor_complete *complete, void *context,
		struct editor **out, struct error *error);
void editor_close(struct editor *editor);

/* Whether a person types: input and output are terminals. */
bool editor_is_terminal(const struct editor *editor);

/* The next line after the prompt, without its newline, valid until the next call. */
enum input_result editor_read(struct editor *editor, const char *prompt, const char **line_out);

/* Prints a line that no person typed, after the prompt, without its control characters. */
void editor_echo(const struct editor *editor, const char *prompt, const char *line);

#endif
