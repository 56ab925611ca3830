/* SPDX-License-Identifier: MIT */
#include "shell/words.h"

#include <string.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Copies a word from *at to *to. False: a quote has no end. */
static bool take_word(const char **at, char **to)
{
	char quote = 0;

	for (; **at && (quote || !is_blank(**at)); ++*at) {
		if (quote && **at == quote)
			quote = 0;
		else if (!quote && (**at == '"' || **at == '\''))
			quote = **at;
		else
			*(*to)++ = **at;
	}
	*(*to)++ = '\0';
	return !quote;
}

size_t words_code_length(const char *line)
{
	const char *at = line;
	char quote = '\0';

	for (; *at && (quote || *at != '#'); at++) {
		if (quote == '"' && *at == '\\' && at[1])
			at++;
		else if (quote && *at == quote)
			quote = '\0';
		else if (!quote && (*at == '"' || *at == '\''))
			quote = *at;
	}
	return (size_t)(at - line);
}

bool words_split(const char *line, struct words *out)
{
	char *to = out->text;

	out->count = 0;
	out->items[0] = NULL;
	if (strlen(line) > WORDS_LINE_MAX)
		return false;
	for (;;) {
		while (is_blank(*line))
			line++;
		if (!*line)
			return true;
		if (out->count == WORDS_MAX)
			return false;
		out->items[out->count++] = to;
		out->items[out->count] = NULL;
		if (!take_word(&line, &to))
			return false;
	}
}

bool words_begin(const char *line, const char *word)
{
	size_t length = strlen(word);

	line += strspn(line, " \t");
	return !strncmp(line, word, length) && (!line[length] || is_blank(line[length]));
}

/* Whether the two words are parts of one address. */
static bool belong_together(const char *word, const char *next)
{
	char last = word[0] ? word[strlen(word) - 1] : '\0';

	return last == '+' || (last == '-' && word[1]) || *next == '+' || !strcmp(next, "-") ||
	       !strcmp(word, "-");
}

void words_join(struct words *words)
{
	size_t kept = words->count ? 1 : 0;

	/* Words follow one another in the text, each with a NUL. */
	for (size_t i = 1; i < words->count; i++) {
		char *end = words->items[kept - 1] + strlen(words->items[kept - 1]);

		if (kept > 1 && belong_together(words->items[kept - 1], words->items[i]))
			memmove(end, words->items[i], strlen(words->items[i]) + 1);
		else
			words->items[kept++] = words->items[i];
	}
	words->count = kept;
	words->items[kept] = NULL;
}

char *words_rest(const char *line, char *text, size_t size)
{
	size_t length;
	char *rest;

	line += strspn(line, " \t");
	line += strcspn(line, " \t");
	line += strspn(line, " \t");
	length = strlen(line);
	while (length && is_blank(line[length - 1]))
		length--;
	rest = text + size - length - 1;
	memcpy(rest, line, length);
	rest[length] = '\0';
	return rest;
}
