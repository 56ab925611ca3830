/* SPDX-License-Identifier: MIT */
/*
 * own_words.c: the words of the shell itself (help.c has their list).
 */
#include "shell/help.h"
#include "shell/internal.h"
#include "shell/save.h"

#include <string.h>

static void set_verify(struct shell *shell, const char *mode)
{
	static const char *const modes[] = { "each", "end", "off" };

	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		if (strcmp(mode, modes[i]) != 0)
			continue;
		shell->verify = (enum verify_mode)i;
		return;
	}
	shell_error(shell, "write: verify, or verify each, verify end, verify off", NULL);
}

static void save(struct shell *shell, const char *path)
{
	struct error error;

	if (!shell->session)
		shell_error(shell, "there is nothing to save: no operation was run", NULL);
	else if (!path || !*path)
		shell_error(shell, "write: save FILE", NULL);
	else if (save_script(path, &shell->session->config, &error) < 0)
		shell_error(shell, error.text, NULL);
}

static bool is_command(const struct shell *shell, const char *word)
{
	for (const char *const *command = shell->config->commands; *command; command++)
		if (!strcmp(*command, word))
			return true;
	return false;
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
		shell_inspect(shell, 2, arguments);
	else if (!found)
		shell_error(shell, "there is no such word: `help` lists them", NULL);
}

int own_word_run(struct shell *shell, const struct words *words, struct error *error)
{
	char *argument = words->items[1], text[160];
	const char *word = words->items[0];
	size_t most;
	const char *usage = help_usage(word, &most);

	if (words->count - 1 > most) {
		snprintf(text, sizeof(text), "there is an argument too many; write: %s", usage);
		shell_error(shell, text, NULL);
	} else if (!strcmp(word, "exit") || !strcmp(word, "quit"))
		shell->ends = true;
	else if (!strcmp(word, "restart"))
		return guest_restart(shell, error);
	else if (!strcmp(word, "continue"))
		return guest_continue(shell, error);
	else if (!strcmp(word, "help"))
		help(shell, argument);
	else if (!strcmp(word, "save"))
		save(shell, argument);
	else
		set_verify(shell, argument);
	return 0;
}
