/* SPDX-License-Identifier: MIT */
#include "shell/editor.h"

#include <dlfcn.h>
#include <histedit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HISTORY_LINES 1000

/* The functions of libedit. */
#define LIBEDIT(X)                                                                                           \
	X(el_init)                                                                                           \
	X(el_end)                                                                                            \
	X(el_set)                                                                                            \
	X(el_get)                                                                                            \
	X(el_gets)                                                                                           \
	X(el_line)                                                                                           \
	X(el_insertstr)                                                                                      \
	X(history_init)                                                                                      \
	X(history_end)                                                                                       \
	X(history)

/* Loaded once in a process; library NULL: not loaded. */
static struct {
	void *library;
#define MEMBER(function) __typeof__(function) *function;
	LIBEDIT(MEMBER)
#undef MEMBER
} lib;

struct editor {
	struct editor_streams streams;
	bool terminal;
	struct plain_lines input;
	EditLine *edit; /* NULL: lines are read as they are */
	History *history;
	const char *prompt;
	editor_complete *complete;
	void *context;
	enum input_result result; /* of the last byte */
	char *line;               /* of libedit, without the newline */
};

static bool libedit_load(void)
{
	bool missing = false;

	if (lib.library)
		return true;
	lib.library = dlopen("libedit.so.2", RTLD_NOW | RTLD_LOCAL);
	if (!lib.library)
		return false;
#define FIND(function)                                                                                       \
	*(void **)&lib.function = dlsym(lib.library, #function);                                             \
	missing |= !lib.function;
	LIBEDIT(FIND)
#undef FIND
	if (missing) {
		dlclose(lib.library);
		lib.library = NULL;
	}
	return lib.library;
}

/* ---- called by libedit ---- */

static struct editor *editor_of(EditLine *edit)
{
	struct editor *editor = NULL;

	lib.el_get(edit, EL_CLIENTDATA, &editor);
	return editor;
}

static char *prompt_text(EditLine *edit)
{
	return (char *)editor_of(edit)->prompt;
}

/* A wide character for each byte: operations are ASCII. */
static int read_character(EditLine *edit, wchar_t *out)
{
	struct editor *editor = editor_of(edit);
	char byte;

	editor->result = plain_byte(&editor->input, &byte);
	if (editor->result == INPUT_READ) {
		*out = (wchar_t)(unsigned char)byte;
		return 1;
	}
	return editor->result == INPUT_END ? 0 : -1;
}

static void list_words(FILE *output, const struct completion *completion)
{
	fputc('\n', output);
	for (size_t i = 0; i < completion->count; i++)
		fprintf(output, "%s%s", completion->items[i], i + 1 < completion->count ? "  " : "\n");
	fflush(output);
}

/* The Tab key. */
static unsigned char complete_key(EditLine *edit, int key)
{
	struct editor *editor = editor_of(edit);
	const LineInfo *info = lib.el_line(edit);
	char text[COMPLETE_TEXT_MAX + 1], rest[COMPLETE_WORD_MAX + 2];
	size_t length = (size_t)(info->cursor - info->buffer);
	struct completion completion;

	(void)key;
	if (length > COMPLETE_TEXT_MAX)
		return CC_ERROR;
	memcpy(text, info->buffer, length);
	text[length] = '\0';
	editor->complete(editor->context, text, &completion);
	if (!completion.count)
		return CC_ERROR;
	completion_rest(&completion, rest, sizeof(rest));
	if (*rest) {
		lib.el_insertstr(edit, rest);
		return CC_REFRESH;
	}
	list_words(editor->streams.output, &completion);
	return CC_REDISPLAY;
}

/* ---- for the shell ---- */

static bool edit_open(struct editor *editor)
{
	const struct editor_streams *streams = &editor->streams;
	HistEvent event;

	if (!libedit_load())
		return false;
	editor->history = lib.history_init();
	editor->edit = lib.el_init("kvmap", streams->input, streams->output, streams->errors);
	if (!editor->edit || !editor->history)
		return false;
	lib.history(editor->history, &event, H_SETSIZE, HISTORY_LINES);
	lib.history(editor->history, &event, H_SETUNIQUE, 1);
	lib.el_set(editor->edit, EL_CLIENTDATA, editor);
	lib.el_set(editor->edit, EL_PROMPT, prompt_text);
	lib.el_set(editor->edit, EL_EDITOR, "emacs");
	lib.el_set(editor->edit, EL_SIGNAL, 0);
	lib.el_set(editor->edit, EL_HIST, lib.history, editor->history);
	lib.el_set(editor->edit, EL_GETCFN, read_character);
	lib.el_set(editor->edit, EL_ADDFN, "kvmap-complete", "Complete the word", complete_key);
	lib.el_set(editor->edit, EL_BIND, "^I", "kvmap-complete", NULL);
	lib.el_set(editor->edit, EL_BIND, "^R", "em-inc-search-prev", NULL);
	return true;
}

int editor_open(const struct editor_streams *streams, editor_complete *complete, void *context,
		struct editor **out, struct error *error)
{
	struct editor *editor = calloc(1, sizeof(*editor));

	if (!editor)
		return error_set(error, ERROR_HOST, 0, 0, "out of memory");
	editor->complete = complete;
	editor->context = context;
	editor->streams = *streams;
	editor->input.fd = fileno(streams->input);
	editor->terminal = isatty(fileno(streams->input)) && isatty(fileno(streams->output));
	if (editor->terminal && !edit_open(editor))
		fprintf(streams->errors,
			"kvmap: libedit is not installed: continuing without history and completion\n");
	*out = editor;
	return 0;
}

void editor_close(struct editor *editor)
{
	if (!editor)
		return;
	if (editor->edit)
		lib.el_end(editor->edit);
	if (editor->history)
		lib.history_end(editor->history);
	plain_lines_destroy(&editor->input);
	free(editor->line);
	free(editor);
}

bool editor_is_terminal(const struct editor *editor)
{
	return editor->terminal;
}

/* Copies libedit's line without its newline, and adds it to the history. */
static enum input_result take_line(struct editor *editor, const char *line, int count, const char **line_out)
{
	HistEvent event;

	while (count && (line[count - 1] == '\n' || line[count - 1] == '\r'))
		count--;
	free(editor->line);
	editor->line = strndup(line, (size_t)count);
	if (!editor->line)
		return INPUT_FAILED;
	if (editor->line[strspn(editor->line, " \t")])
		lib.history(editor->history, &event, H_ENTER, editor->line);
	*line_out = editor->line;
	return INPUT_READ;
}

enum input_result editor_read(struct editor *editor, const char *prompt, const char **line_out)
{
	const char *line;
	int count = 0;

	fflush(editor->streams.output);
	if (!editor->edit) {
		if (editor->terminal)
			fputs(prompt, editor->streams.output);
		fflush(editor->streams.output);
		return plain_line(&editor->input, line_out);
	}
	editor->prompt = prompt;
	editor->result = INPUT_READ;
	line = lib.el_gets(editor->edit, &count);
	if (line && count > 0 && editor->result == INPUT_READ)
		return take_line(editor, line, count, line_out);
	return editor->result == INPUT_READ ? INPUT_END : editor->result;
}
