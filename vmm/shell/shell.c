/* SPDX-License-Identifier: MIT */
#include "shell/shell.h"

#include "base/clock.h"
#include "base/signals.h"
#include "shell/help.h"
#include "shell/internal.h"
#include "shell/statements.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* ---- for the other files ---- */

void shell_error(struct shell *shell, const char *text, const char *detail)
{
	fflush(shell->report.stream);
	fprintf(shell->config->errors, "kvmap: %s\n", text);
	if (detail && *detail)
		fprintf(shell->config->errors, "%s\n", detail);
	if (!editor_is_terminal(shell->editor))
		shell->result.failed = true;
}

/* A signal that stopped the guest: Ctrl-C gives the prompt, any other ends the shell. */
void shell_take_signal(struct shell *shell)
{
	if (signals_received() == SIGINT) {
		signals_forget();
		if (shell->session)
			session_forget_interrupt(shell->session);
	} else if (signals_received()) {
		shell->ends = true;
	}
}

static bool asks_for_help(int count, char **words)
{
	for (int i = 1; i < count; i++)
		if (!strcmp(words[i], "--help") || !strcmp(words[i], "-?"))
			return true;
	return false;
}

void shell_inspect(struct shell *shell, int count, char **words)
{
	enum shell_inspection found;

	if (!strcmp(words[0], "diff") && shell->session && !shell->last && !asks_for_help(count, words)) {
		shell_error(shell, *shell->no_last.text ? shell->no_last.text : "there was no stop before",
			    NULL);
		return;
	}
	fflush(shell->report.stream);
	found = shell->config->inspect(shell->config->context, shell->session, shell->last, count, words);
	if (found == SHELL_NOT_DONE && !editor_is_terminal(shell->editor))
		shell->result.failed = true;
	/* The verdict of a guest of the shell comes at its end. */
	shell->result.findings += found == SHELL_FOUND && !shell->session;
	shell_take_signal(shell);
}

/* ---- operations ---- */

static const char *why_not_now(const struct shell *shell)
{
	if (!shell->session)
		return "operations need a guest that kvmap boots: `kvmap shell` without a SOURCE, or with a script";
	if (shell->session->state == SESSION_DEAD)
		return "the guest cannot run any more: `restart` boots it anew";
	if (shell->session->state == SESSION_STOPPED)
		return "the guest is stopped in the middle of an operation: `continue` lets it run on";
	return NULL;
}

static bool in_block(const struct shell *shell)
{
	return shell->config->script && shell->config->script->block_count;
}

/* After the message about a line: if it begins a block, the lines up to the block's end are dropped. */
static void drop_block(struct shell *shell, const char *line)
{
	if (statement_depth(line) <= 0)
		return;
	shell->dropped = 1;
	shell_error(shell, "the lines below it, to its end, are dropped", NULL);
}

/*
 * A line that is wrong is dropped, as a block if it begins one; the lines of the block before it stay. If it is one of them
 * that is wrong, which its end shows, the block is dropped. length: bytes of the script's text before the line.
 */
static void drop_line(struct shell *shell, const char *line, size_t length, const struct error *error,
		      const char *context)
{
	struct script *script = shell->config->script;

	shell_error(shell, error->text, context);
	if (error->address >= length) {
		drop_block(shell, line);
		return;
	}
	shell->dropped = script->block_count - 1;
	script_rewind(script, &shell->before);
	shell_error(shell, "the lines from the repeat or parallel on are dropped", NULL);
}

/* A line of operations, maybe one of a block. */
static int operation(struct shell *shell, const char *line, struct error *error)
{
	struct script *script = shell->config->script;
	char context[1024];
	const char *why = why_not_now(shell);
	const char *meant = in_block(shell) ? NULL : statement_meant(line, shell->config->commands);
	size_t length;
	int result;

	if (meant) {
		snprintf(context, sizeof(context), "there is no such word; did you mean `%s`?", meant);
		shell_error(shell, context, NULL);
		return 0;
	}
	if (why) {
		shell_error(shell, why, NULL);
		drop_block(shell, line);
		return 0;
	}
	if (!in_block(shell))
		shell->before = script_mark(script);
	length = script->length;
	result = script_append(script, line, strlen(line), shell->session->config.cpus, context,
			       sizeof(context), error);
	if (result == SCRIPT_OPEN)
		return 0;
	if (result < 0 && error->kind != ERROR_INPUT)
		return -1;
	if (result < 0) {
		drop_line(shell, line, length, error, context);
		return 0;
	}
	shell->line_ns = clock_monotonic_ns();
	return guest_execute(shell, error);
}

/* ---- lines ---- */

/* code: the line without its comment. */
static int line_run(struct shell *shell, const char *line, const char *code, struct error *error)
{
	enum statement statement = statement_of(code, shell->config->commands);
	struct words words;

	if (shell->dropped) {
		shell->dropped += (unsigned int)statement_depth(line);
		return 0;
	}
	if (in_block(shell))
		statement = STATEMENT_OPERATION;
	else if (statement == STATEMENT_OPERATION && words_begin(code, "verify") && shell->session &&
		 shell->session->state == SESSION_DEAD)
		statement = STATEMENT_COMMAND; /* no operation of a guest that is dead */
	if (statement == STATEMENT_NOTHING)
		return 0;
	if (statement == STATEMENT_OPERATION)
		return operation(shell, line, error);
	if (!words_split(code, &words)) {
		shell_error(shell, "the line is too long, or a quote in it has no end", NULL);
		return 0;
	}
	if (statement == STATEMENT_OWN)
		return own_word_run(shell, &words, error);
	/* An expression has blanks and quotes of its own. */
	if (!strcmp(words.items[0], "print") && !strstr(code, " --") && words.count > 1) {
		words.items[1] = words_rest(code, words.text, sizeof(words.text));
		words.items[2] = NULL;
		words.count = 2;
	}
	words_join(&words);
	if (!strcmp(words.items[0], "verify") && words.count == 1 && shell->session &&
	    shell->session->state == SESSION_DEAD && guest_verify_dead(shell, error) < 0)
		return -1;
	shell_inspect(shell, (int)words.count, words.items);
	return 0;
}

static int line_take(struct shell *shell, const char *line, struct error *error)
{
	char *code = strndup(line, words_code_length(line));
	int result;

	if (!code)
		return error_set(error, ERROR_HOST, 0, 0, "out of memory");
	result = line_run(shell, line, code, error);
	free(code);
	return result;
}

static const char *prompt_of(const struct shell *shell)
{
	if (in_block(shell) || shell->dropped)
		return "     > ";
	if (shell->session && shell->session->state == SESSION_STOPPED)
		return "kvmap (stopped)> ";
	return shell->session && shell->session->state == SESSION_DEAD ? "kvmap (dead)> " : "kvmap> ";
}

/* Drops the lines of a block without its end. */
static bool leave_block(struct shell *shell)
{
	if (!in_block(shell))
		return false;
	script_rewind(shell->config->script, &shell->before);
	return true;
}

/* Ctrl-C at the prompt drops the line, or the block. */
static void interrupted(struct shell *shell)
{
	if (signals_received() == SIGINT && editor_is_terminal(shell->editor)) {
		fprintf(shell->report.stream, "^C\n");
		leave_block(shell);
		shell->dropped = 0;
	} else if (signals_received() == SIGINT) {
		shell->ends = true;
		return;
	}
	shell_take_signal(shell);
}

static int read_lines(struct shell *shell, struct error *error)
{
	bool echo = !editor_is_terminal(shell->editor) && shell->report.format == REPORT_TEXT;
	const char *line;

	while (!shell->ends) {
		switch (editor_read(shell->editor, prompt_of(shell), &line)) {
		case INPUT_READ:
			if (echo)
				editor_echo(shell->editor, prompt_of(shell), line);
			if (line_take(shell, line, error) < 0)
				return -1;
			break;
		case INPUT_INTERRUPTED: interrupted(shell); break;
		case INPUT_WOKEN: break;
		case INPUT_BINARY: shell_error(shell, "a line with a NUL byte: lines are text", NULL); break;
		case INPUT_END:
			if (editor_is_terminal(shell->editor))
				fputc('\n', shell->report.stream);
			shell->ends = true;
			break;
		case INPUT_FAILED:
			return error_set(error, ERROR_HOST, errno, 0, "standard input cannot be read");
		}
	}
	if (leave_block(shell))
		shell_error(shell,
			    "the input ends in a repeat or parallel without its end, which was not run",
			    NULL);
	return 0;
}

static void complete(void *context, const char *text, struct completion *out)
{
	const struct shell *shell = context;
	const struct complete_words words = {
		.own = help_own_words,
		.commands = shell->config->commands,
		.script = shell->config->script,
	};

	complete_line(&words, text, out);
}

int shell_run(const struct shell_config *config, struct shell_result *result, struct error *error)
{
	const struct editor_streams streams = { config->input, config->report.stream, config->errors };
	struct shell shell = { .config = config, .report = config->report };
	int status = -1;

	if (config->script)
		shell.booted = script_mark(config->script);
	if (editor_open(&streams, complete, &shell, &shell.editor, error) == 0 &&
	    (!config->script || guest_start(&shell, error) == 0) && read_lines(&shell, error) == 0)
		status = guest_finish(&shell, error);
	*result = shell.result;
	session_destroy(shell.session);
	view_destroy(shell.last);
	editor_close(shell.editor);
	return status;
}
