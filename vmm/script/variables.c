/* SPDX-License-Identifier: MIT */
#include "script/variables.h"

#include "base/array.h"
#include "base/spelling.h"
#include "script/operations.h"

#include <stdlib.h>
#include <string.h>

int variable_find(const struct compile *compile, struct word word)
{
	const struct script *script = compile->script;

	for (size_t i = 0; i < script->variables.count; i++)
		if (strlen(script->variables.items[i]) == word.length &&
		    !memcmp(script->variables.items[i], word.at, word.length))
			return (int)i;
	return -1;
}

int variable_assign(struct compile *compile, struct word word)
{
	struct script *script = compile->script;
	int number = variable_find(compile, word);
	char *name;

	if (number >= 0)
		return number;
	if (*word.at >= '0' && *word.at <= '9')
		return compile_error(compile, word.at, "the name of a variable begins with a letter");
	if (word.length > SCRIPT_NAME_MAX)
		return compile_error(compile, word.at, "a name of %zu letters; at most %d are allowed",
				     word.length, SCRIPT_NAME_MAX);
	if (word_is_reserved(word))
		return compile_error(compile, word.at,
				     "'%.*s' is a word of the language; choose another name",
				     (int)word.length, word.at);
	if (script->variables.count == KVMAP_VARIABLES_MAX)
		return compile_error(compile, word.at,
				     "one variable too many; at most %d are allowed: use some again",
				     KVMAP_VARIABLES_MAX);
	name = strndup(word.at, word.length);
	if (!name || array_push(&script->variables, name) < 0) {
		free(name);
		return compile_error_memory(compile);
	}
	return (int)script->variables.count - 1;
}

/* Does the line that starts at `line` assign the variable? */
static bool line_assigns(const char *line, const char *end, struct word word)
{
	line += strspn(line, " \t");
	if (!strncmp(line, "expect", 6) && (line[6] == ' ' || line[6] == '\t')) {
		line += 6 + strspn(line + 6, " \t");
		if (strncmp(line, "refused", 7) != 0)
			return false;
		line += 7 + strspn(line + 7, " \t");
	}
	if (line > end || (size_t)(end - line) <= word.length || memcmp(line, word.at, word.length) != 0)
		return false;
	line += word.length;
	return line[strspn(line, " \t")] == '=';
}

/* The number of the first line below this one that assigns the variable, or 0. */
static uint32_t assigned_below(const struct compile *compile, struct word word)
{
	const char *end = compile->script->text + compile->script->length;
	const char *line = compile->now.line;
	uint32_t number = compile->now.number;

	while ((line = memchr(line, '\n', (size_t)(end - line)))) {
		line++;
		number++;
		if (line_assigns(line, end, word))
			return number;
	}
	return 0;
}

int variable_diagnose(struct compile *compile, struct word word)
{
	const struct script *script = compile->script;
	uint32_t below = assigned_below(compile, word);
	const char *best = NULL;
	size_t best_distance = spelling_tolerance(word.length) + 1;
	int shown = word.length > SCRIPT_NAME_MAX ? SCRIPT_NAME_MAX : (int)word.length;

	if (below)
		return compile_error(compile, word.at, "'%.*s' is used before it is set, in line %u", shown,
				     word.at, below);
	for (size_t i = 0; i < script->variables.count; i++) {
		size_t distance = spelling_distance(word.at, word.length, script->variables.items[i]);

		if (distance < best_distance && distance < word.length) {
			best = script->variables.items[i];
			best_distance = distance;
		}
	}
	if (best)
		return compile_error(compile, word.at, "unknown variable '%.*s'; did you mean '%s'?", shown,
				     word.at, best);
	return compile_error(compile, word.at, "unknown variable '%.*s'; set it first: %.*s = vmalloc SIZE",
			     shown, word.at, shown, word.at);
}
