/* SPDX-License-Identifier: MIT */
/*
 * page.c: reads the page of a lab.
 */
#define _GNU_SOURCE /* getline */
#include "base/escape.h"
#include "lab/lab.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FENCE "```"

static const struct {
	const char *word;
	enum lab_part_kind kind;
} kinds[] = {
	{ "kvs", LAB_RUN },           { "check", LAB_CHECKS },  { "control", LAB_CONTROL },
	{ "exercise", LAB_EXERCISE }, { "answer", LAB_ANSWER },
};

/* Reads lines of a page. */
struct reader {
	FILE *file;
	char *line; /* without its newline */
	size_t size;
	unsigned int number;
};

/* The next line; false at the end. */
static bool next_line(struct reader *reader)
{
	ssize_t length = getline(&reader->line, &reader->size, reader->file);

	if (length < 0)
		return false;
	reader->line[strcspn(reader->line, "\n")] = '\0';
	reader->number++;
	return true;
}

/* The lines up to the closing fence, malloc'ed; NULL if there is none or memory is out. */
static char *read_body(struct reader *reader)
{
	char *body = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&body, &size);
	bool closed = false;

	while (stream && !closed && next_line(reader)) {
		closed = !strcmp(reader->line, FENCE);
		if (!closed)
			fprintf(stream, "%s\n", reader->line);
	}
	if (!stream || fclose(stream) != 0 || !closed) {
		free(body);
		return NULL;
	}
	return body;
}

static int add_block(struct lab *lab, struct reader *reader, bool in_exercise, struct error *error)
{
	const char *word = reader->line + strlen(FENCE);
	size_t length = strcspn(word, " ");
	char escaped[64];

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct lab_part part = { .kind = kinds[i].kind,
					 .line = reader->number,
					 .in_exercise = in_exercise };

		if (strlen(kinds[i].word) != length || strncmp(word, kinds[i].word, length) != 0)
			continue;
		part.words = strdup(word + length + strspn(word + length, " "));
		part.body = read_body(reader);
		if (!part.body || !part.words || array_push(&lab->parts, part) < 0) {
			free(part.words);
			free(part.body);
			return error_set(error, ERROR_INPUT, 0, 0, "%s:%u: the block has no end", lab->path,
					 part.line);
		}
		return 0;
	}
	return error_set(error, ERROR_INPUT, 0, 0,
			 "%s:%u: a lab has no block of the kind `%s`: kvs, check, control, exercise, answer",
			 lab->path, reader->number, text_escape(word, length, escaped, sizeof(escaped)));
}

/* Appends the rest of a line of a quotation to `out`. */
static void append(char *out, size_t size, const char *text)
{
	size_t length = strlen(out);

	snprintf(out + length, size - length, "%s%s", length ? " " : "", text);
}

/* A line of text: the title, the claim, what is found, or any other. `quote`: where lines of the quotation go. */
static int add_text(struct lab *lab, const struct reader *reader, bool in_exercise, char **quote,
		    struct error *error)
{
	static const char claim[] = "> Claim: ", found[] = "> Found: ";
	struct lab_part part = { .kind = LAB_TEXT, .line = reader->number, .in_exercise = in_exercise };
	const char *line = reader->line;

	if (!strncmp(line, "# ", 2)) {
		snprintf(lab->title, sizeof(lab->title), "%s", line + 2);
	} else if (!strncmp(line, claim, sizeof(claim) - 1)) {
		*quote = lab->claim;
		append(lab->claim, sizeof(lab->claim), line + sizeof(claim) - 1);
	} else if (!strncmp(line, found, sizeof(found) - 1)) {
		*quote = lab->found;
		append(lab->found, sizeof(lab->found), line + sizeof(found) - 1);
	} else if (!strncmp(line, "> ", 2) && *quote) {
		append(*quote, sizeof(lab->claim), line + 2);
	} else {
		part.words = strdup(line);
		if (!part.words || array_push(&lab->parts, part) < 0) {
			free(part.words);
			return error_set(error, ERROR_HOST, ENOMEM, 0, "no memory for %s", lab->path);
		}
	}
	return 0;
}

static int read_page(struct lab *lab, struct reader *reader, struct error *error)
{
	bool in_exercise = false;
	char *quote = NULL;

	while (next_line(reader)) {
		if (!strncmp(reader->line, "## ", 3))
			in_exercise = !strcmp(reader->line, "## Exercise");
		if ((!strncmp(reader->line, FENCE, strlen(FENCE))
			     ? add_block(lab, reader, in_exercise, error)
			     : add_text(lab, reader, in_exercise, &quote, error)) < 0)
			return -1;
	}
	if (!lab->title[0] || !lab->claim[0] || !lab->found[0])
		return error_set(error, ERROR_INPUT, 0, 0,
				 "%s: the page of a lab has `# TITLE`, `> Claim: ` and `> Found: `",
				 lab->path);
	return 0;
}

int lab_load(const char *path, struct lab *out, struct error *error)
{
	struct reader reader = { .file = fopen(path, "re") };
	struct lab lab = { .path = strdup(path) };
	int result;

	if (!reader.file || !lab.path) {
		free(lab.path);
		if (reader.file)
			fclose(reader.file);
		return error_set(error, ERROR_INPUT, errno, 0, "%s", path);
	}
	result = read_page(&lab, &reader, error);
	fclose(reader.file);
	free(reader.line);
	if (result < 0)
		lab_destroy(&lab);
	else
		*out = lab;
	return result;
}

void lab_destroy(struct lab *lab)
{
	for (size_t i = 0; i < lab->parts.count; i++) {
		free(lab->parts.items[i].words);
		free(lab->parts.items[i].body);
	}
	free(lab->parts.items);
	free(lab->path);
	*lab = (struct lab){ 0 };
}
