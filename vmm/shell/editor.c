/* SPDX-License-Identifier: MIT */
#include "shell/editor.h"

#include "base/escape.h"
#include "shell/libedit.h"
#include "shell/words.h"

#include <histedit.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#define HISTORY_LINES 1000

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

/* ---- called by libedit ---- */

static struct editor *editor_of(EditLine *edit)
{
	struct editor *editor = NULL;

	el_get(edit, EL_CLIENTDATA, &editor);
	return editor;
}

static char *prompt_text(EditLine *edit)
{
	return (char *)editor_of(edit)->prompt;
}

/* While a line is read: the process was stopped and went on (SIGCONT); the terminal got another size (SIGWINCH). */
static volatile sig_atomic_t continued, resized;

static void note_terminal(int number)
{
	if (number == SIGCONT)
		continued = true;
	else
		resized = true;
}

static const int terminal_signals[] = { SIGCONT, SIGWINCH };

#define TERMINAL_SIGNALS (sizeof(terminal_signals) / sizeof(terminal_signals[0]))

/* Meanwhile another process may have set the terminal up for itself: the line that is typed is drawn again. */
static void take_terminal(EditLine *edit)
{
	if (resized || continued)
		el_resize(edit);
	if (continued) {
		el_set(edit, EL_PREP_TERM, 0);
		el_set(edit, EL_PREP_TERM, 1);
		el_set(edit, EL_REFRESH);
	}
	continued = resized = false;
}

/* The next character; bytes that are none are dropped. */
static int read_character(EditLine *edit, wchar_t *out)
{
	struct editor *editor = editor_of(edit);
	mbstate_t state = { 0 };
	char byte;

	while ((editor->result = plain_byte(&editor->input, &byte)) == INPUT_READ ||
	       editor->result == INPUT_WOKEN) {
		size_t length;

		take_terminal(edit);
		if (editor->result == INPUT_WOKEN)
			continue;
		length = mbrtowc(out, &byte, 1, &state);
		if (length <= 1)
			return 1;
		if (length == (size_t)-1)
			state = (mbstate_t){ 0 };
	}
	return editor->result == INPUT_END ? 0 : -1;
}

static void list_words(FILE *output, const struct completion *completion)
{
	struct winsize size;
	size_t columns = ioctl(fileno(output), TIOCGWINSZ, &size) == 0 && size.ws_col ? size.ws_col : 80,
	       used = 0;

	fputc('\n', output);
	for (size_t i = 0; i < completion->count; i++) {
		size_t length = strlen(completion->items[i]);

		if (used && used + 2 + length > columns) {
			fputc('\n', output);
			used = 0;
		}
		used += (size_t)fprintf(output, "%s%s", used ? "  " : "", completion->items[i]);
	}
	fputc('\n', output);
	fflush(output);
}

/* The Tab key. */
static unsigned char complete_key(EditLine *edit, int key)
{
	struct editor *editor = editor_of(edit);
	const LineInfo *info = el_line(edit);
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
		el_insertstr(edit, rest);
		return CC_REFRESH;
	}
	list_words(editor->streams.output, &completion);
	return CC_REDISPLAY;
}

/* ---- for the shell ---- */

static int edit_open(struct editor *editor)
{
	const struct editor_streams *streams = &editor->streams;
	HistEvent event;

	/* libedit drops characters that the locale does not have. */
	if (!setlocale(LC_CTYPE, "") || MB_CUR_MAX == 1)
		setlocale(LC_CTYPE, "C.UTF-8");
	editor->history = history_init();
	editor->edit = el_init("kvmap", streams->input, streams->output, streams->errors);
	if (!editor->edit || !editor->history) {
		if (editor->edit)
			el_end(editor->edit);
		editor->edit = NULL;
		return -1;
	}
	history(editor->history, &event, H_SETSIZE, HISTORY_LINES);
	history(editor->history, &event, H_SETUNIQUE, 1);
	el_set(editor->edit, EL_CLIENTDATA, editor);
	el_set(editor->edit, EL_PROMPT, prompt_text);
	el_set(editor->edit, EL_EDITOR, "emacs");
	el_set(editor->edit, EL_SIGNAL, 0);
	el_set(editor->edit, EL_HIST, history, editor->history);
	el_set(editor->edit, EL_GETCFN, read_character);
	el_set(editor->edit, EL_ADDFN, "kvmap-complete", "Complete the word", complete_key);
	el_set(editor->edit, EL_BIND, "^I", "kvmap-complete", NULL);
	el_set(editor->edit, EL_BIND, "^R", "em-inc-search-prev", NULL);
	return 0;
}

int editor_open(const struct editor_streams *streams, editor_complete *complete, void *context,
		struct editor **out, struct error *error)
{
	struct editor *editor = calloc(1, sizeof(*editor));
	struct error missing;

	if (!editor)
		return error_set(error, ERROR_HOST, 0, 0, "out of memory");
	editor->complete = complete;
	editor->context = context;
	editor->streams = *streams;
	editor->input.fd = fileno(streams->input);
	editor->terminal = isatty(fileno(streams->input)) && isatty(fileno(streams->output));
	if (editor->terminal && libedit_load(&missing) < 0)
		fprintf(streams->errors, "kvmap: %s; continuing without history and completion\n",
			missing.text);
	else if (editor->terminal && edit_open(editor) < 0)
		fprintf(streams->errors,
			"kvmap: libedit cannot use this terminal; continuing without history and completion\n");
	*out = editor;
	return 0;
}

void editor_close(struct editor *editor)
{
	if (!editor)
		return;
	if (editor->edit)
		el_end(editor->edit);
	if (editor->history)
		history_end(editor->history);
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
		history(editor->history, &event, H_ENTER, editor->line);
	*line_out = editor->line;
	return INPUT_READ;
}

/* el_gets(), which notes the signals of the terminal. */
static const char *read_line(struct editor *editor, int *count_out)
{
	struct sigaction action = { .sa_handler = note_terminal, .sa_flags = SA_RESTART },
			 before[TERMINAL_SIGNALS];
	const char *line;

	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < TERMINAL_SIGNALS; i++)
		sigaction(terminal_signals[i], &action, &before[i]);
	el_resize(editor->edit);
	line = el_gets(editor->edit, count_out);
	for (size_t i = 0; i < TERMINAL_SIGNALS; i++)
		sigaction(terminal_signals[i], &before[i], NULL);
	return line;
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
	line = read_line(editor, &count);
	if (line && count > 0 && editor->result == INPUT_READ)
		return take_line(editor, line, count, line_out);
	return editor->result == INPUT_READ ? INPUT_END : editor->result;
}

void editor_echo(const struct editor *editor, const char *prompt, const char *line)
{
	char text[2 * WORDS_LINE_MAX];
	size_t length = strlen(line);

	/* An escape has four characters; a line that is too long is refused anyway. */
	if (length > sizeof(text) / 4 - 1)
		length = sizeof(text) / 4 - 1;
	fprintf(editor->streams.output, "%s%s%s\n", prompt, text_filter(line, length, text, sizeof(text)),
		line[length] ? "..." : "");
}
