/* SPDX-License-Identifier: MIT */
#include "shell/shell.h"

#include "base/array.h"
#include "base/clock.h"
#include "base/signals.h"
#include "report/stop.h"
#include "report/verdict.h"
#include "shell/editor.h"
#include "shell/help.h"
#include "shell/last_stop.h"
#include "shell/save.h"
#include "shell/statements.h"
#include "shell/words.h"

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum verify_mode { VERIFY_EACH, VERIFY_END, VERIFY_OFF };

struct shell {
	const struct shell_config *config;
	struct report report;
	struct editor *editor;
	struct session *session;   /* NULL: there is no guest to give operations */
	struct script_mark booted; /* the script before anything was typed */
	enum verify_mode verify;
	struct view *last; /* the guest before the newest operations */
	struct error no_last;
	ARRAY_OF(char) block; /* lines of a `repeat` or `parallel` without its end */
	uint64_t line_ns;     /* CLOCK_MONOTONIC: when the line was complete */
	struct shell_result result;
	bool ends;
};

/* The last stop, as the report of the next one needs it. */
struct before {
	struct claims claims;
	bool has_claims;
	size_t steps, listed;
	uint64_t findings, checks; /* findings: of the run, not of a verification */
	uint64_t guest_ns;
};

/* ---- messages ---- */

static void show_error(struct shell *shell, const char *text, const char *detail)
{
	fflush(shell->report.stream);
	fprintf(shell->config->errors, "kvmap: %s\n", text);
	if (detail && *detail)
		fprintf(shell->config->errors, "%s\n", detail);
	if (!editor_is_terminal(shell->editor))
		shell->result.failed = true;
}

/* ---- stops ---- */

static uint64_t checks_of(const struct verdict *verdict)
{
	uint64_t sum = 0;

	for (unsigned int i = 1; i <= INVARIANTS; i++)
		if (verdict->results[i].seen == SEEN)
			sum += verdict->results[i].checked;
	return sum;
}

/* Keeps what the next stop is compared with. */
static void before_take(struct shell *shell, struct before *out)
{
	struct session *session = shell->session;
	const struct verdict *verdict = &session->verdict;

	*out = (struct before){
		.steps = session->steps.count,
		.listed = verdict->findings.count,
		.findings = verdict->results[0].findings,
		.guest_ns = session->run.timing.guest_ns,
		.checks = checks_of(verdict),
		.has_claims = session->run.claims,
	};
	if (out->has_claims)
		session_give_claims(session, &out->claims);
	view_destroy(shell->last);
	shell->last = last_stop_copy(session->view, &shell->no_last);
}

/* Whether the newest operation is a `verify`, so that the guest is verified as it is. */
static bool is_verified(const struct session *session, size_t first_step)
{
	return session->steps.count > first_step && session->steps.items[session->steps.count - 1].verified &&
	       session->run.claims;
}

/* After the guest stopped: verifies, and reports. */
static int stop_report(struct shell *shell, struct before *before, bool verify, struct error *error)
{
	struct session *session = shell->session;
	char where[160];
	struct report_stop stop = {
		.run = &session->run,
		.first_step = before->steps,
		.before = before->has_claims ? &before->claims : NULL,
		.first_listed = before->listed,
		.dead = session->state == SESSION_DEAD,
	};
	struct error unreadable;
	int result = 0;

	if (session->state == SESSION_IDLE && is_verified(session, before->steps))
		verify = true;
	else if (session->state == SESSION_IDLE && verify)
		result = session_verify(session, error);
	else if (session->state != SESSION_DEAD && session_read_claims(session, &unreadable) < 0 &&
		 unreadable.kind != ERROR_GUEST)
		show_error(shell, unreadable.text, NULL);
	session_fill_run(session);
	if (session->state == SESSION_STOPPED) {
		session_where(session, where, sizeof(where));
		stop.stopped_at = where;
	}
	stop.verified = session->state == SESSION_IDLE && verify;
	stop.findings = session->verdict.results[0].findings - before->findings +
			(stop.verified ? session->findings : 0);
	stop.guest_ns = session->run.timing.guest_ns - before->guest_ns;
	stop.checks = checks_of(&session->verdict) - before->checks;
	stop.ns = clock_monotonic_ns() - shell->line_ns;
	if (result == 0)
		report_stop(&shell->report, &stop);
	claims_destroy(&before->claims);
	fflush(shell->report.stream);
	return result;
}

/* A signal that stopped the guest: Ctrl-C gives the prompt, any other ends the shell. */
static void take_signal(struct shell *shell)
{
	if (signals_received() == SIGINT) {
		signals_forget();
		if (shell->session)
			session_forget_interrupt(shell->session);
	} else if (signals_received()) {
		shell->ends = true;
	}
}

static int start(struct shell *shell, struct error *error)
{
	struct before before = { 0 };

	shell->line_ns = clock_monotonic_ns();
	if (session_start(&shell->config->session, &shell->session, error) < 0)
		return -1;
	take_signal(shell);
	return stop_report(shell, &before, shell->verify == VERIFY_EACH, error);
}

/* ---- operations ---- */

/* Runs what the script has gained. -1: nothing can go on. */
static int execute(struct shell *shell, const struct script_mark *mark, struct error *error)
{
	struct before before;
	struct error refused;

	before_take(shell, &before);
	if (session_execute(shell->session, &refused) < 0) {
		if (refused.kind != ERROR_INPUT) {
			*error = refused;
			claims_destroy(&before.claims);
			return -1;
		}
		show_error(shell, refused.text, NULL);
		script_rewind(shell->config->script, mark);
		claims_destroy(&before.claims);
		return session_read_claims(shell->session, error) < 0 && error->kind != ERROR_GUEST ? -1 : 0;
	}
	take_signal(shell);
	return stop_report(shell, &before, shell->verify == VERIFY_EACH, error);
}

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

static int append(struct shell *shell, const char *line)
{
	for (; *line; line++)
		if (array_push(&shell->block, *line) < 0)
			return -1;
	return array_push(&shell->block, '\n');
}

/* A line of operations, maybe one of a block. */
static int operation(struct shell *shell, const char *line, struct error *error)
{
	struct script_mark mark;
	size_t before = shell->block.count;
	char context[1024];
	const char *why = why_not_now(shell);
	const char *meant = before ? NULL : statement_meant(line, shell->config->commands);
	int result;

	if (meant) {
		snprintf(context, sizeof(context), "there is no such word; did you mean `%s`?", meant);
		show_error(shell, context, NULL);
		return 0;
	}
	if (why) {
		show_error(shell, why, NULL);
		return 0;
	}
	if (append(shell, line) < 0)
		return error_set(error, ERROR_HOST, 0, 0, "out of memory");
	mark = script_mark(shell->config->script);
	result = script_append(shell->config->script, shell->block.items, shell->block.count,
			       shell->session->config.cpus, context, sizeof(context), error);
	if (result == SCRIPT_OPEN)
		return 0;
	if (result < 0) {
		/* The lines before it, which were right, stay. */
		shell->block.count = before;
		show_error(shell, error->text, context);
		return 0;
	}
	shell->block.count = 0;
	shell->line_ns = clock_monotonic_ns();
	return execute(shell, &mark, error);
}

/* ---- the words of the shell ---- */

static int restart(struct shell *shell, struct error *error)
{
	if (!shell->session) {
		show_error(shell, "there is no guest to restart: SOURCE is not a script", NULL);
		return 0;
	}
	shell->result.findings += shell->session->verdict.finding_count;
	session_destroy(shell->session);
	shell->session = NULL;
	view_destroy(shell->last);
	shell->last = NULL;
	script_rewind(shell->config->script, &shell->booted);
	return start(shell, error);
}

static int go_on(struct shell *shell, struct error *error)
{
	struct before before;

	if (!shell->session || shell->session->state != SESSION_STOPPED) {
		show_error(shell, "no guest is stopped in the middle of an operation", NULL);
		return 0;
	}
	before_take(shell, &before);
	shell->line_ns = clock_monotonic_ns();
	if (session_continue(shell->session, error) < 0) {
		claims_destroy(&before.claims);
		return -1;
	}
	take_signal(shell);
	return stop_report(shell, &before, shell->verify == VERIFY_EACH, error);
}

static void set_verify(struct shell *shell, const char *mode)
{
	static const char *const modes[] = { "each", "end", "off" };

	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		if (strcmp(mode, modes[i]) != 0)
			continue;
		shell->verify = (enum verify_mode)i;
		return;
	}
	show_error(shell, "write: verify, or verify each, verify end, verify off", NULL);
}

static void save(struct shell *shell, const char *path)
{
	struct error error;

	if (!shell->session)
		show_error(shell, "there is nothing to save: no operation was run", NULL);
	else if (!path)
		show_error(shell, "write: save FILE", NULL);
	else if (save_script(path, &shell->session->config, &error) < 0)
		show_error(shell, error.text, NULL);
}

static bool is_command(const struct shell *shell, const char *word)
{
	for (const char *const *command = shell->config->commands; *command; command++)
		if (!strcmp(*command, word))
			return true;
	return false;
}

static void inspect(struct shell *shell, int count, char **words)
{
	if (!strcmp(words[0], "diff") && shell->session && !shell->last) {
		show_error(shell, *shell->no_last.text ? shell->no_last.text : "there was no stop before",
			   NULL);
		return;
	}
	fflush(shell->report.stream);
	if (!shell->config->inspect(shell->config->context, shell->session, shell->last, count, words) &&
	    !editor_is_terminal(shell->editor))
		shell->result.failed = true;
	take_signal(shell);
}

static void help(struct shell *shell, char *word)
{
	FILE *stream = shell->report.stream;
	char option[] = "--help";
	char *arguments[] = { word, option, NULL };
	bool found;

	if (!word) {
		help_print(stream, shell->config->commands, shell->config->script, shell->report.columns);
		return;
	}
	found = help_print_word(stream, word, shell->report.columns);
	if (is_command(shell, word))
		inspect(shell, 2, arguments);
	else if (!found)
		show_error(shell, "there is no such word: `help` lists them", NULL);
}

static int own_word(struct shell *shell, const struct words *words, struct error *error)
{
	char *argument = words->items[1], text[160];
	const char *word = words->items[0];
	size_t most;
	const char *usage = help_usage(word, &most);

	if (words->count - 1 > most) {
		snprintf(text, sizeof(text), "there is an argument too many; write: %s", usage);
		show_error(shell, text, NULL);
	} else if (!strcmp(word, "exit") || !strcmp(word, "quit"))
		shell->ends = true;
	else if (!strcmp(word, "restart"))
		return restart(shell, error);
	else if (!strcmp(word, "continue"))
		return go_on(shell, error);
	else if (!strcmp(word, "help"))
		help(shell, argument);
	else if (!strcmp(word, "save"))
		save(shell, argument);
	else
		set_verify(shell, argument);
	return 0;
}

/* ---- lines ---- */

static int line_run(struct shell *shell, const char *line, struct error *error)
{
	enum statement statement = statement_of(line, shell->config->commands);
	struct words words;

	if (shell->block.count)
		statement = STATEMENT_OPERATION;
	else if (words_begin(line, "verify") && shell->session && shell->session->state == SESSION_DEAD)
		statement = STATEMENT_COMMAND; /* no operation of a guest that is dead */
	if (statement == STATEMENT_NOTHING)
		return 0;
	if (statement == STATEMENT_OPERATION)
		return operation(shell, line, error);
	if (!words_split(line, &words)) {
		show_error(shell, "the line is too long, or a quote in it has no end", NULL);
		return 0;
	}
	if (statement == STATEMENT_OWN)
		return own_word(shell, &words, error);
	/* An expression has blanks and quotes of its own. */
	if (!strcmp(words.items[0], "print") && !strstr(line, " --") && words.count > 1) {
		words.items[1] = words_rest(line, words.text, sizeof(words.text));
		words.items[2] = NULL;
		words.count = 2;
	}
	words_join(&words);
	inspect(shell, (int)words.count, words.items);
	return 0;
}

static const char *prompt_of(const struct shell *shell)
{
	if (shell->block.count)
		return "     > ";
	if (shell->session && shell->session->state == SESSION_STOPPED)
		return "kvmap (stopped)> ";
	return shell->session && shell->session->state == SESSION_DEAD ? "kvmap (dead)> " : "kvmap> ";
}

/* Ctrl-C at the prompt drops the line, or the block. */
static void interrupted(struct shell *shell)
{
	if (signals_received() == SIGINT && editor_is_terminal(shell->editor)) {
		fprintf(shell->report.stream, "^C\n");
		shell->block.count = 0;
	} else if (signals_received() == SIGINT) {
		shell->ends = true;
		return;
	}
	take_signal(shell);
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
			if (line_run(shell, line, error) < 0)
				return -1;
			break;
		case INPUT_INTERRUPTED: interrupted(shell); break;
		case INPUT_BINARY: show_error(shell, "a line with a NUL byte: lines are text", NULL); break;
		case INPUT_END:
			if (editor_is_terminal(shell->editor))
				fputc('\n', shell->report.stream);
			shell->ends = true;
			break;
		case INPUT_FAILED: return error_set(error, ERROR_HOST, 0, 0, "standard input cannot be read");
		}
	}
	if (shell->block.count)
		show_error(shell, "the input ends in a repeat or parallel without its end, which was not run",
			   NULL);
	return 0;
}

static int finish(struct shell *shell, struct error *error)
{
	struct session *session = shell->session;
	char where[160];

	if (!session)
		return 0;
	if (session_finish(session, shell->verify != VERIFY_OFF, error) < 0)
		return -1;
	shell->result.findings += session->verdict.finding_count;
	if (session->refused && !editor_is_terminal(shell->editor))
		shell->result.failed = true;
	report_verdict(&shell->report, &session->verdict);
	if (session->state == SESSION_STOPPED && shell->report.format == REPORT_TEXT) {
		session_where(session, where, sizeof(where));
		fprintf(shell->report.stream, "Not verified: what the guest was stopped in: %s.\n", where);
	}
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
	    (!config->script || start(&shell, error) == 0) && read_lines(&shell, error) == 0)
		status = finish(&shell, error);
	*result = shell.result;
	session_destroy(shell.session);
	view_destroy(shell.last);
	editor_close(shell.editor);
	free(shell.block.items);
	return status;
}
