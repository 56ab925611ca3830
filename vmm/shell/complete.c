/* SPDX-License-Identifier: MIT */
#include "shell/complete.h"

#include "script/names.h"
#include "shell/help.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const proc_files[] = { "meminfo", "vmallocinfo", "buddyinfo", "slabinfo", NULL };
static const char *const verify_modes[] = { "each", "end", "off", NULL };
static const char *const expectations[] = { "fault", "refused", NULL };

/* The line up to the cursor. */
struct cursor {
	const char *first; /* first word */
	size_t first_length;
	const char *word; /* the one that the cursor is in, or the end of the text */
	size_t length;
	const char *before; /* the word before it; NULL: none */
	size_t before_length;
	bool starts; /* an operation can begin here */
};

static bool is_separator(char c)
{
	return c == ' ' || c == '\t' || c == '=';
}

static bool is_word(const char *word, size_t length, const char *wanted)
{
	return length == strlen(wanted) && !memcmp(word, wanted, length);
}

/* Moves the cursor over the word [word, word + length), which is complete. */
static void pass_word(struct cursor *cursor, const char *word, size_t length, bool assigned)
{
	bool number = *word >= '0' && *word <= '9';

	if (!cursor->first) {
		cursor->first = word;
		cursor->first_length = length;
	}
	/* NAME =, `expect refused`, `in interrupt`, `on cpu N`: an operation follows. */
	cursor->starts = assigned || is_word(word, length, "refused") || is_word(word, length, "interrupt") ||
			 (number && cursor->before && is_word(cursor->before, cursor->before_length, "cpu") &&
			  is_word(cursor->first, cursor->first_length, "on"));
	cursor->before = word;
	cursor->before_length = length;
}

static struct cursor cursor_of(const char *text)
{
	struct cursor cursor = { .starts = true };
	const char *at = text;

	for (;;) {
		const char *word, *after;

		while (*at && is_separator(*at))
			at++;
		word = at;
		while (*at && !is_separator(*at))
			at++;
		if (!*at) {
			cursor.word = word;
			cursor.length = (size_t)(at - word);
			return cursor;
		}
		after = at + strspn(at, " \t");
		pass_word(&cursor, word, (size_t)(at - word), *after == '=');
	}
}

static void add(struct completion *out, const struct cursor *cursor, const char *word)
{
	if (strncmp(word, cursor->word, cursor->length) != 0 || strlen(word) > COMPLETE_WORD_MAX ||
	    out->count == COMPLETE_MAX)
		return;
	for (size_t i = 0; i < out->count; i++)
		if (!strcmp(out->items[i], word))
			return;
	snprintf(out->items[out->count++], sizeof(out->items[0]), "%s", word);
}

static void add_list(struct completion *out, const struct cursor *cursor, const char *const *list)
{
	for (; list && *list; list++)
		add(out, cursor, *list);
}

static void add_names(struct completion *out, const struct cursor *cursor, const struct name *table)
{
	for (; table->name; table++)
		add(out, cursor, table->name);
}

static void add_variables(struct completion *out, const struct cursor *cursor, const struct script *script)
{
	for (size_t i = 0; script && i < script->variables.count; i++)
		add(out, cursor, script->variables.items[i]);
}

static void add_operations(struct completion *out, const struct cursor *cursor)
{
	const char *name;

	for (size_t i = 0; (name = operation_listed(i)); i++)
		add(out, cursor, name);
}

static void add_starts(const struct complete_words *words, struct completion *out,
		       const struct cursor *cursor)
{
	if (words->script) {
		add_operations(out, cursor);
		add_list(out, cursor, help_prefixes);
	}
	if (cursor->first)
		return;
	add_list(out, cursor, words->own);
	add_list(out, cursor, words->commands);
	/* NAME = ... */
	add_variables(out, cursor, words->script);
}

static void add_arguments(const struct complete_words *words, struct completion *out,
			  const struct cursor *cursor)
{
	const char *first = cursor->first, *before = cursor->before;
	size_t length = cursor->first_length, before_length = cursor->before_length;

	if (is_word(first, length, "help")) {
		add_operations(out, cursor);
		add_list(out, cursor, help_prefixes);
		add_list(out, cursor, words->own);
		add_list(out, cursor, words->commands);
	} else if (is_word(first, length, "proc")) {
		add_list(out, cursor, proc_files);
	} else if (is_word(first, length, "verify")) {
		add_list(out, cursor, verify_modes);
	} else if (is_word(before, before_length, "on")) {
		add(out, cursor, "cpu");
	} else if (is_word(before, before_length, "in")) {
		add(out, cursor, "interrupt");
	} else if (is_word(before, before_length, "cpu") || is_word(before, before_length, "repeat")) {
		/* a number */
	} else if (is_word(before, before_length, "expect")) {
		add_list(out, cursor, expectations);
	} else if (is_word(before, before_length, "fault")) {
		add_names(out, cursor, fault_kind_names);
	} else if (is_word(before, before_length, "show")) {
		add_names(out, cursor, show_names);
	} else if (is_word(before, before_length, "crash")) {
		add_names(out, cursor, crash_names);
	} else if (is_word(before, before_length, "bug")) {
		add_names(out, cursor, bug_names);
	} else {
		add_variables(out, cursor, words->script);
		/* Not all of them at once: flags are typed rarely. */
		if (cursor->length)
			add_names(out, cursor, gfp_names);
	}
}

static int compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

void complete_line(const struct complete_words *words, const char *text, struct completion *out)
{
	struct cursor cursor = cursor_of(text);

	out->count = 0;
	out->typed = cursor.length;
	if (cursor.starts)
		add_starts(words, out, &cursor);
	else
		add_arguments(words, out, &cursor);
	qsort(out->items, out->count, sizeof(out->items[0]), compare);
}

void completion_rest(const struct completion *completion, char *out, size_t size)
{
	const char *first = completion->items[0];
	size_t common = strlen(first);

	for (size_t i = 1; i < completion->count; i++)
		while (common && strncmp(first, completion->items[i], common) != 0)
			common--;
	out[0] = '\0';
	if (!completion->count || common < completion->typed)
		return;
	snprintf(out, size, "%.*s%s", (int)(common - completion->typed), first + completion->typed,
		 completion->count == 1 ? " " : "");
}
