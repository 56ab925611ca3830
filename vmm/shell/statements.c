/* SPDX-License-Identifier: MIT */
#include "shell/statements.h"

#include "base/spelling.h"
#include "script/script.h"
#include "shell/help.h"
#include "shell/words.h"

#include <string.h>

/* The word of the list that the line begins with, or NULL. */
static const char *find_word(const char *line, const char *const *list)
{
	for (; *list; list++)
		if (words_begin(line, *list))
			return *list;
	return NULL;
}

static const char *after_word(const char *line)
{
	line += strspn(line, " \t");
	line += strcspn(line, " \t");
	return line + strspn(line, " \t");
}

/* `verify` is a command where there is no guest that could run it as an operation. */
static enum statement verify_statement(const char *after, bool command)
{
	if (command)
		return STATEMENT_COMMAND;
	return *after ? STATEMENT_OWN : STATEMENT_OPERATION;
}

enum statement statement_of(const char *line, const char *const *commands)
{
	const char *after = after_word(line), *word;

	line += strspn(line, " \t\r");
	if (!*line)
		return STATEMENT_NOTHING;
	if (*after == '=')
		return STATEMENT_OPERATION;
	if ((word = find_word(line, help_own_words)))
		return strcmp(word, "verify") ? STATEMENT_OWN
					      : verify_statement(after, find_word(line, commands));
	word = find_word(line, commands);
	if (!word)
		return STATEMENT_OPERATION;
	if (!strcmp(word, "areas") && *after >= '0' && *after <= '9')
		return STATEMENT_OPERATION;
	return !strcmp(word, "print") && *after == '"' ? STATEMENT_OPERATION : STATEMENT_COMMAND;
}

static bool is_word(const char *at, size_t length, const char *word)
{
	return strlen(word) == length && !memcmp(at, word, length);
}

int statement_depth(const char *line)
{
	static const char blanks[] = " \t\r";
	unsigned int skipped = 0;

	for (;;) {
		size_t length;

		line += strspn(line, blanks);
		length = strcspn(line, " \t\r\n#=");
		if (!length || line[length + strspn(line + length, blanks)] == '=')
			return 0;
		if (!skipped && (is_word(line, length, "repeat") || is_word(line, length, "parallel")))
			return 1;
		if (!skipped && is_word(line, length, "end"))
			return -1;
		/* Prefixes: `on cpu N`, `in interrupt`, `expect refused`. */
		if (skipped)
			skipped--;
		else if (is_word(line, length, "on"))
			skipped = 2;
		else if (is_word(line, length, "in") || is_word(line, length, "expect"))
			skipped = 1;
		else
			return 0;
		line += length;
	}
}

/* The word of the list that is nearest to the typed one, if it is nearer than *distance. */
static const char *nearest_of(const char *typed, size_t length, const char *const *list, size_t *distance)
{
	const char *nearest = NULL;

	for (; *list; list++) {
		size_t now = spelling_distance(typed, length, *list);

		if (now >= *distance)
			continue;
		*distance = now;
		nearest = *list;
	}
	return nearest;
}

const char *statement_meant(const char *line, const char *const *commands)
{
	const char *typed = line + strspn(line, " \t"), *operation, *word, *command;
	size_t length = strcspn(typed, " \t"), distance = spelling_tolerance(length) + 1, wanted;

	if (*after_word(line) == '=')
		return NULL;
	nearest_of(typed, length, help_prefixes, &distance);
	for (size_t i = 0; (operation = operation_listed(i)); i++) {
		wanted = spelling_distance(typed, length, operation);
		distance = wanted < distance ? wanted : distance;
	}
	word = nearest_of(typed, length, help_own_words, &distance);
	command = nearest_of(typed, length, commands, &distance);
	return command ? command : word;
}
